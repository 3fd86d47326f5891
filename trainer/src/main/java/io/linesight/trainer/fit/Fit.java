package io.linesight.trainer.fit;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.Checkpoints;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.encoder.EncoderSession;
import io.linesight.mmad.encoder.FilterBankEncoder;
import io.linesight.mmad.model.FeatureNorm;
import io.linesight.mmad.model.MapKind;
import io.linesight.mmad.model.MmadConfig;
import io.linesight.mmad.model.ParameterSpec;
import io.linesight.mmad.model.ParameterSpecs;
import io.linesight.mmad.model.Tensor;
import io.linesight.mmad.model.Weights;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.mmad.scan.ScanVectors;
import io.linesight.trainer.data.DatasetException;
import io.linesight.trainer.data.ImageSource.Sample;
import io.linesight.trainer.features.FeatureStore;
import io.linesight.trainer.model.Expectation;
import io.linesight.trainer.model.Initializer;
import io.linesight.trainer.model.MmadNet;
import io.linesight.trainer.model.Parameters;
import io.linesight.trainer.model.Trainer;
import io.linesight.trainer.model.Whitening;
import io.linesight.trainer.scan.SelectiveScan;
import io.linesight.trainer.torch.Torch;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.global.torch;

/**
 * Trains one unified model on normal pictures of all categories and writes a checkpoint that the scorer loads: encoder features once through
 * ONNX Runtime, fuser and decoder in libtorch, thresholds per product from normals held out of training.
 */
public final class Fit {
    private static final Logger LOG = LoggerFactory.getLogger(Fit.class);
    /** Where the learning rate falls to a tenth, as a share of the run (the paper: epoch 400 of 500). */
    private static final double DROP_AT = 0.8;
    /** Normal pictures that the expected distances are fitted on: 800,000 pixels at the finest scale for some 300 unknowns. */
    private static final int EXPECTATION_PICTURES = 200;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final FitOptions options;
    private final long start = System.nanoTime();
    /** Pictures in the feature store per category, in its order. */
    private final List<Integer> categorySizes = new ArrayList<>();

    private Fit(FitOptions options) {
        this.options = options;
    }

    /**
     * Trains. Uses all processors unless told otherwise; heap needs stay below 1 GB, native memory grows with batch and preset.
     *
     * @throws DatasetException      when there is nothing to learn from or pictures cannot be read; names them
     * @throws IOException           when a file cannot be written; an existing checkpoint stays as it was
     * @throws IllegalStateException when training diverges
     * @throws CancellationException when {@link FitOptions.Builder#stopWhen} said so; nothing was written
     */
    public static FitResult run(FitOptions options) throws IOException {
        return new Fit(options).run();
    }

    /**
     * Has scoring and training use vectors of one width in this process, without which the one that comes second is some thirty times slower
     * (see {@link ScanVectors}). Whoever opens a checkpoint before training begins calls this first.
     */
    public static void shareProcess() {
        if (!ScanVectors.limit(SelectiveScan.VECTOR_BITS)) {
            LOG.warn("A checkpoint was opened with wider vectors than training uses; training will be very slow in this process. Train in a process of its own");
        }
    }

    private FitResult run() throws IOException {
        shareProcess();
        TrainingSet set = TrainingSet.of(options.source, options.skipUnreadable, options.progress);
        Path folder = options.out.toAbsolutePath().getParent();
        Files.createDirectories(folder);
        Torch.start(options.threads);
        Encoder encoder;
        MmadConfig config;
        if (options.from == null) {
            encoder = options.encoder == null ? FilterBankEncoder.create() : options.encoder;
            MmadConfig preset = MmadConfig.preset(options.preset, encoder.channels());
            config = options.recipe == FitOptions.Recipe.PAPER ? preset.withFeatureNorm(FeatureNorm.NONE) : preset.withMap(MapKind.STANDARDISED);
        } else {
            encoder = Checkpoints.readEncoder(options.from);
            config = Checkpoints.readConfig(options.from);
        }
        if (options.finestStride > 0) config = config.withFinest(Integer.numberOfTrailingZeros(options.finestStride) - 2);
        if (!Double.isNaN(options.topShare)) config = config.withTopShare(options.topShare);
        if (options.map != null) config = config.withMap(options.map);

        try (FeatureStore store = FeatureStore.create(options.workDir, encoder, set.size())) {
            encode(encoder, set, store);
            Map<String, List<byte[]>> calibrationFrames = set.calibrationFrames();
            Weights weights;
            if (options.from == null) {
                weights = Initializer.fresh(ParameterSpecs.of(config), options.seed);
                if (config.featureNorm() == FeatureNorm.CHANNEL) statistics(store, weights);
            } else {
                // The feature statistics stay as they were: the network was trained on features normalised by them.
                weights = Checkpoints.readWeights(options.from);
                // Fitted anew after training; the checkpoint has none where its map was another.
                for (ParameterSpec spec : ParameterSpecs.of(config)) if (!weights.has(spec.name())) weights.put(spec.name(), new Tensor(new float[spec.size()], spec.shape()));
            }
            Outcome outcome = train(config, weights, store);
            return write(config, outcome, encoder, set, calibrationFrames, store.size());
        }
    }

    private static <T> void shuffle(List<T> list, SplittableRandom random) {
        for (int i = list.size() - 1; i > 0; i--) Collections.swap(list, i, random.nextInt(i + 1));
    }

    private void encode(Encoder encoder, TrainingSet set, FeatureStore store) throws IOException {
        int total = set.size();
        try (EncoderSession session = EncoderSession.open(encoder, ScorerOptions.defaults().withDevice("cpu").withThreads(options.threads));
                Progress progress = new Progress(options.progress, "encode")) {
            int done = 0;
            for (Map.Entry<String, List<Sample>> e : set.training().entrySet()) {
                List<Sample> samples = e.getValue();
                int before = store.size();
                for (int from = 0; from < samples.size(); from += options.batch) {
                    List<Sample> part = samples.subList(from, Math.min(samples.size(), from + options.batch));
                    List<byte[]> frames = set.read(e.getKey(), part);
                    if (!frames.isEmpty()) store.add(session, frames);
                    done += part.size();
                    progress.update((double) done / total, done + " of " + total + " images");
                }
                if (store.size() > before) categorySizes.add(store.size() - before);
            }
        }
        if (store.size() == 0 && set.skipped() == 0) throw new DatasetException("no training pictures");
    }

    /** Shift and scale that give every teacher channel mean 0 and variance 1; channels that hardly vary are not blown up. */
    private static void statistics(FeatureStore store, Weights weights) {
        for (int i = 0; i < 3; i++) {
            float[] scale = store.deviation(i);
            double typical = 0;
            for (float d : scale) typical += d / scale.length;
            for (int k = 0; k < scale.length; k++) scale[k] = (float) (1 / Math.max(scale[k], Math.max(1e-3 * typical, 1e-6)));
            weights.put("teacher_norm." + i + ".shift", new Tensor(store.mean(i), scale.length));
            weights.put("teacher_norm." + i + ".scale", new Tensor(scale, scale.length));
        }
    }

    private record Outcome(Weights weights, long steps, double epochs, double firstLoss, double lastLoss, double seconds, long seen) { }

    private Outcome train(MmadConfig config, Weights initial, FeatureStore store) throws IOException {
        int batch = Math.min(options.batch, store.size());
        int perEpoch = store.size() / batch;
        long limit = options.epochs > 0 ? (long) options.epochs * perEpoch : Long.MAX_VALUE;
        double budget = options.minutes > 0 ? options.minutes * 60 : Double.POSITIVE_INFINITY;
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < store.size(); i++) order.add(i);
        torch.manual_seed(options.seed);
        long begun = System.nanoTime();
        double epochLoss = 0;
        double firstLoss = Double.NaN;
        double lastLoss = Double.NaN;
        double allLoss = 0;
        long step = 0;
        boolean dropped = false;
        Path log = options.metrics;
        if (log.toAbsolutePath().getParent() != null) Files.createDirectories(log.toAbsolutePath().getParent());
        try (Parameters parameters = new Parameters(ParameterSpecs.of(config), initial);
                MmadNet net = new MmadNet(config, parameters);
                Trainer trainer = new Trainer(net, parameters, options.learningRate);
                BufferedWriter metrics = Files.newBufferedWriter(log);
                Progress progress = new Progress(options.progress, "train")) {
            progress.say(String.format(Locale.ROOT, "training %s on %d images (%d categories), batch %d, learning rate %.3g", config.preset(), store.size(),
                    options.source.categories().size(), batch, options.learningRate));
            while (step < limit) {
                double elapsed = seconds(start);
                if (step > 0 && elapsed >= budget) break;
                if (options.stopWhen.getAsBoolean()) throw new CancellationException("training was called off after " + step + " steps; nothing was written");
                double fraction = Math.max(step / (double) limit, elapsed / budget);
                if (!dropped && fraction >= DROP_AT) {
                    trainer.learningRate(options.learningRate / 10);
                    dropped = true;
                }
                long epoch = step / perEpoch;
                int at = (int) (step % perEpoch);
                if (at == 0) shuffle(order, new SplittableRandom(options.seed * 1_000_003 + epoch));
                int[] images = new int[batch];
                for (int i = 0; i < batch; i++) images[i] = order.get(at * batch + i);
                Trainer.Step result;
                try (PointerScope scope = new PointerScope()) {
                    result = trainer.step(store.batch(images));
                }
                step++;
                allLoss += result.loss();
                epochLoss += result.loss();
                if (at == perEpoch - 1) {
                    lastLoss = epochLoss / perEpoch;
                    if (Double.isNaN(firstLoss)) firstLoss = lastLoss;
                    epochLoss = 0;
                }
                double rate = step * batch / seconds(begun);
                Map<String, Object> line = new LinkedHashMap<>();
                line.put("step", step);
                line.put("epoch", (double) step / perEpoch);
                line.put("loss", result.loss());
                line.put("gradientNorm", result.gradientNorm());
                line.put("learningRate", dropped ? options.learningRate / 10 : options.learningRate);
                line.put("imagesPerSecond", rate);
                line.put("seconds", seconds(start));
                metrics.write(JSON.writeValueAsString(line));
                metrics.newLine();
                metrics.flush();
                progress.update(Math.max(step / (double) limit, seconds(start) / budget), String.format(Locale.ROOT, "epoch %.1f, loss %.4f, %.1f images/s",
                        (double) step / perEpoch, result.loss(), rate));
            }
            double time = seconds(begun);
            double average = allLoss / step;
            Weights weights = parameters.export();
            if (config.map() != MapKind.COSINE) {
                progress.say("fitting what distances to expect on normal pictures");
                int[] normals = spreadOverCategories();
                if (config.map() == MapKind.WHITENED) Whitening.fit(net, config, i -> store.batch(new int[] {normals[i]}), normals.length, weights);
                else Expectation.fit(net, config, i -> store.batch(new int[] {normals[i]}), normals.length, options.seed, weights);
            }
            return new Outcome(weights, step, (double) step / perEpoch, Double.isNaN(firstLoss) ? average : firstLoss,
                    Double.isNaN(lastLoss) ? average : lastLoss, time, step * batch);
        }
    }

    /** Pictures of the store, as many of one category as of another while they last, evenly spaced within it. */
    private int[] spreadOverCategories() {
        int share = Math.max(1, EXPECTATION_PICTURES / categorySizes.size());
        List<Integer> chosen = new ArrayList<>();
        int first = 0;
        for (int size : categorySizes) {
            int n = Math.min(size, share);
            for (int i = 0; i < n; i++) chosen.add(first + (int) ((long) i * size / n));
            first += size;
        }
        return chosen.stream().mapToInt(Integer::intValue).toArray();
    }

    private FitResult write(MmadConfig config, Outcome outcome, Encoder encoder, TrainingSet set, Map<String, List<byte[]>> frames, int images)
            throws IOException {
        Map<String, String> provenance = new LinkedHashMap<>();
        provenance.put("dataset", options.source.name());
        provenance.put("dataset.fingerprint", set.fingerprint());
        provenance.put("categories", String.join(",", set.training().keySet()));
        provenance.put("images", String.valueOf(images));
        provenance.put("heldOut", String.valueOf(frames.values().stream().mapToInt(List::size).sum()));
        provenance.put("skipped", String.valueOf(set.skipped()));
        provenance.put("preset", config.preset());
        if (options.from != null) provenance.put("parent", Checkpoints.readInfo(options.from).version());
        provenance.put("recipe", options.recipe.name().toLowerCase(Locale.ROOT));
        provenance.put("seed", String.valueOf(options.seed));
        provenance.put("batch", String.valueOf(options.batch));
        provenance.put("learningRate", String.valueOf(options.learningRate));
        provenance.put("steps", String.valueOf(outcome.steps()));
        provenance.put("epochs", String.format(Locale.ROOT, "%.2f", outcome.epochs()));
        provenance.put("loss", String.format(Locale.ROOT, "%.6f", outcome.lastLoss()));
        provenance.put("trainingSeconds", String.format(Locale.ROOT, "%.0f", outcome.seconds()));
        provenance.put("command", options.command);
        CheckpointInfo info = new Finish(options.out, options.threads, options.progress).run(frames, set.training(), options.rule,
                draft -> Checkpoints.write(draft, config, outcome.weights(), encoder, Finish.UNCALIBRATED, provenance));
        Map<String, Integer> held = new TreeMap<>();
        frames.forEach((category, f) -> held.put(category, f.size()));
        return new FitResult(options.out, info, outcome.steps(), outcome.epochs(), images, held, set.skipped(), outcome.firstLoss(), outcome.lastLoss(),
                outcome.seconds() / outcome.seen());
    }

    private static double seconds(long since) {
        return (System.nanoTime() - since) / 1e9;
    }
}
