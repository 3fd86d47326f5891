package io.linesight.trainer.report;

import io.linesight.trainer.folders.DatasetLayout;
import java.nio.file.Path;
import java.time.ZonedDateTime;
import java.util.List;

/**
 * What goes into a report besides the figures.
 *
 * @param folder where it is written; made when absent
 * @param gallery pictures shown per category, 0..{@value #MOST_PICTURES}
 * @param layout how the pictures lie
 * @param notes what was noticed while the pictures were looked for
 * @param command what was typed
 * @param at when it was measured
 */
public record ReportOptions(
        Path folder, int gallery, DatasetLayout layout, List<String> notes, String command, ZonedDateTime at) {
    /** Thumbnails are held in memory, about 50 kB a picture. */
    public static final int MOST_PICTURES = 200;

    public ReportOptions {
        if (folder == null || layout == null || notes == null || command == null || at == null)
            throw new IllegalArgumentException("folder, layout, notes, command and time are needed");
        if (gallery < 0 || gallery > MOST_PICTURES)
            throw new IllegalArgumentException("gallery must be 0.." + MOST_PICTURES + ", got " + gallery);
    }
}
