package io.linesight.app.cli.settings;

import io.linesight.app.cli.common.ChampionFile;
import io.linesight.app.cli.common.UserError;
import io.linesight.mmad.checkpoint.Checkpoint;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.ProductName;
import io.linesight.mmad.checkpoint.ScoreQuantiles;
import io.linesight.mmad.io.Scratch;
import io.linesight.models.rollouts.Author;
import io.linesight.models.settings.SettingsState;
import io.linesight.schemas.AlertPolicySetting;
import io.linesight.schemas.ProductSettings;
import io.linesight.schemas.ThresholdKeep;
import io.linesight.schemas.ThresholdSetting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "set",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Changes settings of a product; what is not named stays. The line follows within seconds.",
            "A threshold belongs to a model, so the model in service is looked at: the channel's champion, or the file "
                    + "given with --model."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight settings set -c line.properties flange --threshold 1.8 --reason 'misses scratches'",
            "  linesight settings set -c line.properties flange --false-reject 0.005 --based-on 3",
            "  linesight settings set -c line.properties flange --clear threshold",
            "  linesight settings set -c line.properties '*' --alerts 'open=3/5,clear=10' --review-low 0.35"
        })
final class SetCommand implements Callable<Integer> {
    enum Part {
        threshold,
        review,
        alerts
    }

    @Spec
    private CommandSpec spec;

    @Mixin
    private DeskOptions options;

    @Mixin
    private ChangeOptions change;

    @Mixin
    private ChampionFile model;

    @Parameters(paramLabel = "PRODUCT", description = "Its name; * for all products without settings of their own.")
    private String product;

    @Option(
            names = "--threshold",
            paramLabel = "RAW",
            description = "Raw score from which a frame is anomalous, with the model in service.")
    private @Nullable Double threshold;

    @Option(
            names = "--false-reject",
            paramLabel = "SHARE",
            description = "The same by the share of good parts that are to be rejected, 0..1, as the model's "
                    + "calibration expects it.")
    private @Nullable Double falseReject;

    @Option(
            names = "--keep",
            paramLabel = "rate|raw",
            defaultValue = "rate",
            description = "What of the threshold stays with another model: the share of good parts that is expected to "
                    + "be rejected, or the raw value (${DEFAULT-VALUE}).")
    private Keep keep;

    enum Keep {
        rate,
        raw
    }

    @Option(names = "--review-low", paramLabel = "S", description = "Calibrated scores below this are PASS, 0..0.5.")
    private @Nullable Double reviewLow;

    @Option(names = "--review-high", paramLabel = "S", description = "Calibrated scores from this are FAIL, 0.5..1.")
    private @Nullable Double reviewHigh;

    @Option(
            names = "--alerts",
            paramLabel = "POLICY",
            converter = AlertPolicyText.class,
            description = "Alert policy, in place of those there are; may be repeated, the first whose cameras fit "
                    + "counts. For instance " + AlertPolicyText.FORM + ".")
    private List<AlertPolicySetting> alerts = new ArrayList<>();

    @Option(
            names = "--clear",
            paramLabel = "threshold|review|alerts",
            split = ",",
            description = "Takes a setting away, so that configuration and checkpoint count again; may be repeated.")
    private List<Part> clear = new ArrayList<>();

    @Override
    public Integer call() throws Exception {
        checkOptions();
        String name = product.equals(SettingsState.ALL) ? product : ProductName.normalized(product);
        Author author = change.author();
        try (DeskOptions.Open open = options.open()) {
            ThresholdSetting wanted = threshold == null && falseReject == null ? null : threshold(open, name);
            return change.change(spec.commandLine().getOut(), open, name, author, s -> apply(s, wanted));
        }
    }

    private void checkOptions() {
        if (threshold != null && falseReject != null)
            throw new CommandLine.ParameterException(
                    spec.commandLine(), "--threshold and --false-reject both say where the threshold lies; give one");
        boolean nothing = threshold == null
                && falseReject == null
                && reviewLow == null
                && reviewHigh == null
                && alerts.isEmpty()
                && clear.isEmpty();
        if (nothing)
            throw new CommandLine.ParameterException(
                    spec.commandLine(),
                    "say what to set: --threshold, --false-reject, --review-low, --review-high, --alerts or --clear");
        if (falseReject != null && !(falseReject > 0 && falseReject < 1))
            throw new CommandLine.ParameterException(
                    spec.commandLine(), "--false-reject is a share within 0..1, not " + falseReject);
        if (product.equals(SettingsState.ALL) && (threshold != null || falseReject != null))
            throw new CommandLine.ParameterException(
                    spec.commandLine(), "a threshold belongs to one product: name it instead of *");
    }

    private void apply(ProductSettings.Builder s, @Nullable ThresholdSetting wanted) {
        if (clear.contains(Part.threshold)) s.setThreshold(null);
        if (clear.contains(Part.review)) s.setReviewLow(null).setReviewHigh(null);
        if (clear.contains(Part.alerts)) s.setAlerts(List.of());
        if (wanted != null) s.setThreshold(wanted);
        if (reviewLow != null) s.setReviewLow(reviewLow);
        if (reviewHigh != null) s.setReviewHigh(reviewHigh);
        if (!alerts.isEmpty()) s.setAlerts(alerts);
    }

    private ThresholdSetting threshold(DeskOptions.Open open, String name) throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("linesight-settings");
        try {
            ChampionFile.Got got = model.get(open.settings(), open.channel(), "settings set", folder);
            CheckpointInfo info = Checkpoint.read(got.file()).info();
            String version = Objects.requireNonNullElse(got.version(), info.version());
            if (!info.calibration().knows(name))
                spec.commandLine()
                        .getErr()
                        .println("linesight: model " + version + " was not calibrated on product '" + name
                                + "': the scale of its scores is the fallback's");
            return threshold(version, info.calibration().forProduct(name).normals());
        } finally {
            Scratch.delete(folder);
        }
    }

    private ThresholdSetting threshold(String version, @Nullable ScoreQuantiles normals) {
        boolean needed = falseReject != null || keep == Keep.rate;
        if (normals == null && needed)
            throw new UserError("model " + version + " does not say how its scores of good parts are distributed, so "
                    + (falseReject != null ? "no share of them can be aimed at" : "the share rejected cannot be kept")
                    + ". Set --threshold with --keep raw, or let 'linesight calibrate' make the model say. Nothing "
                    + "was done");
        double raw = falseReject != null ? normals.scoreAt(falseReject) : threshold;
        Double rate = falseReject != null ? falseReject : normals == null ? null : (Double) normals.rateAt(raw);
        return new ThresholdSetting(
                raw, keep == Keep.raw ? ThresholdKeep.RAW_VALUE : ThresholdKeep.FALSE_REJECT_RATE, rate, version);
    }
}
