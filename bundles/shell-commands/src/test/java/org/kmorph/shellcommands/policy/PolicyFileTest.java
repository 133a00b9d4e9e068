// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.kmorph.api.policy.Policies.Document;

class PolicyFileTest {
    @Test
    void what_is_written_is_read_again() throws IOException {
        Document document = new Document(
                Map.of("profile", "development"),
                Map.of("web", Map.of("auto-heal", "disabled", "morph-timeout", "2m")));
        assertThat(PolicyFile.read(PolicyFile.write(document))).isEqualTo(document);
        Document nothing = new Document(Map.of(), Map.of());
        assertThat(PolicyFile.read(PolicyFile.write(nothing))).isEqualTo(nothing);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{ | it is no JSON object",
                "[1] | it is no JSON object",
                "{} | version is null; expected 1",
                "{\"version\": 2} | version is 2; expected 1",
                "{\"version\": 1, \"instance\": {}} | \"instance\" is unknown",
                "{\"version\": 1, \"defaults\": []} | defaults is no object",
                "{\"version\": 1, \"instances\": {\"web\": 1}} | instance \"web\" is no object",
                "{\"version\": 1, \"defaults\": {\"morph-timeout\": 60}} | defaults: morph-timeout is 60; expected a text",
                "{\"version\": 1, \"defaults\": {\"profile\": \"production\", \"profile\": \"development\"}} | it is no JSON"
            })
    void what_is_no_such_file_is_refused_with_what_is_wrong(String text, String message) {
        assertThatThrownBy(() -> PolicyFile.read(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }
}
