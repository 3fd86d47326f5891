package io.linesight.app.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.linesight.app.cli.common.DataOptions;
import io.linesight.app.cli.common.Inputs;
import io.linesight.app.cli.common.Json;
import io.linesight.app.cli.common.TypedCommand;
import io.linesight.mmad.checkpoint.Checkpoint;
import io.linesight.trainer.evaluate.Evaluate;
import io.linesight.trainer.evaluate.EvaluateOptions;
import io.linesight.trainer.evaluate.EvaluationReport;
import io.linesight.trainer.folders.DatasetLayout;
import io.linesight.trainer.folders.FilesReport;
import io.linesight.trainer.report.HtmlReport;
import io.linesight.trainer.report.ReportOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZonedDateTime;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
        name = "evaluate",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Measures a checkpoint on labelled images: image AUROC, AP, F1max, pixel AUROC, AP, F1max, AUPRO, "
                        + "and their mean.",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:every image was measured, but for those that were left out as asked",
            "1:it failed, or the model gave no number for an image; the others were measured",
            "2:the command line is wrong"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight evaluate --data parts --model m.onnx --json metrics.json",
            "  linesight evaluate --data parts --model new.onnx --compare old.onnx --report out",
            "  linesight evaluate --data VisA --csv VisA/split_csv/1cls.csv --model m.onnx --report out"
        })
final class EvaluateCommand implements Callable<Integer> {
    /** Names of images without a number that are printed. */
    private static final int SHOWN = 10;

    @Spec
    private CommandSpec spec;

    @Mixin
    private DataOptions data;

    @Option(
            names = "--report",
            paramLabel = "DIR",
            description = "Write " + HtmlReport.FILE
                    + " there: figures, curves, worst mistakes with their maps, all in one file.")
    private Path report;

    @Option(
            names = "--gallery",
            defaultValue = "24",
            paramLabel = "N",
            description =
                    "Images per category in the report, 0 to " + ReportOptions.MAX_IMAGES + " (${DEFAULT-VALUE}).")
    private int gallery;

    @Option(
            names = "--compare",
            paramLabel = "CHECKPOINT",
            description = "Measure this one on the same images too; the report shows both side by side.")
    private Path compare;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the figures of --model as JSON.")
    private Path json;

    @Option(
            names = "--heatmaps",
            paramLabel = "DIR",
            description = "Write an image per test image: frame, truth, anomaly map.")
    private Path heatmaps;

    @Option(names = "--scores", paramLabel = "FILE", description = "Write every image's score by --model as CSV.")
    private Path scores;

    @Option(
            names = "--batch",
            defaultValue = "8",
            paramLabel = "N",
            description = "Images per inference (${DEFAULT-VALUE}).")
    private int batch;

    @Option(
            names = "--resolution",
            paramLabel = "N",
            description = "Measure pixels on maps and masks of NxN, "
                    + EvaluateOptions.MIN_RESOLUTION + " to " + EvaluateOptions.MAX_RESOLUTION
                    + ", instead of the checkpoint's own resolution: 256, or what its tiles show. "
                    + "To compare checkpoints.")
    private @Nullable Integer resolution;

    @Option(names = "--skip-unreadable", description = "Leave damaged images out instead of stopping with their list.")
    private boolean skipUnreadable;

    @Mixin
    private Model model;

    @Override
    public Integer call() throws Exception {
        validate();
        DatasetLayout.Opened opened = data.open();
        prepareOutputs();
        EvaluateOptions options = EvaluateOptions.of(model.resolve(), opened.source())
                .withScorer(model.options())
                .withBatch(batch)
                .withHeatmaps(heatmaps)
                .withScores(scores)
                .withResolution(resolution == null ? 0 : resolution)
                .withSkipUnreadable(skipUnreadable);
        EvaluationReport measured = data.orSummarize(() -> Evaluate.run(options));
        if (json != null) Files.writeString(json, withFiles(measured.toJson(), opened.files()));
        PrintWriter out = spec.commandLine().getOut();
        show(out, measured, compare != null);
        EvaluateOptions otherOptions = null;
        EvaluationReport otherMeasured = null;
        if (compare != null) {
            otherOptions = options.withCheckpoint(compare).withHeatmaps(null).withScores(null);
            otherMeasured = Evaluate.run(otherOptions);
            show(out, otherMeasured, true);
        }
        if (report != null) {
            ReportOptions page = new ReportOptions(
                    report, gallery, opened.layout(), opened.notes(), TypedCommand.of(spec), ZonedDateTime.now());
            Path file = otherMeasured == null
                    ? HtmlReport.write(options, measured, page)
                    : HtmlReport.write(options, measured, otherOptions, otherMeasured, page);
            out.println("Report: " + file);
        }
        out.flush();
        data.summarize();
        boolean scored = measured.unscored().isEmpty()
                && (otherMeasured == null || otherMeasured.unscored().isEmpty());
        return scored ? 0 : 1;
    }

    private static String withFiles(String figures, FilesReport files) throws IOException {
        ObjectNode document = Json.read(figures);
        document.set("files", Json.of(files.toMap()));
        return Json.pretty(document) + System.lineSeparator();
    }

    private void validate() throws IOException {
        if (resolution != null
                && (resolution < EvaluateOptions.MIN_RESOLUTION || resolution > EvaluateOptions.MAX_RESOLUTION))
            throw new ParameterException(
                    spec.commandLine(),
                    "--resolution must be " + EvaluateOptions.MIN_RESOLUTION + ".." + EvaluateOptions.MAX_RESOLUTION);
        if (batch < 1 || batch > 64) throw new ParameterException(spec.commandLine(), "--batch must be 1..64");
        if (gallery < 0 || gallery > ReportOptions.MAX_IMAGES)
            throw new ParameterException(spec.commandLine(), "--gallery must be 0.." + ReportOptions.MAX_IMAGES);
        // A bad checkpoint shows before the first one has been measured for an hour.
        if (compare != null)
            Checkpoint.read(Inputs.existing(compare, "checkpoint")).info();
    }

    private void prepareOutputs() {
        if (json != null) Inputs.writable(json);
        if (scores != null) Inputs.writable(scores);
        if (heatmaps != null) Inputs.made(heatmaps);
        if (report != null) Inputs.writable(report.resolve(HtmlReport.FILE));
    }

    private static void show(PrintWriter out, EvaluationReport measured, boolean named) {
        if (named) out.println(measured.modelVersion());
        out.print(measured.table());
        out.println();
        DecisionTable.print(out, measured);
        if (measured.calibratedOn() > 0) {
            out.println(measured.calibratedOn()
                    + " of these images placed the checkpoint's thresholds (linesight calibrate): the counts "
                    + "at the threshold flatter it. Measure on others");
        }
        if (measured.skipped() > 0) out.println(measured.skipped() + " images could not be read and were left out");
        if (!measured.unscored().isEmpty()) {
            int count = measured.unscored().size();
            out.println(count + (count == 1 ? " image is" : " images are")
                    + " in no figure, because the model gives no number for "
                    + (count == 1 ? "it: " : "them ('serve' says REVIEW): ")
                    + String.join(", ", measured.unscored().subList(0, Math.min(SHOWN, count)))
                    + (count > SHOWN ? " and " + (count - SHOWN) + " more" : ""));
        }
        out.flush();
    }
}
