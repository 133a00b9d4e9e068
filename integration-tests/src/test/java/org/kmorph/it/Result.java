// SPDX-License-Identifier: Apache-2.0
package org.kmorph.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.jr.ob.JSON;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;

/** What a program printed and how it ended. */
public record Result(int status, String out, String err) {
    /** The same, after a check that it ended with 0. */
    public Result ok() {
        assertThat(status).as("exit status; out: %s err: %s", out, err).isZero();
        return this;
    }

    /** Standard output as one JSON object. */
    public Map<String, Object> json() {
        try {
            return JSON.std.mapFrom(out);
        } catch (IOException e) {
            throw new UncheckedIOException("no JSON object: " + out + err, e);
        }
    }

    /** Standard output as a JSON array of objects. */
    public List<Map<String, Object>> jsonRows() {
        try {
            return JSON.std.listOfFrom(Object.class, out).stream()
                    .map(Result::asMap)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException("no JSON array: " + out + err, e);
        }
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> asMap(Object row) {
        return (Map<String, Object>) row;
    }
}
