package io.linesight.trainer.folders;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Files by their folder and their name without extension: finds masks that lie beside their images. Immutable. */
final class Siblings {
    private final Map<String, List<Path>> byStem = new HashMap<>();

    Siblings(Collection<Path> files) {
        for (Path file : files)
            byStem.computeIfAbsent(key(file, Spelling.stem(file)), k -> new ArrayList<>(1))
                    .add(file);
    }

    private List<Path> of(Path neighbour, String stem) {
        return byStem.getOrDefault(key(neighbour, stem), List.of());
    }

    private static String key(Path file, String stem) {
        return file.getParent() + "/" + stem.toLowerCase(Locale.ROOT);
    }

    /** Whether a file is called as the mask of another one in its folder. */
    boolean isBesideItsImage(Path file) {
        String stem = Spelling.imageStemOf(file);
        return stem != null && !of(file, stem).isEmpty();
    }

    /** The mask beside an image, called with an ending. */
    @Nullable
    Path maskBeside(Path image) {
        for (String stem : Spelling.maskStemsBeside(image))
            for (Path mask : of(image, stem)) if (!mask.equals(image)) return mask;
        return null;
    }

    /** Whether a PNG beside a photograph of the same name is its mask, as some data sets have it. */
    boolean isTwin(Path file) {
        return Spelling.extension(file).equals("png")
                && of(file, Spelling.stem(file)).stream()
                        .anyMatch(f -> !Spelling.extension(f).equals("png")
                                && Spelling.stem(f).equals(Spelling.stem(file)));
    }

    @Nullable
    Path twinOf(Path image) {
        return of(image, Spelling.stem(image)).stream()
                .filter(f -> !f.equals(image) && Spelling.stem(f).equals(Spelling.stem(image)) && isTwin(f))
                .findFirst()
                .orElse(null);
    }
}
