package io.linesight.mmad.checkpoint;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.ParameterSpec;
import io.linesight.mmad.architecture.ParameterSpecs;
import io.linesight.mmad.architecture.PatchBank;
import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.architecture.Weights;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.graph.MmadGraph;
import io.linesight.mmad.graph.PatchCoreGraph;
import java.io.IOException;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads and writes checkpoints: one self-contained ONNX file that can be served as it stands ({@link MmadGraph} tells
 * inputs and outputs) and from which configuration, weights and encoder can be read back exactly. Facts about it are
 * the file's metadata properties.
 *
 * <p>A checkpoint must stay below 2 GB, the limit of the file format. Every method throws {@link IOException} with the
 * file's name and the reason when a file is missing, truncated or not what it should be. Thread-safe.
 */
public final class Checkpoints {
    /** Property: version of this layout of properties, {@value #FORMAT_VERSION}. */
    public static final String FORMAT = "linesight.format";
    /** Property: {@link MmadConfig} as JSON. */
    public static final String CONFIG = "linesight.config";
    /** Property: how the model was made, {@value #PATCHCORE}; absent for MMAD. */
    public static final String METHOD = "linesight.method";
    /** Value of {@link #METHOD}: a bank of normal patches, written by {@link PatchCoreGraph}. */
    public static final String PATCHCORE = "patchcore";
    /**
     * Property: model version, {@code yyyyMMdd-HHmmss-<8 hex digits of the content>} in UTC unless the writer chose
     * one.
     */
    public static final String VERSION = "linesight.version";
    /** Property: ISO instant. */
    public static final String CREATED_AT = "linesight.createdAt";
    /** Property: {@link Calibration} as JSON. */
    public static final String CALIBRATION = "linesight.calibration";
    /** Property: {@link Encoder#sha256()}. */
    public static final String ENCODER_SHA256 = "linesight.encoder.sha256";
    /** Property: {@link Encoder#name()}. */
    public static final String ENCODER_NAME = "linesight.encoder.name";
    /** Start of the property names of provenance entries. */
    public static final String PROVENANCE_PREFIX = "linesight.provenance.";

    private static final String ENCODER_BOUNDARY = "linesight.encoder.boundary";
    private static final String FORMAT_VERSION = "1";
    private static final Logger LOG = LoggerFactory.getLogger(Checkpoints.class);
    private static final ObjectMapper JSON =
            new ObjectMapper().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);
    private static final DateTimeFormatter STAMP =
            DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss").withZone(ZoneOffset.UTC);
    private static final Calibration UNCALIBRATED = new Calibration(new ProductCalibration(0.5, 0.1), Map.of());

    private record Boundary(String input, List<String> outputs) {
        private Boundary {
            if (input == null
                    || outputs == null
                    || outputs.size() != 3
                    || outputs.stream().anyMatch(Objects::isNull))
                throw new IllegalArgumentException("an encoder has one input and three outputs");
        }
    }

    private Checkpoints() {}

    /**
     * Writes a checkpoint atomically; an existing file is replaced.
     *
     * @param provenance further facts, stored under {@value #PROVENANCE_PREFIX}{@code <key>}, or as they are when the
     *     key starts with {@code linesight.}; {@value #VERSION} and {@value #CREATED_AT} may be given here
     * @return what {@link #readInfo} would say
     * @throws IllegalArgumentException when weights or encoder do not fit the configuration
     */
    public static CheckpointInfo write(
            Path path,
            MmadConfig config,
            Weights weights,
            Encoder encoder,
            Calibration calibration,
            Map<String, String> provenance)
            throws IOException {
        Map<String, String> properties = properties(CONFIG, json(config), encoder, calibration, provenance);
        return write(path, MmadGraph.write(config, weights, encoder), properties, provenance.get(VERSION));
    }

    /**
     * The same for a PatchCore model. What is served and recalibrated is a checkpoint like any other; there is nothing
     * in it that could be trained further, so configuration, weights and encoder cannot be read back.
     *
     * @throws IllegalArgumentException when the bank does not fit the encoder
     */
    public static CheckpointInfo write(
            Path path,
            PatchBank bank,
            PatchCoreGraph.Score score,
            Encoder encoder,
            Calibration calibration,
            Map<String, String> provenance)
            throws IOException {
        return write(
                path,
                PatchCoreGraph.write(bank, encoder, score),
                properties(METHOD, PATCHCORE, encoder, calibration, provenance),
                provenance.get(VERSION));
    }

    private static Map<String, String> properties(
            String kind, String value, Encoder encoder, Calibration calibration, Map<String, String> provenance) {
        Map<String, String> properties = new LinkedHashMap<>();
        properties.put(FORMAT, FORMAT_VERSION);
        properties.put(kind, value);
        properties.put(CREATED_AT, Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        properties.put(CALIBRATION, calibrationJson(calibration));
        properties.put(ENCODER_SHA256, encoder.sha256());
        properties.put(ENCODER_NAME, encoder.name());
        properties.put(ENCODER_BOUNDARY, json(new Boundary(encoder.inputName(), encoder.outputNames())));
        provenance.forEach((k, v) -> properties.put(k.startsWith("linesight.") ? k : PROVENANCE_PREFIX + k, v));
        return properties;
    }

    /**
     * Copies a checkpoint with another calibration. It gets a version of its own, since it decides differently. Input
     * and output may be the same file.
     */
    public static CheckpointInfo withCalibration(Path in, Path out, Calibration calibration) throws IOException {
        return withCalibration(in, out, calibration, Map.of());
    }

    /**
     * The same, with further properties.
     *
     * @param further by their full names; put in place of those that are there
     */
    public static CheckpointInfo withCalibration(
            Path in, Path out, Calibration calibration, Map<String, String> further) throws IOException {
        ModelFile file = readOwn(in);
        Map<String, String> properties = file.properties();
        properties.putAll(further);
        properties.put(CALIBRATION, calibrationJson(calibration));
        properties.remove(VERSION);
        return write(out, file.model(), properties, null);
    }

    /**
     * Metadata of a checkpoint or of a foreign ONNX anomaly model, which counts as uncalibrated and is named by its
     * checksum.
     */
    public static CheckpointInfo readInfo(Path path) throws IOException {
        return info(path, ModelFile.read(path));
    }

    /** Whether it can be trained further: a checkpoint that MMAD was written to. */
    public static boolean trainable(CheckpointInfo info) {
        return info.properties().containsKey(CONFIG);
    }

    /** Shape of the network. */
    public static MmadConfig readConfig(Path path) throws IOException {
        return config(path, readOwn(path));
    }

    /** The state dict of fuser and decoder, exactly as it was written. */
    public static Weights readWeights(Path path) throws IOException {
        ModelFile file = readOwn(path);
        Map<String, TensorProto> initializers = new HashMap<>();
        for (TensorProto t : file.model().getGraph().getInitializerList()) initializers.put(t.getName(), t);
        Weights weights = new Weights();
        for (ParameterSpec spec : ParameterSpecs.of(config(path, file))) {
            if (spec.elements() > Integer.MAX_VALUE / Float.BYTES)
                throw new IOException(path + ": its configuration calls for a tensor '" + spec.name() + "' of "
                        + spec.elements() + " values, more than a checkpoint can hold; the file is damaged");
            TensorProto t = initializers.get(spec.name());
            if (t == null)
                throw new IOException(path + " lacks the tensor '" + spec.name()
                        + "' that its configuration calls for; the file is damaged");
            if (t.getRawData().size() != spec.size() * Float.BYTES) {
                throw new IOException(path + ": tensor '" + spec.name() + "' has "
                        + t.getRawData().size() / Float.BYTES + " values instead of " + spec.size()
                        + "; the file is damaged");
            }
            float[] values = new float[spec.size()];
            t.getRawData()
                    .asReadOnlyByteBuffer()
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .asFloatBuffer()
                    .get(values);
            weights.put(spec.name(), new Tensor(values, spec.shape().clone()));
        }
        return weights;
    }

    /** The encoder inside. */
    public static Encoder readEncoder(Path path) throws IOException {
        ModelFile file = readOwn(path);
        Map<String, String> properties = file.properties();
        try {
            Boundary boundary = parsed(property(path, properties, ENCODER_BOUNDARY), Boundary.class);
            Encoder encoder = Encoder.extract(
                    file.model(),
                    MmadGraph.ENCODER_PREFIX,
                    boundary.input(),
                    boundary.outputs(),
                    config(path, file).encoderChannels(),
                    property(path, properties, ENCODER_NAME));
            if (!encoder.sha256().equals(properties.get(ENCODER_SHA256))) {
                throw new IOException(path + ": the encoder inside is not the one its metadata names ("
                        + encoder.sha256() + ", not " + properties.get(ENCODER_SHA256) + "); the file is damaged");
            }
            return encoder;
        } catch (JsonProcessingException | IllegalArgumentException e) {
            throw new IOException(path + ": the encoder cannot be read: " + e.getMessage(), e);
        }
    }

    private static CheckpointInfo write(
            Path path, ModelProto model, Map<String, String> properties, String versionOrNull) throws IOException {
        String version = versionOrNull;
        if (version == null) {
            String hash = ModelFile.contentHash(ModelFile.withProperties(model, properties));
            version = STAMP.format(Instant.parse(properties.get(CREATED_AT))) + "-" + hash.substring(0, 8);
        }
        // Last, so that a file cut short anywhere lacks it, whatever else follows.
        properties.remove(VERSION);
        properties.put(VERSION, version);
        ModelProto complete = ModelFile.withProperties(model, properties);
        ModelFile.write(path, complete);
        return info(path, new ModelFile(complete, ModelFile.contentHash(complete)));
    }

    private static CheckpointInfo info(Path path, ModelFile file) throws IOException {
        Map<String, String> properties = file.properties();
        Calibration calibration = UNCALIBRATED;
        if (properties.containsKey(CALIBRATION)) {
            try {
                calibration = parsed(properties.get(CALIBRATION), Calibration.class);
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
        return new CheckpointInfo(
                properties.getOrDefault(VERSION, "sha-" + file.sha256().substring(0, 12)),
                file.sha256(),
                calibration,
                properties);
    }

    /** A file that this class wrote, complete. */
    private static ModelFile readOwn(Path path) throws IOException {
        ModelFile file = ModelFile.read(path);
        Map<String, String> properties = file.properties();
        String format = properties.get(FORMAT);
        if (format == null)
            throw new IOException(path
                    + " is an ONNX model, but not a checkpoint written by Linesight (or it is truncated): it has no property '"
                    + FORMAT + "'");
        if (!format.equals(FORMAT_VERSION))
            throw new IOException(path + " has checkpoint format " + format + "; this program reads format "
                    + FORMAT_VERSION + ": use a matching program version");
        boolean complete = PATCHCORE.equals(properties.get(METHOD))
                ? properties.containsKey(VERSION)
                : file.model().getFunctionsCount() > 0;
        if (!complete) throw new IOException(path + " is truncated: its end is missing; copy or publish it again");
        return file;
    }

    private static MmadConfig config(Path path, ModelFile file) throws IOException {
        String method = file.properties().get(METHOD);
        if (method != null)
            throw new IOException("checkpoint " + path + " was made by " + method
                    + "; it cannot be trained further as MMAD. Start from a checkpoint of MMAD, or train afresh");
        try {
            return parsed(property(path, file.properties(), CONFIG), MmadConfig.class);
        } catch (JsonProcessingException e) {
            throw new IOException(path + ": its configuration cannot be read: " + e.getOriginalMessage(), e);
        }
    }

    /** JSON's null is no value of anything. */
    private static <T> T parsed(String json, Class<T> type) throws JsonProcessingException {
        T value = JSON.readValue(json, type);
        if (value == null) throw new JsonMappingException(null, "it is null");
        return value;
    }

    private static String property(Path path, Map<String, String> properties, String name) throws IOException {
        String value = properties.get(name);
        if (value == null) throw new IOException(path + " lacks the property '" + name + "'; the file is damaged");
        return value;
    }

    private static String calibrationJson(Calibration calibration) {
        Map<String, Object> sorted = new LinkedHashMap<>();
        sorted.put("fallback", calibration.fallback());
        sorted.put("byProduct", new TreeMap<>(calibration.byProduct()));
        return json(sorted);
    }

    private static String json(Object value) {
        try {
            return JSON.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
