package io.linesight.trainer.learning;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Reads the newest step from a run's metrics file. */
final class LatestStep {
    private static final ObjectMapper JSON = new ObjectMapper();
    /** A line has about 200 bytes. */
    private static final int TAIL = 4096;

    /**
     * @param number 0 for none yet
     * @param loss of the step's batch; NaN for none yet
     */
    record Step(long number, double loss) {
        static final Step NONE = new Step(0, Double.NaN);
    }

    private LatestStep() {}

    static Step last(Path file) {
        String text;
        try (FileChannel channel = FileChannel.open(file)) {
            ByteBuffer tail = ByteBuffer.allocate((int) Math.min(TAIL, channel.size()));
            channel.position(channel.size() - tail.capacity());
            while (tail.hasRemaining() && channel.read(tail) >= 0) {}
            text = new String(tail.array(), 0, tail.position(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return Step.NONE; // no step yet, or the run is being removed
        }
        int end = text.lastIndexOf('\n');
        if (end < 0) return Step.NONE;
        String line = text.substring(text.lastIndexOf('\n', end - 1) + 1, end);
        try {
            JsonNode step = JSON.readTree(line);
            return new Step(step.path("step").asLong(), step.path("loss").asDouble(Double.NaN));
        } catch (IOException e) {
            return Step.NONE; // the tail starts inside a line that is longer than it
        }
    }
}
