// SPDX-License-Identifier: Apache-2.0
package org.kmorph.ssh;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.interfaces.RSAPublicKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.sshd.common.config.keys.AuthorizedKeyEntry;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.config.keys.PublicKeyEntryResolver;
import org.apache.sshd.common.digest.BuiltinDigests;
import org.kmorph.api.command.Role;

/**
 * The keys of an {@code authorized_keys} file, in the format of sshd(8), AUTHORIZED_KEYS FILE FORMAT, with one option of our
 * own that must be there: {@code role="operator" ssh-ed25519 AAAA… alice}. A line that cannot be taken whole is not taken.
 *
 * @param byFingerprint the keys that count
 * @param refusals a sentence for each line that does not count
 */
record AuthorizedKeys(Map<String, AuthorizedKey> byFingerprint, List<String> refusals) {
    static final AuthorizedKeys NONE = new AuthorizedKeys(Map.of(), List.of());

    private static final Set<String> KEY_TYPES = Set.of(
            "ssh-ed25519",
            "sk-ssh-ed25519@openssh.com",
            "ecdsa-sha2-nistp256",
            "ecdsa-sha2-nistp384",
            "ecdsa-sha2-nistp521",
            "ssh-rsa");
    private static final int SHORTEST_RSA_BITS = 3072;
    private static final int LONGEST_NAME = 128;
    private static final String ROLES =
            Arrays.stream(Role.values()).map(AuthorizedKeys::word).collect(Collectors.joining(", "));

    AuthorizedKeys {
        byFingerprint = Map.copyOf(byFingerprint);
        refusals = List.copyOf(refusals);
    }

    static AuthorizedKeys parse(List<String> lines) {
        Map<String, AuthorizedKey> keys = new HashMap<>();
        List<String> refusals = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i).strip();
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            try {
                AuthorizedKey key = parseLine(line);
                if (keys.putIfAbsent(key.fingerprint(), key) != null) {
                    throw new Refusal("the key stands in an earlier line, which counts");
                }
            } catch (Refusal e) {
                refusals.add("line " + (i + 1) + ": " + e.getMessage());
            }
        }
        return new AuthorizedKeys(keys, refusals);
    }

    /** The holder of a key; empty for a key that is not in the file. */
    Optional<AuthorizedKey> find(PublicKey key) {
        return Optional.ofNullable(byFingerprint.get(fingerprint(key)));
    }

    static String fingerprint(PublicKey key) {
        return KeyUtils.getFingerPrint(BuiltinDigests.sha256, key);
    }

    private static AuthorizedKey parseLine(String line) throws Refusal {
        AuthorizedKeyEntry entry;
        PublicKey key;
        try {
            entry = AuthorizedKeyEntry.parseAuthorizedKeyEntry(line);
            if (!KEY_TYPES.contains(entry.getKeyType())) {
                throw new Refusal("keys of type " + entry.getKeyType()
                        + " are not accepted; make one with: ssh-keygen -t ed25519");
            }
            key = entry.resolvePublicKey(null, PublicKeyEntryResolver.FAILING);
        } catch (IOException | GeneralSecurityException | RuntimeException e) {
            throw new Refusal("not a public key; expected: role=\"viewer\" ssh-ed25519 AAAA... name");
        }
        if (key instanceof RSAPublicKey rsa && rsa.getModulus().bitLength() < SHORTEST_RSA_BITS) {
            throw new Refusal("an RSA key of " + rsa.getModulus().bitLength() + " bits is too short; at least "
                    + SHORTEST_RSA_BITS + " were expected; make one with: ssh-keygen -t ed25519");
        }
        String name = Optional.ofNullable(entry.getComment()).orElse("").strip();
        if (name.isEmpty()) {
            throw new Refusal("the key has no name; write one after it, the audit log says who did what");
        }
        if (name.length() > LONGEST_NAME || name.chars().anyMatch(Character::isISOControl)) {
            throw new Refusal(
                    "the name after the key is longer than " + LONGEST_NAME + " characters or has control characters");
        }
        return new AuthorizedKey(name, role(entry.getLoginOptions(), name), fingerprint(key));
    }

    private static Role role(Map<String, String> options, String name) throws Refusal {
        for (String option : options.keySet()) {
            // an option that restricts a key elsewhere must not be passed over here
            if (!option.equalsIgnoreCase("role")) {
                throw new Refusal("key \"" + name + "\": the option " + option + " is not known; only role is");
            }
        }
        if (options.isEmpty()) {
            throw new Refusal("key \"" + name + "\" has no role; write role=\"viewer\" before it (" + ROLES + ")");
        }
        String value = options.values().iterator().next();
        return Arrays.stream(Role.values())
                .filter(role -> word(role).equals(value))
                .findFirst()
                .orElseThrow(() -> new Refusal(
                        "key \"" + name + "\": the role \"" + value + "\" is not known; expected one of " + ROLES));
    }

    private static String word(Role role) {
        return role.name().toLowerCase(Locale.ROOT);
    }

    /** Why a line does not count. */
    private static final class Refusal extends Exception {
        private static final long serialVersionUID = 1L;

        Refusal(String message) {
            super(message);
        }
    }
}
