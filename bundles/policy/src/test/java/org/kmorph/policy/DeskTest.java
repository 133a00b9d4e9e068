// SPDX-License-Identifier: Apache-2.0
package org.kmorph.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.kmorph.api.journal.Entry;
import org.kmorph.api.journal.Journal;
import org.kmorph.api.journal.JournalException;
import org.kmorph.api.journal.JournalRecord;
import org.kmorph.api.journal.Query;
import org.kmorph.api.policy.Policies.Document;
import org.kmorph.api.policy.Policies.Effective;
import org.kmorph.api.policy.Policies.Source;
import org.kmorph.api.policy.PolicyException;
import org.kmorph.api.policy.PolicySetting;
import org.kmorph.api.policy.PolicyTable;
import org.kmorph.api.policy.StandardPolicy;

class DeskTest {
    private static final PolicySetting<Long> RETRIES = PolicySetting.whole("respawn-retries", "", 3, 0, 10);
    private static final Optional<String> WEB = Optional.of("web");
    private static final Optional<String> ALL = Optional.empty();

    private final MemoryJournal journal = new MemoryJournal();
    private final Tables tables = new Tables();
    private final Desk desk = new Desk(tables, () -> journal, this::spawned);

    private Optional<String> spawned(String name) {
        return name.equals("given") ? Optional.of("7s") : Optional.empty();
    }

    @BeforeEach
    void standardTable() {
        tables.add(new StandardTable());
    }

    private Duration timeout(String instance) {
        return desk.value(instance, StandardPolicy.HEARTBEAT_TIMEOUT);
    }

    private Effective effective(Optional<String> instance, String setting) {
        return desk.effective(instance).stream()
                .filter(value -> value.setting().name().equals(setting))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void the_nearest_value_counts_and_says_where_it_comes_from() throws PolicyException {
        assertThat(effective(WEB, "heartbeat-timeout").source()).isEqualTo(Source.BUILT_IN);
        desk.set(ALL, "profile", "development");
        assertThat(timeout("web")).isEqualTo(Duration.ofMinutes(1));
        desk.set(ALL, "heartbeat-timeout", "5");
        assertThat(effective(WEB, "heartbeat-timeout"))
                .extracting(Effective::value, Effective::source)
                .containsExactly("5s", Source.DEFAULTS);
        desk.set(WEB, "profile", "production");
        assertThat(effective(WEB, "heartbeat-timeout").source()).isEqualTo(Source.PROFILE);
        assertThat(timeout("web")).isEqualTo(Duration.ofSeconds(1));
        assertThat(timeout("db")).isEqualTo(Duration.ofSeconds(5));
        assertThat(timeout("given")).as("given when it was spawned").isEqualTo(Duration.ofSeconds(7));
        desk.set(Optional.of("given"), "heartbeat-timeout", "300ms");
        assertThat(timeout("given")).isEqualTo(Duration.ofMillis(300));
    }

    @Test
    void what_was_set_is_known_after_a_restart_and_gone_when_it_was_unset() throws Exception {
        desk.set(WEB, "auto-heal", "disabled");
        desk.set(ALL, "morph-timeout", "90s");
        Desk next = new Desk(tables, () -> journal, this::spawned);
        next.load();
        assertThat(next.document()).isEqualTo(desk.document());
        assertThat(next.value("web", StandardPolicy.AUTO_HEAL)).isFalse();
        next.unset(WEB, "auto-heal");
        Desk last = new Desk(tables, () -> journal, this::spawned);
        last.load();
        assertThat(last.document()).isEqualTo(new Document(Map.of("morph-timeout", "90s"), Map.of()));
    }

    @Test
    void what_is_refused_changes_nothing_and_says_what_is_expected() {
        assertThatThrownBy(() -> desk.set(WEB, "heartbeat-timeout", "1ms"))
                .isInstanceOf(PolicyException.class)
                .hasMessage("heartbeat-timeout is \"1ms\"; expected a time from 30ms to 1h");
        assertThatThrownBy(() -> desk.set(WEB, "hartbeat-timeout", "1s"))
                .hasMessage(
                        "there is no setting \"hartbeat-timeout\"; there is auto-heal, heartbeat-timeout, morph-timeout,"
                                + " profile");
        assertThatThrownBy(() -> desk.set(Optional.of("No Name"), "auto-heal", "enabled"))
                .hasMessage("\"No Name\" is no instance name");
        assertThat(journal.records).isEmpty();
    }

    @Test
    void what_cannot_be_recorded_does_not_count() {
        journal.full = true;
        assertThatThrownBy(() -> desk.set(WEB, "auto-heal", "disabled"))
                .isInstanceOfSatisfying(
                        PolicyException.class, e -> assertThat(e.refused()).isFalse())
                .hasMessageContaining("the disk is full");
        assertThat(desk.value("web", StandardPolicy.AUTO_HEAL)).isTrue();
    }

    @Test
    void a_document_is_taken_whole_or_not_at_all() throws Exception {
        desk.set(Optional.of("old"), "auto-heal", "disabled");
        Document before = desk.document();
        Document wrong = new Document(
                Map.of("morph-timeout", "5m"),
                Map.of("web", Map.of("auto-heal", "off"), "db", Map.of("auto-heal", "enabled")));
        assertThatThrownBy(() -> desk.replace(wrong))
                .hasMessage("instance \"web\": auto-heal is \"off\"; expected enabled or disabled");
        assertThat(desk.document()).isEqualTo(before);

        desk.replace(new Document(Map.of("morph-timeout", "300"), Map.of("web", Map.of("auto-heal", "disabled"))));
        Document after = new Document(Map.of("morph-timeout", "5m"), Map.of("web", Map.of("auto-heal", "disabled")));
        assertThat(desk.document()).isEqualTo(after);
        Desk next = new Desk(tables, () -> journal, this::spawned);
        next.load();
        assertThat(next.document()).isEqualTo(after);
        assertThat(journal.appends).isEqualTo(2);
    }

    @Test
    void instances_with_values_of_their_own_are_bounded() throws PolicyException {
        Map<String, Map<String, String>> many = new LinkedHashMap<>();
        for (int i = 0; i < 499; i++) {
            many.put("i" + i, Map.of("auto-heal", "disabled"));
        }
        desk.replace(new Document(Map.of(), many));
        assertThatThrownBy(() -> desk.set(WEB, "auto-heal", "disabled")).hasMessageContaining("at most 499 may");
        many.clear();
        for (int i = 0; i < 499; i++) {
            many.put("j" + i, Map.of("auto-heal", "disabled"));
        }
        desk.replace(new Document(Map.of("morph-timeout", "5m"), many));
        assertThat(desk.document().instances()).hasSize(499);
    }

    @Test
    void a_bundle_brings_settings_and_their_values_wait_for_it_while_it_is_gone() throws PolicyException {
        PolicyTable brought = () -> List.of(RETRIES);
        assertThatThrownBy(() -> desk.set(WEB, "respawn-retries", "5")).hasMessageContaining("there is no setting");
        tables.add(brought);
        desk.set(WEB, "respawn-retries", "5");
        tables.remove(brought);
        assertThat(desk.effective(WEB))
                .extracting(value -> value.setting().name())
                .doesNotContain("respawn-retries");
        desk.set(WEB, "auto-heal", "disabled");
        tables.add(brought);
        assertThat(desk.value("web", RETRIES)).isEqualTo(5);
    }

    @Test
    void a_value_that_a_newer_setting_does_not_take_any_more_does_not_count() throws PolicyException {
        tables.add(() -> List.of(RETRIES));
        desk.set(WEB, "respawn-retries", "10");
        PolicySetting<Long> narrower = PolicySetting.whole("respawn-retries", "", 2, 0, 5);
        assertThat(desk.value("web", narrower)).isEqualTo(2);
    }

    @Test
    void values_that_do_not_go_together_are_refused_also_when_the_value_for_all_breaks_them() throws PolicyException {
        tables.add(new PolicyTable() {
            @Override
            public List<PolicySetting<?>> settings() {
                return List.of(RETRIES);
            }

            @Override
            public void check(Values values) {
                if (values.value(RETRIES) > 5 && values.value(StandardPolicy.AUTO_HEAL)) {
                    throw new IllegalArgumentException("more than 5 retries need auto-heal disabled");
                }
            }
        });
        desk.set(WEB, "auto-heal", "disabled");
        desk.set(WEB, "respawn-retries", "6");
        assertThatThrownBy(() -> desk.set(ALL, "respawn-retries", "7")).hasMessageContaining("more than 5");
        assertThatThrownBy(() -> desk.unset(WEB, "auto-heal"))
                .hasMessage("instance \"web\": more than 5 retries need auto-heal disabled");
    }

    @Test
    void what_was_wrong_before_does_not_stand_in_the_way_of_another_change() throws PolicyException {
        desk.set(WEB, "auto-heal", "disabled");
        tables.add(new PolicyTable() {
            @Override
            public List<PolicySetting<?>> settings() {
                return List.of();
            }

            @Override
            public void check(Values values) {
                throw new IllegalArgumentException("a policy that is not installed");
            }
        });
        desk.set(WEB, "morph-timeout", "5m");
        assertThat(desk.value("web", StandardPolicy.MORPH_TIMEOUT)).isEqualTo(Duration.ofMinutes(5));
    }

    /** A journal in memory. */
    private static final class MemoryJournal implements Journal {
        private final Map<String, JournalRecord> records = new LinkedHashMap<>();
        private boolean full;
        private int appends;
        private long sequence;

        @Override
        public long append(List<Entry> entries) throws JournalException {
            if (full) {
                throw new JournalException("the disk is full");
            }
            assertThat(entries).hasSizeBetween(1, MAX_APPEND);
            appends++;
            for (Entry entry : entries) {
                records.remove(entry.key());
                if (!entry.closes()) {
                    records.put(entry.key(), new JournalRecord(++sequence, Instant.EPOCH, entry));
                }
            }
            return sequence;
        }

        @Override
        public List<JournalRecord> read(Query query) {
            throw new UnsupportedOperationException();
        }

        @Override
        public List<JournalRecord> latest(String kind) {
            return new ArrayList<>(records.values());
        }
    }
}
