package io.linesight.simulator;

import io.linesight.mmad.image.ImageCodec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Writes parts of the simulated line as a data set in MVTec-AD layout, compressed as its cameras compress them: a model
 * that has only seen untouched pixels takes the traces of JPEG for defects.
 */
public final class SimulatedDataset {
    private static final long TRAIN = 1;
    private static final long TEST = 2;

    private SimulatedDataset() {}

    /**
     * Writes {@code <out>/<product>/train/good}, {@code test/good}, {@code test/<defect>} and
     * {@code ground_truth/<defect>} for every product. Half of the test images are good; the others go through the
     * product's defects in turn.
     *
     * @param out folder; made when absent, must be empty
     * @param train good images per product
     * @param test test images per product
     * @param seed the same seed writes the same images
     * @param lamp over all parts
     * @return number of images written, masks not counted
     * @throws IOException when the folder is not empty or cannot be written
     */
    public static int export(Path out, List<String> products, int train, int test, long seed, Lamp lamp)
            throws IOException {
        return export(out, products, train, test, seed, lamp, null);
    }

    /**
     * The same in large frames.
     *
     * @param tray what a frame shows; null = one part
     */
    public static int export(
            Path out, List<String> products, int train, int test, long seed, Lamp lamp, @Nullable Tray tray)
            throws IOException {
        if (Files.exists(out)) {
            try (var files = Files.list(out)) {
                if (files.findAny().isPresent())
                    throw new IOException(
                            out + " is not empty: choose another folder or empty it; nothing was written");
            }
        }
        SimulatedLine line = new SimulatedLine(seed, 0, lamp);
        int written = 0;
        for (String product : products) {
            List<String> defects = tray == null ? SimulatedLine.defects(product) : tray.defects(product);
            List<Job> jobs = new ArrayList<>();
            for (int i = 0; i < train; i++) jobs.add(new Job(TRAIN, i, SimulatedFrame.GOOD, "train/good", name(i)));
            int good = test - test / 2;
            for (int i = 0; i < good; i++) jobs.add(new Job(TEST, i, SimulatedFrame.GOOD, "test/good", name(i)));
            for (int i = 0; i < test - good; i++) {
                String defect = defects.get(i % defects.size());
                jobs.add(new Job(TEST, good + i, defect, "test/" + defect, name(i / defects.size())));
            }
            for (Job job : jobs) {
                Files.createDirectories(out.resolve(product).resolve(job.folder));
                if (!job.defect.equals(SimulatedFrame.GOOD))
                    Files.createDirectories(
                            out.resolve(product).resolve("ground_truth").resolve(job.defect));
            }
            try {
                IntStream.range(0, jobs.size())
                        .parallel()
                        .forEach(k -> write(line, out.resolve(product), product, tray, jobs.get(k)));
            } catch (UncheckedIOException e) {
                throw e.getCause();
            }
            written += jobs.size();
        }
        return written;
    }

    private record Job(long stream, int index, String defect, String folder, String name) {}

    private static String name(int i) {
        return String.format("%03d", i);
    }

    private static void write(SimulatedLine line, Path root, String product, @Nullable Tray tray, Job job) {
        SimulatedFrame f = tray == null
                ? line.part(product, job.defect, job.stream, job.index)
                : line.tray(product, job.defect, tray, job.stream, job.index);
        try {
            Files.write(
                    root.resolve(job.folder).resolve(job.name + ".jpg"),
                    ImageCodec.encodeJpeg(f.image(), SimulatedFrame.JPEG_QUALITY));
            if (f.anomalous()) {
                byte[] mask = f.mask().clone();
                for (int i = 0; i < mask.length; i++) mask[i] = (byte) (mask[i] != 0 ? 255 : 0);
                Files.write(
                        root.resolve("ground_truth").resolve(job.defect).resolve(job.name + "_mask.png"),
                        ImageCodec.encodeGrayPng(
                                mask, f.image().width(), f.image().height()));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
