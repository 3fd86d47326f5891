package io.linesight.mmad.checkpoint;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.google.protobuf.InvalidProtocolBufferException;
import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.ParameterSpec;
import io.linesight.mmad.architecture.ParameterSpecs;
import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.architecture.Weights;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.graph.MmadGraph;
import io.linesight.mmad.io.Sha256;
import io.linesight.mmad.onnx.OnnxGraph;
import io.linesight.mmad.onnx.OnnxModels;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A checkpoint file that was read once: its bytes, their checksum, and everything that is parsed from them. Later
 * changes of the file do not matter. {@link Checkpoints} writes such files.
 *
 * <p>The whole file stays in memory as long as this object. Let go of it once a session is open or the weights are
 * copied. Every {@link IOException} names the file and the reason. Thread-safe.
 */
public final class Checkpoint {
    private static final Logger LOG = LoggerFactory.getLogger(Checkpoint.class);
    private static final Calibration UNCALIBRATED = new Calibration(new ProductCalibration(0.5, 0.1), Map.of());

    private final Path path;
    private final byte[] bytes;
    private final String sha256;
    private @Nullable ModelProto model;
    private @Nullable CheckpointInfo info;

    private Checkpoint(Path path, byte[] bytes) {
        this.path = path;
        this.bytes = bytes;
        this.sha256 = Sha256.hex(bytes);
    }

    /** Name and values of the encoder inside that tell where it begins and ends. */
    record Boundary(String input, List<String> outputs) {
        Boundary {
            if (input == null
                    || outputs == null
                    || outputs.size() != 3
                    || outputs.stream().anyMatch(Objects::isNull))
                throw new IllegalArgumentException("an encoder has one input and three outputs");
        }
    }

    /**
     * Reads a file without looking inside: it is parsed when first asked for its contents.
     *
     * @throws IOException when the file is missing, empty, too large or unreadable
     */
    public static Checkpoint read(Path path) throws IOException {
        try {
            if (Files.isDirectory(path)) throw new IOException(path + " is a directory, not a checkpoint file");
            long size = Files.size(path);
            if (size == 0) throw new IOException(path + " is empty, not a checkpoint; copy it again");
            if (size > Integer.MAX_VALUE - 8)
                throw new IOException(path + " has " + size + " bytes; an ONNX file holds less than 2 GB");
            return new Checkpoint(path, Files.readAllBytes(path));
        } catch (NoSuchFileException e) {
            throw new NoSuchFileException(path.toString(), null, "there is no such checkpoint file");
        }
    }

    /** Where it was read from. */
    public Path path() {
        return path;
    }

    /** The whole file; not copied, do not change it. */
    public byte[] bytes() {
        return bytes;
    }

    /** Of the whole file, lower-case hex. */
    public String sha256() {
        return sha256;
    }

    /**
     * Metadata of a checkpoint or of a foreign ONNX anomaly model, which counts as uncalibrated and is named by its
     * checksum.
     */
    public synchronized CheckpointInfo info() throws IOException {
        if (info == null) info = info(path, sha256, Properties.of(model()));
        return info;
    }

    /** The shape of the network; only of a checkpoint that MMAD was written to. */
    public MmadConfig config() throws IOException {
        Map<String, String> properties = completeProperties();
        String method = properties.get(Checkpoints.METHOD);
        if (method != null)
            throw new IOException("checkpoint " + path + " was made by " + method
                    + "; it cannot be trained further as MMAD. Start from a checkpoint of MMAD, or train afresh");
        try {
            return Properties.parse(property(properties, Checkpoints.CONFIG), MmadConfig.class);
        } catch (JsonProcessingException e) {
            throw new IOException(path + ": its configuration cannot be read: " + e.getOriginalMessage(), e);
        }
    }

    /** The state dict of fuser and decoder, exactly as it was written; copied. */
    public Weights weights() throws IOException {
        MmadConfig config = config();
        Map<String, TensorProto> initializers = new HashMap<>();
        for (TensorProto t : model().getGraph().getInitializerList()) initializers.put(t.getName(), t);
        Weights weights = new Weights();
        for (ParameterSpec spec : ParameterSpecs.of(config))
            weights.put(spec.name(), tensor(spec, initializers.get(spec.name())));
        return weights;
    }

    /** The encoder inside; it does not keep this checkpoint in memory. */
    public Encoder encoder() throws IOException {
        MmadConfig config = config();
        Map<String, String> properties = completeProperties();
        try {
            Boundary boundary = Properties.parse(property(properties, Checkpoints.ENCODER_BOUNDARY), Boundary.class);
            Encoder encoder = Encoder.extract(
                    model(),
                    MmadGraph.ENCODER_PREFIX,
                    boundary.input(),
                    boundary.outputs(),
                    config.encoderChannels(),
                    property(properties, Checkpoints.ENCODER_NAME));
            if (!encoder.sha256().equals(properties.get(Checkpoints.ENCODER_SHA256))) {
                throw new IOException(path + ": the encoder inside is not the one its metadata names ("
                        + encoder.sha256() + ", not " + properties.get(Checkpoints.ENCODER_SHA256)
                        + "); the file is damaged");
            }
            return encoder;
        } catch (JsonProcessingException | IllegalArgumentException e) {
            throw new IOException(path + ": the encoder cannot be read: " + e.getMessage(), e);
        }
    }

    /** Everything that training can start from; it does not keep this checkpoint in memory. */
    public MmadModel mmad() throws IOException {
        return new MmadModel(config(), weights(), encoder());
    }

    /**
     * Whether weights lie in files beside this one. Its checksum and its signature do not cover those, so it cannot be
     * served. A file that cannot be parsed has none.
     */
    public boolean hasExternalData() {
        try {
            return model().getGraph().getInitializerList().stream()
                    .anyMatch(t -> t.getDataLocation() == TensorProto.DataLocation.EXTERNAL);
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * Names of the values inside that hold the encoder's features at strides 8 and 16; empty for a foreign model, whose
     * file does not say.
     */
    public List<String> featureNames() throws IOException {
        Map<String, String> properties = Properties.of(model());
        String given = properties.get(Checkpoints.ENCODER_BOUNDARY);
        if (given == null) return List.of();
        try {
            List<String> outputs = Properties.parse(given, Boundary.class).outputs();
            return outputs.subList(1, 3).stream()
                    .map(o -> MmadGraph.ENCODER_PREFIX + o)
                    .toList();
        } catch (JsonProcessingException | IllegalArgumentException e) {
            throw new IOException(path + ": it does not say where its encoder ends: " + e.getMessage(), e);
        }
    }

    /** The file with these values as further outputs. */
    public byte[] bytesWithOutputs(List<String> values) throws IOException {
        ModelProto.Builder with = model().toBuilder();
        for (String value : values)
            with.getGraphBuilder()
                    .addOutput(OnnxGraph.value(
                            value, OnnxGraph.Type.FLOAT, "N", value + ".c", value + ".h", value + ".w"));
        return with.build().toByteArray();
    }

    /** The parsed file. */
    synchronized ModelProto model() throws IOException {
        if (model == null) model = parse();
        return model;
    }

    private ModelProto parse() throws IOException {
        ModelProto parsed;
        try {
            parsed = OnnxModels.parse(bytes);
        } catch (InvalidProtocolBufferException e) {
            throw new IOException(
                    path + " is truncated or not an ONNX file (" + e.getMessage() + "); copy or publish it again", e);
        }
        if (!parsed.hasGraph() || parsed.getGraph().getOutputCount() == 0)
            throw new IOException(path + " is truncated or not an ONNX model: it holds no complete graph");
        return parsed;
    }

    /** Properties of a file that {@link Checkpoints} wrote; fails when the file is foreign or not complete. */
    Map<String, String> completeProperties() throws IOException {
        Map<String, String> properties = Properties.of(model());
        String format = properties.get(Checkpoints.FORMAT);
        if (format == null)
            throw new IOException(
                    path + " is an ONNX model, but not a checkpoint written by Linesight (or it is truncated):"
                            + " it has no property '" + Checkpoints.FORMAT + "'");
        if (!format.equals(Checkpoints.FORMAT_VERSION))
            throw new IOException(path + " has checkpoint format " + format + "; this program reads format "
                    + Checkpoints.FORMAT_VERSION + ": use a matching program version");
        // The properties of PatchCore end with the version; other files end with their operator's definition.
        boolean complete = Checkpoints.PATCHCORE.equals(properties.get(Checkpoints.METHOD))
                ? properties.containsKey(Checkpoints.VERSION)
                : model().getFunctionsCount() > 0;
        if (!complete) throw new IOException(path + " is truncated: its end is missing; copy or publish it again");
        return properties;
    }

    private Tensor tensor(ParameterSpec spec, @Nullable TensorProto stored) throws IOException {
        if (spec.elements() > Integer.MAX_VALUE / Float.BYTES)
            throw new IOException(path + ": its configuration calls for a tensor '" + spec.name() + "' of "
                    + spec.elements() + " values, more than a checkpoint can hold; the file is damaged");
        if (stored == null)
            throw new IOException(path + " lacks the tensor '" + spec.name()
                    + "' that its configuration calls for; the file is damaged");
        if (stored.getRawData().size() != spec.size() * Float.BYTES) {
            throw new IOException(path + ": tensor '" + spec.name() + "' has "
                    + stored.getRawData().size() / Float.BYTES + " values instead of " + spec.size()
                    + "; the file is damaged");
        }
        float[] values = new float[spec.size()];
        stored.getRawData()
                .asReadOnlyByteBuffer()
                .order(ByteOrder.LITTLE_ENDIAN)
                .asFloatBuffer()
                .get(values);
        return new Tensor(values, spec.shape().clone());
    }

    private String property(Map<String, String> properties, String name) throws IOException {
        String value = properties.get(name);
        if (value == null) throw new IOException(path + " lacks the property '" + name + "'; the file is damaged");
        return value;
    }

    static CheckpointInfo info(Path path, String sha256, Map<String, String> properties) throws IOException {
        Calibration calibration = UNCALIBRATED;
        if (properties.containsKey(Checkpoints.CALIBRATION)) {
            try {
                calibration = Properties.parse(properties.get(Checkpoints.CALIBRATION), Calibration.class);
            } catch (JsonProcessingException e) {
                throw new IOException(path + ": its calibration cannot be read: " + e.getOriginalMessage(), e);
            }
        } else {
            LOG.warn(
                    "{} has no calibration: threshold {} and scale {} are used for every product",
                    path,
                    UNCALIBRATED.fallback().threshold(),
                    UNCALIBRATED.fallback().scale());
        }
        String version = properties.getOrDefault(Checkpoints.VERSION, "sha-" + sha256.substring(0, 12));
        return new CheckpointInfo(version, sha256, calibration, properties);
    }
}
