// SPDX-License-Identifier: Apache-2.0
/**
 * Hot deployment. {@link org.kmorph.deploy.JarCheck} verifies a jar whole before the framework sees it, {@link
 * org.kmorph.deploy.Replacement} starts a new version beside the old one and puts things back when it does not become healthy, {@link
 * org.kmorph.deploy.DeployDirectory} watches {@code deploy/}.
 */
package org.kmorph.deploy;
