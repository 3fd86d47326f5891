package io.linesight.streams.drift;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The window that is open, and its last frames one by one: written with every frame, so it is small. When it is full
 * the sketches take its frames, which costs some hundred times as much.
 */
final class WindowBuffer {
    /** Frames until it is full. */
    static final int CAPACITY = 32;

    private static final byte FORMAT = 1;
    private static final int FRAME_BYTES = Float.BYTES * Measure.COUNT;
    private static final int HEAD_BYTES = 1 + 1 + 3 * Long.BYTES + Short.BYTES;

    /** When the window began, in microseconds since 1970. */
    long start;

    long end;
    /** Of the window, with those that the sketches have. */
    long frames;

    String model = "";
    /** Frames in {@link #values}. */
    int count;

    final float[] values = new float[CAPACITY * Measure.COUNT];

    /** @throws IllegalArgumentException for bytes that are no window */
    static WindowBuffer of(byte @Nullable [] bytes) {
        WindowBuffer w = new WindowBuffer();
        if (bytes == null) return w;
        if (bytes.length < HEAD_BYTES || bytes[0] != FORMAT) throw unreadable();
        ByteBuffer in = ByteBuffer.wrap(bytes, 1, bytes.length - 1);
        w.count = in.get();
        w.start = in.getLong();
        w.end = in.getLong();
        w.frames = in.getLong();
        int modelBytes = in.getShort();
        if (w.count < 0 || w.count > CAPACITY || modelBytes < 0) throw unreadable();
        if (in.remaining() != modelBytes + w.count * FRAME_BYTES) throw unreadable();
        w.model = new String(bytes, in.position(), modelBytes, StandardCharsets.UTF_8);
        in.position(in.position() + modelBytes).slice().asFloatBuffer().get(w.values, 0, w.count * Measure.COUNT);
        return w;
    }

    private static IllegalArgumentException unreadable() {
        return new IllegalArgumentException("a window of frames cannot be read");
    }

    byte[] toBytes() {
        byte[] name = model.getBytes(StandardCharsets.UTF_8);
        if (name.length > Short.MAX_VALUE) name = Arrays.copyOf(name, Short.MAX_VALUE);
        ByteBuffer out = ByteBuffer.allocate(HEAD_BYTES + name.length + count * FRAME_BYTES);
        out.put(FORMAT).put((byte) count).putLong(start).putLong(end).putLong(frames);
        out.putShort((short) name.length).put(name);
        out.slice().asFloatBuffer().put(values, 0, count * Measure.COUNT);
        return out.array();
    }

    void add(Sample sample) {
        for (Measure m : Measure.values()) values[count * Measure.COUNT + m.ordinal()] = sample.value(m);
        count++;
        frames++;
        end = sample.capturedAt();
    }

    float value(int frame, Measure measure) {
        return values[frame * Measure.COUNT + measure.ordinal()];
    }
}
