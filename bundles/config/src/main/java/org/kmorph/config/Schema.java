// SPDX-License-Identifier: Apache-2.0
package org.kmorph.config;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.service.metatype.AttributeDefinition;
import org.osgi.service.metatype.MetaTypeInformation;
import org.osgi.service.metatype.MetaTypeService;
import org.osgi.service.metatype.ObjectClassDefinition;

/** What a component declares of its configuration (OSGi Compendium 105, Metatype). */
final class Schema {
    private final Map<String, AttributeDefinition> attributes = new TreeMap<>();

    private Schema(ObjectClassDefinition definition) {
        for (AttributeDefinition attribute : definition.getAttributeDefinitions(ObjectClassDefinition.ALL)) {
            attributes.put(attribute.getID(), attribute);
        }
    }

    /**
     * The declaration of this configuration by any bundle there is. Ours are named for their bundles, which are asked first: to ask all is
     * slow, and this runs while the daemon starts.
     */
    static Optional<Schema> of(String pid, BundleContext context, MetaTypeService metatype) {
        List<Bundle> named = new ArrayList<>();
        List<Bundle> others = new ArrayList<>();
        for (Bundle bundle : context.getBundles()) {
            (pid.startsWith(String.valueOf(bundle.getSymbolicName())) ? named : others).add(bundle);
        }
        return declared(pid, named, metatype).or(() -> declared(pid, others, metatype));
    }

    /** Of two versions, while one replaces the other, the newer one's. */
    private static Optional<Schema> declared(String pid, List<Bundle> bundles, MetaTypeService metatype) {
        Optional<Schema> found = Optional.empty();
        for (Bundle bundle : bundles) {
            MetaTypeInformation information = metatype.getMetaTypeInformation(bundle);
            if (information != null && Arrays.asList(information.getPids()).contains(pid)) {
                found = Optional.of(new Schema(information.getObjectClassDefinition(pid, null)));
            }
        }
        return found;
    }

    /** Whether the value of a key must not be shown. */
    boolean secret(String key) {
        AttributeDefinition attribute = attributes.get(key);
        return attribute != null && attribute.getType() == AttributeDefinition.PASSWORD;
    }

    /** @throws RefusedException for a key that is not declared, or a value that its declaration does not allow */
    void check(ConfigurationFile file) throws RefusedException {
        for (Map.Entry<String, String> entry : file.values().entrySet()) {
            String where = "line " + file.lines().get(entry.getKey()) + ": " + entry.getKey();
            AttributeDefinition attribute = attributes.get(entry.getKey());
            if (attribute == null) {
                throw new RefusedException(where + " is unknown; there are " + String.join(", ", attributes.keySet()));
            }
            String problem = problem(attribute, entry.getValue());
            if (!problem.isEmpty()) {
                String value = secret(entry.getKey()) ? "the value" : "\"" + entry.getValue() + "\"";
                throw new RefusedException(where + " = " + value + " is not accepted: " + problem);
            }
        }
    }

    /** What is wrong with a value, and what was expected; empty for nothing. */
    private static String problem(AttributeDefinition attribute, String value) {
        if (!hasType(attribute, value)) {
            return "expected " + expectation(attribute);
        }
        String[] options = attribute.getOptionValues();
        if (options != null && options.length > 0 && !Arrays.asList(options).contains(value)) {
            return "expected one of " + String.join(", ", options);
        }
        String judgement = attribute.validate(value);
        return judgement == null || judgement.isEmpty()
                ? ""
                : "expected " + expectation(attribute) + " (" + description(attribute) + ")";
    }

    private static boolean hasType(AttributeDefinition attribute, String value) {
        try {
            return switch (attribute.getType()) {
                case AttributeDefinition.INTEGER -> Integer.parseInt(value) == Long.parseLong(value);
                case AttributeDefinition.LONG ->
                    Long.toString(Long.parseLong(value)).length() > 0;
                case AttributeDefinition.DOUBLE -> !Double.isNaN(Double.parseDouble(value));
                case AttributeDefinition.BOOLEAN -> value.equals("true") || value.equals("false");
                default -> true;
            };
        } catch (NumberFormatException e) {
            return false;
        }
    }

    private static String expectation(AttributeDefinition attribute) {
        return switch (attribute.getType()) {
            case AttributeDefinition.INTEGER, AttributeDefinition.LONG -> "a whole number within its bounds";
            case AttributeDefinition.DOUBLE -> "a number within its bounds";
            case AttributeDefinition.BOOLEAN -> "true or false";
            default -> "another value";
        };
    }

    private static String description(AttributeDefinition attribute) {
        String[] defaults = attribute.getDefaultValue();
        String usual = defaults == null ? "" : "default " + String.join(", ", defaults);
        return attribute.getDescription() == null ? usual : attribute.getDescription() + "; " + usual;
    }
}
