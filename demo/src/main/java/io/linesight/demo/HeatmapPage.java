package io.linesight.demo;

import gg.jte.ContentType;
import gg.jte.TemplateEngine;
import gg.jte.output.StringOutput;
import io.linesight.demo.line.RunSummary;
import java.util.List;

/**
 * What {@code heatmaps/index.html} shows.
 *
 * @param version of the model
 * @param kinds a row for every product and kind of defect
 */
record HeatmapPage(String version, List<RunSummary.Row> summary, List<Kind> kinds, List<Image> images) {
    /**
     * Frames of one product with one kind of defect.
     *
     * @param good whether the parts have no defect, so that every anomalous frame is a false alarm
     * @param anomalous frames that the model called anomalous
     */
    record Kind(String product, String defect, boolean good, int frames, int anomalous) {
        long percent() {
            return Math.round(100.0 * anomalous / frames);
        }
    }

    /**
     * One image and its caption.
     *
     * @param file name in the page's folder
     * @param good whether the part has no defect
     */
    record Image(
            String file,
            String product,
            String defect,
            boolean good,
            String score,
            String rawScore,
            String threshold,
            String camera,
            long sequence) {}

    /** Renders the page; texts from records are escaped. */
    String toHtml() {
        StringOutput html = new StringOutput();
        // The build turns the template into a class of this package.
        TemplateEngine.createPrecompiled(null, ContentType.Html, null, HeatmapPage.class.getPackageName())
                .render("heatmaps.jte", this, html);
        return html.toString();
    }
}
