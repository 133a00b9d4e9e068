// SPDX-License-Identifier: Apache-2.0
package org.kmorph.house;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaCall;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import com.tngtech.archunit.lang.syntax.ArchRuleDefinition;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.kmorph.api.daemon.DaemonThreads;

/** The shape of the house: what may import what. A rule broken is a build that fails. */
class HouseRulesTest {
    private static final Path BUNDLES = Path.of("../bundles");

    /** Bottom to top. A bundle imports only from floors below its own. */
    private static final List<List<String>> FLOORS = List.of(
            List.of("api"),
            List.of("native", "kmp-codec", "kernel-image", "journal", "time", "config", "shim"),
            List.of("transport-vsock", "transport-local", "kmp-client", "host-local", "host-qemu"),
            List.of("instances"),
            List.of("health", "policy"),
            List.of("recovery", "morph", "vmcore", "deploy", "notify"),
            List.of("shell-commands"),
            List.of("control", "ssh", "systemd"));

    private final Map<String, Integer> floorOfPackage = new TreeMap<>();
    private final JavaClasses classes;

    HouseRulesTest() throws IOException {
        for (int floor = 0; floor < FLOORS.size(); floor++) {
            for (String bundle : FLOORS.get(floor)) {
                floorOfPackage.put(packageOf(bundle), floor);
            }
        }
        try (Stream<Path> found = Files.list(BUNDLES)) {
            // beside ours may lie what a bundle has taken into itself of a library
            classes = new ClassFileImporter()
                    .importPaths(found.map(bundle -> bundle.resolve("target/classes/org/kmorph"))
                            .filter(Files::isDirectory)
                            .toList());
        }
    }

    /** The one package that a bundle's classes live in or under; some names are no Java identifiers. */
    private static String packageOf(String bundle) {
        return switch (bundle) {
            case "native" -> "org.kmorph.nativeos";
            case "kmp-codec" -> "org.kmorph.kmp";
            default -> "org.kmorph." + bundle.replace("-", "");
        };
    }

    @Test
    void everyBundleHasAFloorAndItsOwnPackage() throws IOException {
        List<String> known = FLOORS.stream().flatMap(List::stream).toList();
        try (Stream<Path> found = Files.list(BUNDLES)) {
            assertThat(found.filter(path -> Files.exists(path.resolve("pom.xml")))
                            .map(path -> path.getFileName().toString()))
                    .containsExactlyInAnyOrderElementsOf(known);
        }
        assertThat(classes).isNotEmpty().allSatisfy(type -> assertThat(floorOf(type))
                .as("floor of %s", type.getName())
                .isNotNull());
    }

    @Test
    void thePageForDevelopersDrawsTheFloorsAsTheyAre() throws IOException {
        String page = Files.readString(BUNDLES.resolveSibling("docs/development.md"));
        for (int floor = 0; floor < FLOORS.size(); floor++) {
            assertThat(page).contains("| " + (floor + 1) + " | " + String.join(", ", FLOORS.get(floor)) + " |\n");
        }
    }

    @Test
    void bundlesImportOnlyFromFloorsBelow() {
        ArchRuleDefinition.classes()
                .should(new ArchCondition<JavaClass>("depend on lower floors alone") {
                    @Override
                    public void check(JavaClass type, ConditionEvents events) {
                        checkFloors(type, events);
                    }
                })
                .check(classes);
    }

    private void checkFloors(JavaClass type, ConditionEvents events) {
        type.getDirectDependenciesFromSelf().forEach(dependency -> {
            JavaClass target = dependency.getTargetClass();
            Integer to = floorOf(target);
            boolean same = to != null && bundleOf(type).equals(bundleOf(target));
            if (to != null && !same && to >= floorOf(type)) {
                events.add(SimpleConditionEvent.violated(type, dependency.getDescription()));
            }
        });
    }

    @Test
    void packagesHaveNoCycles() {
        slices().matching("org.kmorph.(**)").should().beFreeOfCycles().check(classes);
    }

    @Test
    void nothingIsLoadedByReflection() {
        noClasses()
                .should()
                .callMethodWhere(DescribedPredicate.describe("loads or makes a class by its name", call -> loads(call)))
                .because("a service does it, and is seen by the framework")
                .check(classes);
    }

    private static boolean loads(JavaCall<?> call) {
        String owner = call.getTargetOwner().getName();
        String name = call.getName();
        return owner.equals("java.lang.Class") && (name.equals("forName") || name.equals("newInstance"))
                || owner.equals("java.lang.ClassLoader") && name.equals("loadClass")
                || owner.equals("org.osgi.framework.Bundle") && name.equals("loadClass")
                || owner.equals("java.util.ServiceLoader") && name.equals("load")
                || owner.equals("java.lang.reflect.Constructor") && name.equals("newInstance");
    }

    @Test
    void threadsHoldNothingOfWhoMadeThem() {
        noClasses()
                .that()
                .areNotAssignableTo(DaemonThreads.class)
                .should()
                .callCodeUnitWhere(
                        DescribedPredicate.describe("makes a thread, or lets a pool do it", call -> makesThreads(call)))
                .because("DaemonThreads makes them so that they hold no class loader of a bundle which was replaced")
                .check(classes);
    }

    private static boolean makesThreads(JavaCall<?> call) {
        JavaClass owner = call.getTargetOwner();
        boolean made = call.getName().equals("<init>")
                && (owner.isAssignableTo(Thread.class) || owner.isAssignableTo(ThreadPoolExecutor.class));
        return (made || owner.isEquivalentTo(Executors.class))
                && call.getTarget().getRawParameterTypes().stream()
                        .noneMatch(type -> type.isEquivalentTo(ThreadFactory.class));
    }

    private Integer floorOf(JavaClass type) {
        String bundle = bundleOf(type);
        return bundle.isEmpty() ? null : floorOfPackage.get(bundle);
    }

    private String bundleOf(JavaClass type) {
        String name = type.getPackageName();
        return floorOfPackage.keySet().stream()
                .filter(prefix -> name.equals(prefix) || name.startsWith(prefix + "."))
                .findFirst()
                .orElse("");
    }
}
