package io.linesight.trainer.fit;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.mmad.architecture.FeatureNorm;
import io.linesight.mmad.architecture.MapKind;
import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.ParameterSpec;
import io.linesight.mmad.architecture.ParameterSpecs;
import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.architecture.Weights;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.Checkpoints;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.encoder.EncoderSession;
import io.linesight.mmad.encoder.FilterBankEncoder;
import io.linesight.mmad.runtime.Device;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.mmad.scan.ScanVectors;
import io.linesight.trainer.calibration.CheckpointFinisher;
import io.linesight.trainer.dataset.FrameSpool;
import io.linesight.trainer.dataset.ImageReading;
import io.linesight.trainer.dataset.Progress;
import io.linesight.trainer.dataset.TrainingSet;
import io.linesight.trainer.features.FeatureCache;
import io.linesight.trainer.features.FeatureStore;
import io.linesight.trainer.features.FeatureType;
import io.linesight.trainer.folders.DatasetException;
import io.linesight.trainer.network.Expectation;
import io.linesight.trainer.network.Initializer;
import io.linesight.trainer.network.MmadNet;
import io.linesight.trainer.network.Parameters;
import io.linesight.trainer.network.Trainer;
import io.linesight.trainer.network.Whitening;
import io.linesight.trainer.torch.SelectiveScan;
import io.linesight.trainer.torch.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.global.torch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Trains one unified model on normal pictures of all categories and writes a checkpoint that the scorer loads: encoder
 * features once through ONNX Runtime, fuser and decoder in libtorch, thresholds per product from normals held out of
 * training.
 */
public final class Fit {
    private static final Logger LOG = LoggerFactory.getLogger(Fit.class);
    /** Where the learning rate falls to a tenth, as a share of the run (the paper: epoch 400 of 500). */
    private static final double DROP_AT = 0.8;
    /**
     * Normal pictures that the expected distances are fitted on: 800,000 pixels at the finest scale for some 300
     * unknowns.
     */
    private static final int EXPECTATION_PICTURES = 200;
    /** Normal pictures that covariances are fitted on: of a single category all of them, of five a hundred each. */
    private static final int WHITENING_PICTURES = 500;

    private static final int LEAST_WHITENING_PICTURES = 20;
    /**
     * Twenty pixels of the map's 4,096: on the real categories the mean image AUROC was 0.909 with it, 0.908 with the
     * single highest pixel, and 0.897 with ten times as many (tiny preset, ten minutes).
     */
    private static final double TOP_SHARE = 0.005;

    private static final ObjectMapper JSON = new ObjectMapper();

    /** Learning rate at the end of the cosine, as a share of that at its beginning. */
    private static final double LEAST_RATE = 0.01;
    /** Steps that the loss shown is a running mean of. */
    private static final int SMOOTH = 20;

    private final FitOptions options;
    private final Augmentation augmentation;
    private final long start = System.nanoTime();
    /** Pictures learned from, copies not counted, per category in the feature store's order, and all of them. */
    private final List<Integer> categorySizes = new ArrayList<>();

    private final List<String> categoryNames = new ArrayList<>();
    private int pictures;

    private Fit(FitOptions options) {
        this.options = options;
        this.augmentation = new Augmentation(options.augment, options.seed);
    }

    /**
     * Trains. Uses all processors unless told otherwise; heap needs stay below 1 GB, native memory grows with batch and
     * preset.
     *
     * @throws DatasetException when there is nothing to learn from or pictures cannot be read; names them
     * @throws IOException when a file cannot be written; an existing checkpoint stays as it was
     * @throws IllegalStateException when training diverges
     * @throws CancellationException when {@link FitOptions.Builder#stopWhen} said so; nothing was written, except to
     *     the run folder where there is one
     */
    public static FitResult run(FitOptions options) throws IOException {
        return new Fit(options).run();
    }

    /**
     * Has scoring and training use vectors of one width in this process, without which the one that comes second is
     * some thirty times slower (see {@link ScanVectors}). Whoever opens a checkpoint before training begins calls this
     * first.
     */
    public static void shareProcess() {
        if (!ScanVectors.limit(SelectiveScan.VECTOR_BITS)) {
            LOG.warn(
                    "A checkpoint was opened with wider vectors than training uses; training will be very slow in this process. Train in a process of its own");
        }
    }

    private FitResult run() throws IOException {
        shareProcess();
        TrainingSet set =
                TrainingSet.of(options.source, options.skipUnreadable, options.progress, options.patience > 0);
        if (options.patience > 0 && set.validation().values().stream().allMatch(List::isEmpty)) {
            throw new DatasetException(
                    "there are too few normal pictures to set some apart for early stopping; train without it");
        }
        Path folder = options.out.toAbsolutePath().getParent();
        Files.createDirectories(folder);
        Torch.start(options.threads);
        chooseDevice();
        Encoder encoder;
        MmadConfig config;
        if (options.from == null) {
            encoder = options.encoder == null ? FilterBankEncoder.create() : options.encoder;
            MmadConfig preset = MmadConfig.preset(options.preset, encoder.channels());
            config = options.recipe == FitOptions.Recipe.PAPER
                    ? preset.withFeatureNorm(FeatureNorm.NONE)
                    : preset.withMap(MapKind.WHITENED).withFinest(1).withTopShare(TOP_SHARE);
        } else {
            encoder = Checkpoints.readEncoder(options.from);
            config = Checkpoints.readConfig(options.from);
        }
        if (options.finestStride > 0)
            config = config.withFinest(Integer.numberOfTrailingZeros(options.finestStride) - 2);
        if (!Double.isNaN(options.topShare)) config = config.withTopShare(options.topShare);
        if (options.map != null) config = config.withMap(options.map);
        int batch = Math.min(options.batch, set.size());
        String scarce = MemoryNeed.check(config.preset(), batch, MemoryNeed.total(), MemoryNeed.available());
        if (scarce != null) options.progress.println(scarce);
        if (options.survey) {
            options.progress.println(String.format(
                    Locale.ROOT,
                    "memory: about %s for %s with batch %d; disk: %s of features while it trains",
                    MemoryNeed.text(MemoryNeed.estimate(config.preset(), batch)),
                    config.preset(),
                    batch,
                    MemoryNeed.text((FeatureStore.imageBytes(encoder, options.precision)
                                    * ((long) set.size() * (1 + options.copies)
                                            + ImageReading.sizeOf(set.validation())))
                            >> 20)));
        }

        try (SavedRun saved = options.runFolder == null ? null : SavedRun.open(options.runFolder)) {
            if (saved != null && options.fresh) saved.clear();
            FitResult result;
            try (FrameSpool spool =
                    FrameSpool.create(temporary(), set.size() + ImageReading.sizeOf(set.validation()))) {
                Map<String, List<byte[]>> calibrationFrames = read(set, spool);
                // Only now it is known which categories have a picture that can be read.
                config = config.withGroups(config.map() == MapKind.WHITENED ? categorySizes.size() : 0);
                Map<String, String> settings = settings(config, encoder, set);
                SavedRun.State state = saved == null ? null : saved.load(settings);
                result = learn(config, encoder, set, spool, calibrationFrames, saved, state, settings);
            }
            if (saved != null) saved.finished();
            return result;
        }
    }

    private void chooseDevice() {
        Device device = Device.parse(options.device);
        boolean cuda = device.kind() == Device.Kind.CUDA || device.kind() == Device.Kind.AUTO && Torch.cudaAvailable();
        if (device.kind() == Device.Kind.AUTO && !cuda)
            options.progress.println("training on the CPU: libtorch has no GPU here");
        if (cuda) {
            Torch.useCuda(device.index());
            options.progress.println(
                    "training on " + Torch.device() + ", which has not been tried on any GPU yet: watch the loss");
        } else {
            Torch.useCpu();
        }
    }

    private FitResult learn(
            MmadConfig config,
            Encoder encoder,
            TrainingSet set,
            FrameSpool spool,
            Map<String, List<byte[]>> calibrationFrames,
            SavedRun saved,
            SavedRun.State state,
            Map<String, String> settings)
            throws IOException {
        try (FeatureCache cache = cache(encoder, spool, saved);
                FeatureStore store = store(cache, encoder, pictures * (1 + options.copies));
                FeatureStore validation = store(cache, encoder, spool.size() - pictures)) {
            encode(encoder, spool, store, validation);
            List<ParameterSpec> specs = ParameterSpecs.of(config);
            Weights weights;
            if (state != null) {
                weights = saved.weights(state.weights(), specs);
            } else if (options.from == null) {
                weights = Initializer.fresh(specs, options.seed);
                if (config.featureNorm() == FeatureNorm.CHANNEL) statistics(store, weights);
            } else {
                // The feature statistics stay as they were: the network was trained on features normalised by them.
                weights = Checkpoints.readWeights(options.from);
                // Fitted anew after training; the checkpoint has none where its map was another, and others where it
                // knew other products.
                for (ParameterSpec spec : specs) {
                    if (!weights.has(spec.name()) || weights.get(spec.name()).size() != spec.size())
                        weights.put(spec.name(), new Tensor(new float[spec.size()], spec.shape()));
                }
            }
            Outcome outcome = options.mapOnly
                    ? new Outcome(
                            weights, 0, 0, Double.NaN, Double.NaN, 0, 0, new RunState(), fitMap(config, weights, store))
                    : train(config, weights, store, validation, saved, state, settings);
            return write(config, outcome, encoder, set, spool, calibrationFrames);
        }
    }

    /** Where files go that do not outlast the run; null = the system's folder. */
    private Path temporary() {
        return options.workDir != null ? options.workDir : options.runFolder;
    }

    private static <T> void shuffle(List<T> list, SplittableRandom random) {
        for (int i = list.size() - 1; i > 0; i--) Collections.swap(list, i, random.nextInt(i + 1));
    }

    private void ensureGoingOn(String where) {
        if (options.stopWhen.getAsBoolean())
            throw new CancellationException("training was called off " + where + "; nothing was written");
    }

    /** Decodes every picture, and says what is wrong with them before anything costly begins. */
    private Map<String, List<byte[]>> read(TrainingSet set, FrameSpool spool) throws IOException {
        ImageReading.Result read = ImageReading.of(
                options.source,
                set,
                spool,
                new ImageReading.Rules(
                        options.survey,
                        options.balance
                                ? null
                                : "the model will be better at the former. --balance shows it every category equally often",
                        options.allowLeakage,
                        options.allowFew,
                        options.progress,
                        options.stopWhen));
        categoryNames.addAll(read.categories());
        categorySizes.addAll(read.sizes());
        pictures = read.training();
        return read.calibrationFrames();
    }

    /** What a run can only be gone on with when it is the same. */
    private Map<String, String> settings(MmadConfig config, Encoder encoder, TrainingSet set) throws IOException {
        Map<String, String> s = new LinkedHashMap<>();
        s.put("pictures", pictures + " with fingerprint " + set.fingerprint().substring(0, 16));
        s.put("encoder", encoder.name() + " " + encoder.sha256().substring(0, 16));
        if (options.from == null) s.put("preset", options.preset);
        else s.put("from", Checkpoints.readInfo(options.from).version());
        s.put("recipe", options.recipe.name().toLowerCase(Locale.ROOT));
        s.put("finest stride", String.valueOf(4 << config.finest()));
        s.put("top share", String.valueOf(config.topShare()));
        s.put("map", config.map().name().toLowerCase(Locale.ROOT));
        s.put("minutes", String.valueOf(options.minutes));
        s.put("epochs", String.valueOf(options.epochs));
        s.put("batch", String.valueOf(options.batch));
        s.put("seed", String.valueOf(options.seed));
        s.put("learning rate", String.valueOf(options.learningRate));
        s.put("schedule", options.schedule.name().toLowerCase(Locale.ROOT));
        s.put("warm-up", String.valueOf(options.warmup));
        s.put("balance", String.valueOf(options.balance));
        s.put("augment", augmentation + (options.copies > 0 ? " x" + options.copies : ""));
        if (options.precision != FeatureType.FLOAT32)
            s.put("cache precision", options.precision.name().toLowerCase(Locale.ROOT));
        s.put("early stop", options.patience + " every " + options.validateEvery);
        return s;
    }

    /** Where features are kept beyond this store; null = nowhere. */
    private FeatureCache cache(Encoder encoder, FrameSpool spool, SavedRun saved) throws IOException {
        Path folder = options.cache != null ? options.cache : saved != null ? saved.features() : null;
        if (folder == null) return null;
        Optional<FeatureCache> opened = FeatureCache.open(
                folder, encoder, options.precision, options.cache != null ? options.cacheMost : Long.MAX_VALUE);
        if (opened.isEmpty()) {
            options.progress.println("another run uses the feature cache " + folder
                    + ": this one encodes into a temporary file of its own");
            return null;
        }
        FeatureCache cache = opened.get();
        try {
            List<byte[]> keys = new ArrayList<>();
            for (int i = 0; i < spool.size(); i++) {
                byte[] frame = spool.get(i);
                for (int copy = 0; copy <= (i < pictures ? options.copies : 0); copy++)
                    keys.add(FeatureStore.key(augmentation.apply(frame, i, copy)));
            }
            String why = cache.makeRoom(keys);
            if (why == null) return cache;
            options.progress.println("features are not cached: " + why + ". This run encodes into a temporary file");
            cache.close();
            return null;
        } catch (IOException | RuntimeException e) {
            cache.close();
            throw e;
        }
    }

    private FeatureStore store(FeatureCache cache, Encoder encoder, int expected) throws IOException {
        return cache != null
                ? FeatureStore.over(cache, encoder)
                : FeatureStore.create(temporary(), encoder, options.precision, expected);
    }

    private void encode(Encoder encoder, FrameSpool spool, FeatureStore store, FeatureStore validation)
            throws IOException {
        int each = 1 + options.copies;
        int total = pictures * each + spool.size() - pictures;
        try (EncoderSession session = EncoderSession.open(
                        encoder,
                        ScorerOptions.defaults()
                                .withDevice(options.encoderDevice)
                                .withThreads(options.threads));
                Progress progress = new Progress(options.progress, "encode")) {
            List<byte[]> part = new ArrayList<>();
            for (int i = 0; i < spool.size(); i++) {
                byte[] frame = spool.get(i);
                for (int copy = 0; copy < (i < pictures ? each : 1); copy++) {
                    part.add(augmentation.apply(frame, i, copy));
                    boolean last = copy == each - 1 && i == pictures - 1
                            || i == spool.size() - 1 && (i >= pictures || copy == each - 1);
                    if (part.size() < options.batch && !last) continue;
                    ensureGoingOn("while pictures were encoded");
                    (i < pictures ? store : validation).add(session, part);
                    part.clear();
                    int done = store.size() + validation.size();
                    progress.update((double) done / total, done + " of " + total + " images");
                }
            }
            int known = total - store.encoded() - validation.encoded();
            if (known > 0) progress.say("features of " + known + " of " + total + " images were known already");
        }
    }

    /**
     * Shift and scale that give every teacher channel mean 0 and variance 1; channels that hardly vary are not blown
     * up.
     */
    private static void statistics(FeatureStore store, Weights weights) {
        for (int i = 0; i < 3; i++) {
            float[] scale = store.deviation(i);
            double typical = 0;
            for (float d : scale) typical += d / scale.length;
            for (int k = 0; k < scale.length; k++)
                scale[k] = (float) (1 / Math.max(scale[k], Math.max(1e-3 * typical, 1e-6)));
            weights.put("teacher_norm." + i + ".shift", new Tensor(store.mean(i), scale.length));
            weights.put("teacher_norm." + i + ".scale", new Tensor(scale, scale.length));
        }
    }

    /** @param judges what scores pictures that were trained on */
    private record Outcome(
            Weights weights,
            long steps,
            double epochs,
            double firstLoss,
            double lastLoss,
            double seconds,
            long seen,
            RunState run,
            List<Judge> judges) {}

    /**
     * Pictures that were trained on, by number, and the tensors by which to score them that are other than the model's.
     *
     * @param pictures by number, sorted
     */
    private record Judge(List<Integer> pictures, Map<String, Tensor> tensors) {}

    private Outcome train(
            MmadConfig config,
            Weights initial,
            FeatureStore store,
            FeatureStore validation,
            SavedRun saved,
            SavedRun.State state,
            Map<String, String> settings)
            throws IOException {
        int batch = Math.min(options.batch, pictures);
        int perEpoch = pictures / batch;
        long limit = options.epochs > 0 ? (long) options.epochs * perEpoch : Long.MAX_VALUE;
        double budget = options.minutes > 0 ? options.minutes * 60 : Double.POSITIVE_INFINITY;
        int validateEvery = options.validateEvery > 0 ? options.validateEvery : perEpoch;
        List<ParameterSpec> specs = ParameterSpecs.of(config);
        RunState run = state == null ? new RunState() : state.run().copy();
        Weights best = state == null || state.best() == null ? null : saved.weights(state.best(), specs);
        Order order = new Order(run.step(), perEpoch);
        Weights trained;
        Path log = options.metrics;
        if (log.toAbsolutePath().getParent() != null)
            Files.createDirectories(log.toAbsolutePath().getParent());
        try (Parameters parameters = new Parameters(specs, initial);
                MmadNet net = new MmadNet(config, parameters);
                Trainer trainer = new Trainer(net, parameters, options.learningRate);
                Metrics metrics = Metrics.open(log, run.metricsBytes);
                Progress progress = new Progress(options.progress, "train")) {
            if (state == null) {
                torch.manual_seed(options.seed);
                run.elapsed = seconds(start);
            } else {
                if (state.optimiser() != null) trainer.load(saved.file(state.optimiser()));
                Torch.randomState(state.random());
                progress.say(String.format(
                        Locale.ROOT,
                        "resuming at step %d, saved %s ago in %s (start anew with --fresh)",
                        run.step(),
                        Progress.duration((System.currentTimeMillis() - state.savedAt()) / 1000.0),
                        options.runFolder));
            }
            progress.say(String.format(
                    Locale.ROOT,
                    "training %s on %d images (%d categories), batch %d, learning rate %.3g",
                    config.preset(),
                    pictures,
                    options.source.categories().size(),
                    batch,
                    options.learningRate));
            long begun = System.nanoTime();
            double elapsedBefore = run.elapsed;
            double trainedBefore = run.trained;
            long stepBefore = run.step();
            double fractionBefore = Math.max(run.step() / (double) limit, run.elapsed / budget);
            Saver saver = new Saver(saved, settings, state, run, specs, parameters, trainer, metrics);
            long lastSaved = begun;
            double rate = Double.NaN;
            boolean gap = false;
            while (run.step() < limit && !run.stopped) {
                run.elapsed = elapsedBefore + seconds(begun);
                if (run.step() > 0 && run.elapsed >= budget) break;
                if (options.stopWhen.getAsBoolean()) throw saver.calledOff(best);
                double fraction = Math.max(run.step() / (double) limit, run.elapsed / budget);
                double wanted = learningRate(run.step(), fraction);
                if (wanted != rate) trainer.learningRate(wanted);
                rate = wanted;
                long epoch = run.step() / perEpoch;
                int at = (int) (run.step() % perEpoch);
                if (at == 0) order.begin(epoch);
                int[] images = new int[batch];
                for (int i = 0; i < batch; i++) images[i] = variant(order.picture(at * batch + i), epoch);
                Trainer.Step result;
                try (PointerScope scope = new PointerScope()) {
                    result = trainer.step(store.batch(images));
                }
                long step = run.nextStep();
                run.allLoss += result.loss();
                run.epochLoss += result.loss();
                run.smoothLoss = Double.isNaN(run.smoothLoss)
                        ? result.loss()
                        : run.smoothLoss + (result.loss() - run.smoothLoss) / Math.min(step, SMOOTH);
                if (at == perEpoch - 1) {
                    run.lastLoss = run.epochLoss / perEpoch;
                    if (Double.isNaN(run.firstLoss)) run.firstLoss = run.lastLoss;
                    run.epochLoss = 0;
                }
                double validated = Double.NaN;
                if (options.patience > 0 && step % validateEvery == 0) {
                    validated = loss(trainer, validation, batch);
                    if (Double.isNaN(run.bestLoss) || validated < run.bestLoss) {
                        run.bestLoss = validated;
                        run.bestStep = step;
                        run.worse = 0;
                        best = parameters.export();
                    } else if (++run.worse >= options.patience) {
                        run.stopped = true;
                        progress.say(String.format(
                                Locale.ROOT,
                                "stopping early: the loss on normals set apart has not fallen below %.4f (step %d) in %d validations",
                                run.bestLoss,
                                run.bestStep,
                                run.worse));
                    }
                }
                run.elapsed = elapsedBefore + seconds(begun);
                run.trained = trainedBefore + seconds(begun);
                double speed = (step - stepBefore) * batch / seconds(begun);
                Map<String, Object> line = new LinkedHashMap<>();
                line.put("step", step);
                line.put("epoch", (double) step / perEpoch);
                line.put("loss", result.loss());
                if (!Double.isNaN(validated)) line.put("validationLoss", validated);
                line.put("gradientNorm", result.gradientNorm());
                line.put("learningRate", rate);
                line.put("imagesPerSecond", speed);
                line.put("seconds", run.elapsed);
                try {
                    metrics.write(JSON.writeValueAsString(line));
                } catch (IOException e) {
                    if (saved == null) throw e;
                    // With a run folder somebody means the run to last: a gap in its record costs less than the run.
                    if (!gap)
                        progress.say("warning: " + log + " cannot be written (" + e.getMessage()
                                + "); training goes on with gaps in it");
                    gap = true;
                }
                fraction = Math.max(step / (double) limit, run.elapsed / budget);
                double left = seconds(begun) / Math.max(1e-9, fraction - fractionBefore) * Math.max(0, 1 - fraction);
                progress.update(
                        fraction,
                        String.format(
                                Locale.ROOT,
                                "epoch %.1f, loss %.4f%s, %.1f images/s, %s left",
                                (double) step / perEpoch,
                                run.smoothLoss,
                                options.patience > 0 && run.bestStep >= 0
                                        ? String.format(Locale.ROOT, " (set apart %.4f)", run.bestLoss)
                                        : "",
                                speed,
                                Progress.duration(left)));
                if (saved != null && System.nanoTime() - lastSaved >= options.saveEvery.toNanos()) {
                    saver.save(best, progress);
                    lastSaved = System.nanoTime();
                }
            }
            // What comes now takes minutes too, and must not cost the training when it is interrupted.
            if (saver.behind()) saver.save(best, progress);
            if (options.stopWhen.getAsBoolean()) throw saver.calledOff(best);
            if (best != null) {
                parameters.restore(best);
                if (run.bestStep < run.step())
                    progress.say(String.format(
                            Locale.ROOT,
                            "taking the weights of step %d, where the loss on normals set apart was least",
                            run.bestStep));
            }
            trained = parameters.export();
        }
        List<Judge> judges = fitMap(config, trained, store);
        double average = run.allLoss / run.step();
        return new Outcome(
                trained,
                run.step(),
                (double) run.step() / perEpoch,
                Double.isNaN(run.firstLoss) ? average : run.firstLoss,
                Double.isNaN(run.lastLoss) ? average : run.lastLoss,
                run.trained,
                run.step() * batch,
                run,
                judges);
    }

    /** Puts what the anomaly map needs to know of normal pictures into the weights. */
    private List<Judge> fitMap(MmadConfig config, Weights weights, FeatureStore store) {
        // Not a matter of speed: this wants the host's solver.
        Torch.useCpu();
        List<Integer> scored = spreadOverCategories(CheckpointFinisher.worthScoring(categorySizes.size()));
        if (config.map() == MapKind.COSINE) return List.of(new Judge(scored, Map.of()));
        try (Parameters parameters = new Parameters(ParameterSpecs.of(config), weights);
                MmadNet net = new MmadNet(config, parameters);
                Progress progress = new Progress(options.progress, "finish")) {
            progress.say("fitting what distances to expect on normal pictures");
            if (config.map() == MapKind.STANDARDISED) {
                int[] normals = stored(spreadOverCategories(Math.max(1, EXPECTATION_PICTURES / categorySizes.size())));
                Expectation.fit(
                        net, config, i -> store.batch(new int[] {normals[i]}), normals.length, options.seed, weights);
                return List.of(new Judge(scored, Map.of()));
            }
            List<Integer> chosen =
                    spreadOverCategories(Math.max(LEAST_WHITENING_PICTURES, WHITENING_PICTURES / categorySizes.size()));
            int[] normals = stored(chosen);
            Whitening.LeftOut left =
                    Whitening.fit(net, config, i -> store.batch(new int[] {normals[i]}), categoriesOf(chosen), weights);
            return judges(chosen, left, scored);
        }
    }

    /** Every picture by the fold that it was left out of; those that the map was not fitted on by the model itself. */
    private static List<Judge> judges(List<Integer> fitted, Whitening.LeftOut left, List<Integer> scored) {
        Map<Integer, Integer> foldOf = new HashMap<>();
        for (int i = 0; i < fitted.size(); i++) foldOf.put(fitted.get(i), left.foldOf()[i]);
        List<Judge> judges = new ArrayList<>();
        for (int f = -1; f < left.tensors().size(); f++) {
            int fold = f;
            List<Integer> mine = scored.stream()
                    .filter(picture -> foldOf.getOrDefault(picture, -1) == fold)
                    .toList();
            judges.add(new Judge(mine, f < 0 ? Map.of() : left.tensors().get(f)));
        }
        return judges;
    }

    /** Saves a training run as it is when asked; what is saved belongs to the loop and is not closed here. */
    private final class Saver {
        private final SavedRun folder;
        private final Map<String, String> settings;
        private final RunState run;
        private final List<ParameterSpec> specs;
        private final Parameters parameters;
        private final Trainer trainer;
        private final Metrics metrics;
        private SavedRun.State last;

        /** @param folder null where nothing is saved */
        Saver(
                SavedRun folder,
                Map<String, String> settings,
                SavedRun.State last,
                RunState run,
                List<ParameterSpec> specs,
                Parameters parameters,
                Trainer trainer,
                Metrics metrics) {
            this.folder = folder;
            this.settings = settings;
            this.last = last;
            this.run = run;
            this.specs = specs;
            this.parameters = parameters;
            this.trainer = trainer;
            this.metrics = metrics;
        }

        /** Whether steps were done since the last save. */
        boolean behind() {
            return folder != null && (last == null || last.run().step() < run.step());
        }

        private void write(Weights best) throws IOException {
            run.metricsBytes = metrics.saved();
            last = folder.save(
                    settings,
                    run,
                    Torch.randomState(),
                    parameters.export(),
                    specs,
                    run.step() > 0 ? trainer : null,
                    best,
                    last);
        }

        private String before(String beginning) {
            return last == null ? beginning : "step " + last.run().step();
        }

        /** A run that cannot be saved goes on: what is left to do may be little, and the disk may have room again. */
        void save(Weights best, Progress progress) {
            try {
                write(best);
            } catch (IOException e) {
                progress.say("warning: the run cannot be saved at step " + run.step() + " (" + e.getMessage()
                        + "); training goes on, and after a kill it would go on from " + before("its beginning")
                        + ". Make room in " + options.runFolder);
            }
        }

        /** Saves for the last time; what to throw. */
        CancellationException calledOff(Weights best) {
            if (folder == null)
                return new CancellationException(
                        "training was called off after " + run.step() + " steps; nothing was written");
            try {
                write(best);
                return new CancellationException("stopped at step " + run.step() + " and saved in " + options.runFolder
                        + "; run the same again to go on");
            } catch (IOException e) {
                CancellationException off =
                        new CancellationException("stopped at step " + run.step() + ", which cannot be saved ("
                                + e.getMessage() + "); run the same again to go on from " + before("the beginning"));
                off.initCause(e);
                return off;
            }
        }
    }

    /** @param fraction of the run that is done, 0..1 */
    private double learningRate(long step, double fraction) {
        double rate =
                switch (options.schedule) {
                    case PAPER -> fraction >= DROP_AT ? options.learningRate / 10 : options.learningRate;
                    case COSINE ->
                        options.learningRate
                                * (LEAST_RATE + (1 - LEAST_RATE) * (1 + Math.cos(Math.PI * Math.min(1, fraction))) / 2);
                    case CONSTANT -> options.learningRate;
                };
        return step < options.warmup ? rate * (step + 1) / options.warmup : rate;
    }

    private static double loss(Trainer trainer, FeatureStore validation, int batch) {
        double sum = 0;
        for (int from = 0; from < validation.size(); from += batch) {
            int n = Math.min(batch, validation.size() - from);
            int[] images = new int[n];
            for (int i = 0; i < n; i++) images[i] = from + i;
            try (PointerScope scope = new PointerScope()) {
                sum += n * trainer.loss(validation.batch(images));
            }
        }
        return sum / validation.size();
    }

    /** Which copy of a picture an epoch takes, as the store counts. */
    private int variant(int picture, long epoch) {
        if (options.copies == 0) return picture;
        int copy = new SplittableRandom(options.seed * 31 + picture * 1_000_003L + epoch * 7_919)
                .nextInt(1 + options.copies);
        return picture * (1 + options.copies) + copy;
    }

    /**
     * The pictures' order in an epoch. It follows from the seed and the epoch's number, so that a run that goes on has
     * the same.
     */
    private final class Order {
        private List<Integer> pictures = new ArrayList<>();

        /** As it is before a step. */
        Order(long step, int perEpoch) {
            for (int i = 0; i < Fit.this.pictures; i++) pictures.add(i);
            for (long epoch = 0; epoch * perEpoch < step; epoch++) begin(epoch);
        }

        void begin(long epoch) {
            SplittableRandom random = new SplittableRandom(options.seed * 1_000_003 + epoch);
            if (!options.balance) {
                shuffle(pictures, random);
                return;
            }
            List<List<Integer>> categories = new ArrayList<>();
            int first = 0;
            for (int size : categorySizes) {
                List<Integer> category = new ArrayList<>();
                for (int i = 0; i < size; i++) category.add(first + i);
                shuffle(category, random);
                categories.add(category);
                first += size;
            }
            shuffle(categories, random); // the last round is not a full one
            List<Integer> even = new ArrayList<>();
            for (int i = 0; even.size() < first; i++) {
                for (List<Integer> c : categories) if (even.size() < first) even.add(c.get(i % c.size()));
            }
            shuffle(even, random);
            pictures = even;
        }

        int picture(int i) {
            return pictures.get(i);
        }
    }

    /** Pictures by number, as many of one category as of another while they last, evenly spaced within it. */
    private List<Integer> spreadOverCategories(int share) {
        List<Integer> chosen = new ArrayList<>();
        int first = 0;
        for (int size : categorySizes) {
            int n = Math.min(size, share);
            for (int i = 0; i < n; i++) chosen.add(first + (int) ((long) i * size / n));
            first += size;
        }
        return chosen;
    }

    /** Where pictures lie in the store, without their copies. */
    private int[] stored(List<Integer> chosen) {
        return chosen.stream()
                .mapToInt(picture -> picture * (1 + options.copies))
                .toArray();
    }

    /** The categories that pictures belong to, by number. */
    private int[] categoriesOf(List<Integer> chosen) {
        int[] of = new int[chosen.size()];
        for (int i = 0; i < of.length; i++) {
            int last = categorySizes.get(0);
            while (chosen.get(i) >= last) last += categorySizes.get(++of[i]);
        }
        return of;
    }

    /** @param spool all pictures that were trained on, and by number */
    private FitResult write(
            MmadConfig config,
            Outcome outcome,
            Encoder encoder,
            TrainingSet set,
            FrameSpool spool,
            Map<String, List<byte[]>> frames)
            throws IOException {
        Map<String, String> provenance = set.provenance(pictures, frames);
        provenance.put("preset", config.preset());
        if (options.from != null)
            provenance.put("parent", Checkpoints.readInfo(options.from).version());
        provenance.put("recipe", options.recipe.name().toLowerCase(Locale.ROOT));
        provenance.put("command", options.command);
        if (options.precision != FeatureType.FLOAT32)
            provenance.put("cachePrecision", options.precision.name().toLowerCase(Locale.ROOT));
        if (options.mapOnly) inherit(provenance);
        else describe(outcome, provenance);
        List<CheckpointFinisher.Seen> seen = new ArrayList<>();
        for (Judge judge : outcome.judges()) {
            seen.add(new CheckpointFinisher.Seen(
                    framesOf(judge.pictures(), spool),
                    judge.tensors().isEmpty()
                            ? null
                            : draft -> Checkpoints.write(
                                    draft,
                                    config,
                                    outcome.weights().with(judge.tensors()),
                                    encoder,
                                    CheckpointFinisher.UNCALIBRATED,
                                    provenance)));
        }
        CheckpointInfo info = new CheckpointFinisher(options.out, options.threads, options.progress)
                .run(
                        frames,
                        seen,
                        options.rule,
                        draft -> Checkpoints.write(
                                draft, config, outcome.weights(), encoder, CheckpointFinisher.UNCALIBRATED, provenance));
        Map<String, Integer> held = new TreeMap<>();
        frames.forEach((category, f) -> held.put(category, f.size()));
        return new FitResult(
                options.out,
                info,
                outcome.steps(),
                outcome.epochs(),
                pictures,
                held,
                set.skipped(),
                outcome.firstLoss(),
                outcome.lastLoss(),
                outcome.seconds() / outcome.seen());
    }

    /** The network came about as that of the checkpoint did. */
    private void inherit(Map<String, String> provenance) throws IOException {
        provenance.put("mapOnly", "true");
        Checkpoints.readInfo(options.from).properties().forEach((key, value) -> {
            if (key.startsWith(Checkpoints.PROVENANCE_PREFIX))
                provenance.putIfAbsent(key.substring(Checkpoints.PROVENANCE_PREFIX.length()), value);
        });
    }

    /** How the network came about. */
    private void describe(Outcome outcome, Map<String, String> provenance) {
        provenance.put("seed", String.valueOf(options.seed));
        provenance.put("batch", String.valueOf(options.batch));
        provenance.put("learningRate", String.valueOf(options.learningRate));
        provenance.put("steps", String.valueOf(outcome.steps()));
        provenance.put("epochs", String.format(Locale.ROOT, "%.2f", outcome.epochs()));
        provenance.put("loss", String.format(Locale.ROOT, "%.6f", outcome.lastLoss()));
        provenance.put("schedule", options.schedule.name().toLowerCase(Locale.ROOT));
        if (options.warmup > 0) provenance.put("warmup", String.valueOf(options.warmup));
        if (options.balance) provenance.put("balance", "true");
        if (options.copies > 0) provenance.put("augment", augmentation + " x" + options.copies);
        if (outcome.run().bestStep() >= 0) {
            provenance.put("validationLoss", String.format(Locale.ROOT, "%.6f", outcome.run().bestLoss));
            provenance.put("weightsOfStep", String.valueOf(outcome.run().bestStep()));
        }
        provenance.put("trainingSeconds", String.format(Locale.ROOT, "%.0f", outcome.seconds()));
    }

    private Map<String, List<byte[]>> framesOf(List<Integer> chosen, FrameSpool spool) throws IOException {
        int[] categories = categoriesOf(chosen);
        Map<String, List<byte[]>> frames = new TreeMap<>();
        for (int i = 0; i < categories.length; i++)
            frames.computeIfAbsent(categoryNames.get(categories[i]), c -> new ArrayList<>())
                    .add(spool.get(chosen.get(i)));
        return frames;
    }

    private static double seconds(long since) {
        return (System.nanoTime() - since) / 1e9;
    }
}
