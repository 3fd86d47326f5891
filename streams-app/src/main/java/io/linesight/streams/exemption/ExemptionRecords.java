package io.linesight.streams.exemption;

import io.linesight.mmad.exemption.ExemptCell;
import io.linesight.mmad.exemption.FalseAlarm;
import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.ExemptedCell;
import io.linesight.schemas.Exemption;
import io.linesight.schemas.ExemptionState;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.topics.FrameKeys;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** Exemptions as records. Stateless, thread-safe. */
public final class ExemptionRecords {
    private ExemptionRecords() {}

    /** Key of a record: {@code <channel>/<product>/<frame>}. */
    public static String key(Exemption e) {
        return e.getChannel() + "/" + e.getProduct() + "/" + FrameKeys.of(e.getFrameRef());
    }

    /**
     * A record of a false alarm.
     *
     * @param frame of the place {@code ref}
     * @param seen what the model made of it
     */
    static Exemption active(
            String channel, FrameRef ref, CameraFrame frame, SeenFrame seen, FalseAlarm alarm, Word word) {
        List<ExemptedCell> cells = new ArrayList<>();
        for (ExemptCell c : alarm.cells())
            cells.add(new ExemptedCell(c.stride(), c.x(), c.y(), c.hot(), c.radius(), ByteBuffer.wrap(c.feature())));
        return Exemption.newBuilder()
                .setChannel(channel)
                .setProduct(Objects.requireNonNullElse(frame.getProduct(), ""))
                .setFrameRef(ref)
                .setFrameId(frame.getFrameId())
                .setCameraId(frame.getCameraId())
                .setState(ExemptionState.ACTIVE)
                .setEncoderSha256(ExemptionBook.encoder(seen.model()))
                .setModelVersion(seen.model().version())
                .setRawScore(seen.raw())
                .setThreshold((float) seen.threshold())
                .setCells(cells)
                .setBy(word.by())
                .setReason(word.reason())
                .setAt(now())
                .build();
    }

    /** The record that takes an exemption back. */
    public static Exemption removed(Exemption e, Word word, boolean automatic) {
        return Exemption.newBuilder(e)
                .setState(ExemptionState.REMOVED)
                .setCells(List.of())
                .setBy(word.by())
                .setAutomatic(automatic)
                .setReason(word.reason())
                .setAt(now())
                .build();
    }

    /**
     * What of it is compared with frames.
     *
     * @throws IllegalArgumentException saying what is wrong with it
     */
    static FalseAlarm alarm(Exemption e) {
        List<ExemptCell> cells = new ArrayList<>();
        for (ExemptedCell c : e.getCells()) {
            ByteBuffer feature = c.getFeature();
            byte[] bytes = new byte[feature.remaining()];
            feature.duplicate().get(bytes);
            cells.add(new ExemptCell(c.getStride(), c.getX(), c.getY(), c.getHot(), c.getRadius(), bytes));
        }
        return new FalseAlarm(FrameKeys.of(e.getFrameRef()), cells);
    }

    /** The contract has microseconds; what is read back should equal what was written. */
    private static Instant now() {
        return Instant.now().truncatedTo(ChronoUnit.MICROS);
    }

    /**
     * Who said what.
     *
     * @param by name of a person, or of a program
     * @param reason may be empty
     */
    public record Word(String by, String reason) {}
}
