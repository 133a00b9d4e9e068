// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.kernel;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.IntStream;

/**
 * A kernel's types, from the BTF section it carries (Documentation/bpf/btf.rst in its source). Every walk is bounded, for the data may
 * be damaged. Immutable.
 */
public final class Btf {
    public static final int INT = 1;
    public static final int POINTER = 2;
    public static final int ARRAY = 3;
    public static final int STRUCT = 4;
    public static final int UNION = 5;
    public static final int ENUM = 6;
    public static final int TYPEDEF = 8;
    public static final int ENUM64 = 19;

    private static final int VARIABLE = 14;

    private static final int DEEPEST = 32;
    private static final int MOST_LOOKED_AT = 10_000;

    private static final Recent<Btf> RECENT = new Recent<>();

    private final ByteBuffer data;
    private final int[] starts;
    private final int strings;
    private final int stringsEnd;
    private final Map<String, Integer> byName = new HashMap<>();

    /**
     * A member of a structure or union, or where a path of members leads.
     *
     * @param bitOffset from the start of the outermost structure
     * @param type its type's id
     * @param bits its width when it is a bit field, else 0
     */
    public record Member(String name, int bitOffset, int type, int bits) {
        public int offset() {
            return bitOffset / 8;
        }
    }

    /**
     * The types that a kernel's memory has.
     *
     * @param data the section
     * @throws UnknownKernelException when this is no BTF, or its lengths lie
     */
    public static Btf of(byte[] data) throws UnknownKernelException {
        Optional<Btf> known = RECENT.find(one -> Arrays.equals(one.data.array(), data));
        if (known.isPresent()) {
            return known.get();
        }
        Btf types = new Btf(ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN));
        RECENT.add(types);
        return types;
    }

    private Btf(ByteBuffer data) throws UnknownKernelException {
        this.data = data;
        if (data.capacity() < 24 || (data.getShort(0) & 0xffff) != 0xeb9f) {
            throw new UnknownKernelException("the kernel's BTF does not begin as BTF does");
        }
        long header = data.getInt(4) & 0xffffffffL;
        long types = header + (data.getInt(8) & 0xffffffffL);
        long typesEnd = types + (data.getInt(12) & 0xffffffffL);
        long stringsAt = header + (data.getInt(16) & 0xffffffffL);
        long end = stringsAt + (data.getInt(20) & 0xffffffffL);
        if (typesEnd > data.capacity() || end > data.capacity() || stringsAt >= end) {
            throw new UnknownKernelException("the kernel's BTF claims more than its " + data.capacity() + " bytes");
        }
        strings = (int) stringsAt;
        stringsEnd = (int) end;
        starts = index((int) types, (int) typesEnd);
    }

    private int[] index(int from, int end) throws UnknownKernelException {
        int[] found = new int[1 << 16];
        int count = 1;
        int at = from;
        while (at < end) {
            if (at + 12 > end) {
                throw new UnknownKernelException("the kernel's BTF ends within a type");
            }
            if (count == found.length) {
                found = Arrays.copyOf(found, count * 2);
            }
            found[count] = at;
            int info = data.getInt(at + 4);
            int kind = info >>> 24 & 31;
            int length = info & 0xffff;
            if (data.getInt(at) != 0
                    && (kind == STRUCT
                            || kind == UNION
                            || kind == ENUM
                            || kind == TYPEDEF
                            || kind == INT
                            || kind == VARIABLE)) {
                byName.putIfAbsent(key(kind, string(data.getInt(at))), count);
            }
            at += 12
                    + switch (kind) {
                        case INT, VARIABLE, 17 -> 4;
                        case ARRAY -> 12;
                        case STRUCT, UNION, 15, ENUM64 -> 12 * length;
                        case ENUM, 13 -> 8 * length;
                        default -> 0;
                    };
            count++;
        }
        if (at != end) {
            throw new UnknownKernelException("the kernel's BTF ends within a type");
        }
        return Arrays.copyOf(found, count);
    }

    private static String key(int kind, String name) {
        return (kind == UNION ? STRUCT : kind) + " " + name;
    }

    private String string(int offset) {
        int at = strings + offset;
        if (offset < 0 || at >= stringsEnd || at < strings) {
            return "?";
        }
        int end = at;
        while (end < stringsEnd && data.get(end) != 0) {
            end++;
        }
        byte[] bytes = new byte[end - at];
        data.get(at, bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** A structure's or union's type id. */
    public Optional<Integer> structure(String name) {
        return Optional.ofNullable(byName.get(key(STRUCT, name)));
    }

    /** A typedef's or integer's type id. */
    public Optional<Integer> named(String name) {
        Integer found = byName.get(key(TYPEDEF, name));
        return Optional.ofNullable(found != null ? found : byName.get(key(INT, name)));
    }

    /** An enumeration's type id. */
    public Optional<Integer> enumeration(String name) {
        return Optional.ofNullable(byName.get(key(ENUM, name)));
    }

    /** The type of a variable, where the kernel says it: as a rule of those that each processor has. */
    public Optional<Integer> variable(String name) {
        return Optional.ofNullable(byName.get(key(VARIABLE, name))).map(this::target);
    }

    /** The type of a pointer to a type. */
    public Optional<Integer> pointerTo(int type) {
        return IntStream.range(1, starts.length)
                .filter(one -> kind(one) == POINTER && target(one) == type)
                .boxed()
                .findFirst();
    }

    /** As C writes it: {@code struct rq *}, {@code char [16]}. */
    public String describe(int type) {
        String after = "";
        int found = type;
        for (int i = 0; i < DEEPEST; i++) {
            switch (kind(found)) {
                case POINTER -> after = "*" + after;
                case ARRAY -> after = after + "[" + (elements(found) & 0xffffffffL) + "]";
                case 9, 10, 11, 18 -> {
                    // const, volatile, restrict, a tag: of no matter to who reads
                }
                default -> {
                    String word =
                            switch (kind(found)) {
                                case STRUCT -> "struct ";
                                case UNION -> "union ";
                                case ENUM, ENUM64 -> "enum ";
                                case 13 -> "function";
                                default -> "";
                            };
                    String name = name(found).isEmpty() && !word.equals("function") ? "{…}" : name(found);
                    return word + name + (after.isEmpty() ? "" : " " + after);
                }
            }
            found = target(found);
        }
        return "?";
    }

    public int kind(int type) {
        return valid(type) ? data.getInt(starts[type] + 4) >>> 24 & 31 : 0;
    }

    public String name(int type) {
        return valid(type) ? string(data.getInt(starts[type])) : "void";
    }

    /** The type that a pointer, typedef, qualifier or array is of. */
    public int target(int type) {
        return kind(type) == ARRAY ? data.getInt(starts[type] + 12) : valid(type) ? data.getInt(starts[type] + 8) : 0;
    }

    /** Elements of an array. */
    public int elements(int type) {
        return data.getInt(starts[type] + 20);
    }

    /** Whether an integer is signed; and 4 for a boolean, 2 for a character, as BTF encodes it. */
    public int encoding(int type) {
        return data.getInt(starts[type] + 12) >>> 24 & 15;
    }

    /** The type below typedefs and qualifiers. */
    public int resolve(int type) {
        int found = type;
        for (int i = 0; i < DEEPEST; i++) {
            int kind = kind(found);
            if (kind != TYPEDEF && kind != 9 && kind != 10 && kind != 11 && kind != 18) {
                return found;
            }
            found = target(found);
        }
        return 0;
    }

    /** In bytes; 0 when it has none. */
    public long size(int type) {
        long count = 1;
        int found = resolve(type);
        for (int i = 0; i < DEEPEST && kind(found) == ARRAY; i++) {
            count *= elements(found) & 0xffffffffL;
            found = resolve(target(found));
        }
        return switch (kind(found)) {
            case POINTER -> 8 * count;
            case INT, STRUCT, UNION, ENUM, ENUM64 -> count * (data.getInt(starts[found] + 8) & 0xffffffffL);
            default -> 0;
        };
    }

    /** The members of a structure or union as declared. */
    public List<Member> members(int type) {
        int found = resolve(type);
        List<Member> members = new ArrayList<>();
        if (kind(found) == STRUCT || kind(found) == UNION) {
            int info = data.getInt(starts[found] + 4);
            for (int i = 0; i < (info & 0xffff); i++) {
                int at = starts[found] + 12 + 12 * i;
                int offset = data.getInt(at + 8);
                boolean fields = info < 0;
                members.add(new Member(
                        data.getInt(at) == 0 ? "" : string(data.getInt(at)),
                        fields ? offset & 0xffffff : offset,
                        data.getInt(at + 4),
                        fields ? offset >>> 24 : 0));
            }
        }
        return members;
    }

    /** Follows a path of members, through unnamed ones too. */
    public Optional<Member> member(int type, String path) {
        int bits = 0;
        Member found = new Member("", 0, type, 0);
        for (String part : path.split("\\.")) {
            Optional<Member> next = direct(found.type(), part, 0, new int[] {MOST_LOOKED_AT});
            if (next.isEmpty()) {
                return next;
            }
            bits += next.get().bitOffset();
            found = next.get();
        }
        return Optional.of(new Member(found.name(), bits, found.type(), found.bits()));
    }

    /** @param left how many members may still be looked at: damaged types may hold themselves, many times */
    private Optional<Member> direct(int type, String name, int depth, int[] left) {
        for (Member member : members(type)) {
            if (left[0]-- <= 0) {
                return Optional.empty();
            }
            if (member.name().equals(name)) {
                return Optional.of(member);
            }
            int below = resolve(member.type());
            if (member.name().isEmpty() && depth < DEEPEST && (kind(below) == STRUCT || kind(below) == UNION)) {
                Optional<Member> inner = direct(below, name, depth + 1, left);
                if (inner.isPresent()) {
                    Member m = inner.get();
                    return Optional.of(new Member(m.name(), m.bitOffset() + member.bitOffset(), m.type(), m.bits()));
                }
            }
        }
        return Optional.empty();
    }

    /** The byte offset of a path in a structure. @throws UnknownKernelException when the kernel has no such member */
    public int offset(String structure, String path) throws UnknownKernelException {
        return find(structure, path)
                .orElseThrow(() -> new UnknownKernelException("the kernel has no " + structure + "." + path))
                .offset();
    }

    public Optional<Member> find(String structure, String path) {
        return structure(structure).flatMap(type -> member(type, path));
    }

    /** The value of an enumerator, wherever it is declared. */
    public OptionalLong enumerator(String name) {
        for (int type = 1; type < starts.length; type++) {
            if (kind(type) == ENUM) {
                int count = data.getInt(starts[type] + 4) & 0xffff;
                for (int i = 0; i < count; i++) {
                    int at = starts[type] + 12 + 8 * i;
                    if (matches(data.getInt(at), name)) {
                        return OptionalLong.of(data.getInt(at + 4));
                    }
                }
            }
        }
        return OptionalLong.empty();
    }

    /** The name of an enumeration's value, if it has one. */
    public Optional<String> enumeratorName(int type, long value) {
        int count = data.getInt(starts[type] + 4) & 0xffff;
        boolean wide = kind(type) == ENUM64;
        for (int i = 0; (wide || kind(type) == ENUM) && i < count; i++) {
            int at = starts[type] + 12 + (wide ? 12 : 8) * i;
            long high = wide ? (long) data.getInt(at + 8) << 32 : 0;
            if (wide ? (high | data.getInt(at + 4) & 0xffffffffL) == value : data.getInt(at + 4) == (int) value) {
                return Optional.of(string(data.getInt(at)));
            }
        }
        return Optional.empty();
    }

    private boolean matches(int offset, String name) {
        int at = strings + offset;
        if (offset < 0 || at < strings || at + name.length() >= stringsEnd) {
            return false;
        }
        for (int i = 0; i < name.length(); i++) {
            if (data.get(at + i) != name.charAt(i)) {
                return false;
            }
        }
        return data.get(at + name.length()) == 0;
    }

    private boolean valid(int type) {
        return type > 0 && type < starts.length;
    }
}
