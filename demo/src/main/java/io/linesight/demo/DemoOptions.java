package io.linesight.demo;

import io.linesight.demo.line.LineOptions;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How a demo runs.
 *
 * @param duration how long the cameras run; null until {@link Demo#stop}
 * @param hostileSeconds seconds between two broken frames; 0 for none
 * @param maxImages maximum number of heatmap images; 0 for none
 * @param terminal whether the table may be redrawn in place
 */
public record DemoOptions(
        LineOptions line,
        Simulation simulation,
        @Nullable Duration duration,
        int hostileSeconds,
        int maxImages,
        boolean terminal) {}
