package io.linesight.trainer.imagestore;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.OpenOption;
import java.nio.file.Path;

/** How files are opened for writing; tests make disks fill up. */
interface Disk {
    Disk REAL = FileChannel::open;

    SeekableByteChannel open(Path file, OpenOption... options) throws IOException;

    /** Returns when what was written would survive a power cut. */
    static void force(SeekableByteChannel channel) throws IOException {
        if (channel instanceof FileChannel file) file.force(true);
    }
}
