package io.linesight.mmad.statedict;

import io.linesight.mmad.architecture.Weights;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a file of weights holds.
 *
 * @param weights its floating-point tensors as float32, in the file's order
 * @param others its other tensors (counters, quantised weights), which are not read: name to a word such as
 *     {@code int64[]}
 */
public record StateDict(Weights weights, Map<String, String> others) {
    public StateDict {
        others = Collections.unmodifiableMap(new LinkedHashMap<>(others));
    }
}
