package io.linesight.app.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.linesight.app.cli.common.CalibrationTable;
import io.linesight.app.cli.common.DataOptions;
import io.linesight.app.cli.common.Inputs;
import io.linesight.app.cli.common.Json;
import io.linesight.app.cli.common.StopSignal;
import io.linesight.app.cli.common.SummaryFile;
import io.linesight.app.cli.common.ThresholdOptions;
import io.linesight.app.cli.common.TypedCommand;
import io.linesight.app.cli.common.UserError;
import io.linesight.app.cli.common.ViewArguments;
import io.linesight.mmad.architecture.MapKind;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.encoder.FilterBankEncoder;
import io.linesight.trainer.calibration.ThresholdMethod;
import io.linesight.trainer.dataset.ImageRules;
import io.linesight.trainer.encoders.BundledEncoder;
import io.linesight.trainer.features.FeatureType;
import io.linesight.trainer.fit.Fit;
import io.linesight.trainer.fit.FitOptions;
import io.linesight.trainer.fit.FitOptions.Change;
import io.linesight.trainer.fit.FitOptions.Data;
import io.linesight.trainer.fit.FitOptions.Features;
import io.linesight.trainer.fit.FitOptions.Machine;
import io.linesight.trainer.fit.FitOptions.Network;
import io.linesight.trainer.fit.FitOptions.Output;
import io.linesight.trainer.fit.FitOptions.Recipe;
import io.linesight.trainer.fit.FitOptions.Schedule;
import io.linesight.trainer.fit.FitOptions.Session;
import io.linesight.trainer.fit.FitOptions.Training;
import io.linesight.trainer.fit.FitResult;
import io.linesight.trainer.folders.DatasetLayout;
import io.linesight.trainer.folders.FilesReport;
import io.linesight.trainer.folders.ImageSource;
import io.linesight.trainer.patchcore.PatchCoreFit;
import io.linesight.trainer.patchcore.PatchCoreOptions;
import io.linesight.trainer.patchcore.PatchCoreResult;
import io.linesight.trainer.retrieval.ChoiceCost;
import io.linesight.trainer.retrieval.GroupBy;
import io.linesight.trainer.retrieval.RetrievalFit;
import io.linesight.trainer.retrieval.RetrievalOptions;
import io.linesight.trainer.retrieval.RetrievalResult;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
        name = "fit",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Trains one model for all products given, on good images alone, and writes a checkpoint.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight fit --data parts --minutes 20 --out m.onnx",
            "  linesight fit --data images --categories metal_plate,cookie --encoder mobilenet.onnx --preset small "
                    + "--epochs 40 --out m.onnx",
            "  linesight fit --data parts --minutes 600 --early-stop 10 --cache ~/features --out m.onnx    # killed? "
                    + "the same command resumes",
            "  linesight fit --data VisA --csv VisA/split_csv/1cls.csv --epochs 100 --schedule cosine --warmup 200 "
                    + "--out m.onnx",
            "  linesight fit --data parts --method patchcore --encoder mobilenet.onnx --out m.onnx",
            "  linesight fit --data parts --method retrieval --out m.onnx    # minutes, no training"
        })
final class FitCommand implements Callable<Integer> {
    private enum Method {
        MMAD,
        PATCHCORE,
        RETRIEVAL
    }

    /** What has no meaning where nothing is trained. */
    private static final List<String> TRAINING_ONLY = List.of(
            "--minutes",
            "--epochs",
            "--batch",
            "--lr",
            "--schedule",
            "--warmup",
            "--early-stop",
            "--validate-every",
            "--balance",
            "--augment",
            "--augment-copies",
            "--save-every",
            "--fresh",
            "--device");

    private static final List<String> MMAD_ONLY = List.of(
            "--map-only",
            "--from",
            "--preset",
            "--map",
            "--finest-stride",
            "--top-share",
            "--minutes",
            "--epochs",
            "--batch",
            "--lr",
            "--schedule",
            "--warmup",
            "--early-stop",
            "--validate-every",
            "--balance",
            "--augment",
            "--augment-copies",
            "--cache",
            "--cache-max",
            "--cache-precision",
            "--save-every",
            "--fresh",
            "--device",
            "--encoder-device");

    /** What mmad does not know. */
    private static final List<String> VIEWS = List.of("--roi", "--tiles", "--smallest-defect");

    private static final List<String> RETRIEVAL_ONLY =
            List.of("--memory-images", "--neighbours", "--memory-dimensions", "--group-by");

    @Spec
    private CommandSpec spec;

    @Mixin
    private DataOptions data;

    @Option(
            names = "--encoder",
            paramLabel = "FILE|bundled|filters",
            description = {
                "Frozen encoder (bundled).",
                "FILE: an ONNX file, RGB in [0,1] to feature maps at strides 4, 8, 16; 'linesight encoder' makes one.",
                "bundled: a small network that ships with the program.",
                "filters: a bank of oriented filters, cheaper, blind to much."
            })
    private String encoder;

    @Option(
            names = "--method",
            defaultValue = "mmad",
            paramLabel = "mmad|patchcore|retrieval",
            description = {
                "mmad trains a network (${DEFAULT-VALUE}): the smallest checkpoint, the same whatever the number of "
                        + "images. For hours of training.",
                "retrieval remembers the images and compares a frame with the most similar ones, place by place. "
                        + "Nothing is trained: done in minutes. For parts that stand in the same place. "
                        + "It takes --memory-images, --neighbours and --memory-dimensions.",
                "patchcore keeps a bank of normal patches and compares with all of them, wherever they are. "
                        + "It takes --bank.",
                "retrieval and patchcore take nothing that has to do with training."
            })
    private Method method;

    @Option(
            names = "--bank",
            paramLabel = "N",
            description = "patchcore: patches in the bank, all products together (" + PatchCoreOptions.BANK
                    + "); more are slower to score.")
    private Integer bank;

    @Option(
            names = "--memory-images",
            paramLabel = "N",
            description = "retrieval: images remembered of a product, at most (" + RetrievalOptions.IMAGES
                    + "). Of more the most different ones are kept. Size grows with them, time hardly.")
    private Integer memoryImages;

    @Option(
            names = "--neighbours",
            paramLabel = "N",
            description = "retrieval: remembered images that a frame is compared with, the most similar ones ("
                    + RetrievalOptions.NEIGHBOURS + "); more are slower to score.")
    private Integer neighbours;

    @Option(
            names = "--memory-dimensions",
            paramLabel = "N",
            description = "retrieval: principal components that patches are reduced to. All channels by default; 64 "
                    + "make a memory of less than half the size that is compared faster, and find about as much.")
    private Integer memoryDimensions;

    @Mixin
    private ViewArguments views;

    @Option(
            names = "--group-by",
            defaultValue = "auto",
            paramLabel = "auto|none|stem|similarity|REGEX",
            description = {
                "retrieval: good images that belong together, such as those of one part (${DEFAULT-VALUE}). Thresholds "
                        + "rest on images that are scored without their group.",
                "stem: the name without its last number. REGEX: what it finds in the name, or its first group. "
                        + "similarity: what looks much alike, four images a group. none: every image by itself.",
                "auto: the stem where it gives ten groups of two images or more, and similarity elsewhere."
            })
    private String groupBy;

    @Option(
            names = "--from",
            paramLabel = "CHECKPOINT",
            description =
                    "Continue training this checkpoint, with its network and encoder, instead of a fresh network.")
    private Path from;

    @Option(names = "--preset", paramLabel = "base|small|tiny", description = "Size of the network (small).")
    private String preset;

    @Option(
            names = "--recipe",
            paramLabel = "preset|paper",
            description =
                    "paper does as published (preset): mmad leaves the encoder's features untouched and scores by "
                            + "the highest cosine distance over all strides, "
                            + "patchcore scores by the largest distance, reweighted, instead of the mean of the ten "
                            + "largest.")
    private Recipe recipe;

    @Option(
            names = "--map",
            paramLabel = "cosine|standardised|whitened",
            description = {
                "cosine: the bare distance between encoder and network, as published.",
                "standardised: its excess over what normal images let expect at that place.",
                "whitened: its excess, and that of a distance in which counts what the network always gets right. "
                        + "Useful after minutes of training.",
                "Whitened by default; cosine with --recipe paper; with --from as that checkpoint has it."
            })
    private MapKind map;

    @Option(
            names = "--finest-stride",
            defaultValue = "0",
            paramLabel = "4|8|16",
            description = "Finest of the encoder's feature maps that is imitated and scored. "
                    + "Three quarters of the decoder's pixels are at stride 4 (the paper's): 8 is faster to "
                    + "train and to score, and on real parts found no less. 8 by default; 4 with "
                    + "--recipe paper.")
    private int finestStride;

    @Option(
            names = "--top-share",
            paramLabel = "0..1",
            description =
                    "The score is the mean over this share of the anomaly map's pixels, the highest ones; 0 takes the "
                            + "single highest, as published. 0.005 by default; 0 with --recipe paper.")
    private Double topShare;

    @Option(
            names = "--minutes",
            defaultValue = "0",
            paramLabel = "M",
            description = "Time to train. With --epochs too, whichever ends first.")
    private double minutes;

    @Option(names = "--epochs", defaultValue = "0", paramLabel = "N", description = "Passes over the images.")
    private int epochs;

    @Option(
            names = "--batch",
            defaultValue = "8",
            paramLabel = "N",
            description = "Images per step (${DEFAULT-VALUE}).")
    private int batch;

    @Option(names = "--seed", defaultValue = "42", description = "Of everything random (${DEFAULT-VALUE}).")
    private long seed;

    @Option(
            names = "--lr",
            defaultValue = "0",
            paramLabel = "RATE",
            description = "Learning rate; the paper's 0.005 * batch / 16 by default.")
    private double learningRate;

    @Option(
            names = "--schedule",
            defaultValue = "paper",
            paramLabel = "paper|cosine|constant",
            description = "Learning rate over the run: a tenth for the last fifth, half a cosine, or constant "
                    + "(${DEFAULT-VALUE}).")
    private Schedule schedule;

    @Option(
            names = "--warmup",
            defaultValue = "0",
            paramLabel = "STEPS",
            description = "Steps in which the learning rate rises from nothing (${DEFAULT-VALUE}).")
    private int warmup;

    @Option(
            names = "--early-stop",
            defaultValue = "0",
            paramLabel = "N",
            description = "Set a tenth of the images apart, stop when the loss on them has not fallen for so many "
                    + "validations, "
                    + "take the weights of the lowest. Never by default.")
    private int patience;

    @Option(
            names = "--validate-every",
            defaultValue = "0",
            paramLabel = "STEPS",
            description = "Steps between validations; an epoch by default.")
    private int validateEvery;

    @Option(names = "--balance", description = "Show every category equally often, however many images it has.")
    private boolean balance;

    @Option(
            names = "--augment",
            split = ",",
            paramLabel = "flip,rotate90,brightness,shift",
            description = "Learn from changed copies too; none by default, as published. "
                    + "Only what a good part may look like: a turned part is no good one where turned is a defect.")
    private List<Change> augment = List.of();

    @Option(
            names = "--augment-copies",
            defaultValue = "3",
            paramLabel = "N",
            description =
                    "Copies per image (${DEFAULT-VALUE}). Each costs the encoder and the disk as much as an image.")
    private int copies;

    @Option(
            names = "--threads",
            defaultValue = "0",
            paramLabel = "N",
            description = "CPU threads; 0 takes all processors (${DEFAULT-VALUE}).")
    private int threads;

    @Mixin
    private ThresholdOptions thresholds;

    @Option(
            names = "--device",
            defaultValue = "cpu",
            paramLabel = "auto|cpu|cuda:N",
            description = "Where the network is trained (${DEFAULT-VALUE}). cuda needs libtorch's GPU natives "
                    + "(docs/operations.md) "
                    + "and has not run on a GPU yet; auto takes the CPU where there is none.")
    private String device;

    @Option(
            names = "--encoder-device",
            defaultValue = "cpu",
            paramLabel = "auto|cpu|cuda[:N]",
            description = "Where ONNX Runtime runs the encoder (${DEFAULT-VALUE}).")
    private String encoderDevice;

    @Option(names = "--skip-unreadable", description = "Leave damaged images out instead of stopping with their list.")
    private boolean skipUnreadable;

    @Option(names = "--allow-leakage", description = "Continue though test images are among those learned from.")
    private boolean allowLeakage;

    @Option(
            names = "--allow-left-out",
            description = "Continue though more images in the folders are left out than used.")
    private boolean allowLeftOut;

    @Option(names = "--allow-few", description = "Continue though a category has a single good image.")
    private boolean allowFew;

    @Option(
            names = "--cache",
            paramLabel = "DIR",
            description =
                    "Keep encoder features there for later runs. By default they last as long as the run, in OUT.fit.")
    private Path cache;

    @Option(
            names = "--cache-max",
            defaultValue = "50",
            paramLabel = "GB",
            description = "Max size of the folder of --cache (${DEFAULT-VALUE}); the longest unused goes first.")
    private double cacheMax;

    @Option(
            names = "--cache-precision",
            defaultValue = "float32",
            paramLabel = "float32|float16",
            description = "How encoder features are kept on the disk (${DEFAULT-VALUE}). "
                    + "float16 takes half the room; what is learned differs a little.")
    private FeatureType precision;

    @Option(
            names = "--save-every",
            defaultValue = "60",
            paramLabel = "SECONDS",
            description =
                    "How often the run is saved in OUT.fit (${DEFAULT-VALUE}). The same command resumes from there "
                            + "after a kill.")
    private double saveEvery;

    @Option(names = "--fresh", description = "Start over though an unfinished run lies in OUT.fit.")
    private boolean fresh;

    @Option(
            names = "--map-only",
            description = {
                "Train nothing: leave the network of --from as it is and fit its anomaly map and thresholds",
                "again on these images. For parts or light that changed a little, or another --map."
            })
    private boolean mapOnly;

    @Option(names = "--out", required = true, paramLabel = "FILE", description = "Checkpoint to write.")
    private Path out;

    @Mixin
    private SummaryFile summary;

    @Override
    public Integer call() throws Exception {
        if (method != Method.RETRIEVAL) rejectGiven(RETRIEVAL_ONLY, "but with --method retrieval");
        if (method == Method.PATCHCORE) return fitPatchCore();
        if (method == Method.RETRIEVAL) return fitRetrieval();
        rejectGiven(VIEWS, "with --method mmad, which looks at whole images only; retrieval and patchcore take them");
        if (bank != null) throw new ParameterException(spec.commandLine(), "--bank is for --method patchcore");
        if (mapOnly) rejectGiven(TRAINING_ONLY, "with --map-only, which trains nothing");
        if (from != null && encoder != null)
            throw new ParameterException(spec.commandLine(), "--from brings its own encoder: leave --encoder out");
        if (from != null && (preset != null || recipe != null))
            throw new ParameterException(
                    spec.commandLine(), "--from brings its own network: leave --preset and --recipe out");
        AtomicBoolean stop = new AtomicBoolean();
        FitOptions options = options(null, null, stop::get);
        validate(options::validate);
        if (cache != null) Inputs.made(cache);
        Inputs.writable(out);
        summary.prepare();
        if (from != null) Inputs.existing(from, "checkpoint");
        Encoder chosen = from != null ? null : chosenEncoder();
        FitOptions complete = options(images(), chosen, stop::get);
        FitResult result = data.orSummarize(() -> fit(complete, stop));
        if (result == null) return 130;
        print(result);
        data.summarize();
        summary.write(outcome(result), data.files());
        return 0;
    }

    private ObjectNode outcome(FitResult r) {
        ObjectNode outcome = SummaryFile.outcome(out, r.info())
                .put("images", r.images())
                .put("skipped", r.skipped())
                .put("steps", r.steps())
                .put("epochs", r.epochs());
        Json.number(outcome, "firstLoss", r.firstLoss());
        Json.number(outcome, "lastLoss", r.lastLoss());
        return outcome;
    }

    /** Trains until it is done; null when it was interrupted, which is reported. */
    private @Nullable FitResult fit(FitOptions options, AtomicBoolean stop) throws IOException {
        PrintWriter err = spec.commandLine().getErr();
        try (StopSignal signal = new StopSignal(() -> {
            stop.set(true);
            err.println("stopping after this step and saving; once more ends at once");
            err.flush();
        })) {
            return Fit.run(options);
        } catch (CancellationException e) {
            err.println(e.getMessage());
            err.flush();
            return null;
        }
    }

    /** The options as they were given; source and encoder are opened after they were found valid. */
    private FitOptions options(@Nullable ImageSource source, @Nullable Encoder chosen, BooleanSupplier stopWhen) {
        return new FitOptions(
                new Data(source, rules(), balance, Set.copyOf(augment), copies),
                new Network(
                        from,
                        mapOnly,
                        chosen,
                        preset == null ? Network.DEFAULT_PRESET : preset,
                        recipe == null ? Recipe.PRESET : recipe,
                        map,
                        finestStride,
                        topShare == null ? Double.NaN : topShare),
                new Training(minutes, epochs, batch, seed, learningRate, schedule, warmup, patience, validateEvery),
                new Features(cache, (long) (cacheMax * 1e9), precision),
                new Output(
                        out,
                        null,
                        null,
                        mapOnly ? null : out.resolveSibling(out.getFileName() + ".fit"),
                        saveInterval(),
                        fresh),
                thresholds.rule(ThresholdMethod.AUTO),
                new Machine(threads, device, encoderDevice),
                new Session(TypedCommand.of(spec), System.err, stopWhen));
    }

    /** What is no time at all stays wrong after rounding, so that the options' own check names it. */
    private Duration saveInterval() {
        return saveEvery >= 0 ? Duration.ofMillis(Math.round(saveEvery * 1000)) : Duration.ofSeconds(-1);
    }

    private ImageRules rules() {
        return new ImageRules(skipUnreadable, true, allowLeakage, allowFew);
    }

    private int fitPatchCore() throws IOException {
        rejectGiven(MMAD_ONLY, "with --method patchcore, which trains nothing");
        validate(patchCoreOptions(null, null)::validate);
        Inputs.writable(out);
        summary.prepare();
        ImageSource source = images();
        PatchCoreOptions options = patchCoreOptions(source, chosenEncoder());
        PatchCoreResult result = data.orSummarize(() -> PatchCoreFit.run(options));
        print(result);
        data.summarize();
        summary.write(
                SummaryFile.outcome(out, result.info())
                        .put("images", result.images())
                        .put("skipped", result.skipped())
                        .put("patches", result.bank()),
                data.files());
        return 0;
    }

    private int fitRetrieval() throws IOException {
        rejectGiven(MMAD_ONLY, "with --method retrieval, which trains nothing");
        rejectGiven(List.of("--bank", "--recipe"), "with --method retrieval");
        validate(() -> retrievalOptions(null, null).validate());
        Inputs.writable(out);
        summary.prepare();
        ImageSource source = images();
        RetrievalResult result = RetrievalFit.run(retrievalOptions(source, chosenEncoder()));
        print(result);
        data.summarize();
        summary.write(
                SummaryFile.outcome(out, result.info())
                        .put("images", result.images())
                        .put("skipped", result.skipped())
                        .put("remembered", result.remembered())
                        .put("memoryBytes", result.memoryBytes())
                        .put("seconds", result.seconds()),
                data.files());
        return 0;
    }

    private RetrievalOptions retrievalOptions(@Nullable ImageSource source, @Nullable Encoder chosen) {
        return new RetrievalOptions(
                source,
                rules(),
                chosen,
                new RetrievalOptions.Memory(
                        memoryImages == null ? RetrievalOptions.IMAGES : memoryImages,
                        neighbours == null ? RetrievalOptions.NEIGHBOURS : neighbours,
                        memoryDimensions == null ? 0 : memoryDimensions,
                        seed),
                views.options(spec),
                GroupBy.of(groupBy),
                thresholds.rule(ThresholdMethod.AUTO),
                threads,
                new RetrievalOptions.Output(out, null, TypedCommand.of(spec), System.err));
    }

    private PatchCoreOptions patchCoreOptions(@Nullable ImageSource source, @Nullable Encoder chosen) {
        return new PatchCoreOptions(
                source,
                rules(),
                chosen,
                recipe == null ? Recipe.PRESET : recipe,
                PatchCoreOptions.Bank.of(bank == null ? PatchCoreOptions.BANK : bank, seed),
                views.options(spec),
                thresholds.rule(ThresholdMethod.AUTO),
                threads,
                new PatchCoreOptions.Output(out, null, TypedCommand.of(spec), System.err));
    }

    /** @throws UserError when most of what lies in the folders would not be learned from */
    private ImageSource images() throws IOException {
        DatasetLayout.Opened opened = data.openForTraining();
        FilesReport files = opened.files();
        if (files.missed() > files.found() && !allowLeftOut) {
            data.summarizePlan();
            String why = "more images would be left out (" + files.missed() + ") than used (" + files.found() + ")";
            summary.write(Json.object().put("refused", why), files);
            throw new UserError(
                    why + ", see above: correct the folders, or continue with --allow-left-out; nothing was trained");
        }
        return opened.source();
    }

    /** @throws ParameterException naming every problem */
    private void validate(Runnable check) {
        try {
            check.run();
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private void print(FitResult r) {
        PrintWriter o = spec.commandLine().getOut();
        String version = r.info().version();
        if (mapOnly)
            o.printf(
                    Locale.ROOT,
                    "Wrote %s: version %s, the map fitted on %d images, the network as it was%n",
                    out,
                    version,
                    r.images());
        else
            o.printf(
                    Locale.ROOT,
                    "Wrote %s: version %s, %d images, %d steps, %.1f epochs, loss %.4f to %.4f%n",
                    out,
                    version,
                    r.images(),
                    r.steps(),
                    r.epochs(),
                    r.firstLoss(),
                    r.lastLoss());
        printCalibration(r.info(), r.skipped());
    }

    private void print(PatchCoreResult r) {
        spec.commandLine()
                .getOut()
                .printf(
                        Locale.ROOT,
                        "Wrote %s: version %s, %d images, a bank of %d out of %d patches, %.0f s%n",
                        out,
                        r.info().version(),
                        r.images(),
                        r.bank(),
                        r.candidates(),
                        r.seconds());
        printCalibration(r.info(), r.skipped());
    }

    private void print(RetrievalResult r) {
        PrintWriter o = spec.commandLine().getOut();
        o.printf(
                Locale.ROOT,
                "Wrote %s: version %s, %d images remembered, %d left out, a memory of %.1f MB, %.0f s%n",
                out,
                r.info().version(),
                r.remembered(),
                r.images() - r.remembered(),
                r.memoryBytes() / 1e6,
                r.seconds());
        ChoiceCost cost = r.cost();
        if (cost != null)
            o.printf(
                    Locale.ROOT,
                    "Mean image AUROC on %d test images: %.1f, with all %d images remembered %.1f%n",
                    cost.images(),
                    100 * cost.chosen(),
                    r.images(),
                    100 * cost.whole());
        printGroups(r.groups());
        if (r.thumbnails() < r.remembered())
            o.printf(
                    Locale.ROOT,
                    "%d of the images have no thumbnail in the checkpoint: there is room for no more%n",
                    r.remembered() - r.thumbnails());
        printCalibration(r.info(), r.skipped());
    }

    private void printGroups(Map<String, RetrievalResult.Groups> groups) {
        PrintWriter o = spec.commandLine().getOut();
        o.println("Images are scored without their group for the thresholds (--group-by): "
                + groups.entrySet().stream()
                        .map(e -> e.getKey() + " " + e.getValue().groups() + " groups of "
                                + e.getValue().images() + " images by "
                                + e.getValue().by().name().toLowerCase(Locale.ROOT))
                        .collect(Collectors.joining(", ")));
        String few = groups.entrySet().stream()
                .filter(e -> e.getValue().groups() < RetrievalResult.Groups.ENOUGH)
                .map(Map.Entry::getKey)
                .collect(Collectors.joining(", "));
        if (!few.isEmpty())
            o.println(
                    "Fewer than " + RetrievalResult.Groups.ENOUGH + " groups show no tail, so the threshold is that of "
                            + "normally distributed scores with a margin for their number: " + few);
    }

    private void printCalibration(CheckpointInfo info, int skipped) {
        PrintWriter o = spec.commandLine().getOut();
        CalibrationTable.print(o, info.calibration().byProduct());
        CalibrationTable.warn(spec.commandLine().getErr(), info.calibration().byProduct());
        if (skipped > 0) o.println(skipped + " images could not be read and were left out");
    }

    private void rejectGiven(List<String> options, String where) {
        List<String> foreign = options.stream()
                .filter(spec.commandLine().getParseResult()::hasMatchedOption)
                .toList();
        if (foreign.isEmpty()) return;
        throw new ParameterException(
                spec.commandLine(),
                String.join(", ", foreign) + (foreign.size() > 1 ? " have" : " has") + " no meaning " + where
                        + ": leave " + (foreign.size() > 1 ? "them" : "it") + " out");
    }

    private Encoder chosenEncoder() throws IOException {
        if (encoder == null || encoder.equals("bundled")) return BundledEncoder.load();
        return encoder.equals("filters")
                ? FilterBankEncoder.create()
                : Encoder.load(Inputs.existing(Path.of(encoder), "encoder"));
    }
}
