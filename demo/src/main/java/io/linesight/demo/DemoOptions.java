package io.linesight.demo;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/**
 * How a demo runs.
 *
 * @param folder where data, log and pictures go
 * @param model checkpoint
 * @param duration how long the cameras run; null until stopped
 * @param cameras simulated cameras, each with the next product
 * @param fps frames a second and camera; null to find out what the machine scores
 * @param seed of the simulated line
 * @param defectRate fraction of defective parts
 * @param hostileSeconds a broken frame is thrown in so often; 0 for never
 * @param pictures most heatmap pictures
 * @param port of the broker, 0 for any
 * @param registryPort of the registry, 0 for any
 * @param terminal whether the table may be redrawn in place
 * @param app further settings of the inspection app
 */
public record DemoOptions(
        Path folder,
        Path model,
        Duration duration,
        int cameras,
        Double fps,
        long seed,
        double defectRate,
        int hostileSeconds,
        int pictures,
        int port,
        int registryPort,
        boolean terminal,
        Map<String, String> app) {}
