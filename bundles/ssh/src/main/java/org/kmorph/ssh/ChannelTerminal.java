// SPDX-License-Identifier: Apache-2.0
package org.kmorph.ssh;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.sshd.server.Environment;
import org.apache.sshd.server.Signal;
import org.kmorph.api.command.CallerTerminal;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The client's terminal, by what its pty-req and window-change requests (RFC 4254, 6.2 and 6.7) have told. */
final class ChannelTerminal implements CallerTerminal {
    private static final Logger LOG = LoggerFactory.getLogger(ChannelTerminal.class);

    private final Map<String, String> environment;
    private final LineDiscipline discipline;
    private final List<Runnable> resizeListeners = new CopyOnWriteArrayList<>();

    ChannelTerminal(Environment environment, LineDiscipline discipline) {
        this.environment = environment.getEnv();
        this.discipline = discipline;
        environment.addSignalListener((channel, signal) -> resized(), Signal.WINCH);
    }

    @Override
    public String type() {
        String type = environment.getOrDefault(Environment.ENV_TERM, "");
        return type.isBlank() ? "dumb" : type;
    }

    @Override
    public int columns() {
        return size(Environment.ENV_COLUMNS, 80);
    }

    @Override
    public int rows() {
        return size(Environment.ENV_LINES, 24);
    }

    @Override
    public boolean colour() {
        return environment.getOrDefault("NO_COLOR", "").isEmpty() && !type().equals("dumb");
    }

    @Override
    public AutoCloseable onResize(Runnable listener) {
        resizeListeners.add(listener);
        return () -> resizeListeners.remove(listener);
    }

    @Override
    public void raw(boolean raw) {
        discipline.raw(raw);
    }

    private void resized() {
        for (Runnable listener : resizeListeners) {
            try {
                listener.run();
            } catch (RuntimeException e) {
                LOG.warn("a listener for the size of an SSH terminal failed", e);
            }
        }
    }

    /** A client that does not know its size sends 0. */
    private int size(String name, int unknown) {
        try {
            int size = Integer.parseInt(environment.getOrDefault(name, "0"));
            return size > 0 ? Math.min(size, 10_000) : unknown;
        } catch (NumberFormatException e) {
            return unknown;
        }
    }
}
