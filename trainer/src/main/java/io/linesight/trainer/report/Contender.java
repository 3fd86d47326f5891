package io.linesight.trainer.report;

import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.trainer.evaluate.CategoryDetail;
import io.linesight.trainer.evaluate.Decisions;
import io.linesight.trainer.evaluate.EvaluateOptions;
import io.linesight.trainer.evaluate.EvaluationReport;
import io.linesight.trainer.evaluate.EvaluationReport.ImageScore;
import java.util.List;
import java.util.Locale;

/**
 * A checkpoint and how it did.
 *
 * @param letter A or B; what it is called in the report and, in lower case, its style
 * @param options what was measured
 * @param report the figures
 */
record Contender(String letter, EvaluateOptions options, EvaluationReport report) {
    List<ImageScore> images(String category) {
        return report.images().stream()
                .filter(s -> s.category().equals(category))
                .toList();
    }

    CategoryDetail detail(String category) {
        return report.details().get(category);
    }

    /**
     * How far an image is on the wrong side of the line, in logits: positive for mistakes, the greater the more
     * certain.
     */
    double wrongness(ImageScore s) {
        ProductCalibration line = detail(s.category()).calibration();
        double margin = (s.raw() - line.threshold()) / line.scale();
        return s.defective() ? -margin : margin;
    }

    /** Its class in the style sheet. */
    String style() {
        return letter.toLowerCase(Locale.ROOT);
    }

    String fileName() {
        return String.valueOf(options.checkpoint().getFileName());
    }

    String millisecondsPerImage() {
        return String.format(Locale.ROOT, "%.0f", 1000 * report.secondsPerImage());
    }

    Decisions decisions(String category) {
        return Decisions.of(images(category));
    }
}
