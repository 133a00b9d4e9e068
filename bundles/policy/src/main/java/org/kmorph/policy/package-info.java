// SPDX-License-Identifier: Apache-2.0
/**
 * The service {@link org.kmorph.api.policy.Policies}: {@link org.kmorph.policy.Book} is all that was set, immutable;
 * {@link org.kmorph.policy.PolicyService} keeps it in the journal, one record for all instances and one for each that has values of its
 * own.
 */
package org.kmorph.policy;
