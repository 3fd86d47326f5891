package io.linesight.mmad.image;

import java.util.Locale;

/** Capital letters of 3x5 pixels for captions: java.awt's fonts need libraries that a bare server does not have. */
final class PixelFont {
    static final int HEIGHT = 5;
    private static final int ADVANCE = 4;
    private static final String CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ.:/-%=<>";
    /** Per character five rows of three pixels, as octal digits from the top. */
    private static final String[] ROWS = {
        "75557", "26227", "71747", "71717", "55711", "74717", "74757", "71111", "75757", "75717", "75755", "65656",
        "34443", "65556", "74647", "74644", "34553", "55755", "72227", "11156", "55655", "44447", "57755", "65555",
        "75557", "75744", "75573", "75655", "34216", "72222", "55557", "55552", "55775", "55255", "55222", "71247",
        "00002", "02020", "11244", "00700", "51245", "07070", "12421", "42124",
    };

    private PixelFont() {}

    /** Draws white text; what falls outside the picture is cut, unknown characters stay blank. */
    static void draw(RgbImage image, int x, int y, int scale, String text) {
        String upper = text.toUpperCase(Locale.ROOT);
        for (int i = 0; i < upper.length(); i++) {
            int glyph = CHARACTERS.indexOf(upper.charAt(i));
            if (glyph < 0) continue;
            for (int row = 0; row < HEIGHT * scale; row++) {
                int bits = ROWS[glyph].charAt(row / scale) - '0';
                for (int column = 0; column < 3 * scale; column++) {
                    if ((bits >> (2 - column / scale) & 1) == 0) continue;
                    int px = x + i * ADVANCE * scale + column;
                    int py = y + row;
                    if (px < 0 || py < 0 || px >= image.width() || py >= image.height()) continue;
                    int at = 3 * (py * image.width() + px);
                    image.rgb()[at] = image.rgb()[at + 1] = image.rgb()[at + 2] = (byte) 235;
                }
            }
        }
    }
}
