package io.linesight.streams.support;

import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.checkpoint.Checkpoint;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.runtime.ModelLoadException;
import io.linesight.mmad.runtime.ScoringException;
import io.linesight.mmad.score.Scorer;
import io.linesight.mmad.score.Scores;
import io.linesight.schemas.DatasetSummary;
import io.linesight.schemas.GateOutcome;
import io.linesight.schemas.GateVerdict;
import io.linesight.schemas.ModelStatus;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.Rollout;
import io.linesight.schemas.RolloutAction;
import io.linesight.schemas.RolloutMode;
import io.linesight.streams.serving.ModelSource;
import io.linesight.streams.serving.RolloutFeed;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * Published models whose file is a line of text, the decisions about them, and a count of every scorer that is open. A
 * model's raw score is the first byte of a frame / 255; a file may say {@code nan}, {@code throws}, {@code differs},
 * {@code name}, {@code size} or {@code garbage} after its version.
 */
public final class TestModels implements RolloutFeed, ModelSource {

    public final Map<String, byte[]> files = new ConcurrentHashMap<>();
    public final Map<String, ModelVersion> versions = new ConcurrentHashMap<>();
    public final List<ModelStatus> statuses = new CopyOnWriteArrayList<>();
    public final AtomicInteger open = new AtomicInteger();
    public final AtomicInteger opened = new AtomicInteger();
    public final AtomicInteger mostOpen = new AtomicInteger();
    public final AtomicInteger misuse = new AtomicInteger();
    public volatile Consumer<ModelVersion> beforeFetch = v -> {};
    public volatile long batchMillis;
    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
    private final List<String> champions = new CopyOnWriteArrayList<>();
    private volatile Rollout rollout;

    // --- publishing

    public ModelVersion publish(String version, String... what) {
        byte[] bytes = (version + " " + String.join(" ", what)).getBytes(StandardCharsets.UTF_8);
        files.put(version, bytes);
        ModelVersion manifest = manifest(version, bytes);
        versions.put(version, manifest);
        listeners.forEach(Runnable::run);
        return manifest;
    }

    public static ModelVersion manifest(String version, byte[] bytes) {
        return ModelVersion.newBuilder()
                .setVersion(version)
                .setChannel("default")
                .setSha256(sha256(bytes))
                .setBytes(bytes.length)
                .setCreatedAt(Instant.now())
                .setCreatedBy("test")
                .setDataset(new DatasetSummary("", 0, 0))
                .setProducts(List.of())
                .setGate(new GateVerdict(GateOutcome.PASSED, "", 0.0, null))
                .setSignature(ByteBuffer.allocate(0))
                .build();
    }

    public static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    public Rollout decide(RolloutAction action, RolloutMode mode, String champion, String challenger) {
        return decide(action, mode, champion, challenger, false);
    }

    public synchronized Rollout decide(
            RolloutAction action, RolloutMode mode, String champion, String challenger, boolean pinned) {
        long revision = rollout == null ? 1 : rollout.getRevision() + 1;
        rollout = Rollout.newBuilder()
                .setChannel("default")
                .setRevision(revision)
                .setBasedOn(revision - 1)
                .setAction(action)
                .setMode(mode)
                .setChampion(champion)
                .setChallenger(challenger)
                .setPrevious(rollout == null ? null : rollout.getChampion())
                .setPinned(pinned)
                .setBy("test")
                .setAt(Instant.now())
                .build();
        if (champion != null) {
            champions.remove(champion);
            champions.add(0, champion);
        }
        listeners.forEach(Runnable::run);
        return rollout;
    }

    @Override
    public List<String> champions() {
        return List.copyOf(champions);
    }

    public Rollout promote(String champion) {
        return decide(RolloutAction.PROMOTE, RolloutMode.ACTIVE, champion, null);
    }

    public Rollout shadow(String champion, String challenger) {
        return decide(RolloutAction.SHADOW, RolloutMode.SHADOW, champion, challenger);
    }

    public Rollout canary(String champion, String challenger) {
        return decide(RolloutAction.CANARY, RolloutMode.CANARY, champion, challenger);
    }

    @Override
    public Optional<Rollout> current() {
        return Optional.ofNullable(rollout);
    }

    @Override
    public Optional<ModelVersion> version(String version) {
        return Optional.ofNullable(versions.get(version));
    }

    @Override
    public Subscription listen(Runnable changed) {
        listeners.add(changed);
        return () -> listeners.remove(changed);
    }

    @Override
    public Path fetch(ModelVersion version, Path directory) throws IOException {
        beforeFetch.accept(version);
        byte[] bytes = files.get(version.getVersion());
        if (bytes == null) throw new IOException("the chunks are gone");
        return Files.write(directory.resolve("model.onnx"), bytes);
    }

    // --- scoring

    public Scorer openFile(Checkpoint file) {
        String[] words = new String(file.bytes(), StandardCharsets.UTF_8).trim().split(" ");
        if (words.length > 1 && words[1].equals("garbage"))
            throw new ModelLoadException("it is not a complete ONNX file; copy or export it again");
        if (words.length > 1 && words[1].equals("size"))
            throw new ModelLoadException("it is a checkpoint for another input size: [N, 3, 224, 224]");
        return scorer(words[0], words.length > 1 ? words[1] : "");
    }

    public Scorer scorer(String version, String behaviour) {
        opened.incrementAndGet();
        mostOpen.accumulateAndGet(open.incrementAndGet(), Math::max);
        return new TestScorer(version, behaviour);
    }

    private final class TestScorer implements Scorer {
        private static final int SIDE = 256;
        private final CheckpointInfo info;
        private final String behaviour;
        private final AtomicInteger calls = new AtomicInteger();
        private final AtomicInteger inside = new AtomicInteger();
        private volatile boolean closed;

        TestScorer(String version, String behaviour) {
            boolean misnamed = behaviour.equals("name");
            this.info = new CheckpointInfo(
                    misnamed ? "other" : version,
                    "00",
                    new Calibration(new ProductCalibration(0.5, 0.1), Map.of()),
                    misnamed ? Map.of("linesight.version", "other") : Map.of());
            this.behaviour = behaviour;
        }

        @Override
        public CheckpointInfo info() {
            return info;
        }

        @Override
        public String device() {
            return "cpu";
        }

        @Override
        public Scores score(List<byte[]> frames) {
            if (closed || inside.incrementAndGet() > 1) misuse.incrementAndGet();
            try {
                if (batchMillis > 0) LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(batchMillis));
                if (behaviour.equals("throws")) throw new ScoringException("the runtime refused", null);
                float[] raw = new float[frames.size()];
                float[] maps = new float[frames.size() * SIDE * SIDE];
                for (int i = 0; i < raw.length; i++) {
                    raw[i] = behaviour.equals("nan") ? Float.NaN : (frames.get(i)[0] & 0xff) / 255f;
                    if (behaviour.equals("differs")) raw[i] += calls.incrementAndGet();
                    Arrays.fill(maps, i * SIDE * SIDE, i * SIDE * SIDE + 10, raw[i]);
                }
                return new Scores(raw.length, SIDE, raw, maps);
            } finally {
                inside.decrementAndGet();
                if (closed) misuse.incrementAndGet();
            }
        }

        @Override
        public void close() {
            if (closed || inside.get() > 0) misuse.incrementAndGet();
            closed = true;
            open.decrementAndGet();
        }
    }
}
