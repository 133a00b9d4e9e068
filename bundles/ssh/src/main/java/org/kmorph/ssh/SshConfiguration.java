// SPDX-License-Identifier: Apache-2.0
package org.kmorph.ssh;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** {@code etc/org.kmorph.ssh.cfg}. */
@ObjectClassDefinition(name = "SSH door", description = "The remote shell.")
@interface SshConfiguration {
    String PID = "org.kmorph.ssh";

    @AttributeDefinition(name = "Whether there is an SSH door at all")
    boolean enabled() default true;

    @AttributeDefinition(name = "Address to listen on", description = "An IP address, or a name that has one.")
    String host() default "127.0.0.1";

    @AttributeDefinition(
            name = "Port to listen on; 0 for any that is free, which the log then names",
            min = "0",
            max = "65535")
    int port() default 2222;

    @AttributeDefinition(name = "Public keys with their roles", description = "Relative to etc/.")
    String authorized_keys() default "authorized_keys";

    @AttributeDefinition(name = "Host key, made when it is not there", description = "Relative to the state directory.")
    String host_key() default "ssh_host_ed25519_key";

    @AttributeDefinition(name = "Sessions at a time", min = "1", max = "1000")
    int max_sessions() default 16;

    @AttributeDefinition(name = "Connections at a time that have not logged in yet", min = "1", max = "1000")
    int max_unauthenticated() default 8;

    @AttributeDefinition(name = "Seconds that logging in may take", min = "1", max = "600")
    int login_grace_seconds() default 30;

    @AttributeDefinition(name = "Keys that one connection may try", min = "1", max = "100")
    int max_auth_tries() default 6;

    @AttributeDefinition(name = "Seconds without a byte after which a session ends", min = "1", max = "604800")
    int idle_timeout_seconds() default 600;

    @AttributeDefinition(name = "Seconds that sessions get to end when the door is replaced", min = "0", max = "300")
    int drain_seconds() default 5;
}
