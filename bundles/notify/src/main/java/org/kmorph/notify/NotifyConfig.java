// SPDX-License-Identifier: Apache-2.0
package org.kmorph.notify;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** What {@code etc/org.kmorph.notify.cfg} says; the comments of that file explain each. */
@ObjectClassDefinition(name = "kmorph notify", description = "Who else is told what happens to instances")
@interface NotifyConfig {
    @AttributeDefinition(
            name = "hook.seconds",
            description = "a program of hooks.d may take so many seconds with one event",
            min = "1",
            max = "3600")
    int hook_seconds() default 10;

    @AttributeDefinition(
            name = "hook.waiting",
            description = "so many events may wait for the programs of hooks.d",
            min = "1",
            max = "1000000")
    int hook_waiting() default 1000;

    @AttributeDefinition(
            name = "webhook.url",
            description = "each event is posted to this http or https address; empty for none")
    String webhook_url() default "";

    @AttributeDefinition(
            name = "webhook.authorization.file",
            description = "a file whose first line is sent as the Authorization header; empty for none")
    String webhook_authorization_file() default "";

    @AttributeDefinition(
            name = "webhook.seconds",
            description = "the receiver may take so many seconds with one event",
            min = "1",
            max = "600")
    int webhook_seconds() default 10;

    @AttributeDefinition(
            name = "webhook.waiting",
            description = "so many events wait on disk for the receiver; more push the oldest out",
            min = "1",
            max = "1000000")
    int webhook_waiting() default 10_000;
}
