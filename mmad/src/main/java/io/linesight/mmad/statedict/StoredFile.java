package io.linesight.mmad.statedict;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/** An open file; nothing is read beyond the size it had when it was opened. */
final class StoredFile {
    private final Path path;
    private final FileChannel channel;
    private final long size;

    StoredFile(Path path, FileChannel channel) throws IOException {
        this.path = path;
        this.channel = channel;
        this.size = channel.size();
    }

    Path path() {
        return path;
    }

    long size() {
        return size;
    }

    byte[] bytes(long position, int length) throws IOException {
        return buffer(position, length).array();
    }

    /** @throws StateDictException when the file ends before */
    ByteBuffer buffer(long position, long length) throws IOException {
        if (position < 0 || length < 0 || length > size - position) throw truncated(path);
        if (length > Integer.MAX_VALUE - 8)
            throw new StateDictException(path + " has a tensor of " + length + " bytes; less than 2 GB are read here");
        ByteBuffer buffer = ByteBuffer.allocate((int) length).order(ByteOrder.LITTLE_ENDIAN);
        while (buffer.hasRemaining()) if (channel.read(buffer, position + buffer.position()) < 0) throw truncated(path);
        return buffer.flip();
    }

    PickleInput input(long position) throws IOException {
        channel.position(position);
        return new PickleInput(
                path, new BufferedInputStream(Channels.newInputStream(channel), 1 << 16), size - position);
    }

    static StateDictException truncated(Path path) {
        return new StateDictException(
                path + " is truncated: it ends in the middle of what it holds; copy or download it again");
    }
}
