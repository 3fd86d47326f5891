package io.linesight.app.cli;

import java.io.IOException;
import java.nio.file.Path;

/** Lets tests elsewhere read a file of labels. */
public final class LabelCsvDoor {
    private LabelCsvDoor() {}

    /** Reads every row and every cell that the command asks for. */
    public static int read(Path file) throws IOException {
        int cells = 0;
        for (LabelCsv.Row row : LabelCsv.read(file)) {
            for (String column : new String[] {
                "frame", "topic", "partition", "offset", "label", "annotator", "mask", "note", "product"
            }) if (row.get(column) != null) cells++;
        }
        return cells;
    }
}
