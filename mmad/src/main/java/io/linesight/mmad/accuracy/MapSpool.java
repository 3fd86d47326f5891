package io.linesight.mmad.accuracy;

import io.linesight.mmad.io.ProcessFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/**
 * Maps and masks of a class between the two passes that binning needs. The first few stay on the heap, the rest goes to
 * a temporary file: the thresholds depend on the extremes of all images, and a class may have gigabytes of maps.
 */
final class MapSpool implements AutoCloseable {
    /** Pixels of the maps on the heap: 64 maps of 256x256. */
    private static final int PIXELS_IN_MEMORY = 64 * 256 * 256;

    interface Visitor {
        void image(float[] map, byte @Nullable [] mask);
    }

    private final int pixels;
    private final int inMemory;
    private final float[][] maps;
    private final byte[][] masks;
    private int count;
    private FileChannel file;
    private ByteBuffer buffer;

    MapSpool(int pixels) {
        this.pixels = pixels;
        inMemory = Math.max(1, PIXELS_IN_MEMORY / pixels);
        maps = new float[inMemory][];
        masks = new byte[inMemory][];
    }

    void add(float[] map, byte @Nullable [] mask) {
        if (count < inMemory) {
            maps[count] = map.clone();
            masks[count++] = mask == null ? null : mask.clone();
            return;
        }
        try {
            if (file == null) {
                Path path = Files.createTempFile(ProcessFolder.get(), "maps-", ".tmp");
                file = FileChannel.open(
                        path, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.DELETE_ON_CLOSE);
                buffer = ByteBuffer.allocate(1 + 5 * pixels);
            }
            buffer.clear();
            buffer.put((byte) (mask == null ? 0 : 1));
            for (float v : map) buffer.putFloat(v);
            buffer.put(mask == null ? new byte[pixels] : mask);
            buffer.flip();
            while (buffer.hasRemaining()) file.write(buffer);
            count++;
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "cannot keep an anomaly map in a temporary file (is java.io.tmpdir full?)", e);
        }
    }

    void forEach(Visitor visitor) {
        for (int i = 0; i < Math.min(count, inMemory); i++) visitor.image(maps[i], masks[i]);
        if (file == null) return;
        try {
            long end = file.position();
            file.position(0);
            float[] map = new float[pixels];
            byte[] mask = new byte[pixels];
            for (int i = inMemory; i < count; i++) {
                buffer.clear();
                while (buffer.hasRemaining()) {
                    if (file.read(buffer) < 0) throw new IOException("the file ends early");
                }
                buffer.flip();
                boolean marked = buffer.get() != 0;
                for (int p = 0; p < pixels; p++) map[p] = buffer.getFloat();
                buffer.get(mask);
                visitor.image(map, marked ? mask : null);
            }
            file.position(end);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the anomaly maps back from their temporary file", e);
        }
    }

    @Override
    public void close() {
        if (file == null) return;
        try {
            file.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        file = null;
    }
}
