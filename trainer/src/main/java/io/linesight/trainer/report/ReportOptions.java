package io.linesight.trainer.report;

import io.linesight.trainer.folders.DatasetLayout;
import java.nio.file.Path;
import java.time.ZonedDateTime;
import java.util.List;

/**
 * What goes into a report besides the figures.
 *
 * @param folder where it is written; made when absent
 * @param gallery images shown per category, 0..{@value #MAX_IMAGES}
 * @param layout how the images lie
 * @param notes what was noticed while the images were looked for
 * @param command what was typed
 * @param at when it was measured
 */
public record ReportOptions(
        Path folder, int gallery, DatasetLayout layout, List<String> notes, String command, ZonedDateTime at) {
    /** Thumbnails are held in memory, about 50 kB an image. */
    public static final int MAX_IMAGES = 200;

    public ReportOptions {
        if (folder == null || layout == null || notes == null || command == null || at == null)
            throw new IllegalArgumentException("folder, layout, notes, command and time are needed");
        if (gallery < 0 || gallery > MAX_IMAGES)
            throw new IllegalArgumentException("gallery must be 0.." + MAX_IMAGES + ", got " + gallery);
    }
}
