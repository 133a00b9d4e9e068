// SPDX-License-Identifier: Apache-2.0
package org.kmorph.recovery;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.kmorph.api.policy.Policies;
import org.kmorph.api.policy.PolicySetting;

/** Nobody has set anything. */
final class StandardPolicies implements Policies {
    @Override
    public <T> T value(String instance, PolicySetting<T> setting) {
        return setting.read(setting.standard());
    }

    @Override
    public List<Effective> effective(Optional<String> instance) {
        return List.of();
    }

    @Override
    public List<PolicySetting<?>> settings() {
        return List.of();
    }

    @Override
    public void set(Optional<String> instance, String setting, String value) {
        throw new AssertionError("nobody sets anything here");
    }

    @Override
    public void unset(Optional<String> instance, String setting) {
        throw new AssertionError("nobody sets anything here");
    }

    @Override
    public Document export() {
        return new Document(Map.of(), Map.of());
    }

    @Override
    public void replace(Document document) {
        throw new AssertionError("nobody sets anything here");
    }
}
