package io.linesight.trainer.report;

import java.util.Base64;
import java.util.Locale;

/** Pieces of HTML. */
final class Html {
    static final String DASH = "–";

    private Html() {}

    /**
     * Text or attribute value that means itself. Characters that HTML has no place for become the replacement
     * character.
     */
    static String text(String s) {
        StringBuilder out = new StringBuilder(s.length() + 16);
        s.codePoints().forEach(c -> {
            switch (c) {
                case '&' -> out.append("&amp;");
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '"' -> out.append("&quot;");
                case '\'' -> out.append("&#39;");
                default -> {
                    boolean control = Character.isISOControl(c) && c != '\n' && c != '\t';
                    boolean alone = c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE;
                    out.appendCodePoint(control || alone ? 0xFFFD : c);
                }
            }
        });
        return out.toString();
    }

    /** A name from the user's disk: apart, so that right-to-left characters in it do not turn the text around it. */
    static String name(String s) {
        return "<bdi>" + text(s) + "</bdi>";
    }

    static String image(byte[] jpeg, String alt) {
        return "<img alt=\"" + text(alt) + "\" src=\"data:image/jpeg;base64,"
                + Base64.getEncoder().encodeToString(jpeg) + "\">";
    }

    /** A fraction in per cent with one digit, as in the table of the command line. */
    static String percent(Double fraction) {
        return fraction == null ? DASH : String.format(Locale.ROOT, "%.1f", 100 * fraction);
    }

    static String share(int part, int whole) {
        return whole == 0 ? DASH : String.format(Locale.ROOT, "%.1f %%", 100.0 * part / whole);
    }

    /** A score with four significant digits. */
    static String score(double v) {
        if (v == 0) return "0";
        int digits = (int) Math.max(0, Math.min(8, 3 - Math.floor(Math.log10(Math.abs(v)))));
        return String.format(Locale.ROOT, "%." + digits + "f", v);
    }
}
