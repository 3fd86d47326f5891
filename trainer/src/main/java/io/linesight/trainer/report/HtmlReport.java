package io.linesight.trainer.report;

import gg.jte.ContentType;
import gg.jte.TemplateEngine;
import gg.jte.TemplateOutput;
import gg.jte.output.WriterOutput;
import io.linesight.trainer.evaluate.EvaluateOptions;
import io.linesight.trainer.evaluate.EvaluationReport;
import io.linesight.trainer.report.Gallery.Pick;
import io.linesight.trainer.report.Tiles.Tile;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What was measured as one HTML file for people: table, curves, histograms, worst mistakes with their anomaly maps,
 * provenance. It needs no other file, no network and no script.
 */
public final class HtmlReport {
    /** Name of the file in the folder given. */
    public static final String FILE = "report.html";

    /** Compiled with the program, into this package, so that they see its types. */
    private static final TemplateEngine TEMPLATES = TemplateEngine.createPrecompiled(
            null, ContentType.Html, HtmlReport.class.getClassLoader(), HtmlReport.class.getPackageName());

    private HtmlReport() {}

    /**
     * A report of one checkpoint. @see #write(EvaluateOptions, EvaluationReport, EvaluateOptions, EvaluationReport,
     * ReportOptions)
     */
    public static Path write(EvaluateOptions measured, EvaluationReport report, ReportOptions options)
            throws IOException {
        return write(new Contender("A", measured, report), null, options);
    }

    /**
     * A report of two checkpoints on the same images, side by side. The images shown are scored once more.
     *
     * @param first what was measured, and the figures of it
     * @param second the same for the other checkpoint
     * @return the file, replaced in one step
     * @throws IOException when it cannot be written
     */
    public static Path write(
            EvaluateOptions first,
            EvaluationReport firstReport,
            EvaluateOptions second,
            EvaluationReport secondReport,
            ReportOptions options)
            throws IOException {
        if (!firstReport.categories().keySet().equals(secondReport.categories().keySet())
                || firstReport.images().size() != secondReport.images().size()) {
            throw new IllegalArgumentException("the two checkpoints were not measured on the same images");
        }
        return write(new Contender("A", first, firstReport), new Contender("B", second, secondReport), options);
    }

    static void render(Page page, Writer out) {
        render("report.jte", page, new WriterOutput(out));
    }

    /** @param value the template's only parameter */
    static void render(String template, Object value, TemplateOutput out) {
        TEMPLATES.render(template, value, out);
    }

    private static Path write(Contender a, @Nullable Contender b, ReportOptions options) throws IOException {
        Map<String, List<Pick>> picks = new TreeMap<>();
        Map<String, List<String>> names = new TreeMap<>();
        for (String category : a.report().categories().keySet()) {
            picks.put(category, Gallery.select(a, b, category, options.gallery()));
            names.put(
                    category,
                    picks.get(category).stream().map(p -> p.first().name()).toList());
        }
        Map<String, Map<String, Tile>> tiles = Tiles.of(a, names, false);
        Map<String, Map<String, Tile>> other = b == null ? Map.of() : Tiles.of(b, names, true);
        Files.createDirectories(options.folder());
        Path file = options.folder().resolve(FILE);
        Path temporary = options.folder().resolve("." + FILE + ".tmp");
        try {
            try (BufferedWriter out = Files.newBufferedWriter(temporary)) {
                render(new Page(a, b, options, picks, tiles, other), out);
            }
            Files.move(temporary, file, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(temporary);
        }
        return file;
    }
}
