// SPDX-License-Identifier: Apache-2.0
package org.kmorph.shellcommands.monitor;

import java.util.Optional;

/**
 * What its user has chosen to look at.
 *
 * @param sort by what the rows are sorted
 * @param reversed whether the other way round
 * @param top the index of the first row that is shown
 */
record ViewState(SortKey sort, boolean reversed, int top) {

    /**
     * What a key makes of it. The letter of the order that is there already turns it round.
     *
     * @param rows how many there are
     * @param page how many of them are shown
     */
    ViewState on(Key key, int rows, int page) {
        return switch (key.kind()) {
            case UP -> at(top - 1, rows, page);
            case DOWN -> at(top + 1, rows, page);
            case PAGE_UP -> at(top - page, rows, page);
            case PAGE_DOWN -> at(top + page, rows, page);
            case HOME -> at(0, rows, page);
            case END -> at(rows, rows, page);
            case LETTER -> sorted(key.letter());
            case QUIT -> this;
        };
    }

    /** The same, never beyond the last page. */
    ViewState within(int rows, int page) {
        return at(top, rows, page);
    }

    private ViewState at(int wanted, int rows, int page) {
        return new ViewState(sort, reversed, Math.max(0, Math.min(wanted, rows - page)));
    }

    private ViewState sorted(char letter) {
        Optional<SortKey> chosen = SortKey.of(letter);
        return chosen.map(key -> new ViewState(key, key == sort && !reversed, 0))
                .orElse(this);
    }
}
