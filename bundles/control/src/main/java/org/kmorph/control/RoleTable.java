// SPDX-License-Identifier: Apache-2.0
package org.kmorph.control;

import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.kmorph.api.command.Role;

/** Which users and groups have which role, as etc/org.kmorph.control.roles.cfg says. Pure. */
final class RoleTable {
    private final Map<Role, Set<String>> users = new EnumMap<>(Role.class);
    private final Map<Role, Set<String>> groups = new EnumMap<>(Role.class);

    RoleTable(RolesConfig config) {
        users.put(Role.VIEWER, names(config.viewer_users()));
        users.put(Role.OPERATOR, names(config.operator_users()));
        users.put(Role.ADMIN, names(config.admin_users()));
        groups.put(Role.VIEWER, names(config.viewer_groups()));
        groups.put(Role.OPERATOR, names(config.operator_groups()));
        groups.put(Role.ADMIN, names(config.admin_groups()));
    }

    private static Set<String> names(String list) {
        return Arrays.stream(list.split(","))
                .map(String::trim)
                .filter(n -> !n.isEmpty())
                .collect(Collectors.toSet());
    }

    /**
     * The highest role that one of the names gives; empty when none does.
     *
     * @param user what the user is called: name and number
     * @param memberOf what his groups are called: names and numbers
     */
    Optional<Role> roleOf(Collection<String> user, Collection<String> memberOf) {
        return Arrays.stream(Role.values())
                .filter(r -> user.stream().anyMatch(users.get(r)::contains)
                        || memberOf.stream().anyMatch(groups.get(r)::contains))
                .max(Comparator.naturalOrder());
    }
}
