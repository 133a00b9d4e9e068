// SPDX-License-Identifier: Apache-2.0
package org.kmorph.api.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;

class ListenersTest {
    private final Map<Object, Runnable> services = new HashMap<>();
    private final List<Object> held = new ArrayList<>();
    private boolean stopped;

    private final Listeners<Runnable> listeners = new Listeners<>(context());

    @Test
    void serviceIsFetchedWhenThereIsSomethingToTell() {
        ServiceReference<Runnable> reference = reference();
        Runnable service = () -> {};
        services.put(reference, service);
        listeners.add(reference);
        assertThat(held).isEmpty();
        assertThat(listeners.all()).containsExactly(service);
        assertThat(listeners.all()).containsExactly(service);
        assertThat(held).containsExactly(reference);
    }

    @Test
    void oneThatCannotBeStartedNowIsTriedAgain() {
        ServiceReference<Runnable> reference = reference();
        listeners.add(reference);
        assertThat(listeners.all()).isEmpty();
        Runnable service = () -> {};
        services.put(reference, service);
        assertThat(listeners.all()).containsExactly(service);
    }

    @Test
    void oneThatIsRemovedIsGivenBack() {
        ServiceReference<Runnable> first = reference();
        ServiceReference<Runnable> second = reference();
        Runnable stays = () -> {};
        services.put(first, () -> {});
        services.put(second, stays);
        listeners.add(first);
        listeners.add(second);
        assertThat(listeners.all()).hasSize(2);
        listeners.remove(first);
        assertThat(listeners.all()).containsExactly(stays);
        assertThat(held).containsExactly(second);
    }

    @Test
    void oneThatIsRemovedWhileItIsFetchedIsGivenBack() {
        ServiceReference<Runnable> reference = reference();
        listeners.add(reference);
        services.put(reference, () -> {});
        removeDuringFetch = reference;
        listeners.all();
        assertThat(held).isEmpty();
        assertThat(listeners.all()).isEmpty();
    }

    @Test
    void oneThatTellsAfterItsBundleStoppedTellsNobody() {
        ServiceReference<Runnable> reference = reference();
        services.put(reference, () -> {});
        listeners.add(reference);
        stopped = true;
        assertThat(listeners.all()).isEmpty();
    }

    private ServiceReference<Runnable> removeDuringFetch;

    private BundleContext context() {
        return (BundleContext) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {BundleContext.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("ungetService")) {
                        return held.remove(arguments[0]);
                    }
                    assertThat(method.getName()).isEqualTo("getService");
                    return fetch(arguments[0]);
                });
    }

    private Runnable fetch(Object reference) {
        if (stopped) {
            throw new IllegalStateException("the bundle is stopped");
        }
        if (services.containsKey(reference)) {
            held.add(reference);
        }
        if (removeDuringFetch != null) {
            listeners.remove(removeDuringFetch);
        }
        return services.get(reference);
    }

    @SuppressWarnings("unchecked")
    private static ServiceReference<Runnable> reference() {
        Object identity = new Object();
        return (ServiceReference<Runnable>) Proxy.newProxyInstance(
                ListenersTest.class.getClassLoader(),
                new Class<?>[] {ServiceReference.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "equals" -> proxy == arguments[0];
                    case "hashCode" -> identity.hashCode();
                    default -> identity.toString();
                });
    }
}
