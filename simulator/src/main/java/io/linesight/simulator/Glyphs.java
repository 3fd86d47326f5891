package io.linesight.simulator;

import java.util.List;
import java.util.function.UnaryOperator;

/** Digits drawn with straight strokes, for engraved and printed marks; independent of any installed font. */
final class Glyphs {
    // Seven segments: top, upper left, upper right, middle, lower left, lower right, bottom.
    private static final String[] SEGMENTS = {
        "1110111", "0010010", "1011101", "1011011", "0111010", "1101011", "1101111", "1010010", "1111111", "1111011"
    };
    private static final double[][] LINES = {
        {0, 0, 1, 0}, {0, 0, 0, 1}, {1, 0, 1, 1}, {0, 1, 1, 1}, {0, 1, 0, 2}, {1, 1, 1, 2}, {0, 2, 1, 2}
    };

    private Glyphs() {}

    /**
     * Adds the strokes of a number: angle and radius place it on a circle when radius is given, otherwise (x, y) is its
     * left top corner.
     */
    static void text(
            List<Stamp> into,
            String group,
            String digits,
            double x,
            double y,
            double size,
            UnaryOperator<Stamp> style) {
        for (int k = 0; k < digits.length(); k++) {
            digit(into, group, digits.charAt(k) - '0', x + k * size * 1.7, y, size, 0, size * 0.22, style);
        }
    }

    static void text(
            List<Stamp> into,
            String group,
            String digits,
            double radius,
            double angleDegrees,
            double spread,
            double size,
            double width,
            UnaryOperator<Stamp> style) {
        for (int k = 0; k < digits.length(); k++) {
            double a = Math.toRadians(angleDegrees) + (k - (digits.length() - 1) / 2.0) * spread * 0.3;
            digit(
                    into,
                    group,
                    digits.charAt(k) - '0',
                    radius * Math.cos(a),
                    radius * Math.sin(a),
                    size,
                    a + Math.PI / 2,
                    width,
                    style);
        }
    }

    private static void digit(
            List<Stamp> into,
            String group,
            int digit,
            double x,
            double y,
            double size,
            double turn,
            double width,
            UnaryOperator<Stamp> style) {
        double cos = Math.cos(turn);
        double sin = Math.sin(turn);
        for (int k = 0; k < 7; k++) {
            if (SEGMENTS[digit].charAt(k) == '0') continue;
            double[] l = LINES[k];
            double ax = (l[0] - 0.5) * size;
            double ay = (l[1] - 1) * size;
            double bx = (l[2] - 0.5) * size;
            double by = (l[3] - 1) * size;
            into.add(style.apply(Stamp.line(
                    group,
                    x + cos * ax - sin * ay,
                    y + sin * ax + cos * ay,
                    x + cos * bx - sin * by,
                    y + sin * bx + cos * by,
                    width)));
        }
    }
}
