// SPDX-License-Identifier: Apache-2.0
package org.kmorph.kmpclient;

import java.util.List;
import org.kmorph.kmp.item.Item;
import org.kmorph.kmp.item.Items;
import org.kmorph.kmp.item.Text;
import org.kmorph.kmp.message.ErrorAnswer;
import org.kmorph.kmp.message.RetryAnswer;

/** KMP_ERROR and KMP_RETRY for people. What a peer wrote is shown without what is not printable. */
final class Errors {
    private static final List<String> NAMES = List.of(
            "UNSUPPORTED_VERSION",
            "UNSUPPORTED_TYPE",
            "TOO_LARGE",
            "MALFORMED",
            "UNKNOWN_OPERATION",
            "WRONG_STATE",
            "BUSY",
            "NOT_SUPPORTED",
            "NO_SPACE",
            "DENIED",
            "IO",
            "DIGEST_MISMATCH",
            "EXPIRED",
            "NO_WORKLOAD",
            "INTERNAL");

    private Errors() {}

    static String text(ErrorAnswer error) {
        String value = error.value() == 0 ? "" : " (" + Long.toUnsignedString(error.value()) + ")";
        return "the agent answers " + name(error.code()) + value + said(error.items());
    }

    static String text(RetryAnswer retry) {
        return "the agent asks for " + retry.delayMillis() + " ms of patience, " + name(retry.code())
                + said(retry.items());
    }

    private static String name(int code) {
        return code >= 1 && code <= NAMES.size() ? NAMES.get(code - 1) : "error " + code;
    }

    private static String said(List<Item> items) {
        return Items.first(items, Text.class)
                .map(text -> ": " + text.text().replaceAll("\\p{Cntrl}", "?"))
                .orElse("");
    }
}
