package io.linesight.mmad.image;

/**
 * Something about an image that people should know, though it can be used.
 *
 * @param kind stable, fit for counting
 * @param text what it is, what was made of it, and what to do
 */
public record ImageNote(Kind kind, String text) {
    /** What it is about. */
    public enum Kind {
        /** An orientation tag, which is ignored. */
        ORIENTATION("an orientation tag is ignored"),
        /** 16-bit samples that do not use, or exceed, the bits that they are read with. */
        RANGE("the samples do not fit the bits that are read"),
        /** Every pixel has the same value. */
        CONSTANT("every pixel is the same"),
        /** An animation or several pages, of which the first is taken. */
        PAGES("only the first of several images in the file is used"),
        /** Bytes that mean nothing were skipped. */
        STRAY_BYTES("stray bytes were skipped"),
        /** Four inks without a marker that says how they count. */
        INKS("four inks (CMYK) are taken as Adobe stores them, inverted");

        private final String title;

        Kind(String title) {
            this.title = title;
        }

        /** For a list of counts. */
        public String title() {
            return title;
        }
    }
}
