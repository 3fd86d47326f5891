package io.linesight.mmad.image;

import io.linesight.mmad.image.ImageNote.Kind;
import java.util.ArrayList;
import java.util.List;

/** Collects what is odd about an image while it is decoded. Not thread-safe. */
final class ImageNotes {
    private List<ImageNote> notes = List.of();

    ImageNotes() {}

    ImageNotes(ImageHeader header) {
        if (header.orientation() != 1)
            add(
                    Kind.ORIENTATION,
                    "its orientation tag (" + header.orientation()
                            + ") is ignored here and everywhere: the pixels count as they are stored. A mask drawn on "
                            + "the turned image does not fit it; turn the pixels and save again");
        if (header.pages()) add(Kind.PAGES, "it holds several images (an animation or pages); the first is used");
        if (header.guessedInks())
            add(
                    Kind.INKS,
                    "it has four inks (CMYK) and does not say how they count; they are taken as inverted, as other "
                            + "decoders do. Save it as RGB if its colours are wrong");
        if (header.strayBytes()) add(Kind.STRAY_BYTES, "bytes that mean nothing were skipped, as other decoders do");
    }

    void add(Kind kind, String text) {
        if (notes.isEmpty()) notes = new ArrayList<>();
        notes.add(new ImageNote(kind, text));
    }

    /** Notes an image on which nothing is to be seen. */
    void look(RgbImage image) {
        byte[] rgb = image.rgb();
        for (int i = 3; i < rgb.length; i++) if (rgb[i] != rgb[i - 3]) return;
        if (rgb.length > 3)
            add(Kind.CONSTANT, "every pixel is " + (rgb[0] & 255) + ", " + (rgb[1] & 255) + ", " + (rgb[2] & 255));
    }

    List<ImageNote> list() {
        return notes;
    }
}
