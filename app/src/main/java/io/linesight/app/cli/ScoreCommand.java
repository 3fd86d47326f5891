package io.linesight.app.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.linesight.app.cli.common.ImageOptions;
import io.linesight.app.cli.common.Inputs;
import io.linesight.app.cli.common.Json;
import io.linesight.app.cli.common.ServeSettings;
import io.linesight.app.cli.common.UserError;
import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.checkpoint.ProductName;
import io.linesight.mmad.checkpoint.RememberedImage;
import io.linesight.mmad.checkpoint.VerdictRule;
import io.linesight.mmad.checkpoint.VerdictRule.Decision;
import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.DecodeSettings;
import io.linesight.mmad.image.Heatmaps;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.RgbImage;
import io.linesight.mmad.io.Npy;
import io.linesight.mmad.score.FoundRegion;
import io.linesight.mmad.score.FrameScorer;
import io.linesight.mmad.score.OrtScorer;
import io.linesight.mmad.score.RegionFinder;
import io.linesight.mmad.score.ScoredFrame;
import io.linesight.mmad.score.Scorer;
import io.linesight.mmad.score.Scores;
import io.linesight.mmad.view.ViewLayouts;
import io.linesight.trainer.folders.FilesReport;
import io.linesight.trainer.folders.FolderWalk;
import io.linesight.trainer.folders.ImageFiles;
import io.linesight.trainer.folders.ReadingContext;
import io.linesight.trainer.folders.Spelling;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "score",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Scores images and prints the calibrated score (0.5 is the decision point), the raw score and the "
                        + "verdict: PASS, REVIEW or FAIL by the rule of serve, with the checkpoint's review band or "
                        + "0.4 to 0.6, unless linesight.review.low and .high say otherwise.",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:every image was scored",
            "1:at least one image could not be scored; the others were",
            "2:the command line is wrong"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight score --model m.onnx part.png",
            "  linesight score --product board --heatmaps out parts/board/test/scratch",
            "  linesight score --model m.onnx --nearest part.png    # and the good image that it is most like",
            "  linesight score --config line.properties --product board part.png     # as serve with this file says"
        })
final class ScoreCommand implements Callable<Integer> {
    private static final int BATCH = 8;
    private static final int MAX_REGIONS = 10;

    @Spec
    private CommandSpec spec;

    @Parameters(
            arity = "1..*",
            paramLabel = "IMAGE",
            description = "Image files (PNG, JPEG, BMP, TIFF, WebP, GIF), or folders of them; masks are left out.")
    private List<Path> images;

    @Mixin
    private Model model;

    @Mixin
    private ImageOptions imageOptions;

    @Mixin
    private ServeSettings serveSettings;

    @Option(
            names = "--product",
            paramLabel = "NAME",
            description = "Product whose threshold and review band apply. Default: the checkpoint's fallback.")
    private String product;

    @Option(
            names = "--heatmaps",
            paramLabel = "DIR",
            description = "Write a PNG for each image: the image beside its anomaly map, with raw score and threshold.")
    private Path heatmaps;

    @Option(
            names = "--maps",
            paramLabel = "DIR",
            description = "Write the raw anomaly map of each image: NAME.npy, float32 [256, 256], or as many "
                    + "pixels as were looked at where the checkpoint has regions or tiles.")
    private Path maps;

    @Option(
            names = "--nearest",
            description = "Say which good image of the checkpoint each image is most like, and how far away it is, in "
                    + "deviations. Only for checkpoints that remember images (fit --method retrieval).")
    private boolean nearest;

    @Option(names = "--json", description = "Print JSON instead of a table.")
    private boolean json;

    private final FilesReport report = new FilesReport();
    private final Map<Path, String> names = new HashMap<>();
    private DecodeSettings decoding = DecodeSettings.defaults();
    private List<RememberedImage> remembered = List.of();
    private VerdictRule rule = VerdictRule.DEFAULT;
    private int failed;

    @Override
    public Integer call() throws Exception {
        Map<String, String> settings = serveSettings.read();
        decoding = imageOptions.settings(settings);
        rule = serveSettings.rule(settings);
        if (product != null) product = Spelling.nfc(product);
        List<Path> files = files();
        if (heatmaps != null) Inputs.made(heatmaps);
        if (maps != null) Inputs.made(maps);
        PrintWriter out = spec.commandLine().getOut();
        ObjectNode document = Json.object();
        ArrayNode list = document.putArray("images");
        try (Scorer scorer = OrtScorer.open(model.resolve(), model.options())) {
            CheckpointInfo info = scorer.info();
            document.put("model", info.version()).put("device", scorer.device());
            describeThreshold(document, info.calibration());
            if (nearest) remembered = remembered(info);
            if (info.calibration().applied(product).equals(VerdictRule.FALLBACK))
                spec.commandLine().getErr().println("linesight: " + fallback(info.calibration(), scorer.views()));
            if (!json)
                out.printf(
                        Locale.ROOT,
                        "%-8s %-10s %-8s %s%n",
                        "score",
                        "raw",
                        "verdict",
                        nearest ? "file, nearest good image, deviations" : "file");
            for (int from = 0; from < files.size(); from += BATCH) {
                score(scorer, files.subList(from, Math.min(files.size(), from + BATCH)), list, out);
            }
        }
        if (json) {
            document.set("files", Json.of(report.toMap()));
            out.println(Json.pretty(document));
        }
        out.flush();
        spec.commandLine().getErr().print(report.text());
        spec.commandLine().getErr().flush();
        return failed == 0 ? 0 : 1;
    }

    private static List<RememberedImage> remembered(CheckpointInfo info) throws IOException {
        List<RememberedImage> images = RememberedImage.of(info);
        if (images.isEmpty())
            throw new UserError("checkpoint " + info.version() + " remembers no images, so none can be nearest: leave "
                    + "--nearest out, or make one with fit --method retrieval; nothing was scored");
        return images;
    }

    private List<Path> files() throws IOException {
        List<Path> files = new ArrayList<>();
        for (Path given : images) {
            if (!Files.exists(given))
                throw new UserError("there is no file " + given.toAbsolutePath() + "; nothing was scored");
            if (!Files.isDirectory(given)) {
                files.add(given);
                report.found(1);
                continue;
            }
            List<Path> found = new FolderWalk(report).withoutTruth(given);
            if (found.isEmpty()) throw new UserError("no image in " + given.toAbsolutePath() + "; nothing was scored");
            files.addAll(found);
        }
        nameOutputs(files);
        return files;
    }

    /**
     * Output names are the files' names; those that would collide get their folder in front, and a number where that is
     * not enough.
     */
    private void nameOutputs(List<Path> files) {
        Map<String, Integer> plain = new HashMap<>();
        for (Path f : files) plain.merge(stem(f), 1, Integer::sum);
        Map<String, Integer> used = new HashMap<>();
        for (Path f : files) {
            Path parent = f.toAbsolutePath().getParent().getFileName();
            String name = plain.get(stem(f)) == 1 ? stem(f) : (parent == null ? "" : parent + "_") + stem(f);
            int n = used.merge(name, 1, Integer::sum);
            names.put(f, n == 1 ? name : name + "-" + n);
        }
    }

    private static String stem(Path f) {
        String name = f.getFileName().toString();
        int dot = name.lastIndexOf('.');
        return dot > 0 ? name.substring(0, dot) : name;
    }

    private record Loaded(Path file, RgbImage image, byte[] views) {}

    /** What the verdicts of this run rest on. */
    private void describeThreshold(ObjectNode document, Calibration calibrations) {
        ProductCalibration calibration = calibrations.forProduct(product);
        String applied = calibrations.applied(product);
        document.put("calibration", applied)
                .put("fallback", applied.equals(VerdictRule.FALLBACK))
                .put("threshold", calibration.threshold())
                .put("reviewLow", rule.low(calibration))
                .put("reviewHigh", rule.high(calibration));
    }

    private String fallback(Calibration calibrations, ViewLayouts layouts) {
        List<String> known = calibrations.byProduct().keySet().stream().sorted().toList();
        String which = ProductName.of(product) == null
                ? "no product was given"
                : "the checkpoint has no threshold for '" + product + "'";
        return which
                + (layouts.isEmpty() ? "" : ", so every image is looked at as a whole, without regions and tiles")
                + ", so its fallback threshold "
                + String.format(Locale.ROOT, "%.6f", calibrations.fallback().threshold())
                + " applies to every image. "
                + (known.isEmpty()
                        ? "It has no threshold of any product"
                        : "Give --product NAME for one of " + String.join(", ", known));
    }

    private void score(Scorer scorer, List<Path> files, ArrayNode list, PrintWriter out) throws IOException {
        Calibration calibrations = scorer.info().calibration();
        List<Loaded> loaded = load(scorer.views(), files, list);
        if (loaded.isEmpty()) return;
        List<ScoredFrame> scored = FrameScorer.score(
                scorer,
                loaded.stream()
                        .map(l -> new FrameScorer.Frame(product, l.views))
                        .toList(),
                BATCH);
        for (int i = 0; i < loaded.size(); i++) {
            Loaded l = loaded.get(i);
            ScoredFrame frame = scored.get(i);
            double raw = frame.raw();
            float[] map = frame.map();
            Decision decision = rule.decide(calibrations, product, raw, isFinite(map));
            writeFiles(l, map, frame.size(), raw, decision.calibration());
            Scores.Nearest near = nearest ? frame.batch().nearest() : null;
            if (json) list.add(withNearest(describe(l, map, frame.size(), raw, decision), near, frame.frame()));
            else
                out.printf(
                        Locale.ROOT,
                        "%-8.4f %-10.6f %-8s %s%s%n",
                        decision.score(),
                        raw,
                        decision.verdict(),
                        l.file,
                        nearestText(near, frame.frame()));
        }
    }

    private ObjectNode withNearest(ObjectNode node, Scores.@Nullable Nearest near, int i) {
        if (near == null) return node;
        RememberedImage image = remembered.get(near.images()[i]);
        Json.number(
                node.putObject("nearest").put("product", image.product()).put("name", image.name()),
                "distance",
                near.distances()[i]);
        return node;
    }

    private String nearestText(Scores.@Nullable Nearest near, int i) {
        return near == null
                ? ""
                : String.format(Locale.ROOT, "  %s  %.2f", remembered.get(near.images()[i]), near.distances()[i]);
    }

    private List<Loaded> load(ViewLayouts views, List<Path> files, ArrayNode list) {
        List<Loaded> loaded = new ArrayList<>();
        for (Path file : files) {
            try {
                RgbImage image = ImageFiles.image(file, new ReadingContext(decoding, report))
                        .read();
                loaded.add(new Loaded(file, image, views.cut(product, image)));
            } catch (IOException | BadImageException e) {
                failed++;
                String why =
                        e instanceof BadImageException ? e.getMessage() : "it cannot be read (" + e.getMessage() + ")";
                spec.commandLine().getErr().println("linesight: " + file + " was skipped: " + why);
                if (json) list.addObject().put("file", file.toString()).put("error", why);
            }
        }
        return loaded;
    }

    private void writeFiles(Loaded l, float[] map, int size, double raw, ProductCalibration calibration)
            throws IOException {
        String name = names.get(l.file);
        if (maps != null) Npy.write(maps.resolve(name + ".npy"), map, size, size);
        if (heatmaps == null) return;
        RgbImage panel = Heatmaps.panel(l.image, null, map, size, raw, calibration.threshold());
        Files.write(heatmaps.resolve(name + ".png"), ImageCodec.encodePng(panel));
    }

    private ObjectNode describe(Loaded l, float[] map, int size, double raw, Decision decision) {
        double threshold = decision.calibration().threshold();
        ObjectNode node = Json.object().put("file", l.file.toString());
        if (product != null) node.put("product", product);
        Json.number(node, "score", decision.score());
        Json.number(node, "rawScore", raw);
        node.put("threshold", threshold)
                .put("calibration", decision.applied())
                .put("fallback", decision.fallback())
                .put("verdict", decision.verdict().name());
        ArrayNode regions = node.putArray("regions");
        for (FoundRegion r : RegionFinder.find(map, size, threshold, l.image.width(), l.image.height(), MAX_REGIONS)) {
            regions.addObject()
                    .put("x", r.x())
                    .put("y", r.y())
                    .put("width", r.width())
                    .put("height", r.height())
                    .put("area", r.area())
                    .put("peak", r.peak());
        }
        return node;
    }

    private static boolean isFinite(float[] map) {
        for (float value : map) if (!Float.isFinite(value)) return false;
        return true;
    }
}
