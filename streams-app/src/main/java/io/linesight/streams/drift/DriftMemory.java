package io.linesight.streams.drift;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is remembered of a camera and product beside the last frames: the sketches of the open window, the first days,
 * and what has drifted. A plain structure; {@link DriftMonitor} alone changes it.
 */
final class DriftMemory {
    private static final byte FORMAT = 1;
    /** Place of the scores against the checkpoint's normals, behind those of the measures. */
    static final int NORMALS = Measure.COUNT;

    private static final int MAX_SKETCH_BYTES = 10_000;

    final List<Sketch> window = new ArrayList<>();
    final List<Track> tracks = new ArrayList<>();

    @Nullable
    Baseline images;

    @Nullable
    Baseline scores;
    /** Of the model before: a rollback finds its first day again. */
    @Nullable
    Baseline scoresBefore;

    DriftMemory() {
        for (int i = 0; i < Measure.COUNT; i++) window.add(new Sketch());
        for (int i = 0; i <= Measure.COUNT; i++) tracks.add(new Track());
    }

    boolean drifted() {
        return tracks.stream().anyMatch(t -> t.drifted);
    }

    void clearWindow() {
        for (int i = 0; i < Measure.COUNT; i++) window.set(i, new Sketch());
    }

    byte[] toBytes() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(4_096);
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeByte(FORMAT);
            for (Sketch s : window) write(out, s);
            for (Track t : tracks) {
                out.writeInt(t.out);
                out.writeInt(t.back);
                out.writeBoolean(t.drifted);
            }
            write(out, images);
            write(out, scores);
            write(out, scoresBefore);
        } catch (IOException e) {
            throw new UncheckedIOException(e); // nothing of it can fail
        }
        return bytes.toByteArray();
    }

    private static void write(DataOutputStream out, Sketch sketch) throws IOException {
        byte[] bytes = sketch.toBytes();
        out.writeShort(bytes.length);
        out.write(bytes);
    }

    private static void write(DataOutputStream out, @Nullable Baseline b) throws IOException {
        out.writeBoolean(b != null);
        if (b == null) return;
        out.writeUTF(b.model);
        out.writeLong(b.start);
        out.writeBoolean(b.complete);
        out.writeByte(b.sketches.size());
        for (Sketch s : b.sketches) write(out, s);
    }

    /** @throws IllegalArgumentException for bytes that are no memory */
    static DriftMemory of(byte @Nullable [] bytes) {
        DriftMemory m = new DriftMemory();
        if (bytes == null) return m;
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
            if (in.readByte() != FORMAT) throw new IOException("another format");
            for (int i = 0; i < Measure.COUNT; i++) m.window.set(i, readSketch(in));
            for (Track t : m.tracks) {
                t.out = in.readInt();
                t.back = in.readInt();
                t.drifted = in.readBoolean();
            }
            m.images = readBaseline(in, Measure.COUNT - 1);
            m.scores = readBaseline(in, 1);
            m.scoresBefore = readBaseline(in, 1);
            return m;
        } catch (IOException e) {
            throw new IllegalArgumentException("distributions cannot be read", e);
        }
    }

    private static Sketch readSketch(DataInputStream in) throws IOException {
        int length = in.readShort();
        if (length < 0 || length > MAX_SKETCH_BYTES) throw new IOException("a sketch of " + length + " bytes");
        byte[] bytes = new byte[length];
        in.readFully(bytes);
        return new Sketch(bytes);
    }

    private static @Nullable Baseline readBaseline(DataInputStream in, int measures) throws IOException {
        if (!in.readBoolean()) return null;
        Baseline b = new Baseline(in.readUTF(), in.readLong(), new ArrayList<>());
        b.complete = in.readBoolean();
        if (in.readByte() != measures) throw new IOException("another number of measures");
        for (int i = 0; i < measures; i++) b.sketches.add(readSketch(in));
        return b;
    }
}
