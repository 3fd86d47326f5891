package io.linesight.mmad.score;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.runtime.ModelLoadException;
import io.linesight.mmad.runtime.ScoringException;
import java.util.ArrayList;
import java.util.List;

/**
 * Whether a loaded model can be trusted with frames: it scores a few synthetic images, the same in every program and on
 * every machine, twice alone and once in a batch. All answers must be finite and of the right shape. Those of an image
 * alone must be equal to within {@value #REPEATABLE}, those alone and in a batch to within {@value #BATCH_NOISE},
 * absolutely for values up to 1 and relatively above. A checkpoint that carries {@link #PROPERTY} must also give the
 * raw scores that its maker saw.
 *
 * <p>Stateless.
 */
public final class SelfTest {

    /** Metadata property: {@code {"frames":1,"raw":[...],"tolerance":0.05}}; see {@link #expected}. */
    public static final String PROPERTY = "linesight.selftest";

    private static final double REPEATABLE = 1e-4;
    /**
     * Matrix kernels add up in another order for another batch, and a whitened map amplifies that: 4e-6 with the
     * bundled demo model, just over 1e-4 with a challenger that was trained for seconds. What leaks from one image into
     * another is of the size of the maps themselves.
     */
    private static final double BATCH_NOISE = 1e-3;
    /**
     * Room for another device, another number of threads and another implementation of the scan: a share of the score.
     */
    private static final double TOLERANCE = 0.05;
    /** Scores below this count as this large when a share of them is taken. */
    private static final double SMALL = 0.1;
    /** Which images; counts up when they change. */
    private static final int EDITION = 1;

    private static final int SIDE = MmadConfig.INPUT_SIZE;
    private static final int PIXELS = SIDE * SIDE;
    private static final ObjectMapper JSON = new ObjectMapper();

    private SelfTest() {}

    /** The images, as {@link Scorer#score} takes them: a ramp, a checkerboard, noise, and stripes with a spot. */
    public static List<byte[]> frames() {
        List<byte[]> frames = new ArrayList<>();
        for (int kind = 0; kind < 4; kind++) frames.add(frame(kind));
        return frames;
    }

    private static byte[] frame(int kind) {
        byte[] frame = new byte[3 * PIXELS];
        int noise = 12345;
        for (int i = 0; i < frame.length; i++) {
            int channel = i / PIXELS;
            int y = i % PIXELS / SIDE;
            int x = i % SIDE;
            noise = noise * 1_103_515_245 + 12_345;
            int value =
                    switch (kind) {
                        case 0 -> (x + y * (channel + 1)) / 4;
                        case 1 -> ((x >> 4) + (y >> 4)) % 2 == 0 ? 60 + 20 * channel : 190;
                        case 2 -> (noise >>> 16 & 0x7f) + 64;
                        default -> (x - 150) * (x - 150) + (y - 90) * (y - 90) < 400 ? 250 : 100 + (x / 8 % 2) * 50;
                    };
            frame[i] = (byte) Math.min(255, value);
        }
        return frame;
    }

    /** The value of {@link #PROPERTY} for a model that works as it should. */
    public static String expected(Scorer scorer) {
        ObjectNode root = JSON.createObjectNode().put("frames", EDITION).put("tolerance", TOLERANCE);
        ArrayNode raw = root.putArray("raw");
        for (byte[] frame : frames()) raw.add(scorer.score(List.of(frame)).raw()[0]);
        return root.toString();
    }

    /** @throws ModelLoadException saying what the model did wrong */
    public static void check(Scorer scorer) {
        List<byte[]> frames = frames();
        try {
            Scores together = scored(scorer, frames);
            for (int i = 0; i < frames.size(); i++) {
                Scores first = scored(scorer, List.of(frames.get(i)));
                Scores second = scored(scorer, List.of(frames.get(i)));
                same("twice", i, first, 0, second, 0, REPEATABLE);
                same("alone and in a batch", i, first, 0, together, i, BATCH_NOISE);
            }
            compare(scorer.info().properties().get(PROPERTY), together.raw());
        } catch (ModelLoadException e) {
            throw e;
        } catch (ScoringException e) {
            throw new ModelLoadException("it failed its self-test: it cannot score: " + e.getMessage(), e);
        }
    }

    private static Scores scored(Scorer scorer, List<byte[]> frames) {
        Scores scores = scorer.score(frames);
        if (scores.count() != frames.size()
                || scores.raw().length != frames.size()
                || scores.size() != SIDE
                || scores.maps().length != frames.size() * PIXELS) {
            throw failed("it answers " + frames.size() + " images with " + scores.raw().length + " scores and "
                    + scores.maps().length + " map values; maps are " + SIDE + "x" + SIDE);
        }
        for (float raw : scores.raw()) if (!Float.isFinite(raw)) throw failed("it gives an image the score " + raw);
        for (float value : scores.maps()) if (!Float.isFinite(value)) throw failed("its map has the value " + value);
        return scores;
    }

    private static void same(String how, int frame, Scores a, int atA, Scores b, int atB, double tolerance) {
        near("scored " + how + ", image " + frame + " gets", a.raw()[atA], b.raw()[atB], tolerance, 1);
        for (int i = 0; i < PIXELS; i++) {
            float x = a.maps()[atA * PIXELS + i];
            float y = b.maps()[atB * PIXELS + i];
            if (Math.abs(x - y) > tolerance * Math.max(1, Math.abs(x)))
                near("scored " + how + ", the map of image " + frame + " has", x, y, tolerance, 1);
        }
    }

    private static void compare(String expected, float[] raw) {
        if (expected == null) return;
        JsonNode root;
        try {
            root = JSON.readTree(expected);
        } catch (JsonProcessingException e) {
            throw failed("its property " + PROPERTY + " cannot be read: " + e.getOriginalMessage());
        }
        if (root.path("frames").asInt(EDITION) != EDITION) return; // of other images than ours; the other checks stand
        JsonNode values = root.path("raw");
        double tolerance = root.path("tolerance").asDouble(TOLERANCE);
        if (!values.isArray() || values.size() != raw.length || !(tolerance >= 0))
            throw failed("its property " + PROPERTY + " is not an expectation of " + raw.length + " scores");
        for (int i = 0; i < raw.length; i++)
            near(
                    "image " + i + " should get the score its maker saw, but gets",
                    values.get(i).floatValue(),
                    raw[i],
                    tolerance,
                    SMALL);
    }

    private static void near(String what, float a, float b, double tolerance, double floor) {
        if (!(Math.abs(a - b) <= tolerance * Math.max(floor, Math.abs(a)))) throw failed(what + " " + a + " and " + b);
    }

    private static ModelLoadException failed(String why) {
        return new ModelLoadException("it failed its self-test: " + why);
    }
}
