package io.linesight.mmad.architecture;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * Named tensors of a network under the reference's state-dict names ({@code mamba_fuser.*}, {@code net_s.*}; MMAD_SPEC
 * sections 3 to 6), in insertion order. Not thread-safe while it is being filled.
 */
public final class Weights {
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();

    public Weights put(String name, Tensor tensor) {
        tensors.put(name, tensor);
        return this;
    }

    /** @throws IllegalArgumentException when there is no such tensor */
    public Tensor get(String name) {
        Tensor t = tensors.get(name);
        if (t == null) throw new IllegalArgumentException("the weights have no tensor '" + name + "'");
        return t;
    }

    public boolean has(String name) {
        return tensors.containsKey(name);
    }

    public Set<String> names() {
        return Collections.unmodifiableSet(tensors.keySet());
    }

    /** A copy with these tensors in place of those of the same names; the tensors themselves are shared. */
    public Weights with(Map<String, Tensor> others) {
        Weights w = new Weights();
        w.tensors.putAll(tensors);
        w.tensors.putAll(others);
        return w;
    }

    public int count() {
        return tensors.size();
    }
}
