package io.linesight.mmad.statedict;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Bytes of a pickle, with their number known: a length inside it that goes beyond is rejected before anything is
 * allocated.
 */
final class PickleInput {
    private static final int LONGEST_LINE = 1000;

    private final Path path;
    private final InputStream in;
    private final long size;
    private long position;

    PickleInput(Path path, InputStream in, long size) {
        this.path = path;
        this.in = in;
        this.size = size;
    }

    /** Bytes from where it was opened to the end of the file. */
    long size() {
        return size;
    }

    long position() {
        return position;
    }

    int u8() throws IOException {
        int b = position < size ? in.read() : -1;
        if (b < 0) throw StoredFile.truncated(path);
        position++;
        return b;
    }

    /** Unsigned little-endian number of up to 8 bytes. */
    long number(int bytes) throws IOException {
        long v = 0;
        for (int i = 0; i < bytes; i++) v |= (long) u8() << 8 * i;
        return v;
    }

    byte[] bytes(long length) throws IOException {
        if (length < 0 || length > size - position || length > Integer.MAX_VALUE - 8) throw StoredFile.truncated(path);
        byte[] b = in.readNBytes((int) length);
        position += b.length;
        if (b.length < length) throw StoredFile.truncated(path);
        return b;
    }

    String text(long length) throws IOException {
        return new String(bytes(length), StandardCharsets.UTF_8);
    }

    String line() throws IOException {
        StringBuilder s = new StringBuilder();
        for (int c = u8(); c != '\n'; c = u8()) {
            if (s.length() == LONGEST_LINE)
                throw new StateDictException(
                        path + " has an absurdly long name in its pickle; it is damaged or hostile");
            s.append((char) c);
        }
        return s.toString();
    }
}
