package io.linesight.standalone.cli;

import io.linesight.trainer.data.MvtecDataset;
import io.linesight.trainer.evaluate.Evaluate;
import io.linesight.trainer.evaluate.EvaluateOptions;
import io.linesight.trainer.evaluate.EvaluationReport;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(name = "evaluate", mixinStandardHelpOptions = true, sortOptions = false,
        description = "Measures a checkpoint on labelled pictures: image AUROC, AP, F1max, pixel AUROC, AP, F1max, AUPRO, and their mean.",
        footerHeading = "%nExample:%n", footer = "  linesight evaluate --data parts --model m.onnx --json metrics.json")
final class EvaluateCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(names = "--data", required = true, paramLabel = "DIR", description = "Folder in MVTec-AD layout (CATEGORY/test, CATEGORY/ground_truth); may be repeated.")
    private List<Path> data;

    @Option(names = "--categories", split = ",", paramLabel = "A,B", description = "Only these categories; all by default.")
    private List<String> categories = List.of();

    @Option(names = "--json", paramLabel = "FILE", description = "Write the figures as JSON.")
    private Path json;

    @Option(names = "--heatmaps", paramLabel = "DIR", description = "Write a picture per test image: frame, truth, anomaly map.")
    private Path heatmaps;

    @Option(names = "--scores", paramLabel = "FILE", description = "Write every image's score as CSV.")
    private Path scores;

    @Option(names = "--batch", defaultValue = "8", paramLabel = "N", description = "Pictures per inference (${DEFAULT-VALUE}).")
    private int batch;

    @Option(names = "--skip-unreadable", description = "Leave damaged pictures out instead of stopping with their list.")
    private boolean skipUnreadable;

    @Mixin
    private Model model;

    @Override
    public Integer call() throws Exception {
        if (batch < 1 || batch > 64) throw new ParameterException(spec.commandLine(), "--batch must be 1..64");
        for (Path d : data) Inputs.folder(d, "folder");
        MvtecDataset source = MvtecDataset.open(data, categories);
        if (json != null) Inputs.writable(json);
        if (scores != null) Inputs.writable(scores);
        if (heatmaps != null) Inputs.made(heatmaps);
        EvaluationReport report = Evaluate.run(EvaluateOptions.of(model.resolve(), source).withScorer(model.options()).withBatch(batch).withHeatmaps(heatmaps).withScores(scores).withSkipUnreadable(skipUnreadable));
        if (json != null) Files.writeString(json, report.toJson());
        PrintWriter out = spec.commandLine().getOut();
        out.print(report.table());
        if (report.skipped() > 0) out.println(report.skipped() + " pictures could not be read and were left out");
        return 0;
    }
}
