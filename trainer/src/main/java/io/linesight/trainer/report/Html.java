package io.linesight.trainer.report;

import java.util.Base64;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Texts and numbers as the report writes them. The templates escape what they are given; charts escape by themselves.
 */
final class Html {
    static final String DASH = "–";

    private Html() {}

    /** The text with the replacement character for every character that HTML has no place for. */
    static String clean(String s) {
        StringBuilder out = new StringBuilder(s.length());
        s.codePoints().forEach(c -> {
            boolean control = Character.isISOControl(c) && c != '\n' && c != '\t';
            boolean alone = c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE;
            out.appendCodePoint(control || alone ? 0xFFFD : c);
        });
        return out.toString();
    }

    /** Text or attribute value in a chart, which is written without a template. */
    static String escape(String s) {
        return s.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
    }

    static String dataUrl(byte[] jpeg) {
        return "data:image/jpeg;base64," + Base64.getEncoder().encodeToString(jpeg);
    }

    static String plural(int n, String one, String many) {
        return n + " " + (n == 1 ? one : many);
    }

    /** A fraction in per cent with one digit, as in the table of the command line. */
    static String percent(@Nullable Double fraction) {
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
