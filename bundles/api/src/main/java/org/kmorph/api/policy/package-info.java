// SPDX-License-Identifier: Apache-2.0
/**
 * Policies: what is to be done with an instance, as people set it. {@link org.kmorph.api.policy.Policies} is the service that knows
 * the values; they are in the journal (kind {@code policy}).
 *
 * <p>A {@link org.kmorph.api.policy.PolicySetting} has a name, a type, bounds and a standard value. Those that every part of the
 * daemon may look at are in {@link org.kmorph.api.policy.StandardPolicy}. A bundle adds its own by a service
 * {@link org.kmorph.api.policy.PolicyTable}; from then on people can see and set them ({@code policy show}, {@code policy set NAME},
 * {@code policy import}):
 *
 * <pre>{@code
 * final class RecoverySettings {
 *     static final PolicySetting<Boolean> CAPTURE =
 *             PolicySetting.enabled("vmcore-capture", "save the memory of a failed kernel before it is reclaimed", true);
 *     static final PolicySetting<Long> RETRIES =
 *             PolicySetting.whole("respawn-retries", "how often a failed kernel is started again", 3, 0, 100);
 * }
 *
 * @Component
 * public final class RecoveryTable implements PolicyTable {
 *     public List<PolicySetting<?>> settings() { return List.of(RecoverySettings.CAPTURE, RecoverySettings.RETRIES); }
 * }
 *
 * // where it counts; the value is what counts for the instance now
 * if (policies.value("web", RecoverySettings.CAPTURE)) { … }
 * }</pre>
 *
 * <p>Which value counts, the first that there is: the one set for the instance; the one given when it was spawned; the standard of the
 * profile that was set for the instance; the one set for all; the standard of the profile for all; the setting's own standard.
 */
@Version("1.0.0")
@org.osgi.annotation.bundle.Export
package org.kmorph.api.policy;

import org.osgi.annotation.versioning.Version;
