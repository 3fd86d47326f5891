package io.linesight.trainer.patchcore;

import io.linesight.mmad.encoder.Encoder;
import io.linesight.trainer.calibration.CalibrationRule;
import io.linesight.trainer.dataset.ImageRules;
import io.linesight.trainer.dataset.ViewOptions;
import io.linesight.trainer.fit.FitOptions;
import io.linesight.trainer.folders.ImageSource;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What to fit. Immutable; checked as a whole by {@link #validate}, which {@link PatchCoreFit#run} calls.
 *
 * @param source images to learn from; needed to fit, options can be validated without
 * @param encoder frozen; null = the filter bank
 * @param recipe the paper's score is the largest distance, reweighted; the preset's is steadier
 * @param views regions of interest and tiles
 * @param calibration what the thresholds are to hold
 * @param threads CPU threads; 0 = all processors
 */
public record PatchCoreOptions(
        @Nullable ImageSource source,
        ImageRules rules,
        @Nullable Encoder encoder,
        FitOptions.Recipe recipe,
        Bank bank,
        ViewOptions views,
        CalibrationRule calibration,
        int threads,
        Output output) {
    /** Images looked at as a whole. */
    public PatchCoreOptions(
            @Nullable ImageSource source,
            ImageRules rules,
            @Nullable Encoder encoder,
            FitOptions.Recipe recipe,
            Bank bank,
            CalibrationRule calibration,
            int threads,
            Output output) {
        this(source, rules, encoder, recipe, bank, ViewOptions.WHOLE, calibration, threads, output);
    }

    /** Patches in the bank unless told otherwise, and the fewest and most that it may have. */
    public static final int BANK = 4000;

    public static final int MIN_BANK = 64;
    public static final int MAX_BANK = 50_000;

    /**
     * How the bank is chosen.
     *
     * @param size patches, all categories together; time per frame grows with it. Fewer when there are no more
     * @param candidates patches that the bank is chosen from, all categories together, drawn at random from the images'
     *     1,024 each
     * @param seed of every draw; the same seed and images give the same bank
     */
    public record Bank(int size, int candidates, long seed) {
        /** A bank from the usual number of candidates. */
        public static Bank of(int size, long seed) {
            return new Bank(size, 200_000, seed);
        }
    }

    /**
     * What is written.
     *
     * @param checkpoint file to write; replaced when it exists
     * @param workDir existing folder for the temporary files of frames (192 KiB an image) and candidates (3 KB each
     *     with a MobileNet); null = the system's
     * @param command the command line, for the checkpoint's provenance
     * @param progress a live bar on a terminal, plain lines otherwise
     */
    public record Output(Path checkpoint, @Nullable Path workDir, String command, PrintStream progress) {}

    /**
     * Names problems as {@code linesight fit} spells the options.
     *
     * @throws IllegalArgumentException naming every problem
     */
    public void validate() {
        List<String> problems = new ArrayList<>();
        if (bank.size < MIN_BANK || bank.size > MAX_BANK)
            problems.add("--bank must be " + MIN_BANK + ".." + MAX_BANK + ", got " + bank.size);
        if (bank.candidates < bank.size)
            problems.add("a bank of " + bank.size + " patches cannot be chosen from " + bank.candidates);
        problems.addAll(views.problems());
        if (recipe == FitOptions.Recipe.PAPER && !views.isWhole())
            problems.add("--recipe paper looks at whole images: leave --roi and --tiles out");
        if (threads < 0) problems.add("--threads must not be negative, got " + threads);
        if (!problems.isEmpty()) throw new IllegalArgumentException("fit: " + String.join("; ", problems));
    }
}
