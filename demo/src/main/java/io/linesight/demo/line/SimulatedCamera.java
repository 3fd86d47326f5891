package io.linesight.demo.line;

import io.linesight.cameras.Camera;
import io.linesight.cameras.CameraShot;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.schemas.FrameEncoding;
import io.linesight.simulator.SimulatedFrame;
import io.linesight.simulator.SimulatedLine;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * A camera over the simulated line. Its n-th frame is {@code line.frame(index, n)}, so the ground truth can be rendered
 * again from the sequence.
 */
public final class SimulatedCamera implements Camera {
    private final SimulatedLine line;
    private final int index;
    private long sequence;

    public SimulatedCamera(SimulatedLine line, int index) {
        this.line = line;
        this.index = index;
    }

    /** The first {@code count} cameras of the line. */
    public static List<SimulatedCamera> of(SimulatedLine line, int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> new SimulatedCamera(line, i))
                .toList();
    }

    @Override
    public String id() {
        return "camera-" + (index + 1);
    }

    @Override
    public Optional<CameraShot> next() {
        SimulatedFrame frame = line.frame(index, sequence++);
        Instant capturedAt = Instant.now();
        byte[] jpeg = ImageCodec.encodeJpeg(frame.image(), SimulatedFrame.JPEG_QUALITY);
        return Optional.of(new CameraShot(
                frame.product(),
                capturedAt,
                FrameEncoding.JPEG,
                frame.image().width(),
                frame.image().height(),
                jpeg,
                Map.of(
                        CameraShot.TRUTH_ANOMALOUS,
                        Boolean.toString(frame.anomalous()),
                        CameraShot.TRUTH_DEFECT,
                        frame.defect())));
    }
}
