// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.transport;

/**
 * Where a peer listens.
 *
 * @param scheme which transport reaches it: {@code unix}, {@code vsock}
 * @param address as that transport writes it: a socket's path; {@code CID:PORT}
 */
public record Endpoint(String scheme, String address) {
    @Override
    public String toString() {
        return scheme + ":" + address;
    }

    /** Reads what {@link #toString} wrote. @throws IllegalArgumentException for anything else */
    public static Endpoint parse(String text) {
        int colon = text.indexOf(':');
        if (colon < 1 || colon == text.length() - 1) {
            throw new IllegalArgumentException("\"" + text + "\" is no endpoint; expected SCHEME:ADDRESS");
        }
        return new Endpoint(text.substring(0, colon), text.substring(colon + 1));
    }
}
