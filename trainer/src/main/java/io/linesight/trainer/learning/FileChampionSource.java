package io.linesight.trainer.learning;

import io.linesight.mmad.checkpoint.Checkpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** A file is the champion of every channel; replacing it changes the champion. */
public final class FileChampionSource implements ChampionSource {
    private final Path file;

    public FileChampionSource(Path file) {
        this.file = file;
    }

    @Override
    public Optional<Champion> current(String channel) throws IOException {
        return Files.isRegularFile(file)
                ? Optional.of(new Champion(Checkpoint.read(file).info().version(), file))
                : Optional.empty();
    }
}
