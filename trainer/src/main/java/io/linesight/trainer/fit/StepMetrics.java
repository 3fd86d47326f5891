package io.linesight.trainer.fit;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * One JSON line per step. A resumed run cuts off what was written after it was saved, so that every step is there once.
 */
final class StepMetrics implements AutoCloseable {
    private final FileChannel channel;

    private StepMetrics(FileChannel channel) {
        this.channel = channel;
    }

    /** @param keep bytes of an existing file that stay */
    static StepMetrics open(Path file, long keep) throws IOException {
        FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        channel.truncate(keep);
        channel.position(channel.size());
        return new StepMetrics(channel);
    }

    /** @throws IOException when there is no room; no part of the line is left then */
    void write(String line) throws IOException {
        long before = channel.position();
        try {
            ByteBuffer bytes = ByteBuffer.wrap((line + System.lineSeparator()).getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) channel.write(bytes);
        } catch (IOException e) {
            channel.truncate(before);
            throw e;
        }
    }

    /** Length of the file, of which all would survive a power cut. */
    long saved() throws IOException {
        channel.force(false);
        return channel.position();
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
