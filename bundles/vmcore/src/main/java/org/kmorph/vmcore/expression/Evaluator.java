// SPDX-License-Identifier: Apache-2.0
package org.kmorph.vmcore.expression;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.kmorph.vmcore.kernel.Btf;
import org.kmorph.vmcore.kernel.DeadKernel;

/** Finds where what an expression means is. One thread. */
public final class Evaluator {
    private static final int HINTS = 12;

    private final DeadKernel kernel;
    private final Btf types;

    public Evaluator(DeadKernel kernel) {
        this.kernel = kernel;
        this.types = kernel.types();
    }

    /**
     * @throws BadExpressionException when it does not fit the kernel's types
     * @throws IOException when memory on the way is not there
     */
    public Place find(Expression expression) throws BadExpressionException, IOException {
        List<Expression.Step> steps = expression.steps();
        Place place;
        if (expression.type().isPresent()) {
            place = Place.of(address(expression.root()), type(expression.type().get()));
        } else {
            long address = symbol(expression.root());
            if (address >= 0) {
                // a variable of each processor is known by its offset
                address = ofProcessor(expression.root(), steps);
                steps = steps.subList(1, steps.size());
            }
            place = variable(expression.root(), address);
        }
        for (Expression.Step step : steps) {
            place = step instanceof Expression.Step.Member member
                    ? member(place, member.name())
                    : element(place, ((Expression.Step.Element) step).index());
        }
        return expression.pointed() ? pointed(place) : place;
    }

    private long address(String root) throws BadExpressionException {
        try {
            if (root.startsWith("0x")) {
                return Long.parseUnsignedLong(root.substring(2), 16);
            }
            return Character.isDigit(root.charAt(0)) ? Long.parseUnsignedLong(root) : symbol(root);
        } catch (NumberFormatException e) {
            throw new BadExpressionException(root + " is no address: it has more than 64 bits");
        }
    }

    private int type(String name) throws BadExpressionException {
        return types.structure(name)
                .or(() -> types.named(name))
                .or(() -> types.enumeration(name))
                .orElseThrow(() -> new BadExpressionException(
                        "the kernel has no type \"" + name + "\", or only one of its modules has"));
    }

    private long symbol(String name) throws BadExpressionException {
        return kernel.symbols()
                .find(name)
                .orElseThrow(() -> new BadExpressionException(
                        "the kernel has no symbol \"" + name + "\", or only one of its modules has"));
    }

    private long ofProcessor(String name, List<Expression.Step> steps) throws BadExpressionException, IOException {
        int processors = kernel.processors();
        if (steps.isEmpty()
                || !(steps.get(0) instanceof Expression.Step.Element element)
                || element.index() >= processors) {
            throw new BadExpressionException("each processor has a " + name + " of its own: " + name + "[0] to " + name
                    + "[" + (processors - 1) + "]");
        }
        return kernel.perCpu(name, (int) element.index());
    }

    private Place variable(String name, long address) throws BadExpressionException {
        return Variables.at(name, address, types)
                .orElseThrow(() -> new BadExpressionException("the type of " + name
                        + " is not known: the kernel carries none of its variables' types; say it: (struct TYPE) "
                        + name));
    }

    private Place member(Place from, String name) throws BadExpressionException, IOException {
        Place whole = types.kind(types.resolve(from.type())) == Btf.POINTER ? pointed(from) : from;
        Optional<Btf.Member> found = types.member(whole.type(), name);
        if (found.isEmpty()) {
            List<Btf.Member> there = types.members(whole.type());
            throw new BadExpressionException(types.describe(whole.type()) + " has no member \"" + name + "\""
                    + (there.isEmpty()
                            ? ""
                            : "; it has "
                                    + there.stream()
                                            .map(Btf.Member::name)
                                            .filter(one -> !one.isEmpty())
                                            .limit(HINTS)
                                            .collect(Collectors.joining(", "))
                                    + (there.size() > HINTS ? " and more" : "")));
        }
        Btf.Member member = found.get();
        return member.bits() == 0
                ? Place.of(whole.address() + member.offset(), member.type())
                : new Place(
                        whole.address() + member.offset(), member.type(), member.bitOffset() & 7, member.bits(), false);
    }

    private Place element(Place from, long index) throws BadExpressionException, IOException {
        int type = types.resolve(from.type());
        if (from.open()) {
            return Place.of(from.address() + index * types.size(type), from.type());
        }
        if (types.kind(type) == Btf.POINTER) {
            Place first = pointed(from);
            return Place.of(first.address() + index * types.size(first.type()), first.type());
        }
        if (types.kind(type) != Btf.ARRAY) {
            throw new BadExpressionException(types.describe(from.type()) + " has no elements");
        }
        long elements = types.elements(type) & 0xffffffffL;
        // one of length 0 or 1 may be the beginning of more
        if (elements > 1 && index >= elements) {
            throw new BadExpressionException("it has elements 0 to " + (elements - 1) + ", and no " + index);
        }
        return Place.of(from.address() + index * types.size(types.target(type)), types.target(type));
    }

    private Place pointed(Place from) throws BadExpressionException, IOException {
        int type = types.resolve(from.type());
        if (types.kind(type) != Btf.POINTER) {
            throw new BadExpressionException(types.describe(from.type()) + " is no pointer");
        }
        return Place.of(kernel.space().u64(from.address()), types.target(type));
    }
}
