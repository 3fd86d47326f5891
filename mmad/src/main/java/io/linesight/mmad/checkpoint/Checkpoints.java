package io.linesight.mmad.checkpoint;

import ai.onnx.proto.OnnxMl.ModelProto;
import com.google.protobuf.CodedOutputStream;
import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.graph.MmadGraph;
import io.linesight.mmad.graph.PatchCoreGraph;
import io.linesight.mmad.graph.RetrievalGraph;
import io.linesight.mmad.io.AtomicFile;
import io.linesight.mmad.io.Sha256;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes checkpoints: one self-contained ONNX file that can be served as it stands ({@link MmadGraph} tells inputs and
 * outputs) and from which {@link Checkpoint} reads configuration, weights and encoder back exactly. Facts about it are
 * the file's metadata properties.
 *
 * <p>A checkpoint must stay below 2 GB, the limit of the file format. Files are replaced in one step: readers see the
 * old file or the whole new one. Thread-safe.
 */
public final class Checkpoints {
    /** Property: version of this layout of properties, {@value #FORMAT_VERSION}. */
    public static final String FORMAT = "linesight.format";
    /** Property: {@link MmadConfig} as JSON. */
    public static final String CONFIG = "linesight.config";
    /** Property: how the model was made, {@value #PATCHCORE} or {@value #RETRIEVAL}; absent for MMAD. */
    public static final String METHOD = "linesight.method";
    /** Value of {@link #METHOD}: a bank of normal patches, written by {@link PatchCoreGraph}. */
    public static final String PATCHCORE = "patchcore";
    /** Value of {@link #METHOD}: a memory of normal images, written by {@link RetrievalGraph}. */
    public static final String RETRIEVAL = "retrieval";
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
    /** Property: frames of the line that it was trained on, by {@link #learnedName}, separated by commas. */
    public static final String LEARNED_FRAMES = "linesight.learned.frames";
    /** Start of the property names of provenance entries. */
    public static final String PROVENANCE_PREFIX = "linesight.provenance.";

    static final String ENCODER_BOUNDARY = "linesight.encoder.boundary";
    static final String FORMAT_VERSION = "1";

    private static final DateTimeFormatter STAMP =
            DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss").withZone(ZoneOffset.UTC);

    private Checkpoints() {}

    /**
     * Writes a checkpoint of MMAD.
     *
     * @param provenance further facts, stored under {@value #PROVENANCE_PREFIX}{@code <key>}, or as they are when the
     *     key starts with {@code linesight.}; {@value #VERSION} and {@value #CREATED_AT} may be given here
     * @return what {@link Checkpoint#info} would say
     * @throws IllegalArgumentException when weights or encoder do not fit the configuration
     */
    public static CheckpointInfo write(
            Path path, MmadModel model, Calibration calibration, Map<String, String> provenance) throws IOException {
        Map<String, String> properties =
                properties(CONFIG, Properties.format(model.config()), model.encoder(), calibration, provenance);
        ModelProto graph = MmadGraph.write(model.config(), model.weights(), model.encoder());
        return write(path, graph, properties, provenance.get(VERSION));
    }

    /**
     * The same for a PatchCore model. Configuration, weights and encoder cannot be read back: nothing in it can be
     * trained further.
     *
     * @throws IllegalArgumentException when the bank does not fit the encoder
     */
    public static CheckpointInfo write(
            Path path, PatchCoreModel model, Calibration calibration, Map<String, String> provenance)
            throws IOException {
        Map<String, String> properties = properties(METHOD, PATCHCORE, model.encoder(), calibration, provenance);
        ModelProto graph = PatchCoreGraph.write(model.bank(), model.encoder(), model.score());
        return write(path, graph, properties, provenance.get(VERSION));
    }

    /**
     * The same for a retrieval model. It cannot be trained further either; {@link RememberedImage#of} reads its images.
     *
     * @throws IllegalArgumentException when the memory does not fit the encoder
     */
    public static CheckpointInfo write(
            Path path, RetrievalModel model, Calibration calibration, Map<String, String> provenance)
            throws IOException {
        Map<String, String> properties = properties(METHOD, RETRIEVAL, model.encoder(), calibration, provenance);
        properties.putAll(RememberedImage.property(model.images()));
        return write(path, RetrievalGraph.write(model.memory(), model.encoder()), properties, provenance.get(VERSION));
    }

    /** Copies a checkpoint with another calibration. It gets a version of its own, since it decides differently. */
    public static CheckpointInfo withCalibration(Checkpoint in, Path out, Calibration calibration) throws IOException {
        return withCalibration(in, out, calibration, Map.of());
    }

    /**
     * The same, with further properties.
     *
     * @param further by their full names; they replace those that are there
     */
    public static CheckpointInfo withCalibration(
            Checkpoint in, Path out, Calibration calibration, Map<String, String> further) throws IOException {
        Map<String, String> properties = in.completeProperties();
        properties.putAll(further);
        properties.put(CALIBRATION, Properties.format(calibration));
        properties.remove(VERSION);
        return write(out, in.model(), properties, null);
    }

    /** What stands for a frame in {@link #LEARNED_FRAMES}: the beginning of its key's SHA-256, 12 hex digits. */
    public static String learnedName(String frameKey) {
        return Sha256.hex(frameKey.getBytes(StandardCharsets.UTF_8)).substring(0, 12);
    }

    /** Whether it can be trained further: a checkpoint that MMAD was written to. */
    public static boolean trainable(CheckpointInfo info) {
        return info.properties().containsKey(CONFIG);
    }

    private static Map<String, String> properties(
            String kind, String value, Encoder encoder, Calibration calibration, Map<String, String> provenance) {
        Map<String, String> properties = new LinkedHashMap<>();
        properties.put(FORMAT, FORMAT_VERSION);
        properties.put(kind, value);
        properties.put(CREATED_AT, Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        properties.put(CALIBRATION, Properties.format(calibration));
        properties.put(ENCODER_SHA256, encoder.sha256());
        properties.put(ENCODER_NAME, encoder.name());
        properties.put(
                ENCODER_BOUNDARY,
                Properties.format(new Checkpoint.Boundary(encoder.inputName(), encoder.outputNames())));
        provenance.forEach((k, v) -> properties.put(k.startsWith("linesight.") ? k : PROVENANCE_PREFIX + k, v));
        return properties;
    }

    private static CheckpointInfo write(
            Path path, ModelProto model, Map<String, String> properties, @Nullable String chosenVersion)
            throws IOException {
        String version = chosenVersion;
        if (version == null) {
            String hash = sha256(Properties.replace(model, properties));
            version = STAMP.format(Instant.parse(properties.get(CREATED_AT))) + "-" + hash.substring(0, 8);
        }
        // Last, so that a file cut short anywhere lacks it, whatever else follows.
        properties.remove(VERSION);
        properties.put(VERSION, version);
        ModelProto complete = Properties.replace(model, properties);
        AtomicFile.replace(path, channel -> {
            CodedOutputStream coded = CodedOutputStream.newInstance(Channels.newOutputStream(channel), 1 << 16);
            complete.writeTo(coded);
            coded.flush();
        });
        return Checkpoint.info(path, sha256(complete), properties);
    }

    /** Of the model as it would be written. */
    private static String sha256(ModelProto model) {
        MessageDigest digest = Sha256.digest();
        try (DigestOutputStream out = new DigestOutputStream(OutputStream.nullOutputStream(), digest)) {
            model.writeTo(out);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return Sha256.hex(digest);
    }
}
