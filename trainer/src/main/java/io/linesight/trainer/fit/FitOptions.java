package io.linesight.trainer.fit;

import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.model.MapKind;
import io.linesight.trainer.data.ImageSource;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;

/** What to train. Made by {@link #builder}; immutable. */
public final class FitOptions {
    /** Departures from the preset. */
    public enum Recipe {
        /** The preset, with the anomaly map standardised by what normal pictures let expect. */
        PRESET,
        /** As published: encoder features untouched whatever the preset says, and the anomaly map the bare cosine distance. */
        PAPER
    }

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
        metrics = b.metrics != null ? b.metrics : b.out.resolveSibling((file.endsWith(".onnx") ? file.substring(0, file.length() - 5) : file) + ".metrics.jsonl");
        workDir = b.workDir;
        skipUnreadable = b.skipUnreadable;
        rule = b.rule;
        command = b.command;
        progress = b.progress;
        stopWhen = b.stopWhen;
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

        private Builder() { }

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

        /** Checkpoint to go on from: its network, encoder and feature statistics are taken over, and preset and encoder are not asked. */
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
         * Finest encoder stride that the network imitates and that the anomaly map is made of: 4, 8 or 16; 0 = what the recipe says, or the
         * checkpoint one goes on from.
         */
        public Builder finestStride(int v) {
            finestStride = v;
            return this;
        }

        /**
         * Share of the map's pixels, the highest, whose mean is the score; 0 = the single highest. NaN = what the recipe says, or the checkpoint
         * one goes on from.
         */
        public Builder topShare(double v) {
            topShare = v;
            return this;
        }

        /** Wall-clock budget from the start of {@code Fit.run}, encoder included; calibration and writing come on top. 0 = none. */
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

        /** Where every step is logged as a line of JSON; default beside the checkpoint, {@code <name>.metrics.jsonl}. */
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

        /** Asked before every step, on the training thread: true calls the training off. */
        public Builder stopWhen(BooleanSupplier v) {
            stopWhen = v;
            return this;
        }

        /** @throws IllegalArgumentException naming every problem */
        public FitOptions build() {
            List<String> problems = new ArrayList<>();
            if (source == null) problems.add("no pictures to learn from");
            if (out == null) problems.add("no checkpoint file to write");
            if (minutes <= 0 && epochs <= 0) problems.add("say how long to train: minutes or epochs");
            if (minutes < 0 || epochs < 0) problems.add("minutes and epochs must not be negative");
            if (batch < 1 || batch > 64) problems.add("batch must be 1..64, got " + batch);
            if (!List.of(0, 4, 8, 16).contains(finestStride)) problems.add("the finest stride must be 4, 8 or 16, got " + finestStride);
            if (topShare < 0 || topShare > 1) problems.add("the top share must be 0..1, got " + topShare);
            if (from != null && finestStride != 0) problems.add("a checkpoint to go on from has its own finest stride");
            if (!List.of("base", "small", "tiny").contains(preset)) problems.add("unknown preset '" + preset + "': choose base, small or tiny");
            if (!problems.isEmpty()) throw new IllegalArgumentException("fit: " + String.join("; ", problems));
            return new FitOptions(this);
        }
    }
}
