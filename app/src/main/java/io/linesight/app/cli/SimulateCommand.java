package io.linesight.app.cli;

import io.linesight.simulator.Lamp;
import io.linesight.simulator.SimulatedDataset;
import io.linesight.simulator.SimulatedLine;
import io.linesight.simulator.Tray;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
        name = "simulate",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Writes images of simulated parts and their ground truth, in MVTec-AD layout.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight simulate --out parts --train 200 --test 80 --seed 1",
            "  linesight simulate --out trays --size 2048 --defect-pixels 8-16 --train 40 --test 40"
        })
final class SimulateCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "DIR",
            description = "Folder to write; it must be empty or absent.")
    private Path out;

    @Option(
            names = "--train",
            defaultValue = "200",
            paramLabel = "N",
            description = "Number of good training images per product. Default: ${DEFAULT-VALUE}.")
    private int train;

    @Option(
            names = "--test",
            defaultValue = "80",
            paramLabel = "N",
            description = "Number of test images per product, half of them defective. Default: ${DEFAULT-VALUE}.")
    private int test;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Seed of the parts: the same seed writes the same images. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(
            names = "--lamp",
            defaultValue = "tube",
            paramLabel = "tube|led",
            description = "Lamp over the parts; 'demo --learn' replaces the tube by an LED. Default: ${DEFAULT-VALUE}.")
    private LampKind lamp;

    @Option(
            names = "--products",
            split = ",",
            paramLabel = "A,B",
            description = "Products. Default: all of flange, board, fabric, blister.")
    private List<String> products;

    @Option(
            names = "--size",
            paramLabel = "PIXELS",
            description = "Side of the images, 960 to 4096: each shows a tray full of parts, one of them defective at "
                    + "most. Default: 320, one part.")
    private @Nullable Integer size;

    @Option(
            names = "--defect-pixels",
            paramLabel = "MIN-MAX",
            description = "With --size: small defects of this extent (nick, pit, speck) in the place of the product's "
                    + "own, 4-64.")
    private @Nullable String defectPixels;

    private enum LampKind {
        tube(Lamp.TUBE),
        led(Lamp.LED);

        private final Lamp lamp;

        LampKind(Lamp lamp) {
            this.lamp = lamp;
        }
    }

    @Override
    public Integer call() throws Exception {
        if (train < 0 || test < 0 || train + test == 0)
            throw new ParameterException(spec.commandLine(), "--train and --test must not be negative, nor both 0");
        List<String> chosen = products == null ? SimulatedLine.products() : products;
        for (String p : chosen) {
            if (!SimulatedLine.products().contains(p))
                throw new ParameterException(
                        spec.commandLine(),
                        "there is no simulated product '" + p + "': choose from "
                                + String.join(", ", SimulatedLine.products()));
        }
        int n = SimulatedDataset.export(out, chosen, train, test, seed, lamp.lamp, tray());
        spec.commandLine().getOut().println("Wrote " + n + " images of " + String.join(", ", chosen) + " to " + out);
        return 0;
    }

    private @Nullable Tray tray() {
        if (size == null && defectPixels == null) return null;
        if (size == null || defectPixels != null && !defectPixels.matches("\\d{1,4}-\\d{1,4}"))
            throw new ParameterException(
                    spec.commandLine(),
                    size == null
                            ? "--defect-pixels is for large images: give --size too, such as --size 2048"
                            : "--defect-pixels is MIN-MAX in pixels, such as 8-16, got '" + defectPixels + "'");
        String[] extent = defectPixels == null ? new String[] {"0", "0"} : defectPixels.split("-");
        try {
            return new Tray(size, Integer.parseInt(extent[0]), Integer.parseInt(extent[1]));
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }
}
