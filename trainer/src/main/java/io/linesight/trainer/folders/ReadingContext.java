package io.linesight.trainer.folders;

import io.linesight.mmad.image.DecodeSettings;

/**
 * What the reading of folders goes by, and where it reports.
 *
 * @param decoding how images are decoded
 * @param report told of every file
 */
public record ReadingContext(DecodeSettings decoding, FilesReport report) {
    /** With its own report. */
    public static ReadingContext of(DecodeSettings decoding) {
        return new ReadingContext(decoding, new FilesReport());
    }

    public static ReadingContext defaults() {
        return of(DecodeSettings.defaults());
    }
}
