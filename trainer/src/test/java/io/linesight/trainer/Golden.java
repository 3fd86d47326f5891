package io.linesight.trainer;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.architecture.Weights;
import io.linesight.mmad.io.Npz;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.SplittableRandom;

/** The reference's numbers; tests that need them are skipped where they are absent. */
public final class Golden {
    private Golden() {}

    public static Path file(String name) {
        String set = System.getProperty("linesight.shared");
        for (String root : new String[] {set == null ? "../shared" : set, "../shared", "../../shared"}) {
            Path p = Path.of(root).resolve("golden").resolve(name);
            if (Files.exists(p)) return p;
        }
        assumeTrue(false, "golden data absent: " + name);
        return null;
    }

    public static Npz npz(String name) throws IOException {
        return Npz.open(file(name));
    }

    /** Uniform tensor from a name, as golden/README.md defines it. */
    public static float[] random(String name, double offset, double scale, int size) {
        long h = 0xcbf29ce484222325L;
        for (byte b : name.getBytes(StandardCharsets.UTF_8)) h = (h ^ (b & 0xff)) * 0x100000001b3L;
        SplittableRandom r = new SplittableRandom(h);
        float[] v = new float[size];
        for (int i = 0; i < size; i++) v[i] = (float) offset + (float) scale * ((r.nextLong() >>> 40) * 0x1p-23f - 1f);
        return v;
    }

    /** Weights of the whole reference network, encoder ({@code net_t.*}) included. */
    public static Weights manifest() throws IOException {
        JsonNode tensors = new ObjectMapper()
                .readTree(file("model_weights_manifest.json").toFile())
                .get("tensors");
        Weights w = new Weights();
        for (JsonNode t : tensors) {
            int[] shape = new int[t.get("shape").size()];
            int size = 1;
            for (int i = 0; i < shape.length; i++)
                size *= shape[i] = t.get("shape").get(i).asInt();
            w.put(
                    t.get("name").asText(),
                    new Tensor(
                            random(
                                    t.get("name").asText(),
                                    t.get("offset").asDouble(),
                                    t.get("scale").asDouble(),
                                    size),
                            shape));
        }
        return w;
    }

    /** Largest difference divided by the reference's largest magnitude. */
    public static double relative(float[] actual, float[] expected) {
        if (actual.length != expected.length)
            throw new AssertionError("length " + actual.length + " instead of " + expected.length);
        double difference = 0;
        double largest = 0;
        for (int i = 0; i < actual.length; i++) {
            if (!Float.isFinite(actual[i])) throw new AssertionError("value " + i + " is " + actual[i]);
            difference = Math.max(difference, Math.abs(actual[i] - expected[i]));
            largest = Math.max(largest, Math.abs(expected[i]));
        }
        return largest == 0 ? difference : difference / largest;
    }

    /** Largest absolute difference. */
    public static double absolute(float[] actual, float[] expected) {
        double difference = 0;
        if (actual.length != expected.length)
            throw new AssertionError("length " + actual.length + " instead of " + expected.length);
        for (int i = 0; i < actual.length; i++) {
            if (!Float.isFinite(actual[i])) throw new AssertionError("value " + i + " is " + actual[i]);
            difference = Math.max(difference, Math.abs(actual[i] - expected[i]));
        }
        return difference;
    }
}
