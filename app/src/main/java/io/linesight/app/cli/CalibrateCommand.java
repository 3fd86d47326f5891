package io.linesight.app.cli;

import io.linesight.app.cli.common.CalibrationTable;
import io.linesight.app.cli.common.Inputs;
import io.linesight.mmad.checkpoint.Checkpoint;
import io.linesight.mmad.checkpoint.Checkpoints;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.trainer.calibration.CalibrationRule;
import io.linesight.trainer.calibration.Recalibration;
import io.linesight.trainer.calibration.Recalibration.Normals;
import io.linesight.trainer.calibration.ThresholdMethod;
import io.linesight.trainer.folders.DatasetLayout;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "calibrate",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Places a checkpoint's thresholds anew by the scores of good images, and of defective ones if "
                + "wanted. The network stays as it is; the new file has a version of its own.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight calibrate m.onnx --data parts --false-reject 0.002 --out strict.onnx",
            "  linesight calibrate m.onnx --data delivery --normals train --out new-lamps.onnx         good images "
                    + "taken since",
            "  linesight calibrate m.onnx --data labelled --layout folder --anomalies --out m2.onnx    good and bad, "
                    + "none of them trained on"
        })
final class CalibrateCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "CHECKPOINT", description = "Checkpoint, as 'linesight fit' writes it.")
    private Path checkpoint;

    @Option(
            names = "--data",
            required = true,
            paramLabel = "DIR",
            description = "Folder of labelled images; may be repeated.")
    private List<Path> data;

    @Option(
            names = "--layout",
            paramLabel = "mvtec|visa|folder",
            description = "How the images lie in it, as for 'evaluate'; found out by default.")
    private DatasetLayout layout;

    @Option(names = "--csv", paramLabel = "FILE", description = "The csv of the layout visa, where there are several.")
    private Path csv;

    @Option(
            names = "--categories",
            split = ",",
            paramLabel = "A,B",
            description = "Only these categories; all by default. Others keep their thresholds.")
    private List<String> categories = List.of();

    @Option(
            names = "--normals",
            paramLabel = "held-out|train|test",
            description = {
                "Which good images. None may have been trained on.",
                "held-out: those of train/good that 'fit' kept out of training (default).",
                "train: all of train/good, where this checkpoint was not trained on them.",
                "test: test/good, or good in the layout folder (default there). Measure on others then."
            })
    private String normals;

    @Option(
            names = "--anomalies",
            description = "Use the defective test images too; they only ever lower thresholds. Measure on others then.")
    private boolean anomalies;

    @Option(
            names = "--false-reject",
            defaultValue = "0.01",
            paramLabel = "RATE",
            description = "Share of good parts that may be called anomalous, 0.0001 to 0.2 (${DEFAULT-VALUE}).")
    private double falseReject;

    @Option(
            names = "--method",
            defaultValue = "auto",
            paramLabel = "auto|quantile|evt|pooled|student|f1max",
            description = {
                "How a threshold is found (${DEFAULT-VALUE}).",
                "auto: by the number of good images, as below; f1max where --anomalies are given.",
                "quantile: their own quantile; from 100 / RATE images on.",
                "evt: generalised Pareto tail; from 50 on.",
                "pooled: own location and spread with the help of the other products; fewer than 50.",
                "student: Student's prediction bound; fewer than 50 of a single product.",
                "f1max: the same, drawn towards the best F1 by defective images."
            })
    private ThresholdMethod method;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "FILE",
            description = "Checkpoint to write; may be the same file.")
    private Path out;

    @Option(
            names = "--device",
            paramLabel = "auto|cpu|cuda:N",
            defaultValue = "auto",
            description = "Where it runs (${DEFAULT-VALUE}).")
    private String device;

    @Option(
            names = "--threads",
            paramLabel = "N",
            defaultValue = "0",
            description = "CPU threads of the model; 0 takes all processors (${DEFAULT-VALUE}).")
    private int threads;

    @Override
    public Integer call() throws Exception {
        CalibrationRule rule = rule(spec, falseReject, method);
        if (csv != null && layout != null && layout != DatasetLayout.VISA)
            throw new ParameterException(spec.commandLine(), "--csv goes with --layout visa only");
        if (method == ThresholdMethod.F1MAX && !anomalies)
            throw new ParameterException(spec.commandLine(), "--method f1max needs defective images: add --anomalies");
        if (anomalies && method != ThresholdMethod.F1MAX && method != ThresholdMethod.AUTO) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--method " + method.name().toLowerCase(Locale.ROOT)
                            + " goes by good images alone: leave --anomalies out, or take f1max");
        }
        Inputs.existing(checkpoint, "checkpoint");
        for (Path d : data) Inputs.folder(d, "folder");
        if (csv != null) Inputs.existing(csv, "csv");
        Inputs.writable(out);
        DatasetLayout.Opened opened = DatasetLayout.open(data, categories, layout, csv);
        PrintWriter err = spec.commandLine().getErr();
        opened.notes().forEach(err::println);
        Normals which = which(opened.layout());
        if (which == Normals.HELD_OUT) {
            List<String> trained = List.of(Checkpoint.read(checkpoint)
                    .info()
                    .properties()
                    .getOrDefault(Checkpoints.PROVENANCE_PREFIX + "categories", "")
                    .split(","));
            List<String> fresh = opened.source().categories().stream()
                    .filter(c -> !trained.contains(c))
                    .toList();
            if (!fresh.isEmpty())
                err.println("linesight: the checkpoint was not trained on " + String.join(", ", fresh)
                        + ": with '--normals train' all of its train/good would count, and not a tenth");
        }
        Recalibration.Result result = Recalibration.run(
                checkpoint,
                out,
                opened.source(),
                which,
                anomalies,
                rule,
                ScorerOptions.defaults().withDevice(device).withThreads(threads),
                new PrintStream(System.err, true));
        show(result, opened.source().categories());
        return 0;
    }

    private Normals which(DatasetLayout found) {
        if (normals == null) return found == DatasetLayout.FOLDER ? Normals.TEST : Normals.HELD_OUT;
        try {
            return Normals.valueOf(normals.toUpperCase(Locale.ROOT).replace('-', '_'));
        } catch (IllegalArgumentException e) {
            throw new ParameterException(
                    spec.commandLine(), "--normals must be held-out, train or test, got '" + normals + "'", e);
        }
    }

    private void show(Recalibration.Result result, List<String> categories) {
        PrintWriter o = spec.commandLine().getOut();
        Map<String, ProductCalibration> placed = new TreeMap<>();
        for (String c : categories)
            if (!result.kept().containsKey(c))
                placed.put(c, result.info().calibration().forProduct(c));
        CalibrationTable.print(o, placed);
        CalibrationTable.explain(o);
        o.flush();
        PrintWriter err = spec.commandLine().getErr();
        new TreeMap<>(result.kept())
                .forEach((c, n) -> err.println(
                        "linesight: " + c + " keeps the threshold that it has: " + n + " good images, 4 are needed"));
        CalibrationTable.warn(err, placed);
        if (result.info().calibration().byProduct().size() > placed.size()) {
            err.println("linesight: as they were: "
                    + String.join(
                            ", ",
                            result.info().calibration().byProduct().keySet().stream()
                                    .filter(p -> !placed.containsKey(p))
                                    .sorted()
                                    .toList()));
        }
        err.flush();
        o.println("Wrote " + out + ": version " + result.info().version());
    }

    /** @throws ParameterException when the rate is out of range */
    static CalibrationRule rule(CommandSpec spec, double falseReject, ThresholdMethod method) {
        try {
            return new CalibrationRule(falseReject, method);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--false-reject: " + e.getMessage(), e);
        }
    }
}
