package io.linesight.trainer.retrieval;

import io.linesight.mmad.encoder.Encoder;
import io.linesight.trainer.calibration.CalibrationRule;
import io.linesight.trainer.dataset.ImageRules;
import io.linesight.trainer.dataset.ViewOptions;
import io.linesight.trainer.folders.ImageSource;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What to fit. Immutable; checked as a whole by {@link #validate}, which {@link RetrievalFit#run} calls.
 *
 * @param source images to learn from; needed to fit, options can be validated without
 * @param encoder frozen; null = the filter bank
 * @param views regions of interest and tiles
 * @param groupBy which images belong together, for the thresholds
 * @param calibration what the thresholds are to hold
 * @param threads CPU threads; 0 = all processors
 */
public record RetrievalOptions(
        @Nullable ImageSource source,
        ImageRules rules,
        @Nullable Encoder encoder,
        Memory memory,
        ViewOptions views,
        GroupBy groupBy,
        CalibrationRule calibration,
        int threads,
        Output output) {
    /** Images looked at as a whole, grouped automatically. */
    public RetrievalOptions(
            @Nullable ImageSource source,
            ImageRules rules,
            @Nullable Encoder encoder,
            Memory memory,
            CalibrationRule calibration,
            int threads,
            Output output) {
        this(source, rules, encoder, memory, ViewOptions.WHOLE, GroupBy.AUTOMATIC, calibration, threads, output);
    }

    /** Images remembered of a product unless told otherwise, and the most that may be asked for. */
    public static final int IMAGES = 500;

    public static final int MAX_IMAGES = 50_000;
    /** Images that a frame is compared with unless told otherwise, and the most that may be asked for. */
    public static final int NEIGHBOURS = 50;

    public static final int MAX_NEIGHBOURS = 1000;
    /** Fewest dimensions that patches may be projected to. */
    public static final int MIN_DIMENSIONS = 8;

    /**
     * What is remembered.
     *
     * @param images of a product, at most; the choice leaves the most alike ones out
     * @param neighbours images that a frame is compared with; time per frame grows with it
     * @param dimensions that the encoder's channels are projected to; 0 keeps all of them
     * @param seed of the choice; the same seed and images give the same memory
     */
    public record Memory(int images, int neighbours, int dimensions, long seed) {
        /** The usual memory. */
        public static Memory defaults(long seed) {
            return new Memory(IMAGES, NEIGHBOURS, 0, seed);
        }
    }

    /**
     * What is written.
     *
     * @param checkpoint file to write; replaced when it exists
     * @param workDir existing folder for the temporary file of frames (192 KiB an image); null = the system's
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
        if (memory.images < 1 || memory.images > MAX_IMAGES)
            problems.add("--memory-images must be 1.." + MAX_IMAGES + ", got " + memory.images);
        if (memory.neighbours < 1 || memory.neighbours > MAX_NEIGHBOURS)
            problems.add("--neighbours must be 1.." + MAX_NEIGHBOURS + ", got " + memory.neighbours);
        if (memory.dimensions != 0 && memory.dimensions < MIN_DIMENSIONS)
            problems.add("--memory-dimensions must be 0 or " + MIN_DIMENSIONS + " or more, got " + memory.dimensions);
        problems.addAll(views.problems());
        if (threads < 0) problems.add("--threads must not be negative, got " + threads);
        if (!problems.isEmpty()) throw new IllegalArgumentException("fit: " + String.join("; ", problems));
    }
}
