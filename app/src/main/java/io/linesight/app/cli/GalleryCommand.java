package io.linesight.app.cli;

import io.linesight.app.cli.common.Inputs;
import io.linesight.demo.Gallery;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.RgbImage;
import io.linesight.mmad.score.OrtScorer;
import io.linesight.mmad.score.Scorer;
import io.linesight.simulator.SimulatedLine;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Makes the image in the README; hidden, for nobody else needs it. */
@Command(
        name = "gallery",
        hidden = true,
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Writes one JPEG: a defective part of every simulated product and its heatmap.",
        footerHeading = "%nExample:%n",
        footer = "  linesight gallery --out docs/images/line.jpg")
final class GalleryCommand implements Callable<Integer> {
    private static final int JPEG_QUALITY = 88;

    @Spec
    private CommandSpec spec;

    @Option(names = "--out", required = true, paramLabel = "FILE", description = "Image to write.")
    private Path out;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "42",
            description = "Seed of the simulated line (${DEFAULT-VALUE}).")
    private long seed;

    @Mixin
    private Model model;

    @Override
    public Integer call() throws Exception {
        Inputs.writable(out);
        try (Scorer scorer = OrtScorer.open(model.resolve(), model.options())) {
            RgbImage image = Gallery.render(new SimulatedLine(seed, 0.3), scorer);
            Files.write(out, ImageCodec.encodeJpeg(image, JPEG_QUALITY));
        }
        spec.commandLine().getOut().println("Wrote " + out);
        return 0;
    }
}
