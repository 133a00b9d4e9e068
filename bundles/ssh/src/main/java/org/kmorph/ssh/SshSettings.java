// SPDX-License-Identifier: Apache-2.0
package org.kmorph.ssh;

import java.nio.file.Path;
import java.time.Duration;
import org.kmorph.api.daemon.Directories;

/**
 * The configuration, checked.
 *
 * @param host an address or a name to listen on
 * @param port 0 (any free one) to 65535
 * @param authorizedKeys the file of keys and roles
 * @param hostKey the file of the private host key
 * @param maxSessions sessions that are logged in, at a time
 * @param maxUnauthenticated connections that are not logged in yet, at a time
 * @param loginGrace how long logging in may take
 * @param maxAuthTries keys that one connection may try
 * @param idleTimeout how long a session may stay silent; a running exec command is not silent
 * @param drain how long sessions may go on when the door is replaced
 */
record SshSettings(
        String host,
        int port,
        Path authorizedKeys,
        Path hostKey,
        int maxSessions,
        int maxUnauthenticated,
        Duration loginGrace,
        int maxAuthTries,
        Duration idleTimeout,
        Duration drain) {

    SshSettings {
        if (host.isBlank()) {
            throw new IllegalArgumentException("host is empty; an address such as 127.0.0.1 was expected");
        }
        within("port", port, 0, 65535);
        within("max.sessions", maxSessions, 1, 1000);
        within("max.unauthenticated", maxUnauthenticated, 1, 1000);
        within("login.grace.seconds", loginGrace.toSeconds(), 1, 600);
        within("max.auth.tries", maxAuthTries, 1, 100);
        within("idle.timeout.seconds", idleTimeout.toSeconds(), 1, 604_800);
        within("drain.seconds", drain.toSeconds(), 0, 300);
    }

    /** @throws IllegalArgumentException naming the key, its value and what was expected */
    static SshSettings of(SshConfiguration configuration, Directories directories) {
        within("port", configuration.port(), 0, 65535);
        return new SshSettings(
                configuration.host().strip(),
                configuration.port(),
                directories.etc().resolve(configuration.authorized_keys()),
                directories.state().resolve(configuration.host_key()),
                configuration.max_sessions(),
                configuration.max_unauthenticated(),
                Duration.ofSeconds(configuration.login_grace_seconds()),
                configuration.max_auth_tries(),
                Duration.ofSeconds(configuration.idle_timeout_seconds()),
                Duration.ofSeconds(configuration.drain_seconds()));
    }

    private static void within(String key, long value, long least, long most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(key + " is " + value + "; " + least + " to " + most + " was expected");
        }
    }
}
