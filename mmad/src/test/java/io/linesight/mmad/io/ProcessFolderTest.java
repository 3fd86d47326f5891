package io.linesight.mmad.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcessFolderTest {
    @TempDir
    Path dir;

    private Path left(String name) throws Exception {
        Path folder = Files.createDirectories(dir.resolve(name));
        Files.createFile(folder.resolve(".lock"));
        Files.createDirectory(folder.resolve("inner"));
        Files.write(folder.resolve("inner/file"), new byte[100]);
        return folder;
    }

    @Test
    void shouldDeleteWhatKilledProcessesHaveLeft() throws Exception {
        Path first = left("linesight-run-1");
        Path second = left("linesight-run-2");
        ProcessFolder.sweep(dir);
        assertThat(first).doesNotExist();
        assertThat(second).doesNotExist();
    }

    @Test
    void shouldKeepWhatLivesOrIsNotItsOwn() throws Exception {
        Path living = left("linesight-run-1");
        Path foreign = left("somebody-else");
        Path beingMade = Files.createDirectory(dir.resolve("linesight-run-2"));
        Path file = Files.createFile(dir.resolve("linesight-run-3"));
        try (FileChannel channel = FileChannel.open(living.resolve(".lock"), StandardOpenOption.WRITE);
                FileLock lock = channel.lock()) {
            ProcessFolder.sweep(dir);
            assertThat(lock.isValid()).isTrue();
        }
        assertThat(living).exists();
        assertThat(foreign).exists();
        assertThat(beingMade).exists();
        assertThat(file).exists();
    }

    @Test
    void shouldKeepItsOwnWhileTheProcessLives() throws Exception {
        Path own = ProcessFolder.make(dir);
        ProcessFolder.sweep(dir);
        assertThat(own.resolve(".lock")).exists();
        assertThat(ProcessFolder.get()).isEqualTo(ProcessFolder.get()).isDirectory();
        assertThat(ProcessFolder.create("x-").getParent()).isEqualTo(ProcessFolder.get());
    }

    @Test
    void shouldDoNothingWhereThereIsNoFolder() {
        ProcessFolder.sweep(dir.resolve("none"));
        assertThat(dir.resolve("none")).doesNotExist();
    }
}
