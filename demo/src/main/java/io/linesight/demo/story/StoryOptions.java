package io.linesight.demo.story;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/**
 * How the story goes.
 *
 * @param folder where everything goes
 * @param model checkpoint that the line begins with
 * @param cameras simulated cameras, each with the next product; at least 2, for the second gets another lamp
 * @param fps frames a second and camera
 * @param seed of the simulated line
 * @param defectRate fraction of defective parts
 * @param quiet how long the line is watched before the lamp is replaced, and after the last promotion
 * @param labels good parts that the operator labels before the trainer begins
 * @param earlier good pictures per product that are on file from before; a fifth as many defective ones besides
 * @param epochs how often the trainer goes through its pictures
 * @param shadowFrames frames of the second camera that both models have to have scored before a decision
 * @param canaryFrames frames of the second camera that the challenger has to have decided before a decision
 * @param port of the broker, 0 for any
 * @param registryPort of the registry, 0 for any
 * @param app further settings of the inspection app
 */
public record StoryOptions(
        Path folder,
        Path model,
        int cameras,
        double fps,
        long seed,
        double defectRate,
        Duration quiet,
        int labels,
        int earlier,
        int epochs,
        int shadowFrames,
        int canaryFrames,
        int port,
        int registryPort,
        Map<String, String> app) {}
