package io.linesight.app.cli;

import io.linesight.app.cli.common.CalibrationTable;
import io.linesight.app.cli.common.Inputs;
import io.linesight.mmad.architecture.MapKind;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.encoder.FilterBankEncoder;
import io.linesight.mmad.runtime.Device;
import io.linesight.trainer.calibration.CalibrationRule;
import io.linesight.trainer.calibration.ThresholdMethod;
import io.linesight.trainer.encoders.BundledEncoder;
import io.linesight.trainer.features.FeatureType;
import io.linesight.trainer.fit.Fit;
import io.linesight.trainer.fit.FitOptions;
import io.linesight.trainer.fit.FitResult;
import io.linesight.trainer.folders.DatasetLayout;
import io.linesight.trainer.folders.ImageSource;
import io.linesight.trainer.patchcore.PatchCoreFit;
import io.linesight.trainer.patchcore.PatchCoreOptions;
import io.linesight.trainer.patchcore.PatchCoreResult;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
        name = "fit",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Trains one model for all products given, on good pictures alone, and writes a checkpoint.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight fit --data parts --minutes 20 --out m.onnx",
            "  linesight fit --data images --categories metal_plate,cookie --encoder mobilenet.onnx --preset small --epochs 40 --out m.onnx",
            "  linesight fit --data parts --minutes 600 --early-stop 10 --cache ~/features --out m.onnx    # killed? the same command goes on",
            "  linesight fit --data VisA --csv VisA/split_csv/1cls.csv --epochs 100 --schedule cosine --warmup 200 --out m.onnx",
            "  linesight fit --data parts --method patchcore --encoder mobilenet.onnx --out m.onnx"
        })
final class FitCommand implements Callable<Integer> {
    private enum Method {
        MMAD,
        PATCHCORE
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

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--data",
            required = true,
            paramLabel = "DIR",
            description = "Folder of good pictures; may be repeated.")
    private List<Path> data;

    @Option(
            names = "--layout",
            paramLabel = "mvtec|visa|folder",
            description = {
                "How the pictures lie in it; found out by default.",
                "mvtec: CATEGORY/train/good.",
                "visa: a csv with the columns object,split,label,image,mask in the folder or in split_csv.",
                "folder: good, or CATEGORY/good; all good pictures are learned from."
            })
    private DatasetLayout layout;

    @Option(
            names = "--csv",
            paramLabel = "FILE",
            description = "The csv of the layout visa, where there are several; 1cls.csv by default.")
    private Path csv;

    @Option(
            names = "--categories",
            split = ",",
            paramLabel = "A,B",
            description = "Only these categories; all by default.")
    private List<String> categories = List.of();

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
            paramLabel = "mmad|patchcore",
            description = {
                "mmad trains a network (${DEFAULT-VALUE}).",
                "patchcore keeps a bank of normal patches and trains nothing: done in minutes, a baseline for mmad. It takes --bank, and nothing that "
                        + "has to do with training."
            })
    private Method method;

    @Option(
            names = "--bank",
            paramLabel = "N",
            description = "patchcore: patches in the bank, all products together (" + PatchCoreOptions.BANK
                    + "); more are slower to score.")
    private Integer bank;

    @Option(
            names = "--from",
            paramLabel = "CHECKPOINT",
            description = "Go on training this checkpoint, with its network and encoder, instead of a fresh network.")
    private Path from;

    @Option(names = "--preset", paramLabel = "base|small|tiny", description = "Size of the network (small).")
    private String preset;

    @Option(
            names = "--recipe",
            paramLabel = "preset|paper",
            description =
                    "paper does as published (preset): mmad leaves the encoder's features untouched and scores by the highest cosine distance over all strides, "
                            + "patchcore scores by the largest distance, reweighted, instead of the mean of the ten largest.")
    private FitOptions.Recipe recipe;

    @Option(
            names = "--map",
            paramLabel = "cosine|standardised|whitened",
            description = {
                "cosine: the bare distance between encoder and network, as published.",
                "standardised: its excess over what normal pictures let expect at that place.",
                "whitened: its excess, and that of a distance in which counts what the network always gets right. Useful after minutes of training.",
                "Whitened by default; cosine with --recipe paper; with --from as that checkpoint has it."
            })
    private MapKind map;

    @Option(
            names = "--finest-stride",
            defaultValue = "0",
            paramLabel = "4|8|16",
            description =
                    "Finest of the encoder's feature maps that is imitated and scored. "
                            + "Three quarters of the decoder's pixels are at stride 4 (the paper's): 8 is faster to train and to score, and on real parts found no less. 8 by default; 4 with --recipe paper.")
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

    @Option(names = "--epochs", defaultValue = "0", paramLabel = "N", description = "Passes over the pictures.")
    private int epochs;

    @Option(
            names = "--batch",
            defaultValue = "8",
            paramLabel = "N",
            description = "Pictures per step (${DEFAULT-VALUE}).")
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
            description =
                    "Learning rate over the run: a tenth for the last fifth, half a cosine, or constant (${DEFAULT-VALUE}).")
    private FitOptions.Schedule schedule;

    @Option(
            names = "--warmup",
            defaultValue = "0",
            paramLabel = "STEPS",
            description = "Steps in which the learning rate rises from nothing (${DEFAULT-VALUE}).")
    private int warmup;

    @Option(
            names = "--early-stop",
            defaultValue = "0",
            paramLabel = "PATIENCE",
            description =
                    "Set a tenth of the pictures apart, stop when the loss on them has not fallen for so many validations, "
                            + "take the weights of the least. Never by default.")
    private int patience;

    @Option(
            names = "--validate-every",
            defaultValue = "0",
            paramLabel = "STEPS",
            description = "Steps between validations; an epoch by default.")
    private int validateEvery;

    @Option(names = "--balance", description = "Show every category equally often, however many pictures it has.")
    private boolean balance;

    @Option(
            names = "--augment",
            split = ",",
            paramLabel = "flip,rotate90,brightness,shift",
            description = "Learn from changed copies too; none by default, as published. "
                    + "Only what a good part may look like: a turned part is no good one where turned is a defect.")
    private List<FitOptions.Change> augment = List.of();

    @Option(
            names = "--augment-copies",
            defaultValue = "3",
            paramLabel = "N",
            description =
                    "Copies per picture (${DEFAULT-VALUE}). Each costs the encoder and the disk as much as a picture.")
    private int copies;

    @Option(
            names = "--threads",
            defaultValue = "0",
            paramLabel = "N",
            description = "CPU threads; 0 takes all processors (${DEFAULT-VALUE}).")
    private int threads;

    @Option(
            names = "--false-reject",
            defaultValue = "0.01",
            paramLabel = "RATE",
            description =
                    "Share of good parts that the thresholds may call anomalous, 0.0001 to 0.2 (${DEFAULT-VALUE}).")
    private double falseReject;

    @Option(
            names = "--device",
            defaultValue = "cpu",
            paramLabel = "auto|cpu|cuda:N",
            description =
                    "Where the network is trained (${DEFAULT-VALUE}). cuda needs libtorch's GPU natives (docs/operations.md) "
                            + "and has not run on a GPU yet; auto takes the CPU where there is none.")
    private String device;

    @Option(
            names = "--encoder-device",
            defaultValue = "cpu",
            paramLabel = "auto|cpu|cuda[:N]",
            description = "Where ONNX Runtime runs the encoder (${DEFAULT-VALUE}).")
    private String encoderDevice;

    @Option(
            names = "--skip-unreadable",
            description = "Leave damaged pictures out instead of stopping with their list.")
    private boolean skipUnreadable;

    @Option(names = "--allow-leakage", description = "Go on though test pictures are among those learned from.")
    private boolean allowLeakage;

    @Option(names = "--allow-few", description = "Go on though a category has a single good picture.")
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
            description = "What the folder of --cache may take (${DEFAULT-VALUE}); the longest unused goes first.")
    private double cacheMost;

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
                    "How often the run is saved in OUT.fit (${DEFAULT-VALUE}). The same command goes on from there after a kill.")
    private double saveEvery;

    @Option(names = "--fresh", description = "Start anew though an unfinished run lies in OUT.fit.")
    private boolean fresh;

    @Option(
            names = "--map-only",
            description = {
                "Train nothing: leave the network of --from as it is and fit its anomaly map and thresholds",
                "anew on these pictures. For parts or light that changed a little, or another --map."
            })
    private boolean mapOnly;

    @Option(names = "--out", required = true, paramLabel = "FILE", description = "Checkpoint to write.")
    private Path out;

    @Override
    public Integer call() throws Exception {
        if (method == Method.PATCHCORE) return patchCore();
        if (bank != null) throw new ParameterException(spec.commandLine(), "--bank is for --method patchcore");
        if (mapOnly) {
            refuse(TRAINING_ONLY, "with --map-only, which trains nothing");
            if (from == null)
                throw new ParameterException(
                        spec.commandLine(), "--map-only needs the checkpoint whose map is to be fitted: --from");
        } else if (minutes <= 0 && epochs <= 0)
            throw new ParameterException(spec.commandLine(), "say how long to train: --minutes or --epochs");
        if (minutes < 0 || epochs < 0)
            throw new ParameterException(spec.commandLine(), "--minutes and --epochs must not be negative");
        if (batch < 1 || batch > 64) throw new ParameterException(spec.commandLine(), "--batch must be 1..64");
        if (preset != null && !List.of("base", "small", "tiny").contains(preset))
            throw new ParameterException(spec.commandLine(), "--preset must be base, small or tiny");
        CalibrationRule rule = CalibrateCommand.rule(spec, falseReject, ThresholdMethod.AUTO);
        parsed("--device", device);
        parsed("--encoder-device", encoderDevice);
        if (copies < 1 || copies > FitOptions.MOST_COPIES)
            throw new ParameterException(spec.commandLine(), "--augment-copies must be 1.." + FitOptions.MOST_COPIES);
        if (warmup < 0 || patience < 0 || validateEvery < 0)
            throw new ParameterException(
                    spec.commandLine(), "--warmup, --early-stop and --validate-every must not be negative");
        if (validateEvery > 0 && patience == 0)
            throw new ParameterException(spec.commandLine(), "--validate-every goes with --early-stop");
        if (!(saveEvery >= 0 && saveEvery <= 86400))
            throw new ParameterException(spec.commandLine(), "--save-every must be 0..86400 seconds");
        if (!(cacheMost > 0 && cacheMost <= 1e6))
            throw new ParameterException(spec.commandLine(), "--cache-max must be more than 0 GB");
        if (cache != null) Inputs.made(cache);
        Inputs.writable(out);
        if (from != null && encoder != null)
            throw new ParameterException(spec.commandLine(), "--from brings its own encoder: leave --encoder out");
        if (from != null && (preset != null || recipe != null)) {
            throw new ParameterException(
                    spec.commandLine(), "--from brings its own network: leave --preset and --recipe out");
        }
        if (from != null) Inputs.existing(from, "checkpoint");
        Encoder chosen = from != null ? null : chosenEncoder();
        ImageSource source = pictures();
        PrintWriter err = spec.commandLine().getErr();
        FitOptions.Builder options = FitOptions.builder();
        if (preset != null) options.preset(preset);
        if (recipe != null) options.recipe(recipe);
        if (topShare != null) options.topShare(topShare);
        options.source(source)
                .encoder(chosen)
                .from(from)
                .map(map)
                .finestStride(finestStride)
                .rule(rule)
                .minutes(minutes)
                .epochs(epochs)
                .batch(batch)
                .seed(seed)
                .learningRate(learningRate)
                .threads(threads)
                .skipUnreadable(skipUnreadable)
                .command(commandLine())
                .out(out)
                .device(device)
                .encoderDevice(encoderDevice)
                .schedule(schedule)
                .warmup(warmup)
                .patience(patience)
                .validateEvery(validateEvery)
                .balance(balance)
                .augment(augment)
                .copies(copies)
                .survey(true)
                .allowLeakage(allowLeakage)
                .allowFew(allowFew)
                .cache(cache)
                .cachePrecision(precision)
                .cacheMost((long) (cacheMost * 1e9))
                .mapOnly(mapOnly)
                .runFolder(mapOnly ? null : out.resolveSibling(out.getFileName() + ".fit"))
                .saveEvery(Duration.ofMillis(Math.round(saveEvery * 1000)))
                .fresh(fresh);
        FitResult r;
        AtomicBoolean stop = new AtomicBoolean();
        try (StopSignal signal = new StopSignal(() -> {
            stop.set(true);
            err.println("stopping after this step and saving; once more ends at once");
            err.flush();
        })) {
            r = Fit.run(options.stopWhen(stop::get).build());
        } catch (CancellationException e) {
            err.println(e.getMessage());
            err.flush();
            return 130;
        }
        PrintWriter o = spec.commandLine().getOut();
        if (mapOnly)
            o.printf(
                    Locale.ROOT,
                    "Wrote %s: version %s, the map fitted on %d pictures, the network as it was%n",
                    out,
                    r.info().version(),
                    r.images());
        else
            o.printf(
                    Locale.ROOT,
                    "Wrote %s: version %s, %d pictures, %d steps, %.1f epochs, loss %.4f to %.4f%n",
                    out,
                    r.info().version(),
                    r.images(),
                    r.steps(),
                    r.epochs(),
                    r.firstLoss(),
                    r.lastLoss());
        CalibrationTable.print(o, r.info().calibration().byProduct());
        CalibrationTable.warn(
                spec.commandLine().getErr(), r.info().calibration().byProduct());
        if (r.skipped() > 0) o.println(r.skipped() + " pictures could not be read and were left out");
        return 0;
    }

    private int patchCore() throws IOException {
        refuse(MMAD_ONLY, "with --method patchcore, which trains nothing");
        if (bank != null && (bank < PatchCoreOptions.LEAST_BANK || bank > PatchCoreOptions.MOST_BANK)) {
            throw new ParameterException(
                    spec.commandLine(),
                    "--bank must be " + PatchCoreOptions.LEAST_BANK + ".." + PatchCoreOptions.MOST_BANK);
        }
        Inputs.writable(out);
        ImageSource source = pictures();
        PatchCoreOptions.Builder options =
                PatchCoreOptions.builder().rule(CalibrateCommand.rule(spec, falseReject, ThresholdMethod.AUTO));
        if (bank != null) options.bank(bank);
        if (recipe != null) options.recipe(recipe);
        options.encoder(chosenEncoder());
        PatchCoreResult r = PatchCoreFit.run(options.source(source)
                .seed(seed)
                .threads(threads)
                .skipUnreadable(skipUnreadable)
                .survey(true)
                .allowLeakage(allowLeakage)
                .allowFew(allowFew)
                .command(commandLine())
                .out(out)
                .build());
        PrintWriter o = spec.commandLine().getOut();
        o.printf(
                Locale.ROOT,
                "Wrote %s: version %s, %d pictures, a bank of %d out of %d patches, %.0f s%n",
                out,
                r.info().version(),
                r.images(),
                r.bank(),
                r.candidates(),
                r.seconds());
        CalibrationTable.print(o, r.info().calibration().byProduct());
        CalibrationTable.warn(
                spec.commandLine().getErr(), r.info().calibration().byProduct());
        if (r.skipped() > 0) o.println(r.skipped() + " pictures could not be read and were left out");
        return 0;
    }

    private void refuse(List<String> options, String where) {
        List<String> foreign = options.stream()
                .filter(spec.commandLine().getParseResult()::hasMatchedOption)
                .toList();
        if (foreign.isEmpty()) return;
        throw new ParameterException(
                spec.commandLine(),
                String.join(", ", foreign) + (foreign.size() > 1 ? " have" : " has") + " no meaning " + where
                        + ": leave " + (foreign.size() > 1 ? "them" : "it") + " out");
    }

    private void parsed(String option, String text) {
        try {
            Device.parse(text);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), option + ": " + e.getMessage());
        }
    }

    private Encoder chosenEncoder() throws IOException {
        if (encoder == null || encoder.equals("bundled")) return BundledEncoder.load();
        return encoder.equals("filters")
                ? FilterBankEncoder.create()
                : Encoder.load(Inputs.existing(Path.of(encoder), "encoder"));
    }

    private ImageSource pictures() throws IOException {
        if (csv != null && layout != null && layout != DatasetLayout.VISA)
            throw new ParameterException(spec.commandLine(), "--csv goes with --layout visa only");
        for (Path d : data) Inputs.folder(d, "folder");
        if (csv != null) Inputs.existing(csv, "csv");
        DatasetLayout.Opened opened = DatasetLayout.openForTraining(data, categories, layout, csv);
        PrintWriter err = spec.commandLine().getErr();
        if (opened.layout() != DatasetLayout.MVTEC)
            err.println("layout " + opened.layout().name().toLowerCase(Locale.ROOT) + ": "
                    + String.join(", ", opened.source().categories()));
        opened.notes().forEach(err::println);
        err.flush();
        return opened.source();
    }

    /** What was typed, for the checkpoint's provenance; paths stay as they were given. */
    private String commandLine() {
        return "linesight fit "
                + String.join(
                        " ",
                        spec.commandLine().getParseResult().originalArgs().stream()
                                .skip(1)
                                .toList());
    }
}
