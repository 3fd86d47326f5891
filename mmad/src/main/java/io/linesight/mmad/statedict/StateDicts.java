package io.linesight.mmad.statedict;

import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.architecture.Weights;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads the files that networks' weights are published in: {@code .safetensors}, and PyTorch's {@code .pth} /
 * {@code .pt} in the zip format and the one before it. The format is told by the content, not by the name.
 *
 * <p>A {@code .pth} file is a program for Python's pickle machine. Here it runs on a machine of our own that knows
 * plain values, OrderedDict and tensors; whatever else the file asks for is rejected by name and never run. No file,
 * however it lies about sizes, makes this take memory beyond a few times its own size. Float16, bfloat16 and float64
 * become float32. Weights wrapped under {@code state_dict} or {@code model} are found, and the prefix {@code module.}
 * that parallel training leaves is dropped. Thread-safe.
 */
public final class StateDicts {
    private static final List<String> WRAPPERS = List.of("state_dict", "model");
    private static final String PARALLEL = "module.";
    private static final int SHOWN = 8;
    private static final int TAR_BLOCK = 512;
    private static final int TAR_SIGNATURE_AT = 257;

    private StateDicts() {}

    /**
     * Reads a file.
     *
     * @throws NoSuchFileException when there is none
     * @throws StateDictException when it is damaged, asks for code to be run, or holds no weights; the message says
     *     which
     */
    public static StateDict read(Path file) throws IOException {
        if (!Files.exists(file))
            throw new NoSuchFileException(file.toString(), null, "there is no such file of weights");
        if (Files.isDirectory(file)) throw new StateDictException(file + " is a folder, not a file of weights");
        try (FileChannel channel = FileChannel.open(file)) {
            StoredFile stored = new StoredFile(file, channel);
            if (stored.size() < 16)
                throw new StateDictException(file + " has " + stored.size()
                        + " bytes, too few for a file of weights; it is truncated or something else");
            byte[] head = stored.bytes(0, 16);
            if (tar(stored)) {
                throw new StateDictException(file
                        + " is a tar archive, as PyTorch saved before 0.1.10; nothing in it was read or "
                        + "executed. If you trust where it comes from, "
                        + "load it with torch.load(..., weights_only=False) and save it again with "
                        + "torch.save(state_dict, ...) or as .safetensors");
            }
            if (head[8] == '{') return chosen(file, new Safetensors(stored).tensors());
            if (head[0] == 'P' && head[1] == 'K') return chosen(file, new TorchZip(stored).tensors());
            if ((head[0] & 0xff) == 0x80) return chosen(file, new TorchLegacy(stored).tensors());
            // A pickle of protocol 0 has no signature; whoever takes one for weights should hear what it asks for.
            if (head[0] == 'c' || head[0] == '(') new Pickle(file, stored.input(0)).load();
            throw new StateDictException(
                    file + " is neither .safetensors nor a .pth or .pt file that torch.save wrote. "
                            + (head[0] == '<'
                                    ? "It begins like a web page: the download gave a page instead of the file"
                                    : "Is it truncated, or another kind of file?"));
        }
    }

    /** By the signature in the header of its first member; POSIX's and GNU's differ only behind it. */
    private static boolean tar(StoredFile file) throws IOException {
        return file.size() >= TAR_BLOCK
                && new String(file.bytes(TAR_SIGNATURE_AT, 5), StandardCharsets.US_ASCII).equals("ustar");
    }

    private static StateDict chosen(Path file, Tensors opened) throws IOException {
        try (Tensors tensors = opened) {
            return read(file, tensors);
        }
    }

    private static StateDict read(Path file, Tensors tensors) throws IOException {
        Map<String, TensorRef> refs = tensors.refs();
        boolean parallel = !refs.isEmpty() && refs.keySet().stream().allMatch(n -> n.startsWith(PARALLEL));
        Weights weights = new Weights();
        Map<String, String> others = new LinkedHashMap<>();
        // Tensors may be views of one another: without this bound a small file could ask for any amount of memory.
        long budget = tensors.fileSize();
        Map<String, List<TensorRef>> wanted = new LinkedHashMap<>();
        for (Map.Entry<String, TensorRef> e : refs.entrySet()) {
            TensorRef ref = e.getValue();
            String name = parallel ? e.getKey().substring(PARALLEL.length()) : e.getKey();
            if (!ref.type().isFloat()) {
                others.put(name, ref.toString());
                continue;
            }
            budget -= ref.count() * ref.type().bytes();
            if (budget < 0)
                throw new StateDictException(file
                        + " claims tensors of more bytes than the whole file has; it is damaged or hostile, "
                        + "and was not read");
            wanted.computeIfAbsent(ref.storage(), k -> new ArrayList<>()).add(ref);
        }
        // One storage after the other: read once for every tensor in it, a small file with many tensors in a large
        // storage would take for ever.
        Map<TensorRef, Tensor> read = new IdentityHashMap<>();
        for (List<TensorRef> together : wanted.values())
            for (TensorRef ref : together)
                if (!read.containsKey(ref)) read.put(ref, new Tensor(ref.floats(tensors.storage(ref)), ref.intShape()));
        for (Map.Entry<String, TensorRef> e : refs.entrySet()) {
            String name = parallel ? e.getKey().substring(PARALLEL.length()) : e.getKey();
            if (e.getValue().type().isFloat()) weights.put(name, read.get(e.getValue()));
        }
        if (weights.count() == 0) throw new StateDictException(file + " holds no tensors of weights");
        return new StateDict(weights, others);
    }

    /** The dictionary of tensors in what a pickle gave. */
    static Map<String, TensorRef> dictionary(Path file, Object root) throws StateDictException {
        if (!(root instanceof Map<?, ?> map)) {
            throw new StateDictException(file + " holds " + word(root)
                    + ", not a dictionary of tensors; save it with torch.save(model.state_dict(), ...)");
        }
        for (String wrapper : WRAPPERS) {
            if (map.get(wrapper) instanceof Map<?, ?> inner
                    && inner.values().stream().anyMatch(TensorRef.class::isInstance)) {
                map = inner;
                break;
            }
        }
        Map<String, TensorRef> refs = new LinkedHashMap<>();
        for (Map.Entry<?, ?> e : map.entrySet())
            if (e.getKey() instanceof String name && e.getValue() instanceof TensorRef ref) refs.put(name, ref);
        if (refs.isEmpty())
            throw new StateDictException(
                    file + " holds no weights, neither directly nor under 'state_dict' or 'model'; its keys are "
                            + keys(map.keySet()));
        return refs;
    }

    private static String word(Object root) {
        return root instanceof TensorRef
                ? "a single tensor"
                : root instanceof List<?> ? "a list" : "a " + (root == null ? "None" : "value");
    }

    private static String keys(Set<?> keys) {
        List<String> shown = keys.stream()
                .limit(SHOWN)
                .map(k -> k instanceof String s ? Pickle.printable(s) : "(not a text)")
                .toList();
        return shown.isEmpty()
                ? "none"
                : String.join(", ", shown) + (keys.size() > SHOWN ? " and " + (keys.size() - SHOWN) + " more" : "");
    }
}
