// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.monitor;

import org.jline.utils.AttributedStyle;
import org.kmorph.api.health.Health;

/** Colours, which never say anything that a word does not say too. */
record Palette(boolean colour) {

    AttributedStyle of(Health health) {
        return switch (health) {
            case HEALTHY -> foreground(AttributedStyle.GREEN);
            case SUSPECT -> foreground(AttributedStyle.YELLOW);
            case AGENT_DEAD -> foreground(AttributedStyle.MAGENTA);
            case FAILED -> foreground(AttributedStyle.RED).bold();
            case UNKNOWN -> AttributedStyle.DEFAULT;
        };
    }

    AttributedStyle spark() {
        return foreground(AttributedStyle.CYAN);
    }

    AttributedStyle heading() {
        return AttributedStyle.INVERSE;
    }

    AttributedStyle title() {
        return AttributedStyle.BOLD;
    }

    private AttributedStyle foreground(int number) {
        return colour ? AttributedStyle.DEFAULT.foreground(number) : AttributedStyle.DEFAULT;
    }
}
