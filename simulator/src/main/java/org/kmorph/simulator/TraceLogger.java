// SPDX-License-Identifier: Apache-2.0
package org.kmorph.simulator;

import org.slf4j.Marker;
import org.slf4j.event.Level;
import org.slf4j.helpers.LegacyAbstractLogger;
import org.slf4j.helpers.MessageFormatter;

/** What the daemon's parts log goes into the trace of the world that they are in, from INFO on. */
final class TraceLogger extends LegacyAbstractLogger {
    private static final long serialVersionUID = 1L;

    TraceLogger(String name) {
        this.name = name;
    }

    private static boolean wanted() {
        Scheduler world = Strand.current();
        return world != null && world.trace().wanted();
    }

    @Override
    public boolean isTraceEnabled() {
        return false;
    }

    @Override
    public boolean isDebugEnabled() {
        return false;
    }

    @Override
    public boolean isInfoEnabled() {
        return wanted();
    }

    @Override
    public boolean isWarnEnabled() {
        return wanted();
    }

    @Override
    public boolean isErrorEnabled() {
        return wanted();
    }

    @Override
    protected String getFullyQualifiedCallerName() {
        return null;
    }

    @Override
    protected void handleNormalizedLoggingCall(
            Level level, Marker marker, String message, Object[] arguments, Throwable thrown) {
        String text = MessageFormatter.basicArrayFormat(message, arguments);
        String shortName = name.substring(name.lastIndexOf('.') + 1);
        Strand.current()
                .trace()
                .say("log", level + " " + shortName + ": " + text + (thrown == null ? "" : ": " + thrown));
    }
}
