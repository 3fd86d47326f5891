package io.linesight.trainer.learning;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import io.linesight.mmad.checkpoint.Checkpoint;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.Checkpoints;
import io.linesight.mmad.io.Sha256;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.schemas.DatasetSummary;
import io.linesight.schemas.GateOutcome;
import io.linesight.schemas.ModelVersion;
import io.linesight.trainer.calibration.Recalibration;
import io.linesight.trainer.fit.Fit;
import io.linesight.trainer.fit.FitOptions;
import io.linesight.trainer.folders.DatasetException;
import io.linesight.trainer.folders.ImageSource;
import io.linesight.trainer.gate.Gate;
import io.linesight.trainer.gate.GateResult;
import io.linesight.trainer.gate.HeldOut;
import io.linesight.trainer.imagestore.DatasetStore;
import io.linesight.trainer.imagestore.DatasetStoreException;
import io.linesight.trainer.imagestore.LabelSource;
import io.linesight.trainer.imagestore.Split;
import io.linesight.trainer.imagestore.StoredImage;
import io.linesight.trainer.learning.TrainerEvent.Kind;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One run from the choice of pictures to the handing over, on one thread. Goes on where its folder says it was. */
final class TrainingRun {
    private static final Logger LOG = LoggerFactory.getLogger(TrainingRun.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    /** Normals below which a product cannot be trained on: fit needs some for the threshold too. */
    static final int LEAST_NORMALS = 4;

    private static final String CHAMPION = "champion.onnx";
    private static final String TRAINED = "trained.onnx";
    static final String METRICS = "trained.metrics.jsonl";
    private static final String CHALLENGER = "challenger.onnx";
    private static final String PICTURES = "pictures.json";
    private static final String DRAFT = "draft.avro";

    private final TrainerConfig config;
    private final DatasetStore store;
    private final ChampionSource champions;
    private final ChallengerSink sink;
    private final Consumer<TrainerEvent> listener;
    private final BooleanSupplier cancelled;
    private final BooleanSupplier stillOwner;
    private final FaultInjector faults;
    private final long offerPauseMillis;
    private final long trainedThrough;
    private final RunFolder run;

    /** This run cannot go on, and trying again now would not help. */
    static final class GivenUp extends Exception {
        private static final long serialVersionUID = 1L;

        /** Whether a new run should begin at once: this one was overtaken, nothing is wrong with its reason. */
        final boolean anew;

        GivenUp(String message) {
            this(message, false, null);
        }

        GivenUp(String message, Throwable cause) {
            this(message, false, cause);
        }

        GivenUp(String message, boolean anew, Throwable cause) {
            super(message, cause);
            this.anew = anew;
        }
    }

    /**
     * @param cancelled another trainer works now, or this one stops: the run rests where it is
     * @param stillOwner asks the broker whether this trainer still is the one that works
     * @param trainedThrough newest picture of the last run
     */
    TrainingRun(
            TrainerConfig config,
            DatasetStore store,
            ChampionSource champions,
            ChallengerSink sink,
            Consumer<TrainerEvent> listener,
            BooleanSupplier cancelled,
            BooleanSupplier stillOwner,
            FaultInjector faults,
            long offerPauseMillis,
            long trainedThrough,
            RunFolder run) {
        this.config = config;
        this.store = store;
        this.champions = champions;
        this.sink = sink;
        this.listener = listener;
        this.cancelled = cancelled;
        this.stillOwner = stillOwner;
        this.faults = faults;
        this.offerPauseMillis = offerPauseMillis;
        this.trainedThrough = trainedThrough;
        this.run = run;
    }

    /**
     * Works to the end.
     *
     * @return newest picture that this run knew of
     * @throws CancellationException when it was called off; it can go on later
     * @throws GivenUp when there is no sense in going on
     * @throws IOException when a file cannot be read or written, on a full disk for instance; it can go on later
     */
    long execute() throws IOException, GivenUp {
        run.tidy(Set.of(CHAMPION, TRAINED, METRICS, CHALLENGER, PICTURES, DRAFT));
        if (!run.done(Stage.FETCH)) fetch();
        List<StoredImage> pictures = chosen();
        try (DatasetStore.Pin pin = pinned(pictures)) {
            ImageSource source = store.source("labels of " + config.channel(), pictures);
            check(Stage.FETCH, CHAMPION);
            if (!run.done(Stage.TRAIN)) train(source);
            check(Stage.TRAIN, TRAINED);
            if (!run.done(Stage.CALIBRATE)) calibrate(source);
            check(Stage.CALIBRATE, CHALLENGER);
            if (!run.done(Stage.GATE)) gate(source, pictures);
        }
        if (!run.done(Stage.OFFER)) offer();
        return run.of(Stage.FETCH).path("through").asLong();
    }

    private DatasetStore.Pin pinned(List<StoredImage> pictures) throws GivenUp {
        try {
            return store.pin(pictures);
        } catch (DatasetStoreException e) {
            throw new GivenUp(e.getMessage() + " since the run chose them; it begins anew", true, e);
        }
    }

    /** A file is what its stage noted, or the run is not to be trusted. */
    private void check(Stage stage, String file) throws IOException, GivenUp {
        String noted = run.of(stage).path("sha256").asText();
        if (!Files.isRegularFile(run.file(file)) || !Sha256.hex(run.file(file)).equals(noted)) {
            throw new GivenUp(
                    "the file " + file + " in " + run.folder + " is not the one that stage " + stage
                            + " wrote; the run begins anew",
                    true,
                    null);
        }
    }

    private void ensureGoingOn() {
        if (cancelled.getAsBoolean())
            throw new CancellationException("the run rests: this trainer stops, or another one works");
    }

    private void fetch() throws IOException, GivenUp {
        ensureGoingOn();
        Champion champion = champions
                .current(config.channel())
                .orElseThrow(() -> new GivenUp("channel '" + config.channel()
                        + "' has no champion to go on from; publish and promote a checkpoint first"));
        RunFolder.copy(champion.file(), run.file(CHAMPION));
        CheckpointInfo info = Checkpoint.read(run.file(CHAMPION)).info();
        if (!Checkpoints.trainable(info)) {
            throw new GivenUp(
                    "the champion " + champion.version() + " was made by "
                            + info.properties().getOrDefault(Checkpoints.METHOD, "another program")
                            + "; it cannot be trained further as MMAD. Publish and promote a checkpoint of MMAD, or fit a new one; it is tried again at the next trigger");
        }
        List<StoredImage> all = store.pictures();
        long through = all.stream().mapToLong(StoredImage::sequence).max().orElse(0);
        TreeMap<String, List<StoredImage>> byProduct = new TreeMap<>();
        for (StoredImage p : all)
            byProduct.computeIfAbsent(p.product(), k -> new ArrayList<>()).add(p);
        List<StoredImage> chosen = new ArrayList<>();
        List<String> trained = new ArrayList<>();
        List<String> few = new ArrayList<>();
        int fresh = 0;
        for (Map.Entry<String, List<StoredImage>> e : byProduct.entrySet()) {
            List<StoredImage> normals = e.getValue().stream()
                    .filter(p -> !p.anomalous() && p.side() == Split.TRAIN)
                    .toList();
            // Measured on even where there is too little to train on: it may not get worse either.
            for (boolean anomalous : new boolean[] {false, true}) {
                chosen.addAll(some(
                        e.getValue().stream()
                                .filter(p -> p.side() == Split.HELD_OUT && p.anomalous() == anomalous)
                                .toList(),
                        config.tuning().measuredPerProduct(),
                        ""));
            }
            if (normals.size() < LEAST_NORMALS) {
                few.add(e.getKey() + " (" + normals.size() + ")");
                continue;
            }
            List<StoredImage> young = normals.stream()
                    .filter(p -> p.sequence() > trainedThrough && p.labelledOnTheLine())
                    .toList();
            List<StoredImage> news =
                    young.subList(Math.max(0, young.size() - config.tuning().newPerProduct()), young.size());
            List<StoredImage> earlier = some(
                    normals.stream().filter(p -> !news.contains(p)).toList(),
                    Math.max(config.tuning().earlierPerProduct(), LEAST_NORMALS - news.size()),
                    run.id);
            fresh += news.size();
            chosen.addAll(news);
            chosen.addAll(earlier);
            chosen.addAll(e.getValue().stream()
                    .filter(p -> p.side() != Split.HELD_OUT && (p.anomalous() || p.side() == Split.CALIBRATE))
                    .toList());
            trained.add(e.getKey());
        }
        if (trained.isEmpty()) {
            throw new GivenUp("there is nothing to train on: "
                    + (few.isEmpty()
                            ? "the store has no pictures"
                            : "a product needs " + LEAST_NORMALS + " normals on the training side, there are "
                                    + String.join(", ", few))
                    + ". It is tried again at the next trigger");
        }
        Set<String> forgotten = new TreeSet<>(info.calibration().byProduct().keySet());
        trained.forEach(forgotten::remove);
        forgotten.removeAll(config.gate().retired());
        if (!forgotten.isEmpty()) {
            throw new GivenUp(
                    "the champion " + champion.version() + " knows " + String.join(", ", forgotten)
                            + ", of which the store has no normals to train on: a challenger would forget them. "
                            + "Import normals of them, let some be sampled, or retire the products; it is tried again at the next trigger");
        }
        RunFolder.write(run.file(PICTURES), json(chosen));
        faults.at(Stage.FETCH.name());
        run.done(
                Stage.FETCH,
                RunFolder.facts()
                        .put("champion", champion.version())
                        .put("sha256", info.sha256())
                        .put("through", through)
                        .put("new", fresh));
        say(
                Kind.STAGE_DONE,
                "chose " + chosen.size() + " pictures, " + fresh + " new normals among them, of "
                        + String.join(", ", trained) + ", to go on from " + champion.version()
                        + (few.isEmpty()
                                ? ""
                                : ". Too few normals on the training side (" + LEAST_NORMALS + " needed): "
                                        + String.join(", ", few)));
    }

    /** As many as asked for, as good as at random, the same ones for the same salt. */
    private static List<StoredImage> some(List<StoredImage> from, int most, String salt) {
        if (from.size() <= most) return from;
        return from.stream()
                .sorted(Comparator.comparingLong(
                        p -> new java.util.SplittableRandom((salt + p.sha256()).hashCode()).nextLong()))
                .limit(most)
                .toList();
    }

    private static byte[] json(List<StoredImage> pictures) throws IOException {
        ArrayNode array = JSON.createArrayNode();
        for (StoredImage p : pictures) {
            array.addObject()
                    .put("frame", p.frame())
                    .put("product", p.product())
                    .put("anomalous", p.anomalous())
                    .put("origin", p.origin().name())
                    .put("annotator", p.annotator())
                    .put("at", p.labelledAt().toString())
                    .put("sha", p.sha256())
                    .put("mask", p.mask())
                    .put("side", p.side().name())
                    .put("sequence", p.sequence());
        }
        return JSON.writeValueAsBytes(array);
    }

    private List<StoredImage> chosen() throws IOException {
        List<StoredImage> pictures = new ArrayList<>();
        for (JsonNode n : JSON.readTree(run.file(PICTURES).toFile())) {
            pictures.add(new StoredImage(
                    n.get("frame").asText(),
                    n.get("product").asText(),
                    n.get("anomalous").asBoolean(),
                    LabelSource.valueOf(n.get("origin").asText()),
                    n.get("annotator").asText(),
                    Instant.parse(n.get("at").asText()),
                    n.get("sha").asText(),
                    n.get("mask").isNull() ? null : n.get("mask").asText(),
                    Split.valueOf(n.get("side").asText()),
                    n.get("sequence").asLong()));
        }
        return pictures;
    }

    private void train(ImageSource source) throws IOException, GivenUp {
        ensureGoingOn();
        ensureRoom();
        TrainerConfig.Tuning t = config.tuning();
        try (PrintStream progress = progress()) {
            Fit.run(FitOptions.of(source, run.file(TRAINED))
                    .network(n -> n.withFrom(run.file(CHAMPION)))
                    .training(to -> to.withMinutes(t.minutes())
                            .withEpochs(t.epochs())
                            .withBatch(t.batch())
                            .withLearningRate(t.learningRate())
                            .withSeed(t.seed()))
                    .output(o -> o.withMetrics(run.file(METRICS)).withWorkDir(run.folder))
                    .machine(m -> m.withThreads(t.threads()))
                    .session(s -> s.withCommand("linesight train, run " + run.id)
                            .withProgress(progress)
                            .withStopWhen(cancelled)));
        } catch (DatasetException | IllegalStateException e) {
            if (e instanceof CancellationException) throw e;
            throw new GivenUp("training failed: " + e.getMessage() + ". It is tried again at the next trigger", e);
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        faults.at(Stage.TRAIN.name());
        run.done(Stage.TRAIN, RunFolder.facts().put("sha256", Sha256.hex(run.file(TRAINED))));
        say(Kind.STAGE_DONE, "trained");
    }

    /**
     * Training takes long: better to wait for room before than to do it again. Two checkpoints are on the disk at a
     * time while they are made.
     */
    private void ensureRoom() throws IOException {
        long needed = 2 * Files.size(run.file(CHAMPION));
        long free = Files.getFileStore(run.folder).getUsableSpace();
        if (free < needed)
            throw new IOException("training needs " + needed / 1024 + " KiB in " + run.folder + " for checkpoints, and "
                    + free / 1024 + " are free: make room there");
    }

    private ScorerOptions scorer() {
        return ScorerOptions.defaults()
                .withDevice("cpu")
                .withThreads(config.tuning().threads());
    }

    private void calibrate(ImageSource source) throws IOException, GivenUp {
        ensureGoingOn();
        CheckpointInfo info;
        try {
            info = Recalibration.run(run.file(TRAINED), run.file(CHALLENGER), source, scorer());
        } catch (DatasetException | IllegalStateException e) {
            throw new GivenUp(
                    "the thresholds could not be placed: " + e.getMessage() + ". It is tried again at the next trigger",
                    e);
        }
        faults.at(Stage.CALIBRATE.name());
        run.done(Stage.CALIBRATE, RunFolder.facts().put("sha256", info.sha256()).put("version", info.version()));
        say(Kind.STAGE_DONE, "thresholds placed");
    }

    private void gate(ImageSource source, List<StoredImage> pictures) throws IOException, GivenUp {
        ensureGoingOn();
        String champion = run.of(Stage.FETCH).path("champion").asText();
        Set<String> measured = new TreeSet<>();
        for (StoredImage p : pictures) if (p.side() == Split.HELD_OUT) measured.add(p.product());
        GateResult result;
        try {
            result = Gate.judge(
                    HeldOut.score(run.file(CHAMPION), run.file(CHALLENGER), source, measured, scorer()),
                    config.gate(),
                    champion);
        } catch (DatasetException e) {
            throw new GivenUp(
                    "the challenger could not be judged: " + e.getMessage() + ". It is tried again at the next trigger",
                    e);
        }
        CheckpointInfo info = Checkpoint.read(run.file(CHALLENGER)).info();
        int anomalous = (int) pictures.stream()
                .filter(p -> p.anomalous() && p.side() != Split.HELD_OUT)
                .count();
        int normals = (int) pictures.stream()
                .filter(p -> !p.anomalous() && p.side() == Split.TRAIN)
                .count();
        ModelVersion draft = ModelVersion.newBuilder()
                .setVersion(info.version())
                .setChannel(config.channel())
                .setSha256(info.sha256())
                .setBytes(Files.size(run.file(CHALLENGER)))
                .setCreatedAt(Instant.now().truncatedTo(ChronoUnit.MICROS))
                .setCreatedBy(config.instance())
                .setParent(champion)
                .setDataset(new DatasetSummary(
                        info.properties().getOrDefault(Checkpoints.PROVENANCE_PREFIX + "dataset.fingerprint", ""),
                        normals,
                        anomalous))
                .setProducts(result.products())
                .setGate(result.verdict())
                .setNote("fine-tuned on " + run.of(Stage.FETCH).path("new").asInt() + " new of " + normals
                        + " normals; " + anomalous + " anomalous pictures helped to place thresholds")
                .build();
        ByteBuffer bytes = draft.toByteBuffer();
        byte[] copy = new byte[bytes.remaining()];
        bytes.get(copy);
        RunFolder.write(run.file(DRAFT), copy);
        faults.at(Stage.GATE.name());
        run.done(
                Stage.GATE,
                RunFolder.facts()
                        .put("sha256", Sha256.hex(run.file(DRAFT)))
                        .put("outcome", result.verdict().getOutcome().name()));
        say(
                Kind.VERDICT,
                result.verdict().getOutcome() + ": " + result.verdict().getReason());
    }

    private void offer() throws IOException, GivenUp {
        check(Stage.CALIBRATE, CHALLENGER);
        check(Stage.GATE, DRAFT);
        ModelVersion draft = ModelVersion.fromByteBuffer(ByteBuffer.wrap(Files.readAllBytes(run.file(DRAFT))));
        boolean said = false;
        while (true) {
            ensureGoingOn();
            try {
                // What the gate compared with may have changed while this run rested.
                Optional<Champion> now = champions.current(config.channel());
                if (now.isEmpty() || !now.get().version().equals(draft.getParent())) {
                    throw new GivenUp(
                            "the champion is no longer " + draft.getParent() + " but "
                                    + now.map(Champion::version).orElse("none")
                                    + ", with which this challenger was not compared; it is not handed over. "
                                    + "The run begins anew",
                            true,
                            null);
                }
                if (!stillOwner.getAsBoolean())
                    throw new CancellationException("the run rests before handing over: another trainer works");
                sink.offer(run.file(CHALLENGER), draft);
                break;
            } catch (IOException | RuntimeException e) {
                if (e instanceof CancellationException) throw (CancellationException) e;
                String message = "the challenger " + draft.getVersion()
                        + " is kept and cannot be handed over now; tried again every " + offerPauseMillis / 1000.0
                        + " s until it can: " + e;
                LOG.warn("Run {}: {}", run.id, message);
                if (!said) listener.accept(new TrainerEvent(Kind.WAITING, run.id, message));
                said = true;
                pause();
            }
        }
        faults.at(Stage.OFFER.name());
        run.done(Stage.OFFER, RunFolder.facts().put("version", draft.getVersion()));
        boolean passed = draft.getGate().getOutcome() == GateOutcome.PASSED;
        say(
                Kind.RUN_FINISHED,
                "challenger " + draft.getVersion() + " handed over"
                        + (passed
                                ? "; it may be promoted"
                                : " with its verdict " + draft.getGate().getOutcome() + ": it may not be promoted"));
    }

    private void pause() {
        long until = System.nanoTime() + offerPauseMillis * 1_000_000;
        while (System.nanoTime() < until) {
            ensureGoingOn();
            try {
                Thread.sleep(Math.min(100, offerPauseMillis));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new CancellationException("interrupted while waiting to hand over");
            }
        }
    }

    private void say(Kind kind, String message) {
        LOG.info("Run {}: {}", run.id, message);
        listener.accept(new TrainerEvent(kind, run.id, message));
    }

    private static PrintStream progress() {
        return new PrintStream(
                new OutputStream() {
                    private final StringBuilder line = new StringBuilder();

                    @Override
                    public void write(int b) {
                        if (b == '\n') {
                            LOG.info("{}", line);
                            line.setLength(0);
                        } else if (b != '\r') {
                            line.append((char) b);
                        }
                    }
                },
                true,
                StandardCharsets.UTF_8);
    }
}
