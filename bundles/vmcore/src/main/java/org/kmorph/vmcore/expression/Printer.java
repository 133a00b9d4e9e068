// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.expression;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.kmorph.vmcore.kernel.Btf;
import org.kmorph.vmcore.kernel.DeadKernel;
import org.kmorph.vmcore.kernel.Kallsyms;

/** Writes a value down as C would have it. What is too much is left out, and said. One thread. */
public final class Printer {
    private static final int DEEPEST = 5;
    private static final int ELEMENTS = 64;
    private static final int TEXT = 4096;
    private static final int LONGEST = 1 << 20;

    private final DeadKernel kernel;
    private final Btf types;
    private final StringBuilder out = new StringBuilder();

    public Printer(DeadKernel kernel) {
        this.kernel = kernel;
        this.types = kernel.types();
    }

    /** @throws IOException when nothing of it is there; a part that is not there is said in its place */
    public String print(Place place) throws IOException {
        out.setLength(0);
        value(place, 0);
        return out.toString();
    }

    private void value(Place place, int depth) throws IOException {
        if (out.length() > LONGEST) {
            out.append("…");
            return;
        }
        int type = types.resolve(place.type());
        if (place.open() && isCharacter(type)) {
            text(place.address(), TEXT);
            return;
        }
        switch (types.kind(type)) {
            case Btf.INT -> number(place, type);
            case Btf.ENUM, Btf.ENUM64 -> enumerator(place, type);
            case Btf.POINTER -> pointer(place, type);
            case Btf.ARRAY -> array(place, type, depth);
            case Btf.STRUCT, Btf.UNION -> structure(place, type, depth);
            default -> out.append("(").append(types.describe(place.type())).append(")");
        }
    }

    private void number(Place place, int type) throws IOException {
        long value = raw(place, type);
        boolean signed = (types.encoding(type) & 1) != 0;
        if ((types.encoding(type) & 4) != 0) {
            out.append(value != 0);
        } else {
            out.append(signed ? Long.toString(value) : Long.toUnsignedString(value));
        }
    }

    /** The bits, extended by their sign where they have one. */
    private long raw(Place place, int type) throws IOException {
        int size = (int) Math.max(1, Math.min(8, types.size(type)));
        int bits = place.bits() == 0 ? size * 8 : Math.min(64, place.bits());
        int bytes = (place.firstBit() + bits + 7) / 8;
        ByteBuffer at = kernel.space().bytes(place.address(), bytes);
        long value = 0;
        for (int i = Math.min(7, bytes - 1); i >= 0; i--) {
            value = value << 8 | at.get(i) & 255;
        }
        value >>>= place.firstBit();
        if (bytes > 8) {
            value |= (at.get(8) & 255L) << 64 - place.firstBit();
        }
        boolean signed = types.kind(type) == Btf.INT && (types.encoding(type) & 1) != 0 || types.kind(type) == Btf.ENUM;
        return signed ? value << 64 - bits >> 64 - bits : value << 64 - bits >>> 64 - bits;
    }

    private void enumerator(Place place, int type) throws IOException {
        long value = raw(place, type);
        types.enumeratorName(type, value)
                .ifPresentOrElse(
                        name -> out.append(name).append(" (").append(value).append(")"), () -> out.append(value));
    }

    private void pointer(Place place, int type) throws IOException {
        long to = kernel.space().u64(place.address());
        out.append("0x").append(Long.toHexString(to));
        if (to != 0 && isCharacter(types.resolve(types.target(type)))) {
            out.append(" ");
            text(to, TEXT);
        } else if (to < 0) {
            Optional<Kallsyms.Symbol> symbol = kernel.symbols().textAt(to);
            symbol.filter(one -> one.address() == to)
                    .ifPresent(one -> out.append(" <").append(one.name()).append(">"));
        }
    }

    private boolean isCharacter(int type) {
        return types.kind(type) == Btf.INT && types.name(type).equals("char");
    }

    private void text(long address, int most) {
        try {
            String text = kernel.space().text(address, most);
            out.append('"');
            text.chars().forEach(this::character);
            out.append('"');
        } catch (IOException e) {
            missing(e);
        }
    }

    private void character(int each) {
        switch (each) {
            case '\n' -> out.append("\\n");
            case '\t' -> out.append("\\t");
            case '"', '\\' -> out.append('\\').append((char) each);
            default -> {
                if (Character.isISOControl(each)) {
                    out.append(String.format("\\x%02x", each));
                } else {
                    out.append((char) each);
                }
            }
        }
    }

    private void missing(IOException why) {
        out.append("(not there: ").append(why.getMessage()).append(")");
    }

    private void array(Place place, int type, int depth) throws IOException {
        int each = types.target(type);
        long count = types.elements(type) & 0xffffffffL;
        if (isCharacter(types.resolve(each))) {
            text(place.address(), (int) Math.min(TEXT, count));
            return;
        }
        if (depth >= DEEPEST) {
            out.append("{…}");
            return;
        }
        out.append("{");
        long size = types.size(each);
        for (long i = 0; i < Math.min(ELEMENTS, count); i++) {
            out.append(i == 0 ? "" : ", ");
            part(Place.of(place.address() + i * size, each), depth + 1);
        }
        out.append(count > ELEMENTS ? ", … " + (count - ELEMENTS) + " more}" : "}");
    }

    private void structure(Place place, int type, int depth) {
        if (depth >= DEEPEST) {
            out.append("{…}");
            return;
        }
        out.append("{\n");
        for (Btf.Member member : types.members(type)) {
            out.append("  ".repeat(depth + 1));
            if (!member.name().isEmpty()) {
                out.append(".").append(member.name()).append(" = ");
            }
            part(
                    new Place(
                            place.address() + member.offset(),
                            member.type(),
                            member.bits() == 0 ? 0 : member.bitOffset() & 7,
                            member.bits(),
                            false),
                    depth + 1);
            out.append(",\n");
        }
        out.append("  ".repeat(depth)).append("}");
    }

    private void part(Place place, int depth) {
        try {
            value(place, depth);
        } catch (IOException e) {
            missing(e);
        }
    }
}
