package io.linesight.trainer.fit;

import io.linesight.mmad.architecture.MapKind;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.runtime.Device;
import io.linesight.trainer.calibration.CalibrationRule;
import io.linesight.trainer.features.FeatureType;
import io.linesight.trainer.folders.ImageSource;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;

/** What to train. Made by {@link #builder}; immutable. */
public final class FitOptions {
    /** Departures from the preset. */
    public enum Recipe {
        /**
         * The preset without the decoder's level at stride 4, the anomaly map whitened by what normal pictures let
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

    /** How the learning rate goes on. */
    public enum Schedule {
        /** As published: constant, and a tenth for the last fifth of the run. */
        PAPER,
        /** Half a cosine from the learning rate down to a hundredth of it. */
        COSINE,
        CONSTANT
    }

    /** What copies of a picture may differ in. */
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

    /** Copies of every picture that may be made: their features all lie on the disk. */
    public static final int MOST_COPIES = 16;

    final ImageSource source;
    final Encoder encoder;
    final Path from;
    final String preset;
    final Recipe recipe;
    final MapKind map;
    final int finestStride;
    final double topShare;
    final double minutes;
    final int epochs;
    final int batch;
    final long seed;
    final double learningRate;
    final int threads;
    final Path out;
    final Path metrics;
    final Path workDir;
    final boolean skipUnreadable;
    final CalibrationRule rule;
    final String command;
    final PrintStream progress;
    final BooleanSupplier stopWhen;
    final String device;
    final String encoderDevice;
    final Path runFolder;
    final Duration saveEvery;
    final boolean fresh;
    final boolean mapOnly;
    final Path cache;
    final long cacheMost;
    final FeatureType precision;
    final boolean survey;
    final boolean allowLeakage;
    final boolean allowFew;
    final boolean balance;
    final Set<Change> augment;
    final int copies;
    final Schedule schedule;
    final int warmup;
    final int patience;
    final int validateEvery;

    private FitOptions(Builder b) {
        source = b.source;
        encoder = b.encoder;
        from = b.from;
        preset = b.preset;
        recipe = b.recipe;
        map = b.map;
        finestStride = b.finestStride;
        topShare = b.topShare;
        minutes = b.minutes;
        epochs = b.epochs;
        batch = b.batch;
        seed = b.seed;
        learningRate = b.learningRate > 0 ? b.learningRate : 0.005 * b.batch / 16;
        threads = b.threads;
        out = b.out;
        String file = b.out.getFileName().toString();
        metrics = b.metrics != null
                ? b.metrics
                : b.out.resolveSibling(
                        (file.endsWith(".onnx") ? file.substring(0, file.length() - 5) : file) + ".metrics.jsonl");
        workDir = b.workDir;
        skipUnreadable = b.skipUnreadable;
        rule = b.rule;
        command = b.command;
        progress = b.progress;
        stopWhen = b.stopWhen;
        device = b.device;
        encoderDevice = b.encoderDevice;
        runFolder = b.runFolder;
        saveEvery = b.saveEvery;
        fresh = b.fresh;
        mapOnly = b.mapOnly;
        cache = b.cache;
        cacheMost = b.cacheMost;
        precision = b.precision;
        survey = b.survey;
        allowLeakage = b.allowLeakage;
        allowFew = b.allowFew;
        balance = b.balance;
        augment = b.augment;
        schedule = b.schedule;
        warmup = b.warmup;
        patience = b.patience;
        validateEvery = b.validateEvery;
        copies = b.augment.isEmpty() ? 0 : b.copies;
    }

    public static Builder builder() {
        return new Builder();
    }

    /** Collects options; {@link #build} checks them all at once. */
    public static final class Builder {
        private ImageSource source;
        private Encoder encoder;
        private Path from;
        private String preset = "small";
        private Recipe recipe = Recipe.PRESET;
        private MapKind map;
        private int finestStride;
        private double topShare = Double.NaN;
        private double minutes;
        private int epochs;
        private int batch = 8;
        private long seed = 42;
        private double learningRate;
        private int threads;
        private Path out;
        private Path metrics;
        private Path workDir;
        private boolean skipUnreadable;
        private CalibrationRule rule = CalibrationRule.defaults();
        private String command = "";
        private PrintStream progress = System.err;
        private BooleanSupplier stopWhen = () -> false;
        private String device = "cpu";
        private String encoderDevice = "cpu";
        private Path runFolder;
        private Duration saveEvery = Duration.ofSeconds(60);
        private boolean fresh;
        private boolean mapOnly;
        private Path cache;
        private long cacheMost = Long.MAX_VALUE;
        private FeatureType precision = FeatureType.FLOAT32;
        private boolean survey;
        private boolean allowLeakage;
        private boolean allowFew;
        private boolean balance;
        private Set<Change> augment = EnumSet.noneOf(Change.class);
        private int copies = 3;
        private Schedule schedule = Schedule.PAPER;
        private int warmup;
        private int patience;
        private int validateEvery;

        private Builder() {}

        /** Pictures to learn from. */
        public Builder source(ImageSource v) {
            source = v;
            return this;
        }

        /** Frozen encoder; default {@code FilterBankEncoder.create()}. */
        public Builder encoder(Encoder v) {
            encoder = v;
            return this;
        }

        /**
         * Checkpoint to go on from: its network, encoder and feature statistics are taken over, and preset and encoder
         * are not asked.
         */
        public Builder from(Path v) {
            from = v;
            return this;
        }

        /** {@code base}, {@code small} (default) or {@code tiny}. */
        public Builder preset(String v) {
            preset = v;
            return this;
        }

        public Builder recipe(Recipe v) {
            recipe = v;
            return this;
        }

        /** How distances become the anomaly map; null = what the recipe says, or the checkpoint one goes on from. */
        public Builder map(MapKind v) {
            map = v;
            return this;
        }

        /**
         * Finest encoder stride that the network imitates and that the anomaly map is made of: 4, 8 or 16; 0 = what the
         * recipe says, or the checkpoint one goes on from.
         */
        public Builder finestStride(int v) {
            finestStride = v;
            return this;
        }

        /**
         * Share of the map's pixels, the highest, whose mean is the score; 0 = the single highest. NaN = what the
         * recipe says, or the checkpoint one goes on from.
         */
        public Builder topShare(double v) {
            topShare = v;
            return this;
        }

        /**
         * Wall-clock budget from the start of {@code Fit.run}, encoder included, pauses before a resumption not;
         * calibration and writing come on top. 0 = none.
         */
        public Builder minutes(double v) {
            minutes = v;
            return this;
        }

        /** Passes over the training images. 0 = as many as the minutes allow. With both given, whichever ends first. */
        public Builder epochs(int v) {
            epochs = v;
            return this;
        }

        public Builder batch(int v) {
            batch = v;
            return this;
        }

        /** Seeds initial weights, order of the images and every draw; the same seed and machine give the same loss. */
        public Builder seed(long v) {
            seed = v;
            return this;
        }

        /** 0 = the paper's 0.005 * batch / 16. */
        public Builder learningRate(double v) {
            learningRate = v;
            return this;
        }

        /** CPU threads; 0 = all processors. */
        public Builder threads(int v) {
            threads = v;
            return this;
        }

        /** Checkpoint to write; replaced when it exists. */
        public Builder out(Path v) {
            out = v;
            return this;
        }

        /**
         * Where every step is logged as a line of JSON; default beside the checkpoint, {@code <name>.metrics.jsonl}.
         */
        public Builder metrics(Path v) {
            metrics = v;
            return this;
        }

        /** Existing folder for the temporary feature file (3.7 MB an image with a MobileNet); default the system's. */
        public Builder workDir(Path v) {
            workDir = v;
            return this;
        }

        /** Leave out unreadable pictures instead of stopping with their list. */
        public Builder skipUnreadable(boolean v) {
            skipUnreadable = v;
            return this;
        }

        /** What the thresholds are to hold. */
        public Builder rule(CalibrationRule v) {
            rule = v;
            return this;
        }

        /** The command line, for the checkpoint's provenance. */
        public Builder command(String v) {
            command = v;
            return this;
        }

        /** Where progress goes: a live bar on a terminal, plain lines otherwise. */
        public Builder progress(PrintStream v) {
            progress = v;
            return this;
        }

        /**
         * Asked before every step, on the training thread: true calls the training off. With a run folder, the next run
         * goes on from there.
         */
        public Builder stopWhen(BooleanSupplier v) {
            stopWhen = v;
            return this;
        }

        /**
         * Where libtorch trains: {@code cpu} (default), {@code cuda}, {@code cuda:N}, or {@code auto} for a GPU where
         * there is one. CUDA has not run on a GPU yet.
         */
        public Builder device(String v) {
            device = v;
            return this;
        }

        /** Where ONNX Runtime runs the encoder: {@code cpu} (default), {@code cuda}, {@code cuda:N} or {@code auto}. */
        public Builder encoderDevice(String v) {
            encoderDevice = v;
            return this;
        }

        /**
         * Where the run saves what a killed one needs to go on; made when absent, removed after success. The next run
         * with it goes on, and gives the same model as if nothing had happened; with other options or pictures it is
         * refused. Null (default) = nothing is saved.
         */
        public Builder runFolder(Path v) {
            runFolder = v;
            return this;
        }

        /** How often the run is saved; 60 seconds by default. */
        public Builder saveEvery(Duration v) {
            saveEvery = v;
            return this;
        }

        /**
         * Leaves the network of {@link #from} as it is and fits only the anomaly map and the thresholds, on these
         * pictures: for products that look other than they did, or for a map of another kind. Takes minutes.
         */
        public Builder mapOnly(boolean v) {
            mapOnly = v;
            return this;
        }

        /** Starts anew whatever the run folder holds. */
        public Builder fresh(boolean v) {
            fresh = v;
            return this;
        }

        /**
         * Folder that keeps encoder features for later runs, made when absent. Null (default) = in the run folder,
         * which does not outlast the run, or else in a temporary file.
         */
        public Builder cache(Path v) {
            cache = v;
            return this;
        }

        /**
         * Bytes that the cache folder may take; what other encoders left goes first, then what this run does not need.
         */
        public Builder cacheMost(long v) {
            cacheMost = v;
            return this;
        }

        /**
         * How features are kept on the disk; float32 by default. Float16 takes half the room and changes the model
         * slightly.
         */
        public Builder cachePrecision(FeatureType v) {
            precision = v;
            return this;
        }

        /**
         * Looks at all pictures, those to measure on too, before training: duplicates, leakage, too few, blank ones;
         * says so and refuses the worst.
         */
        public Builder survey(boolean v) {
            survey = v;
            return this;
        }

        /** Goes on though pictures to measure on are learned from too. */
        public Builder allowLeakage(boolean v) {
            allowLeakage = v;
            return this;
        }

        /** Goes on though a category has a single normal. */
        public Builder allowFew(boolean v) {
            allowFew = v;
            return this;
        }

        /** Shows every category equally often, however many pictures it has. */
        public Builder balance(boolean v) {
            balance = v;
            return this;
        }

        /**
         * What copies of a picture differ in; none by default, as published. Every copy is encoded and kept like a
         * picture.
         */
        public Builder augment(Collection<Change> v) {
            augment = v.isEmpty() ? EnumSet.noneOf(Change.class) : EnumSet.copyOf(v);
            return this;
        }

        /**
         * Copies of every picture beside itself, of which each epoch takes one or the picture; 3 by default, of no
         * account without {@link #augment}.
         */
        public Builder copies(int v) {
            copies = v;
            return this;
        }

        public Builder schedule(Schedule v) {
            schedule = v;
            return this;
        }

        /** Steps in which the learning rate rises from nothing; 0 by default. */
        public Builder warmup(int v) {
            warmup = v;
            return this;
        }

        /**
         * Stops when the loss on normals that are set apart for this has not fallen for so many validations in a row,
         * and takes the weights of the least. 0 (default) = never, and nothing is set apart.
         */
        public Builder patience(int v) {
            patience = v;
            return this;
        }

        /** Steps between validations; 0 (default) = an epoch. */
        public Builder validateEvery(int v) {
            validateEvery = v;
            return this;
        }

        /** @throws IllegalArgumentException naming every problem */
        public FitOptions build() {
            List<String> problems = new ArrayList<>();
            if (source == null) problems.add("no pictures to learn from");
            if (out == null) problems.add("no checkpoint file to write");
            if (mapOnly && (minutes > 0 || epochs > 0))
                problems.add("where only the map is fitted, nothing is trained: give neither minutes nor epochs");
            if (mapOnly && from == null)
                problems.add("the map alone can only be fitted to a checkpoint's network: say which");
            if (mapOnly && (patience > 0 || runFolder != null))
                problems.add("where only the map is fitted, there is nothing to stop early or to resume");
            if (!mapOnly && minutes <= 0 && epochs <= 0) problems.add("say how long to train: minutes or epochs");
            if (minutes < 0 || epochs < 0) problems.add("minutes and epochs must not be negative");
            if (batch < 1 || batch > 64) problems.add("batch must be 1..64, got " + batch);
            if (!List.of(0, 4, 8, 16).contains(finestStride))
                problems.add("the finest stride must be 4, 8 or 16, got " + finestStride);
            if (topShare < 0 || topShare > 1) problems.add("the top share must be 0..1, got " + topShare);
            if (from != null && finestStride != 0) problems.add("a checkpoint to go on from has its own finest stride");
            if (!List.of("base", "small", "tiny").contains(preset))
                problems.add("unknown preset '" + preset + "': choose base, small or tiny");
            try {
                Device.parse(device);
            } catch (IllegalArgumentException e) {
                problems.add(e.getMessage());
            }
            if (copies < 1 || copies > MOST_COPIES)
                problems.add("copies must be 1.." + MOST_COPIES + ", got " + copies);
            if (warmup < 0 || patience < 0 || validateEvery < 0)
                problems.add("warm-up, patience and steps between validations must not be negative");
            if (validateEvery > 0 && patience == 0) problems.add("there is nothing to validate without early stopping");
            if (saveEvery.isNegative()) problems.add("the time between saves must not be negative");
            if (cacheMost < 1) problems.add("the cache must be allowed to take something");
            if (!problems.isEmpty()) throw new IllegalArgumentException("fit: " + String.join("; ", problems));
            return new FitOptions(this);
        }
    }
}
