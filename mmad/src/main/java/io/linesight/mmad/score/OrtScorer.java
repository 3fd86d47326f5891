package io.linesight.mmad.score;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.checkpoint.Checkpoint;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.exemption.BatchFeatures;
import io.linesight.mmad.onnx.OnnxRuntime;
import io.linesight.mmad.runtime.DeviceChooser;
import io.linesight.mmad.runtime.ModelLoadException;
import io.linesight.mmad.runtime.NativeMemory;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.mmad.runtime.ScoringException;
import io.linesight.mmad.view.ViewLayouts;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A checkpoint on ONNX Runtime. Serves any ONNX model with the checkpoint signature: input {@code frames}
 * [N,3,256,256], uint8, or float32 in [0,1]; outputs {@code anomaly_map} (N*256*256 values) and {@code score} (N
 * values), float32. N may be fixed: larger batches are then cut and the last one is filled up.
 *
 * <p>{@link #score} serialises its callers. Native memory: the model, one input buffer of the largest batch so far, and
 * ONNX Runtime's arena.
 */
public final class OrtScorer implements Scorer {
    static final String FRAMES = "frames";
    static final String ANOMALY_MAP = "anomaly_map";
    static final String SCORE = "score";
    static final String NEAREST = "nearest";
    static final String NEAREST_DISTANCE = "nearest_distance";
    static final String PLACE = "place";

    private static final int SIDE = MmadConfig.INPUT_SIZE;
    private static final int FRAME_VALUES = 3 * SIDE * SIDE;
    private static final int MAP_VALUES = SIDE * SIDE;
    private static final float[] UNIT = unit();

    private final OrtEnvironment environment = OnnxRuntime.environment();
    private final DeviceChooser.Opened opened;
    private final CheckpointInfo info;
    private final boolean floatInput;
    private final int fixedBatch;
    private final boolean takesPlaces;
    private final ViewLayouts views;
    private final Set<String> outputs;
    /** Of the outputs at strides 8 and 16; empty when features were not asked for or cannot be had. */
    private final List<String> features;

    private ByteBuffer input = ByteBuffer.allocateDirect(0);
    private boolean closed;

    /**
     * What a model takes.
     *
     * @param floats float32 in [0,1] instead of uint8
     * @param fixedBatch frames at a time; 0 = any number
     * @param remembers whether it also says which image is nearest
     * @param places whether it is told the place that a view shows
     */
    private record Input(boolean floats, int fixedBatch, boolean remembers, boolean places) {}

    private OrtScorer(DeviceChooser.Opened opened, CheckpointInfo info, Input input, List<String> features)
            throws IOException {
        this.views = ViewLayouts.read(info.properties());
        this.takesPlaces = input.places();
        this.opened = opened;
        this.info = info;
        this.floatInput = input.floats();
        this.fixedBatch = input.fixedBatch();
        this.outputs =
                input.remembers() ? Set.of(ANOMALY_MAP, SCORE, NEAREST, NEAREST_DISTANCE) : Set.of(ANOMALY_MAP, SCORE);
        this.features = features;
    }

    /**
     * Reads a file and opens it.
     *
     * @throws ModelLoadException as {@link #open(Checkpoint, ScorerOptions)}, or when the file cannot be read
     */
    public static OrtScorer open(Path checkpoint, ScorerOptions options) {
        if (!Files.isRegularFile(checkpoint)) {
            throw new ModelLoadException("there is no checkpoint at " + checkpoint
                    + (Files.isDirectory(checkpoint) ? ": that is a folder" : ""));
        }
        try {
            return open(Checkpoint.read(checkpoint), options);
        } catch (IOException e) {
            throw unreadable(checkpoint, e);
        }
    }

    /**
     * Opens a checkpoint; it need not stay in memory afterwards. Takes seconds for a large one; the first scores are
     * slower than later ones unless {@link #warmUp} is called.
     *
     * @throws ModelLoadException when the file is damaged or has another signature, or the device is not there
     */
    public static OrtScorer open(Checkpoint checkpoint, ScorerOptions options) {
        Path path = checkpoint.path();
        if (checkpoint.hasExternalData())
            throw unfit(path, "its weights lie in other files beside it; export it as one file");
        DeviceChooser.Opened opened;
        List<String> features;
        try {
            features = options.features() ? checkpoint.featureNames() : List.of();
            byte[] bytes = features.isEmpty() ? checkpoint.bytes() : checkpoint.bytesWithOutputs(features);
            opened = DeviceChooser.open(
                    "checkpoint " + path.getFileName(), options, (env, o) -> env.createSession(bytes, o));
        } catch (OrtException e) {
            throw notLoadable(path, e);
        } catch (IOException e) {
            throw unreadable(path, e);
        }
        try {
            Input input = checkSignature(path, opened.session());
            return new OrtScorer(opened, checkpoint.info(), input, features);
        } catch (OrtException | IOException | RuntimeException e) {
            try {
                opened.session().close();
            } catch (OrtException second) {
                e.addSuppressed(second);
            }
            if (e instanceof OrtException o) throw notLoadable(path, o);
            if (e instanceof IOException io) throw unreadable(path, io);
            throw (RuntimeException) e;
        }
    }

    private static ModelLoadException unreadable(Path checkpoint, IOException e) {
        return new ModelLoadException("checkpoint " + checkpoint + " cannot be read: " + e.getMessage(), e);
    }

    private static ModelLoadException notLoadable(Path checkpoint, OrtException e) {
        String why =
                switch (e.getCode()) {
                    case ORT_INVALID_PROTOBUF, ORT_NO_MODEL ->
                        "it is not a complete ONNX file; copy or export it again";
                    case ORT_NOT_IMPLEMENTED, ORT_INVALID_GRAPH ->
                        "it uses something that this ONNX Runtime does not know";
                    default -> "ONNX Runtime rejects it";
                };
        return new ModelLoadException(
                "checkpoint " + checkpoint + " cannot be loaded: " + why + " (" + e.getMessage() + ")", e);
    }

    /** Rejects a model whose inputs and outputs are not those of an anomaly model. */
    private static Input checkSignature(Path checkpoint, OrtSession session) throws OrtException {
        TensorInfo frames = tensor(checkpoint, "input", session.getInputInfo(), FRAMES);
        boolean places =
                session.getNumInputs() == 2 && isTensor(session.getInputInfo().get(PLACE), OnnxJavaType.INT64);
        if (session.getNumInputs() != 1 && !places) {
            throw unfit(
                    checkpoint, "it has inputs " + session.getInputNames() + "; only '" + FRAMES + "' can be served");
        }
        if (frames.type != OnnxJavaType.UINT8 && frames.type != OnnxJavaType.FLOAT) {
            throw unfit(
                    checkpoint, "its input '" + FRAMES + "' is " + frames.type + "; uint8 or float32 can be served");
        }
        long[] shape = frames.getShape();
        checkShape(checkpoint, shape);
        for (String output : List.of(ANOMALY_MAP, SCORE)) {
            TensorInfo tensor = tensor(checkpoint, "output", session.getOutputInfo(), output);
            if (tensor.type != OnnxJavaType.FLOAT)
                throw unfit(checkpoint, "its output '" + output + "' is " + tensor.type + "; float32 can be served");
        }
        return new Input(
                frames.type == OnnxJavaType.FLOAT,
                (int) Math.max(0, shape[0]),
                remembers(session.getOutputInfo()),
                places);
    }

    /** A foreign model may have outputs of these names that mean something else: only the right types count. */
    private static boolean remembers(Map<String, NodeInfo> outputs) {
        return isTensor(outputs.get(NEAREST), OnnxJavaType.INT64)
                && isTensor(outputs.get(NEAREST_DISTANCE), OnnxJavaType.FLOAT);
    }

    private static boolean isTensor(@Nullable NodeInfo node, OnnxJavaType type) {
        return node != null && node.getInfo() instanceof TensorInfo tensor && tensor.type == type;
    }

    private static void checkShape(Path checkpoint, long[] shape) {
        boolean images = shape.length == 4 && free(shape[1], 3);
        if (images && free(shape[2], SIDE) && free(shape[3], SIDE) && shape[0] != 0) return;
        String what = images && shape[2] > 0 && shape[3] > 0
                ? "it is a checkpoint for another input size: its input '"
                : "its input '";
        throw unfit(
                checkpoint,
                what + FRAMES + "' is " + Arrays.toString(shape) + "; frames are [N, 3, " + SIDE + ", " + SIDE + "]");
    }

    /** Whether a dimension, negative where the model leaves it open, admits a value. */
    private static boolean free(long dimension, int value) {
        return dimension < 0 || dimension == value;
    }

    private static TensorInfo tensor(Path checkpoint, String role, Map<String, NodeInfo> all, String name) {
        NodeInfo node = all.get(name);
        if (node == null) throw unfit(checkpoint, "it has no " + role + " '" + name + "', but " + all.keySet());
        if (!(node.getInfo() instanceof TensorInfo tensor))
            throw unfit(checkpoint, "its " + role + " '" + name + "' is not a tensor");
        return tensor;
    }

    private static ModelLoadException unfit(Path checkpoint, String what) {
        return new ModelLoadException(
                "checkpoint " + checkpoint + " is not an anomaly model that can be served: " + what);
    }

    @Override
    public CheckpointInfo info() {
        return info;
    }

    @Override
    public String device() {
        return opened.device().toString();
    }

    /** Whether scans run in the Java operator. */
    public boolean scanOperator() {
        return opened.scanOperator();
    }

    /** Scores black frames until the runtime's arena and the JIT have settled for batches up to this size. */
    public void warmUp(int largestBatch) {
        byte[] black = new byte[FRAME_VALUES];
        score(List.of(black));
        for (int i = 0; i < 2 && largestBatch > 1; i++) score(java.util.Collections.nCopies(largestBatch, black));
        if (largestBatch == 1) score(List.of(black));
    }

    @Override
    public boolean givesFeatures() {
        return !features.isEmpty();
    }

    @Override
    public ViewLayouts views() {
        return views;
    }

    @Override
    public Scores score(List<byte[]> frames) {
        return score(frames, new int[frames.size()]);
    }

    @Override
    public Scores score(List<byte[]> frames, int[] places) {
        return score(frames, places, List.of()).scores();
    }

    @Override
    public FeaturedScores scoreWithFeatures(List<byte[]> frames) {
        return score(frames, new int[frames.size()], features);
    }

    private synchronized FeaturedScores score(List<byte[]> frames, int[] places, List<String> wanted) {
        if (closed) throw new IllegalStateException("the scorer of " + info.version() + " is closed");
        if (frames.isEmpty()) throw new IllegalArgumentException("no frames");
        for (byte[] frame : frames) {
            if (frame.length != FRAME_VALUES) {
                throw new IllegalArgumentException("a frame must be " + FRAME_VALUES + " bytes (planar RGB " + SIDE
                        + "x" + SIDE + "), got " + frame.length);
            }
        }
        int count = frames.size();
        float[] raw = new float[count];
        float[] maps = new float[Math.multiplyExact(count, MAP_VALUES)];
        Scores.Nearest nearest =
                outputs.contains(NEAREST) ? new Scores.Nearest(new int[count], new float[count]) : null;
        Scores scores = new Scores(count, SIDE, raw, maps, nearest);
        int step = fixedBatch == 0 ? count : fixedBatch;
        float[][] seen = new float[wanted.size()][];
        for (int first = 0; first < count; first += step)
            run(
                    frames.subList(first, Math.min(count, first + step)),
                    Arrays.copyOfRange(places, first, first + step),
                    first,
                    new Answers(scores, wanted, seen));
        return new FeaturedScores(scores, wanted.isEmpty() ? null : new BatchFeatures(count, seen[0], seen[1]));
    }

    /**
     * Where a batch's answers go.
     *
     * @param wanted names of further outputs
     * @param seen their values; allocated by the first part of the batch, whose shapes say how many there are
     */
    private record Answers(Scores scores, List<String> wanted, float[][] seen) {}

    private Set<String> names(List<String> wanted) {
        if (wanted.isEmpty()) return outputs;
        Set<String> names = new LinkedHashSet<>(outputs);
        names.addAll(wanted);
        return names;
    }

    /**
     * Scores frames in a batch of as many as there are places, filled up with black frames, into the results from
     * {@code first} on.
     */
    private void run(List<byte[]> frames, int[] places, int first, Answers answers) {
        Scores to = answers.scores;
        int size = places.length;
        long[] shape = {size, 3, SIDE, SIDE};
        try (OnnxTensor batch = fill(frames, size, shape);
                OnnxTensor where = takesPlaces ? places(places) : null;
                OrtSession.Result result = opened.session()
                        .run(
                                where == null ? Map.of(FRAMES, batch) : Map.of(FRAMES, batch, PLACE, where),
                                names(answers.wanted))) {
            copy(result, SCORE, size, frames.size(), to.raw(), first);
            copy(result, ANOMALY_MAP, size * MAP_VALUES, frames.size() * MAP_VALUES, to.maps(), first * MAP_VALUES);
            copyFeatures(result, size, frames.size(), first, answers);
            if (to.nearest() == null) return;
            copy(result, NEAREST_DISTANCE, size, frames.size(), to.nearest().distances(), first);
            LongBuffer images = ((OnnxTensor) result.get(NEAREST).orElseThrow()).getLongBuffer();
            for (int i = 0; i < frames.size(); i++) to.nearest().images()[first + i] = (int) images.get(i);
        } catch (OrtException e) {
            throw new ScoringException(
                    "model " + info.version() + " failed on a batch of " + frames.size() + ": " + e.getMessage(), e);
        }
    }

    private OnnxTensor places(int[] places) throws OrtException {
        return OnnxTensor.createTensor(
                environment, Arrays.stream(places).asLongStream().toArray());
    }

    private void copyFeatures(OrtSession.Result result, int size, int frames, int first, Answers to) {
        for (int i = 0; i < to.wanted.size(); i++) {
            String name = to.wanted.get(i);
            int each = ((OnnxTensor) result.get(name).orElseThrow())
                            .getFloatBuffer()
                            .remaining()
                    / size;
            if (to.seen[i] == null) to.seen[i] = new float[Math.multiplyExact(to.scores.count(), each)];
            copy(result, name, size * each, frames * each, to.seen[i], first * each);
        }
    }

    private OnnxTensor fill(List<byte[]> frames, int size, long[] shape) throws OrtException {
        int bytes = Math.multiplyExact(Math.multiplyExact(size, FRAME_VALUES), floatInput ? Float.BYTES : 1);
        if (input.capacity() < bytes) input = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
        input.clear().limit(bytes);
        if (!floatInput) {
            for (byte[] frame : frames) input.put(frame);
            fillUp(size - frames.size(), FRAME_VALUES);
            return OnnxTensor.createTensor(environment, input.flip(), shape, OnnxJavaType.UINT8);
        }
        FloatBuffer floats = input.asFloatBuffer();
        float[] values = new float[FRAME_VALUES];
        for (byte[] frame : frames) {
            for (int i = 0; i < FRAME_VALUES; i++) values[i] = UNIT[frame[i] & 0xFF];
            floats.put(values);
        }
        input.position(frames.size() * FRAME_VALUES * Float.BYTES);
        fillUp(size - frames.size(), FRAME_VALUES * Float.BYTES);
        return OnnxTensor.createTensor(environment, floats.position(0).limit(size * FRAME_VALUES), shape);
    }

    private void fillUp(int frames, int frameBytes) {
        byte[] black = frames == 0 ? null : new byte[frameBytes];
        for (int i = 0; i < frames; i++) input.put(black);
    }

    private void copy(OrtSession.Result result, String name, int expected, int wanted, float[] to, int at) {
        FloatBuffer values = ((OnnxTensor) result.get(name).orElseThrow()).getFloatBuffer();
        if (values.remaining() != expected) {
            throw new ScoringException(
                    "model " + info.version() + " returned " + values.remaining() + " values of '" + name
                            + "' instead of " + expected,
                    null);
        }
        values.get(to, at, wanted);
    }

    private static float[] unit() {
        float[] unit = new float[256];
        for (int i = 0; i < unit.length; i++) unit[i] = i / 255f;
        return unit;
    }

    @Override
    public synchronized void close() {
        if (closed) return;
        closed = true;
        input = ByteBuffer.allocateDirect(0);
        try {
            opened.session().close();
        } catch (OrtException e) {
            throw new ScoringException(
                    "closing the session of model " + info.version() + " failed: " + e.getMessage(), e);
        }
        NativeMemory.trim();
    }
}
