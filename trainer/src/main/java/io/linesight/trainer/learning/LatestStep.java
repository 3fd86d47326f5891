package io.linesight.trainer.learning;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

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

    /**
     * A run's steps.
     *
     * @param losses of all steps, evenly thinned
     */
    record Curve(Step last, List<Float> losses) {}

    /** Reads the losses of all steps. */
    static Curve curve(Path file, int atMost) {
        List<Float> losses = new ArrayList<>();
        Step last = Step.NONE;
        try (Stream<String> lines = Files.lines(file)) {
            for (String line : (Iterable<String>) lines::iterator) {
                Step step = parsed(line);
                if (step.number() == 0) continue;
                last = step;
                if (Double.isFinite(step.loss())) losses.add((float) step.loss());
            }
        } catch (IOException | UncheckedIOException e) {
            // no step yet, or the run is being removed
        }
        return new Curve(last, thinned(losses, atMost));
    }

    private static List<Float> thinned(List<Float> all, int atMost) {
        if (all.size() <= atMost) return all;
        List<Float> some = new ArrayList<>();
        for (int i = 0; i < atMost; i++) some.add(all.get((int) ((long) i * (all.size() - 1) / (atMost - 1))));
        return some;
    }

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
        return parsed(text.substring(text.lastIndexOf('\n', end - 1) + 1, end));
    }

    private static Step parsed(String line) {
        try {
            JsonNode step = JSON.readTree(line);
            return new Step(step.path("step").asLong(), step.path("loss").asDouble(Double.NaN));
        } catch (IOException e) {
            return Step.NONE; // the tail starts inside a line that is longer than it
        }
    }
}
