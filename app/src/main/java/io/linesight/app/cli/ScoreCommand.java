package io.linesight.app.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.linesight.app.cli.common.Inputs;
import io.linesight.app.cli.common.UserError;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.Heatmaps;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.ImageLimits;
import io.linesight.mmad.image.Preprocess;
import io.linesight.mmad.image.RgbImage;
import io.linesight.mmad.io.Npy;
import io.linesight.mmad.score.FoundRegion;
import io.linesight.mmad.score.OrtScorer;
import io.linesight.mmad.score.RegionFinder;
import io.linesight.mmad.score.Scorer;
import io.linesight.mmad.score.Scores;
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
import java.util.stream.Stream;
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
        description = "Scores pictures: calibrated score (0.5 is the decision point), raw score, verdict.",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:every picture was scored",
            "1:at least one was not; the others were",
            "2:the command line is wrong"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight score --model m.onnx part.png",
            "  linesight score --product board --heatmaps out --maps out parts/board/test/scratch"
        })
final class ScoreCommand implements Callable<Integer> {
    private static final int BATCH = 8;

    @Spec
    private CommandSpec spec;

    @Parameters(arity = "1..*", paramLabel = "IMAGE", description = "JPEG or PNG files, or folders of them.")
    private List<Path> images;

    @Mixin
    private Model model;

    @Option(
            names = "--product",
            paramLabel = "NAME",
            description = "Product whose threshold applies; the checkpoint's fallback by default.")
    private String product;

    @Option(
            names = "--heatmaps",
            paramLabel = "DIR",
            description =
                    "Write a picture per image: frame beside its anomaly map, with the raw score and its threshold.")
    private Path heatmaps;

    @Option(
            names = "--maps",
            paramLabel = "DIR",
            description = "Write the raw anomaly map per image: NAME.npy, float32 [256, 256].")
    private Path maps;

    @Option(names = "--json", description = "Print JSON instead of a table.")
    private boolean json;

    private final Map<Path, String> names = new HashMap<>();
    private int failed;

    @Override
    public Integer call() throws Exception {
        List<Path> files = files();
        if (heatmaps != null) Inputs.made(heatmaps);
        if (maps != null) Inputs.made(maps);
        PrintWriter out = spec.commandLine().getOut();
        ObjectNode document = Json.object();
        ArrayNode list = document.putArray("images");
        try (Scorer scorer = OrtScorer.open(model.resolve(), model.options())) {
            CheckpointInfo info = scorer.info();
            document.put("model", info.version()).put("device", scorer.device());
            if (product != null && !info.calibration().knows(product)) {
                spec.commandLine()
                        .getErr()
                        .println("linesight: the checkpoint has no threshold for '" + product
                                + "', its fallback applies; it knows "
                                + info.calibration().byProduct().keySet());
            }
            if (!json) out.printf(Locale.ROOT, "%-8s %-10s %-8s %s%n", "score", "raw", "verdict", "file");
            for (int from = 0; from < files.size(); from += BATCH) {
                score(
                        scorer,
                        files.subList(from, Math.min(files.size(), from + BATCH)),
                        info.calibration().forProduct(product),
                        list,
                        out);
            }
        }
        if (json) out.println(Json.pretty(document));
        return failed == 0 ? 0 : 1;
    }

    private List<Path> files() throws IOException {
        List<Path> files = new ArrayList<>();
        for (Path given : images) {
            if (!Files.exists(given))
                throw new UserError("there is no file " + given.toAbsolutePath() + "; nothing was scored");
            if (!Files.isDirectory(given)) {
                files.add(given);
                continue;
            }
            int before = files.size();
            try (Stream<Path> walk = Files.walk(given)) {
                walk.filter(p -> p.toString().toLowerCase(Locale.ROOT).matches(".*\\.(png|jpe?g)")
                                && Files.isRegularFile(p))
                        .sorted()
                        .forEach(files::add);
            }
            if (files.size() == before)
                throw new UserError("no .png, .jpg or .jpeg in " + given.toAbsolutePath() + "; nothing was scored");
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

    private void score(Scorer scorer, List<Path> files, ProductCalibration calibration, ArrayNode list, PrintWriter out)
            throws IOException {
        List<Path> readable = new ArrayList<>();
        List<RgbImage> pictures = new ArrayList<>();
        List<byte[]> inputs = new ArrayList<>();
        for (Path file : files) {
            try {
                RgbImage picture = ImageCodec.decode(Files.readAllBytes(file), ImageLimits.defaults());
                inputs.add(Preprocess.toModelInput(picture));
                pictures.add(picture);
                readable.add(file);
            } catch (IOException | BadImageException e) {
                failed++;
                String why =
                        e instanceof BadImageException ? e.getMessage() : "it cannot be read (" + e.getMessage() + ")";
                spec.commandLine().getErr().println("linesight: " + file + " was left out: " + why);
                if (json) list.addObject().put("file", file.toString()).put("error", why);
            }
        }
        if (inputs.isEmpty()) return;
        Scores scores = scorer.score(inputs);
        for (int i = 0; i < readable.size(); i++) {
            Path file = readable.get(i);
            RgbImage picture = pictures.get(i);
            double raw = scores.raw()[i];
            double score = calibration.calibrated(raw);
            String verdict = Double.isNaN(raw) ? "REVIEW" : verdict(score, calibration);
            float[] map = scores.map(i);
            if (maps != null) Npy.write(maps.resolve(names.get(file) + ".npy"), map, scores.size(), scores.size());
            if (heatmaps != null) {
                RgbImage panel = Heatmaps.panel(picture, null, map, scores.size(), raw, calibration.threshold());
                Files.write(heatmaps.resolve(names.get(file) + ".png"), ImageCodec.encodePng(panel));
            }
            if (!json) {
                out.printf(Locale.ROOT, "%-8.4f %-10.6f %-8s %s%n", score, raw, verdict, file);
                continue;
            }
            ObjectNode node = list.addObject().put("file", file.toString());
            if (product != null) node.put("product", product);
            Json.number(node, "score", score);
            Json.number(node, "rawScore", raw);
            node.put("threshold", calibration.threshold()).put("verdict", verdict);
            ArrayNode regions = node.putArray("regions");
            for (FoundRegion r : RegionFinder.find(
                    map, scores.size(), calibration.threshold(), picture.width(), picture.height(), 10)) {
                regions.addObject()
                        .put("x", r.x())
                        .put("y", r.y())
                        .put("width", r.width())
                        .put("height", r.height())
                        .put("area", r.area())
                        .put("peak", r.peak());
            }
        }
    }

    /** A checkpoint that says nothing of a review band is asked for yes or no. */
    private static String verdict(double score, ProductCalibration calibration) {
        if (calibration.review() == null) return score >= 0.5 ? "FAIL" : "PASS";
        return score < calibration.review().low()
                ? "PASS"
                : score >= calibration.review().high() ? "FAIL" : "REVIEW";
    }
}
