package io.linesight.trainer.patchcore;

import io.linesight.mmad.encoder.Encoder;
import io.linesight.trainer.calibration.CalibrationRule;
import io.linesight.trainer.fit.FitOptions;
import io.linesight.trainer.folders.ImageSource;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What to fit. Made by {@link #builder}; immutable. */
public final class PatchCoreOptions {
    /** Patches in the bank unless told otherwise. */
    public static final int BANK = 4000;
    /** Fewest and most patches that a bank may have. */
    public static final int LEAST_BANK = 64;
    /** See {@link #LEAST_BANK}. */
    public static final int MOST_BANK = 50_000;

    final ImageSource source;
    final Encoder encoder;
    final FitOptions.Recipe recipe;
    final int bank;
    final int candidates;
    final long seed;
    final int threads;
    final Path out;
    final Path workDir;
    final CalibrationRule rule;
    final boolean skipUnreadable;
    final boolean survey;
    final boolean allowLeakage;
    final boolean allowFew;
    final String command;
    final PrintStream progress;

    private PatchCoreOptions(Builder b) {
        source = b.source;
        encoder = b.encoder;
        recipe = b.recipe;
        bank = b.bank;
        candidates = b.candidates;
        seed = b.seed;
        threads = b.threads;
        out = b.out;
        workDir = b.workDir;
        rule = b.rule;
        skipUnreadable = b.skipUnreadable;
        survey = b.survey;
        allowLeakage = b.allowLeakage;
        allowFew = b.allowFew;
        command = b.command;
        progress = b.progress;
    }

    public static Builder builder() {
        return new Builder();
    }

    /** Collects options; {@link #build} checks them all at once. */
    public static final class Builder {
        private ImageSource source;
        private Encoder encoder;
        private FitOptions.Recipe recipe = FitOptions.Recipe.PRESET;
        private int bank = BANK;
        private int candidates = 200_000;
        private long seed = 42;
        private int threads;
        private Path out;
        private Path workDir;
        private CalibrationRule rule = CalibrationRule.defaults();
        private boolean skipUnreadable;
        private boolean survey;
        private boolean allowLeakage;
        private boolean allowFew;
        private String command = "";
        private PrintStream progress = System.err;

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

        /** The paper's score is the largest distance, reweighted; the preset's is steadier. */
        public Builder recipe(FitOptions.Recipe v) {
            recipe = v;
            return this;
        }

        /** Patches in the bank, all categories together; time per frame grows with it. Fewer when there are no more. */
        public Builder bank(int v) {
            bank = v;
            return this;
        }

        /**
         * Patches that the bank is chosen from, all categories together, drawn at random from the pictures' 1,024 each.
         */
        public Builder candidates(int v) {
            candidates = v;
            return this;
        }

        /** Seeds every draw; the same seed and pictures give the same bank. */
        public Builder seed(long v) {
            seed = v;
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
         * Existing folder for the temporary files of frames (192 KiB a picture) and candidates (3 KB each with a
         * MobileNet); default the system's.
         */
        public Builder workDir(Path v) {
            workDir = v;
            return this;
        }

        /** How the thresholds are set. */
        public Builder rule(CalibrationRule v) {
            rule = v;
            return this;
        }

        /** Leave out unreadable pictures instead of stopping with their list. */
        public Builder skipUnreadable(boolean v) {
            skipUnreadable = v;
            return this;
        }

        /**
         * Looks at all pictures, those to measure on too, before any work: duplicates, leakage, too few, blank ones;
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

        /** @throws IllegalArgumentException naming every problem */
        public PatchCoreOptions build() {
            List<String> problems = new ArrayList<>();
            if (source == null) problems.add("no pictures to learn from");
            if (out == null) problems.add("no checkpoint file to write");
            if (bank < LEAST_BANK || bank > MOST_BANK)
                problems.add("the bank must have " + LEAST_BANK + ".." + MOST_BANK + " patches, got " + bank);
            if (candidates < bank) problems.add("a bank of " + bank + " patches cannot be chosen from " + candidates);
            if (threads < 0) problems.add("threads must not be negative, got " + threads);
            if (!problems.isEmpty()) throw new IllegalArgumentException("fit: " + String.join("; ", problems));
            return new PatchCoreOptions(this);
        }
    }
}
