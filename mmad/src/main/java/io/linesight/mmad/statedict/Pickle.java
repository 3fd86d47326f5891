package io.linesight.mmad.statedict;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The part of Python's pickle machine that state dicts need. It builds {@code Map}, {@code List}, {@link Tuple}, texts,
 * numbers and {@link TensorRef}, and calls nothing: a global outside the list below ends it with an error that names
 * the global.
 */
final class Pickle {
    private static final Set<String> CALLS = Set.of(
            "collections.OrderedDict",
            "torch._utils._rebuild_tensor_v2",
            "torch._utils._rebuild_tensor",
            "torch._utils._rebuild_parameter",
            // Files of PyTorch before 0.4 hold parameters so; the second is what libtorch's own pickle_save puts around
            // a dictionary.
            "torch.nn.parameter.Parameter",
            "torch.jit._pickle.restore_type_tag");
    /** Checkpoints with optimiser state have some 100,000. */
    private static final int MAX_INSTRUCTIONS = 4_000_000;
    /** The magic number of the old format has ten bytes. */
    private static final int MAX_INTEGER_BYTES = 16;

    private static final Object MARK = new Object();

    private final Path file;
    private final PickleInput in;
    private final List<Object> stack = new ArrayList<>();
    private final Map<Long, Object> memo = new HashMap<>();
    private final Map<String, ElementType> storages = new HashMap<>();
    private long copied;

    /** A Python tuple. */
    record Tuple(List<Object> items) {}

    /** A class or function by name, never more than the name. */
    record Global(String name) {}

    /** A storage: where elements lie, not the elements. */
    record Storage(String key, ElementType type, long size) {}

    Pickle(Path file, PickleInput in) {
        this.file = file;
        this.in = in;
    }

    /** The element types of all storages it spoke of, also of those that no weights lie in. */
    Map<String, ElementType> storages() {
        return storages;
    }

    /** Runs one pickle to its end; the input then stands behind it. */
    Object load() throws IOException {
        for (int i = 0; i < MAX_INSTRUCTIONS; i++) {
            int op = in.u8();
            if (op == '.') return pop();
            step(op);
        }
        throw new StateDictException(file + " has a pickle of more than " + MAX_INSTRUCTIONS
                + " instructions, which no state dict needs; it was not read further");
    }

    /** One line for each instruction: a table, and as long as the part of the machine's instruction set that it is. */
    private void step(int op) throws IOException {
        switch (op) {
            case 0x80 -> protocol(in.u8());
            case 0x95 -> in.number(8); // FRAME: only says how far to read ahead
            case '(' -> push(MARK);
            case '0' -> pop();
            case '1' -> marked();
            case '2' -> push(top());
            case 'N' -> push(null);
            case 0x88 -> push(true);
            case 0x89 -> push(false);
            case 'J' -> push((long) (int) in.number(4));
            case 'K' -> push(in.number(1));
            case 'M' -> push(in.number(2));
            case 0x8a -> push(integer(in.u8()));
            case 0x8b -> push(integer(in.number(4)));
            case 'G' -> push(Double.longBitsToDouble(Long.reverseBytes(in.number(8))));
            case 'X', 'T' -> push(in.text(in.number(4)));
            case 'U', 0x8c -> push(in.text(in.u8()));
            case 0x8d -> push(in.text(in.number(8)));
            case 'C' -> push(in.bytes(in.u8()));
            case 'B' -> push(in.bytes(in.number(4)));
            case 0x8e -> push(in.bytes(in.number(8)));
            case '}' -> push(new LinkedHashMap<>());
            case ']' -> push(new ArrayList<>());
            case ')' -> push(new Tuple(List.of()));
            case 't' -> push(new Tuple(marked()));
            case 'l' -> push(marked());
            case 'd' -> pushDictionary(marked());
            case 0x85, 0x86, 0x87 -> push(new Tuple(popped(op - 0x84)));
            case 'a' -> append(popped(1));
            case 'e' -> append(marked());
            case 's' -> put(popped(2));
            case 'u' -> put(marked());
            case 'q' -> memo.put((long) in.u8(), top());
            case 'r' -> memo.put(in.number(4), top());
            case 0x94 -> memo.put((long) memo.size(), top());
            case 'h' -> recall(in.u8());
            case 'j' -> recall(in.number(4));
            case 'c' -> push(global(in.line() + "." + in.line()));
            case 0x93 -> pushGlobal(popped(2));
            case 'i' -> throw rejected(in.line() + "." + in.line());
            case 'R', 0x81 -> pushCall(popped(2));
            case 'b' -> skipState();
            case 'Q' -> push(storage(pop()));
            case 0x82, 0x83, 0x84 -> throw rejected("extension registry");
            default ->
                throw damaged("the pickle instruction 0x" + Integer.toHexString(op) + " at byte " + (in.position() - 1)
                        + ", which state dicts do not use");
        }
    }

    private void pushDictionary(List<Object> items) throws StateDictException {
        push(new LinkedHashMap<>());
        put(items);
    }

    private void append(List<Object> items) throws StateDictException {
        list().addAll(items);
    }

    private void pushGlobal(List<Object> names) throws StateDictException {
        push(global(text(names.get(0)) + "." + text(names.get(1))));
    }

    private void pushCall(List<Object> call) throws StateDictException {
        if (!(call.get(0) instanceof Global function) || !(call.get(1) instanceof Tuple arguments))
            throw damaged("a call of something that is no function");
        push(call(function.name(), arguments.items()));
    }

    /** State of an OrderedDict or parameter (metadata, hooks): nothing that the weights depend on. */
    private void skipState() throws StateDictException {
        pop();
        if (!(top() instanceof Map<?, ?>) && !(top() instanceof TensorRef))
            throw damaged("state for something that has none");
    }

    private void protocol(int version) throws StateDictException {
        if (version > 5) throw damaged("pickle protocol " + version);
    }

    private Global global(String name) throws StateDictException {
        if (CALLS.contains(name) || ElementType.ofStorage(name) != null || ElementType.isDtype(name))
            return new Global(name);
        throw rejected(name);
    }

    private StateDictException rejected(String name) {
        return new StateDictException(file + ": this file's pickle asks for '" + printable(name)
                + "', which no weights need; it was not executed, and the file was not read. "
                + "Get the weights as .safetensors, or save them alone with torch.save(model.state_dict(), ...)");
    }

    private Object call(String name, List<Object> args) throws StateDictException {
        switch (name) {
            case "collections.OrderedDict" -> {
                LinkedHashMap<Object, Object> map = new LinkedHashMap<>();
                if (args.isEmpty()) return map;
                if (args.size() != 1 || !(args.get(0) instanceof List<?> pairs))
                    throw damaged("an OrderedDict made of something else than pairs");
                // A list costs its bytes once, but could be copied again and again.
                copied += pairs.size();
                if (copied > in.size()) throw damaged("more dictionaries made of lists than it has bytes for");
                for (Object pair : pairs) {
                    List<?> kv = pair instanceof List<?> l ? l : pair instanceof Tuple t ? t.items() : List.of();
                    if (kv.size() != 2) throw damaged("an OrderedDict made of something else than pairs");
                    map.put(key(kv.get(0)), kv.get(1));
                }
                return map;
            }
            case "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor" -> {
                if (args.size() < 4 || !(args.get(0) instanceof Storage s) || !(args.get(1) instanceof Long offset))
                    throw damaged("a tensor without a storage");
                TensorRef ref =
                        new TensorRef(s.key(), s.type(), s.size(), offset, longs(args.get(2)), longs(args.get(3)));
                if (ref.problem() != null)
                    throw new StateDictException(
                            file + " has a tensor that " + ref.problem() + "; it is damaged or hostile");
                return ref;
            }
            case "torch._utils._rebuild_parameter", "torch.nn.parameter.Parameter" -> {
                if (args.isEmpty() || !(args.get(0) instanceof TensorRef ref))
                    throw damaged("a parameter without a tensor");
                return ref;
            }
            case "torch.jit._pickle.restore_type_tag" -> {
                if (args.size() != 2) throw damaged("a type tag of another form");
                return args.get(0);
            }
            default -> throw damaged("a call of " + name);
        }
    }

    private Storage storage(Object id) throws StateDictException {
        if (!(id instanceof Tuple t)
                || t.items().size() < 5
                || !"storage".equals(t.items().get(0))
                || !(t.items().get(1) instanceof Global type)
                || ElementType.ofStorage(type.name()) == null
                || !(t.items().get(2) instanceof String key)
                || !(t.items().get(4) instanceof Long size)
                || size < 0) {
            throw damaged("a storage of a kind that is not known here");
        }
        if (t.items().size() > 5 && t.items().get(5) != null)
            throw damaged("a storage that is a view of another; save it again with PyTorch 1.6 or newer");
        ElementType element = ElementType.ofStorage(type.name());
        ElementType before = storages.put(key, element);
        if (before != null && before != element) throw damaged("a storage of two element types");
        return new Storage(key, element, size);
    }

    private static BigInteger big(byte[] littleEndian) {
        byte[] b = new byte[littleEndian.length];
        for (int i = 0; i < b.length; i++) b[i] = littleEndian[b.length - 1 - i];
        return new BigInteger(b);
    }

    /** A {@code Long} where it fits, else a {@code BigInteger}. */
    private Object integer(long length) throws IOException {
        // Their hash is computed again at every use, so long ones as keys would take time without end.
        if (length > MAX_INTEGER_BYTES) throw damaged("a whole number of " + length + " bytes");
        byte[] littleEndian = in.bytes(length);
        if (littleEndian.length == 0) return 0L;
        BigInteger v = big(littleEndian);
        return v.bitLength() < Long.SIZE ? (Object) v.longValue() : v;
    }

    private long[] longs(Object tuple) throws StateDictException {
        List<?> items = tuple instanceof Tuple t ? t.items() : tuple instanceof List<?> l ? l : null;
        if (items == null) throw damaged("a tensor without a shape");
        long[] values = new long[items.size()];
        for (int i = 0; i < values.length; i++) {
            if (!(items.get(i) instanceof Long v)) throw damaged("a tensor with a shape that is not made of numbers");
            values[i] = v;
        }
        return values;
    }

    /** Only keys with a hash of their own: a list that holds itself would not come to an end. */
    private Object key(Object key) throws StateDictException {
        if (key == null || key instanceof String || key instanceof Number || key instanceof Boolean) return key;
        if (key instanceof Global g) return g.name();
        throw damaged("a dictionary with keys that are neither texts nor numbers");
    }

    private void put(List<Object> keysAndValues) throws StateDictException {
        if (keysAndValues.size() % 2 != 0 || !(top() instanceof Map<?, ?>))
            throw damaged("values for something that is no dictionary");
        @SuppressWarnings("unchecked")
        Map<Object, Object> map = (Map<Object, Object>) top();
        for (int i = 0; i < keysAndValues.size(); i += 2) map.put(key(keysAndValues.get(i)), keysAndValues.get(i + 1));
    }

    @SuppressWarnings("unchecked")
    private List<Object> list() throws StateDictException {
        if (!(top() instanceof ArrayList<?>)) throw damaged("items for something that is no list");
        return (List<Object>) top();
    }

    private String text(Object o) throws StateDictException {
        if (!(o instanceof String s)) throw damaged("a global whose name is no text");
        return s;
    }

    private void recall(long key) throws StateDictException {
        if (!memo.containsKey(key)) throw damaged("a reference to something that was not stored");
        push(memo.get(key));
    }

    private void push(Object o) {
        stack.add(o);
    }

    private Object top() throws StateDictException {
        if (stack.isEmpty() || stack.get(stack.size() - 1) == MARK) throw damaged("an empty stack");
        return stack.get(stack.size() - 1);
    }

    private Object pop() throws StateDictException {
        Object o = top();
        stack.remove(stack.size() - 1);
        return o;
    }

    private List<Object> popped(int count) throws StateDictException {
        ArrayList<Object> items = new ArrayList<>();
        for (int i = 0; i < count; i++) items.add(0, pop());
        return items;
    }

    private List<Object> marked() throws StateDictException {
        int at = stack.size() - 1;
        while (at >= 0 && stack.get(at) != MARK) at--;
        if (at < 0) throw damaged("a missing mark");
        List<Object> tail = stack.subList(at, stack.size());
        List<Object> items = new ArrayList<>(tail.subList(1, tail.size()));
        tail.clear();
        return items;
    }

    private StateDictException damaged(String what) {
        return new StateDictException(
                file + " cannot be read: its pickle has " + what + ". It is damaged, or was not written by torch.save");
    }

    /** Names come from a file that anybody may have written; they must not steer the terminal. */
    static String printable(String text) {
        String s = text.replaceAll("\\p{Cntrl}+", " ");
        return s.length() > 120 ? s.substring(0, 120) + "..." : s;
    }
}
