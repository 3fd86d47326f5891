package io.linesight.demo.line;

import java.nio.file.Path;
import java.util.Map;

/**
 * How a line in this process runs.
 *
 * @param folder for the broker's data and the app's state
 * @param model checkpoint
 * @param port of the broker; 0 for any free one
 * @param registryPort of the registry; 0 for any free one
 * @param app further settings of the inspection app; it follows rollouts when they name trusted keys
 */
public record LineOptions(Path folder, Path model, int port, int registryPort, Map<String, String> app) {
    /** The same with other settings of the inspection app. */
    public LineOptions withApp(Map<String, String> settings) {
        return new LineOptions(folder, model, port, registryPort, settings);
    }
}
