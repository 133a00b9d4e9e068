// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.policy;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.kmorph.api.policy.Policies.Document;

/**
 * All that was set, as a file: JSON, {@code {"version": 1, "defaults": {SETTING: VALUE}, "instances": {NAME: {SETTING: VALUE}}}}, with
 * values as people write them.
 */
final class PolicyFile {
    /** What {@code policy export} writes is never longer. */
    static final int MAX_BYTES = 4 << 20;

    private static final String VERSION = "version";
    private static final String DEFAULTS = "defaults";
    private static final String INSTANCES = "instances";

    private PolicyFile() {}

    static String write(Document document) throws IOException {
        Map<String, Object> whole = new LinkedHashMap<>();
        whole.put(VERSION, 1);
        whole.put(DEFAULTS, document.defaults());
        whole.put(INSTANCES, document.instances());
        return JSON.std.with(JSON.Feature.PRETTY_PRINT_OUTPUT).asString(whole) + "\n";
    }

    /** @throws IllegalArgumentException when it is no such file; the message says where and what was expected */
    static Document read(String text) {
        Map<?, ?> whole;
        try {
            whole = JSON.std.with(JSON.Feature.FAIL_ON_DUPLICATE_MAP_KEYS).mapFrom(text);
        } catch (IOException e) {
            throw new IllegalArgumentException("it is no JSON object: " + e.getMessage(), e);
        }
        for (Object key : whole.keySet()) {
            if (!key.equals(VERSION) && !key.equals(DEFAULTS) && !key.equals(INSTANCES)) {
                throw new IllegalArgumentException(
                        "\"" + key + "\" is unknown; expected " + VERSION + ", " + DEFAULTS + ", " + INSTANCES);
            }
        }
        if (!Integer.valueOf(1).equals(whole.get(VERSION))) {
            throw new IllegalArgumentException(VERSION + " is " + whole.get(VERSION) + "; expected 1");
        }
        Map<String, Map<String, String>> instances = new TreeMap<>();
        object(whole, INSTANCES)
                .forEach((name, values) -> instances.put(name.toString(), texts(values, "instance \"" + name + "\"")));
        return new Document(texts(object(whole, DEFAULTS), DEFAULTS), instances);
    }

    private static Map<?, ?> object(Map<?, ?> whole, String key) {
        Object value = whole.containsKey(key) ? whole.get(key) : Map.of();
        if (value instanceof Map<?, ?> object) {
            return object;
        }
        throw new IllegalArgumentException(key + " is no object");
    }

    private static Map<String, String> texts(Object values, String whose) {
        if (!(values instanceof Map<?, ?> object)) {
            throw new IllegalArgumentException(whose + " is no object");
        }
        Map<String, String> texts = new TreeMap<>();
        object.forEach((setting, value) -> {
            if (!(value instanceof String text)) {
                throw new IllegalArgumentException(
                        whose + ": " + setting + " is " + value + "; expected a text in quotation marks");
            }
            texts.put(setting.toString(), text);
        });
        return texts;
    }
}
