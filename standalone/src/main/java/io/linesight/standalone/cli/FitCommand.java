package io.linesight.standalone.cli;

import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.model.MapKind;
import io.linesight.trainer.data.MvtecDataset;
import io.linesight.trainer.fit.Fit;
import io.linesight.trainer.fit.FitOptions;
import io.linesight.trainer.fit.FitResult;
import io.linesight.trainer.patchcore.PatchCoreFit;
import io.linesight.trainer.patchcore.PatchCoreOptions;
import io.linesight.trainer.patchcore.PatchCoreResult;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(name = "fit", mixinStandardHelpOptions = true, sortOptions = false,
        description = "Trains one model for all products given, on good pictures alone, and writes a checkpoint.",
        footerHeading = "%nExamples:%n",
        footer = {"  linesight fit --data parts --minutes 20 --out m.onnx",
            "  linesight fit --data images --categories metal_plate,cookie --encoder mobilenet.onnx --preset small --epochs 40 --out m.onnx",
            "  linesight fit --data parts --method patchcore --encoder mobilenet.onnx --out m.onnx"})
final class FitCommand implements Callable<Integer> {
    private enum Method { MMAD, PATCHCORE }

    /** What has no meaning where nothing is trained. */
    private static final List<String> MMAD_ONLY = List.of("--from", "--preset", "--map", "--minutes", "--epochs", "--batch", "--lr");

    @Spec
    private CommandSpec spec;

    @Option(names = "--data", required = true, paramLabel = "DIR", description = "Folder in MVTec-AD layout (CATEGORY/train/good); may be repeated.")
    private List<Path> data;

    @Option(names = "--categories", split = ",", paramLabel = "A,B", description = "Only these categories; all by default.")
    private List<String> categories = List.of();

    @Option(names = "--encoder", paramLabel = "FILE", description = "Frozen encoder, ONNX: RGB in [0,1] to feature maps at strides 4, 8, 16. The built-in one by default.")
    private Path encoder;

    @Option(names = "--method", defaultValue = "mmad", paramLabel = "mmad|patchcore", description = {"mmad trains a network (${DEFAULT-VALUE}).",
        "patchcore keeps a bank of normal patches and trains nothing: done in minutes, a baseline for mmad. It takes --bank, and none of "
            + "--from, --preset, --map, --minutes, --epochs, --batch, --lr."})
    private Method method;

    @Option(names = "--bank", paramLabel = "N", description = "patchcore: patches in the bank, all products together (" + PatchCoreOptions.BANK + "); more are slower to score.")
    private Integer bank;

    @Option(names = "--from", paramLabel = "CHECKPOINT", description = "Go on training this checkpoint, with its network and encoder, instead of a fresh network.")
    private Path from;

    @Option(names = "--preset", paramLabel = "base|small|tiny", description = "Size of the network (small).")
    private String preset;

    @Option(names = "--recipe", paramLabel = "preset|paper", description = "paper does as published (preset): mmad leaves the encoder's features and the cosine map untouched, "
            + "patchcore scores by the largest distance, reweighted, instead of the mean of the ten largest.")
    private FitOptions.Recipe recipe;

    @Option(names = "--map", paramLabel = "cosine|standardised", description = "Anomaly map: the bare cosine distance (the paper's), or its excess over what normal pictures let expect at that place. "
            + "Standardised by default; cosine with --recipe paper; with --from as that checkpoint has it.")
    private MapKind map;

    @Option(names = "--minutes", defaultValue = "0", paramLabel = "M", description = "Time to train. With --epochs too, whichever ends first.")
    private double minutes;

    @Option(names = "--epochs", defaultValue = "0", paramLabel = "N", description = "Passes over the pictures.")
    private int epochs;

    @Option(names = "--batch", defaultValue = "8", paramLabel = "N", description = "Pictures per step (${DEFAULT-VALUE}).")
    private int batch;

    @Option(names = "--seed", defaultValue = "42", description = "Of everything random (${DEFAULT-VALUE}).")
    private long seed;

    @Option(names = "--lr", defaultValue = "0", paramLabel = "RATE", description = "Learning rate; the paper's 0.005 * batch / 16 by default.")
    private double learningRate;

    @Option(names = "--threads", defaultValue = "0", paramLabel = "N", description = "CPU threads; 0 takes all processors (${DEFAULT-VALUE}).")
    private int threads;

    @Option(names = "--skip-unreadable", description = "Leave damaged pictures out instead of stopping with their list.")
    private boolean skipUnreadable;

    @Option(names = "--out", required = true, paramLabel = "FILE", description = "Checkpoint to write.")
    private Path out;

    @Override
    public Integer call() throws Exception {
        if (method == Method.PATCHCORE) return patchCore();
        if (bank != null) throw new ParameterException(spec.commandLine(), "--bank is for --method patchcore");
        if (minutes <= 0 && epochs <= 0) throw new ParameterException(spec.commandLine(), "say how long to train: --minutes or --epochs");
        if (minutes < 0 || epochs < 0) throw new ParameterException(spec.commandLine(), "--minutes and --epochs must not be negative");
        if (batch < 1 || batch > 64) throw new ParameterException(spec.commandLine(), "--batch must be 1..64");
        if (preset != null && !List.of("base", "small", "tiny").contains(preset)) throw new ParameterException(spec.commandLine(), "--preset must be base, small or tiny");
        for (Path d : data) Inputs.folder(d, "folder");
        Inputs.writable(out);
        if (from != null && encoder != null) throw new ParameterException(spec.commandLine(), "--from brings its own encoder: leave --encoder out");
        if (from != null && (preset != null || recipe != null)) {
            throw new ParameterException(spec.commandLine(), "--from brings its own network: leave --preset and --recipe out");
        }
        if (from != null) Inputs.existing(from, "checkpoint");
        Encoder chosen = encoder == null ? null : Encoder.load(Inputs.existing(encoder, "encoder"));
        FitOptions.Builder options = FitOptions.builder();
        if (preset != null) options.preset(preset);
        if (recipe != null) options.recipe(recipe);
        FitResult r = Fit.run(options.source(MvtecDataset.open(data, categories)).encoder(chosen).from(from).map(map).minutes(minutes).epochs(epochs)
                .batch(batch).seed(seed).learningRate(learningRate).threads(threads).skipUnreadable(skipUnreadable).command(commandLine()).out(out).build());
        PrintWriter o = spec.commandLine().getOut();
        o.printf(Locale.ROOT, "Wrote %s: version %s, %d pictures, %d steps, %.1f epochs, loss %.4f to %.4f%n", out, r.info().version(), r.images(), r.steps(), r.epochs(), r.firstLoss(), r.lastLoss());
        if (r.skipped() > 0) o.println(r.skipped() + " pictures could not be read and were left out");
        return 0;
    }

    private int patchCore() throws IOException {
        List<String> foreign = MMAD_ONLY.stream().filter(spec.commandLine().getParseResult()::hasMatchedOption).toList();
        if (!foreign.isEmpty()) {
            throw new ParameterException(spec.commandLine(), String.join(", ", foreign) + (foreign.size() > 1 ? " have" : " has") + " no meaning with --method patchcore, which trains nothing: leave "
                    + (foreign.size() > 1 ? "them" : "it") + " out");
        }
        if (bank != null && (bank < PatchCoreOptions.LEAST_BANK || bank > PatchCoreOptions.MOST_BANK)) {
            throw new ParameterException(spec.commandLine(), "--bank must be " + PatchCoreOptions.LEAST_BANK + ".." + PatchCoreOptions.MOST_BANK);
        }
        for (Path d : data) Inputs.folder(d, "folder");
        Inputs.writable(out);
        PatchCoreOptions.Builder options = PatchCoreOptions.builder();
        if (bank != null) options.bank(bank);
        if (recipe != null) options.recipe(recipe);
        if (encoder != null) options.encoder(Encoder.load(Inputs.existing(encoder, "encoder")));
        PatchCoreResult r = PatchCoreFit.run(options.source(MvtecDataset.open(data, categories)).seed(seed).threads(threads).skipUnreadable(skipUnreadable).command(commandLine()).out(out).build());
        PrintWriter o = spec.commandLine().getOut();
        o.printf(Locale.ROOT, "Wrote %s: version %s, %d pictures, a bank of %d out of %d patches, %.0f s%n", out, r.info().version(), r.images(), r.bank(), r.candidates(), r.seconds());
        if (r.skipped() > 0) o.println(r.skipped() + " pictures could not be read and were left out");
        return 0;
    }

    /** What was typed, for the checkpoint's provenance; paths stay as they were given. */
    private String commandLine() {
        return "linesight fit " + String.join(" ", spec.commandLine().getParseResult().originalArgs().stream().skip(1).toList());
    }
}
