// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.monitor;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.kmorph.api.health.Health;
import org.kmorph.api.health.HealthMonitor;
import org.kmorph.api.health.HealthMonitor.HealthReport;
import org.kmorph.api.instance.Instances;

/**
 * Who there is, in order, and how many are how well. Taking it asks for every instance, so the dashboard does that seldom, and each frame
 * for the few that are visible alone.
 *
 * @param names in the order of the view
 */
record Census(List<String> names, Map<Health, Long> counts) {

    static Census take(Instances instances, HealthMonitor health, ViewState view) {
        Map<String, HealthReport> reports = health.reports().stream()
                .collect(Collectors.toMap(HealthReport::instance, Function.identity(), (first, second) -> second));
        Map<Health, Long> counts = new EnumMap<>(Health.class);
        List<String> names = instances.list().stream()
                .map(instance -> new Row(instance, Optional.ofNullable(reports.get(instance.name()))))
                .peek(row -> counts.merge(row.health(), 1L, Long::sum))
                .sorted(view.sort().order(view.reversed()))
                .map(Row::name)
                .toList();
        return new Census(names, counts);
    }
}
