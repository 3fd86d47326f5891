package io.linesight.trainer.fit;

import io.linesight.mmad.architecture.MapKind;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.runtime.Device;
import io.linesight.trainer.calibration.CalibrationRule;
import io.linesight.trainer.dataset.ImageRules;
import io.linesight.trainer.features.FeatureType;
import io.linesight.trainer.folders.ImageSource;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What to train, grouped by purpose. Made from {@link #of}, which holds the defaults, and the methods that replace a
 * group; checked as a whole by {@link #validate}, which {@link Fit#run} calls. Immutable.
 *
 * @param calibration what the thresholds are to hold
 */
public record FitOptions(
        Data data,
        Network network,
        Training training,
        Features features,
        Output output,
        CalibrationRule calibration,
        Machine machine,
        Session session) {
    /** Departures from the preset. */
    public enum Recipe {
        /**
         * The preset without the decoder's level at stride 4, the anomaly map whitened by what normal images let
         * expect, the score the mean over the map's highest pixels: on the real categories the best per minute of
         * training and of scoring.
         */
        PRESET,
        /**
         * As published: encoder features untouched whatever the preset says, all strides, the anomaly map the bare
         * cosine distance and the score its maximum.
         */
        PAPER
    }

    /** How the learning rate develops. */
    public enum Schedule {
        /** As published: constant, and a tenth for the last fifth of the run. */
        PAPER,
        /** Half a cosine from the learning rate down to a hundredth of it. */
        COSINE,
        CONSTANT
    }

    /** What copies of an image may differ in. */
    public enum Change {
        /** Mirrored across, down, or both. */
        FLIP,
        /** Turned by a multiple of 90 degrees. */
        ROTATE90,
        /** Up to 10 % lighter or darker. */
        BRIGHTNESS,
        /** Moved by up to 5 % of the side; what comes in repeats the edge. */
        SHIFT
    }

    /** Max copies of an image: the features of all of them lie on the disk. */
    public static final int MAX_COPIES = 16;

    /**
     * Images to learn from.
     *
     * @param source needed to fit; options can be validated without
     * @param balance shows every category equally often, however many images it has
     * @param augment what copies of an image differ in; none as published. Every copy is encoded and kept like an image
     * @param copiesWanted copies of every image beside itself, of which each epoch takes one or the image; counts only
     *     with changes to augment
     */
    public record Data(
            @Nullable ImageSource source, ImageRules rules, boolean balance, Set<Change> augment, int copiesWanted) {
        public Data {
            augment = Set.copyOf(augment);
        }

        /** Copies that are made of every image. */
        int copies() {
            return augment.isEmpty() ? 0 : copiesWanted;
        }

        public Data withSource(ImageSource v) {
            return new Data(v, rules, balance, augment, copiesWanted);
        }

        public Data withRules(ImageRules v) {
            return new Data(source, v, balance, augment, copiesWanted);
        }

        public Data withBalance(boolean v) {
            return new Data(source, rules, v, augment, copiesWanted);
        }

        public Data withAugment(Collection<Change> changes, int copies) {
            return new Data(source, rules, balance, Set.copyOf(changes), copies);
        }
    }

    /**
     * The network to train and the anomaly map that it gives.
     *
     * @param from checkpoint to continue from: its network, encoder and feature statistics are taken over, and encoder,
     *     preset and recipe do not count; null = a fresh network
     * @param mapOnly leaves the network of {@code from} as it is and fits the anomaly map and the thresholds alone: for
     *     products that look different now, or for a map of another kind. Takes minutes
     * @param encoder frozen; null = the filter bank
     * @param preset {@code base}, {@code small} or {@code tiny}
     * @param map how distances become the anomaly map; null = what the recipe or the checkpoint says
     * @param finestStride finest encoder stride that the network imitates and that the map is made of: 4, 8 or 16; 0 =
     *     what the recipe or the checkpoint says
     * @param topShare share of the map's pixels, the highest, whose mean is the score; 0 = the single highest, NaN =
     *     what the recipe or the checkpoint says
     */
    public record Network(
            @Nullable Path from,
            boolean mapOnly,
            @Nullable Encoder encoder,
            String preset,
            Recipe recipe,
            @Nullable MapKind map,
            int finestStride,
            double topShare) {
        public static final String DEFAULT_PRESET = "small";

        public static Network defaults() {
            return new Network(null, false, null, DEFAULT_PRESET, Recipe.PRESET, null, 0, Double.NaN);
        }

        public Network withFrom(@Nullable Path v) {
            return new Network(v, mapOnly, encoder, preset, recipe, map, finestStride, topShare);
        }

        public Network withMapOnly(boolean v) {
            return new Network(from, v, encoder, preset, recipe, map, finestStride, topShare);
        }

        public Network withPreset(String v) {
            return new Network(from, mapOnly, encoder, v, recipe, map, finestStride, topShare);
        }

        public Network withMap(@Nullable MapKind v) {
            return new Network(from, mapOnly, encoder, preset, recipe, v, finestStride, topShare);
        }

        public Network withFinestStride(int v) {
            return new Network(from, mapOnly, encoder, preset, recipe, map, v, topShare);
        }

        public Network withTopShare(double v) {
            return new Network(from, mapOnly, encoder, preset, recipe, map, finestStride, v);
        }
    }

    /**
     * How long and how fast to learn.
     *
     * @param minutes wall-clock budget from the start of {@link Fit#run}, encoder included, breaks before a resumption
     *     not; calibration and writing come on top. 0 = none
     * @param epochs passes over the training images; 0 = as many as the minutes allow. With both, whichever ends first
     * @param batch images per step
     * @param seed of the initial weights, the order of the images and every draw; the same seed and machine give the
     *     same loss
     * @param rateWanted learning rate; 0 = the paper's 0.005 * batch / 16
     * @param warmup steps in which the learning rate rises from nothing
     * @param patience stops when the loss on normals that are set apart has not fallen for so many validations in a
     *     row, and takes the weights of the lowest. 0 = never, and nothing is set apart
     * @param validateEvery steps between validations; 0 = an epoch
     */
    public record Training(
            double minutes,
            int epochs,
            int batch,
            long seed,
            double rateWanted,
            Schedule schedule,
            int warmup,
            int patience,
            int validateEvery) {
        /** Where the learning rate falls to a tenth, as a share of the run (the paper: epoch 400 of 500). */
        private static final double DROP_AT = 0.8;
        /** Learning rate at the end of the cosine, as a share of that at its beginning. */
        private static final double MIN_RATE = 0.01;

        public static Training defaults() {
            return new Training(0, 0, 8, 42, 0, Schedule.PAPER, 0, 0, 0);
        }

        /** Learning rate before schedule and warm-up. */
        double learningRate() {
            return rateWanted > 0 ? rateWanted : 0.005 * batch / 16;
        }

        /**
         * Learning rate of a step.
         *
         * @param step counted from 0
         * @param fraction of the run that is done, 0..1
         */
        double learningRate(long step, double fraction) {
            double base = learningRate();
            double rate =
                    switch (schedule) {
                        case PAPER -> fraction >= DROP_AT ? base / 10 : base;
                        case COSINE ->
                            base * (MIN_RATE + (1 - MIN_RATE) * (1 + Math.cos(Math.PI * Math.min(1, fraction))) / 2);
                        case CONSTANT -> base;
                    };
            return step < warmup ? rate * (step + 1) / warmup : rate;
        }

        boolean stopsEarly() {
            return patience > 0;
        }

        public Training withMinutes(double v) {
            return new Training(v, epochs, batch, seed, rateWanted, schedule, warmup, patience, validateEvery);
        }

        public Training withEpochs(int v) {
            return new Training(minutes, v, batch, seed, rateWanted, schedule, warmup, patience, validateEvery);
        }

        public Training withBatch(int v) {
            return new Training(minutes, epochs, v, seed, rateWanted, schedule, warmup, patience, validateEvery);
        }

        public Training withSeed(long v) {
            return new Training(minutes, epochs, batch, v, rateWanted, schedule, warmup, patience, validateEvery);
        }

        public Training withLearningRate(double v) {
            return new Training(minutes, epochs, batch, seed, v, schedule, warmup, patience, validateEvery);
        }

        public Training withSchedule(Schedule v, int warmupSteps) {
            return new Training(minutes, epochs, batch, seed, rateWanted, v, warmupSteps, patience, validateEvery);
        }

        public Training withEarlyStop(int validations, int everySteps) {
            return new Training(minutes, epochs, batch, seed, rateWanted, schedule, warmup, validations, everySteps);
        }
    }

    /**
     * How encoder features are kept.
     *
     * @param cache folder that keeps them for later runs, made when absent; null = in the run folder, which is removed
     *     after the run, or else in a temporary file
     * @param cacheMax bytes that the cache folder may take; what other encoders left goes first, then what this run
     *     does not need
     * @param precision float16 takes half the room and changes the model slightly
     */
    public record Features(@Nullable Path cache, long cacheMax, FeatureType precision) {
        public static Features defaults() {
            return new Features(null, Long.MAX_VALUE, FeatureType.FLOAT32);
        }

        public Features withCache(@Nullable Path v) {
            return new Features(v, cacheMax, precision);
        }

        public Features withPrecision(FeatureType v) {
            return new Features(cache, cacheMax, v);
        }
    }

    /**
     * What is written, and what a killed run needs to resume.
     *
     * @param checkpoint file to write; replaced when it exists
     * @param metricsFile where every step is logged as a line of JSON; null = {@code <name>.metrics.jsonl} beside the
     *     checkpoint
     * @param workDir existing folder for the temporary feature file (3.7 MB an image with a MobileNet); null = the run
     *     folder, or else the system's
     * @param runFolder where the run saves what a killed one needs to resume; made when absent, removed after success.
     *     The next run with it resumes and gives the same model as if nothing had happened; with other options or
     *     images it is rejected. Null = nothing is saved
     * @param saveEvery how often the run is saved
     * @param fresh starts over whatever the run folder holds
     */
    public record Output(
            Path checkpoint,
            @Nullable Path metricsFile,
            @Nullable Path workDir,
            @Nullable Path runFolder,
            Duration saveEvery,
            boolean fresh) {
        public static Output to(Path checkpoint) {
            return new Output(checkpoint, null, null, null, Duration.ofSeconds(60), false);
        }

        Path metrics() {
            if (metricsFile != null) return metricsFile;
            String file = checkpoint.getFileName().toString().replaceFirst("\\.onnx$", "");
            return checkpoint.resolveSibling(file + ".metrics.jsonl");
        }

        /** Folder for files that are gone after the run; null = the system's. */
        @Nullable
        Path temporary() {
            return workDir != null ? workDir : runFolder;
        }

        public Output withMetrics(Path v) {
            return new Output(checkpoint, v, workDir, runFolder, saveEvery, fresh);
        }

        public Output withWorkDir(Path v) {
            return new Output(checkpoint, metricsFile, v, runFolder, saveEvery, fresh);
        }

        public Output withRunFolder(Path v) {
            return new Output(checkpoint, metricsFile, workDir, v, saveEvery, fresh);
        }

        public Output withSaveEvery(Duration v) {
            return new Output(checkpoint, metricsFile, workDir, runFolder, v, fresh);
        }

        public Output withFresh(boolean v) {
            return new Output(checkpoint, metricsFile, workDir, runFolder, saveEvery, v);
        }
    }

    /**
     * What the work is done on. CUDA has not run on a GPU yet.
     *
     * @param threads CPU threads; 0 = all processors
     * @param device where libtorch trains: {@code cpu}, {@code cuda}, {@code cuda:N}, or {@code auto} for a GPU where
     *     there is one
     * @param encoderDevice where ONNX Runtime runs the encoder, likewise
     */
    public record Machine(int threads, String device, String encoderDevice) {
        public static Machine defaults() {
            return new Machine(0, "cpu", "cpu");
        }

        public Machine withThreads(int v) {
            return new Machine(v, device, encoderDevice);
        }
    }

    /**
     * Who runs the fit.
     *
     * @param command the command line, for the checkpoint's provenance
     * @param progress a live bar on a terminal, plain lines otherwise
     * @param stopWhen asked before every step, on the training thread: true cancels the training. With a run folder,
     *     the next run resumes from there
     */
    public record Session(String command, PrintStream progress, BooleanSupplier stopWhen) {
        public static Session defaults() {
            return new Session("", System.err, () -> false);
        }

        public Session withCommand(String v) {
            return new Session(v, progress, stopWhen);
        }

        public Session withProgress(PrintStream v) {
            return new Session(command, v, stopWhen);
        }

        public Session withStopWhen(BooleanSupplier v) {
            return new Session(command, progress, v);
        }
    }

    /** The defaults; a budget is still missing. */
    public static FitOptions of(ImageSource source, Path checkpoint) {
        return new FitOptions(
                new Data(source, ImageRules.defaults(), false, Set.of(), 3),
                Network.defaults(),
                Training.defaults(),
                Features.defaults(),
                Output.to(checkpoint),
                CalibrationRule.defaults(),
                Machine.defaults(),
                Session.defaults());
    }

    public FitOptions data(UnaryOperator<Data> change) {
        return new FitOptions(change.apply(data), network, training, features, output, calibration, machine, session);
    }

    public FitOptions network(UnaryOperator<Network> change) {
        return new FitOptions(data, change.apply(network), training, features, output, calibration, machine, session);
    }

    public FitOptions training(UnaryOperator<Training> change) {
        return new FitOptions(data, network, change.apply(training), features, output, calibration, machine, session);
    }

    public FitOptions features(UnaryOperator<Features> change) {
        return new FitOptions(data, network, training, change.apply(features), output, calibration, machine, session);
    }

    public FitOptions output(UnaryOperator<Output> change) {
        return new FitOptions(data, network, training, features, change.apply(output), calibration, machine, session);
    }

    public FitOptions machine(UnaryOperator<Machine> change) {
        return new FitOptions(data, network, training, features, output, calibration, change.apply(machine), session);
    }

    public FitOptions session(UnaryOperator<Session> change) {
        return new FitOptions(data, network, training, features, output, calibration, machine, change.apply(session));
    }

    /**
     * Checks all options together and names them as {@code linesight fit} spells them.
     *
     * @throws IllegalArgumentException naming every problem
     */
    public void validate() {
        List<String> problems = new ArrayList<>();
        if (network.mapOnly) addProblemsOfMapOnly(problems);
        else if (training.minutes <= 0 && training.epochs <= 0)
            problems.add("say how long to train: --minutes or --epochs");
        addProblemsOfTraining(problems);
        addProblemsOfNetwork(problems);
        addProblemOfDevice("--device", machine.device, problems);
        addProblemOfDevice("--encoder-device", machine.encoderDevice, problems);
        if (data.copiesWanted < 1 || data.copiesWanted > MAX_COPIES)
            problems.add("--augment-copies must be 1.." + MAX_COPIES + ", got " + data.copiesWanted);
        if (output.saveEvery.isNegative() || output.saveEvery.compareTo(Duration.ofDays(1)) > 0)
            problems.add("--save-every must be 0..86400 seconds, got " + output.saveEvery.toMillis() / 1000.0);
        if (machine.threads < 0) problems.add("--threads must not be negative, got " + machine.threads);
        if (features.cacheMax < 1) problems.add("--cache-max must be more than 0 GB");
        if (!problems.isEmpty()) throw new IllegalArgumentException("fit: " + String.join("; ", problems));
    }

    private void addProblemsOfMapOnly(List<String> problems) {
        if (training.minutes > 0 || training.epochs > 0)
            problems.add("with --map-only nothing is trained: give neither --minutes nor --epochs");
        if (network.from == null)
            problems.add("--map-only needs the checkpoint whose map is to be fitted: say which by --from");
        if (training.stopsEarly() || output.runFolder != null)
            problems.add("with --map-only there is nothing to stop early or to resume");
    }

    private void addProblemsOfTraining(List<String> problems) {
        if (training.minutes < 0 || training.epochs < 0) problems.add("--minutes and --epochs must not be negative");
        if (training.batch < 1 || training.batch > 64) problems.add("--batch must be 1..64, got " + training.batch);
        if (training.warmup < 0 || training.patience < 0 || training.validateEvery < 0)
            problems.add("--warmup, --early-stop and --validate-every must not be negative");
        if (training.validateEvery > 0 && training.patience == 0)
            problems.add("--validate-every goes with --early-stop");
    }

    private static void addProblemOfDevice(String option, String device, List<String> problems) {
        try {
            Device.parse(device);
        } catch (IllegalArgumentException e) {
            problems.add(option + ": " + e.getMessage());
        }
    }

    private void addProblemsOfNetwork(List<String> problems) {
        if (!List.of("base", "small", "tiny").contains(network.preset))
            problems.add("--preset must be base, small or tiny, got '" + network.preset + "'");
        if (!List.of(0, 4, 8, 16).contains(network.finestStride))
            problems.add("--finest-stride must be 4, 8 or 16, got " + network.finestStride);
        if (network.topShare < 0 || network.topShare > 1)
            problems.add("--top-share must be 0..1, got " + network.topShare);
        if (network.from != null && network.finestStride != 0)
            problems.add("--from brings its own finest stride: leave --finest-stride out");
    }
}
