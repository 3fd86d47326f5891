package io.linesight.trainer.report;

import io.linesight.mmad.accuracy.Curve;
import java.util.Locale;

/** A chart as inline SVG. Colours and widths are the style sheet's. */
final class Chart {
    static final int WIDTH = 260;
    static final int HEIGHT = 170;
    private static final int LEFT = 40;
    private static final int TOP = 14;
    private static final int RIGHT = 12;
    private static final int BOTTOM = 36;

    private final StringBuilder svg = new StringBuilder();
    private final Axis x;
    private final Axis y;

    /** @param label what it shows, for screen readers */
    Chart(String label, Axis x, Axis y, String xLabel, String yLabel) {
        this.x = x;
        this.y = y;
        svg.append(String.format(
                Locale.ROOT,
                "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\"><g transform=\"translate(%d,%d)\">",
                LEFT + WIDTH + RIGHT,
                TOP + HEIGHT + BOTTOM,
                Html.escape(label),
                LEFT,
                TOP));
        appendGrid();
        appendAxes(xLabel, yLabel);
    }

    private void appendGrid() {
        for (double t : x.ticks()) {
            svg.append(String.format(
                    Locale.ROOT,
                    "<path class=\"grid\" d=\"M%.2f 0V%d\"/><text x=\"%.2f\" y=\"%d\" class=\"mid\">%s</text>",
                    px(t),
                    HEIGHT,
                    px(t),
                    HEIGHT + 14,
                    x.label(t)));
        }
        for (double t : y.ticks()) {
            svg.append(String.format(
                    Locale.ROOT,
                    "<path class=\"grid\" d=\"M0 %.2fH%d\"/><text x=\"-5\" y=\"%.2f\" class=\"end\">%s</text>",
                    py(t),
                    WIDTH,
                    py(t) + 3.5,
                    y.label(t)));
        }
    }

    private void appendAxes(String xLabel, String yLabel) {
        svg.append(String.format(
                Locale.ROOT,
                "<path class=\"axis\" d=\"M0 0V%dH%d\"/><text x=\"%d\" y=\"%d\" class=\"mid\">%s</text>",
                HEIGHT,
                WIDTH,
                WIDTH / 2,
                HEIGHT + 30,
                Html.escape(xLabel)));
        svg.append(String.format(
                Locale.ROOT,
                "<text class=\"mid\" transform=\"translate(-30,%d) rotate(-90)\">%s</text>",
                HEIGHT / 2,
                Html.escape(yLabel)));
    }

    private double px(double v) {
        return WIDTH * (v - x.from()) / (x.to() - x.from());
    }

    private double py(double v) {
        return HEIGHT - HEIGHT * (v - y.from()) / (y.to() - y.from());
    }

    Chart curve(Curve curve, String style) {
        if (curve == null) return this;
        svg.append("<path class=\"line ").append(style).append("\" d=\"");
        for (int i = 0; i < curve.x().length; i++)
            svg.append(
                    String.format(Locale.ROOT, "%s%.2f %.2f", i == 0 ? "M" : "L", px(curve.x()[i]), py(curve.y()[i])));
        svg.append("\"/>");
        return this;
    }

    Chart dot(double atX, double atY, String style, String tip) {
        svg.append(String.format(
                Locale.ROOT,
                "<circle class=\"dot %s\" cx=\"%.2f\" cy=\"%.2f\" r=\"4\"><title>%s</title></circle>",
                style,
                px(atX),
                py(atY),
                Html.escape(tip)));
        return this;
    }

    Chart guide(double fromX, double fromY, double toX, double toY) {
        svg.append(String.format(
                Locale.ROOT,
                "<path class=\"guide\" d=\"M%.2f %.2fL%.2f %.2f\"/>",
                px(fromX),
                py(fromY),
                px(toX),
                py(toY)));
        return this;
    }

    Chart bar(double fromX, double toX, double height, String style, String tip) {
        if (height <= 0) return this;
        svg.append(String.format(
                Locale.ROOT,
                "<rect class=\"bar %s\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"><title>%s</title></rect>",
                style,
                px(fromX),
                py(height),
                px(toX) - px(fromX),
                HEIGHT - py(height),
                Html.escape(tip)));
        return this;
    }

    Chart upright(double atX, String label) {
        // The label goes to the side that has more room.
        boolean left = px(atX) > WIDTH / 2.0;
        svg.append(String.format(
                Locale.ROOT,
                "<path class=\"threshold\" d=\"M%.2f -4V%d\"/><text class=\"%s strong\" x=\"%.2f\" y=\"-5\">%s</text>",
                px(atX),
                HEIGHT,
                left ? "end" : "start",
                px(atX) + (left ? -3 : 3),
                Html.escape(label)));
        return this;
    }

    String svg() {
        return svg + "</g></svg>";
    }
}
