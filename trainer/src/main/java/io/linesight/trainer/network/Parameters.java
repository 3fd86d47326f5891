package io.linesight.trainer.network;

import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.ParameterSpec;
import io.linesight.mmad.architecture.Weights;
import io.linesight.trainer.torch.JavaOp;
import io.linesight.trainer.torch.Torch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;

/**
 * The network's tensors as libtorch leaves. The chains of a mixer's four channel groups have the same shapes and are
 * kept as one leaf each, stacked on a leading axis, under the name with {@code *} for the group
 * ({@code …ssm_blocks_*.0.ln_1.weight}, shape [4,C/4]); the fuser's block has a leading axis of 1. Everywhere else the
 * state-dict name holds. Owned by whoever made it; {@link #close} releases the memory.
 */
public final class Parameters implements AutoCloseable {
    private static final String CHAIN = ".ssm_blocks_";

    private final List<ParameterSpec> specs;
    private final Map<String, Tensor> leaves = new LinkedHashMap<>();
    private final Map<String, ParameterSpec> first = new LinkedHashMap<>();

    /**
     * @param specs names and shapes
     * @param weights values for every spec; copied
     * @throws IllegalArgumentException when a tensor is missing or has another shape
     */
    public Parameters(List<ParameterSpec> specs, Weights weights) {
        this.specs = List.copyOf(specs);
        Map<String, float[]> values = new LinkedHashMap<>();
        Map<String, long[]> shapes = new LinkedHashMap<>();
        for (ParameterSpec spec : specs) {
            io.linesight.mmad.architecture.Tensor t = weights.get(spec.name());
            if (t.size() != spec.size())
                throw new IllegalArgumentException(
                        "tensor '" + spec.name() + "' must have shape " + Arrays.toString(spec.shape()) + ", got " + t);
            String leaf = leafName(spec.name());
            int groups = groups(spec.name());
            first.putIfAbsent(leaf, spec);
            shapes.computeIfAbsent(leaf, k -> leafShape(spec, groups));
            float[] all = values.computeIfAbsent(leaf, k -> new float[spec.size() * Math.max(1, groups)]);
            System.arraycopy(t.data(), 0, all, groupOf(spec.name()) * spec.size(), spec.size());
        }
        for (String name : values.keySet()) {
            Tensor leaf = Torch.of(values.get(name), shapes.get(name));
            leaf.retainReference();
            if (first.get(name).trainable()) {
                leaf.set_requires_grad(true);
                JavaOp.zeroGradient(leaf);
            }
            leaves.put(name, leaf);
        }
    }

    private static long[] leafShape(ParameterSpec spec, int groups) {
        long[] shape = Arrays.stream(spec.shape()).asLongStream().toArray();
        if (groups == 0) return shape;
        long[] stacked = new long[shape.length + 1];
        stacked[0] = groups;
        System.arraycopy(shape, 0, stacked, 1, shape.length);
        return stacked;
    }

    private static int groups(String name) {
        if (name.contains(CHAIN)) return MmadConfig.GROUPS;
        return name.contains(".ssm_blocks.") ? 1 : 0;
    }

    private static int groupOf(String name) {
        int at = name.indexOf(CHAIN);
        return at < 0 ? 0 : name.charAt(at + CHAIN.length()) - '1';
    }

    private static String leafName(String name) {
        int at = name.indexOf(CHAIN);
        if (at < 0) return name;
        int digit = at + CHAIN.length();
        return name.substring(0, digit) + "*" + name.substring(digit + 1);
    }

    /** A leaf by its name as described above. */
    Tensor get(String name) {
        Tensor t = leaves.get(name);
        if (t == null) throw new IllegalArgumentException("no parameter '" + name + "'");
        return t;
    }

    boolean has(String name) {
        return leaves.containsKey(name);
    }

    /** Trainable leaves with or without weight decay. */
    TensorVector trainable(boolean decay) {
        TensorVector v = new TensorVector();
        leaves.forEach((name, leaf) -> {
            ParameterSpec spec = first.get(name);
            if (spec.trainable() && spec.decay() == decay) v.push_back(leaf);
        });
        return v;
    }

    /** All trainable leaves. */
    TensorVector trainable() {
        TensorVector v = new TensorVector();
        leaves.forEach((name, leaf) -> {
            if (first.get(name).trainable()) v.push_back(leaf);
        });
        return v;
    }

    /** A copy of every tensor under its state-dict name. */
    public Weights export() {
        return export(false);
    }

    /** A copy of every trainable tensor's gradient under its state-dict name. */
    Weights gradients() {
        return export(true);
    }

    private Weights export(boolean gradient) {
        Map<String, float[]> values = new LinkedHashMap<>();
        leaves.forEach((name, leaf) -> {
            if (gradient && first.get(name).trainable()) values.put(name, Torch.values(leaf.grad()));
            else if (!gradient) values.put(name, Torch.values(leaf));
        });
        Weights out = new Weights();
        for (ParameterSpec spec : specs) {
            float[] all = values.get(leafName(spec.name()));
            if (all == null) continue;
            int from = groupOf(spec.name()) * spec.size();
            out.put(
                    spec.name(),
                    new io.linesight.mmad.architecture.Tensor(
                            Arrays.copyOfRange(all, from, from + spec.size()), spec.shape()));
        }
        return out;
    }

    /** Overwrites every tensor with the values of an {@link #export}; gradients and the leaves themselves stay. */
    public void restore(Weights weights) {
        Map<String, float[]> values = new LinkedHashMap<>();
        for (ParameterSpec spec : specs) {
            float[] all = values.computeIfAbsent(
                    leafName(spec.name()), k -> new float[spec.size() * Math.max(1, groups(spec.name()))]);
            System.arraycopy(weights.get(spec.name()).data(), 0, all, groupOf(spec.name()) * spec.size(), spec.size());
        }
        try (PointerScope scope = new PointerScope();
                NoGradGuard off = new NoGradGuard()) {
            values.forEach((name, v) -> {
                Tensor leaf = leaves.get(name);
                leaf.copy_(Torch.of(v, v.length).view_as(leaf));
            });
        }
    }

    /** Names of all leaves, for diagnosis. */
    List<String> leafNames() {
        return new ArrayList<>(leaves.keySet());
    }

    @Override
    public void close() {
        leaves.values().forEach(Tensor::releaseReference);
        leaves.clear();
    }
}
