package io.linesight.demo.story;

import io.linesight.demo.Simulation;
import io.linesight.demo.line.LineOptions;
import java.time.Duration;

/**
 * How the story goes.
 *
 * @param simulation at least 2 cameras, because the second gets another lamp; its {@code fps} must be given
 * @param quiet how long the line is watched before the lamp is replaced, and after the last promotion
 */
public record StoryOptions(LineOptions line, Simulation simulation, Duration quiet, Training training, Trial trial) {
    /**
     * How the trainer learns.
     *
     * @param labels good parts that the operator labels before the trainer begins
     * @param imagesOnFile good images per product from before; a fifth as many defective ones besides
     * @param epochs passes of the trainer over its images
     */
    public record Training(int labels, int imagesOnFile, int epochs) {}

    /**
     * How much is seen of a challenger before a decision.
     *
     * @param shadowFrames frames of the second camera that both models have scored
     * @param canaryFrames frames of the second camera that the challenger has decided
     */
    public record Trial(int shadowFrames, int canaryFrames) {}
}
