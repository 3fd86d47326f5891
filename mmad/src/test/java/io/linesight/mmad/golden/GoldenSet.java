package io.linesight.mmad.golden;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.checkpoint.ParityCheckpoint;
import io.linesight.mmad.io.NpyArray;
import io.linesight.mmad.io.Npz;
import io.linesight.mmad.io.SharedFiles;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;

/**
 * Reference values of one module. They come from the test resources ({@code golden/README.md} says how they were cut),
 * or from the complete set where it lies beside the checkout. An array of the resources may hold only the beginning of
 * the complete one.
 */
public final class GoldenSet implements AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path unpacked;
    private final Npz cut;
    private final @Nullable Npz complete;
    private final JsonNode generated;

    private GoldenSet(Path unpacked, Npz cut, @Nullable Npz complete, JsonNode generated) {
        this.unpacked = unpacked;
        this.cut = cut;
        this.complete = complete;
        this.generated = generated;
    }

    /** @param name of the file, without {@code .npz} */
    public static GoldenSet open(String name) throws IOException {
        Optional<Path> complete = SharedFiles.find("golden/" + name + ".npz");
        return open(name, complete.isPresent() ? Npz.open(complete.get()) : null);
    }

    /** Only what the test resources hold. */
    static GoldenSet openCut(String name) throws IOException {
        return open(name, null);
    }

    private static GoldenSet open(String name, @Nullable Npz complete) throws IOException {
        Path unpacked = unpack(name + ".npz");
        return new GoldenSet(
                unpacked, Npz.open(unpacked), complete, json("generated.json").path(name));
    }

    /** A JSON file of the set. */
    public static JsonNode json(String name) throws IOException {
        Path file = unpack(name);
        try {
            return JSON.readTree(file.toFile());
        } finally {
            Files.delete(file);
        }
    }

    /** What {@link ParityCheckpoint#weights} reads: the tensors of the whole network. The caller may delete it. */
    public static Path weightsManifest() throws IOException {
        return unpack("model_weights_manifest.json");
    }

    /** Copies a resource, compressed or not, into a temporary file. */
    private static Path unpack(String name) throws IOException {
        Path file = Files.createTempFile("golden-", "-" + name);
        file.toFile().deleteOnExit();
        try (InputStream plain = GoldenSet.class.getResourceAsStream("/golden/" + name);
                InputStream packed = GoldenSet.class.getResourceAsStream("/golden/" + name + ".gz")) {
            if (plain == null && packed == null) throw new FileNotFoundException("no test resource golden/" + name);
            try (InputStream in = plain != null ? plain : new GZIPInputStream(packed)) {
                Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
            }
        }
        return file;
    }

    /** Names of all arrays, stored and generated, sorted. */
    public Set<String> names() {
        Set<String> names = new TreeSet<>(cut.names());
        generated.fieldNames().forEachRemaining(names::add);
        if (complete != null) names.addAll(complete.names());
        return names;
    }

    public boolean has(String name) {
        return names().contains(name);
    }

    public NpyArray get(String name) throws IOException {
        if (complete != null && complete.contains(name)) return complete.get(name);
        return generated.has(name) ? generate(generated.get(name)) : cut.get(name);
    }

    public float[] floats(String name) throws IOException {
        return get(name).floats();
    }

    public double[] doubles(String name) throws IOException {
        return get(name).doubles();
    }

    public int[] ints(String name) throws IOException {
        return get(name).ints();
    }

    public byte[] bytes(String name) throws IOException {
        return get(name).bytes();
    }

    private static NpyArray generate(JsonNode t) {
        int[] shape = new int[t.get("shape").size()];
        for (int i = 0; i < shape.length; i++) shape[i] = t.get("shape").get(i).asInt();
        float offset = (float) t.get("offset").asDouble();
        float scale = (float) t.get("scale").asDouble();
        Tensor tensor = ParityCheckpoint.tensor(t.get("from").asText(), offset, scale, shape);
        return new NpyArray(tensor.shape(), tensor.data());
    }

    @Override
    public void close() throws IOException {
        cut.close();
        if (complete != null) complete.close();
        Files.deleteIfExists(unpacked);
    }
}
