package io.linesight.standalone.simulator;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;

/** Writes parts of the simulated line as a data set in MVTec-AD layout. */
public final class SimulatedDataset {
    private static final long TRAIN = 1;
    private static final long TEST = 2;

    private SimulatedDataset() { }

    /**
     * Writes {@code <out>/<product>/train/good}, {@code test/good}, {@code test/<defect>} and {@code ground_truth/<defect>} for every product.
     * Half of the test pictures are good; the others go through the product's defects in turn.
     *
     * @param out   folder, made when absent; must be empty
     * @param train good pictures per product
     * @param test  test pictures per product
     * @param seed  the same seed writes the same pictures
     * @return number of pictures written, masks not counted
     * @throws IOException when the folder is not empty or cannot be written
     */
    public static int export(Path out, List<String> products, int train, int test, long seed) throws IOException {
        if (Files.exists(out)) {
            try (var files = Files.list(out)) {
                if (files.findAny().isPresent()) throw new IOException(out + " is not empty: choose another folder or empty it; nothing was written");
            }
        }
        SimulatedLine line = new SimulatedLine(seed, 0);
        int written = 0;
        for (String product : products) {
            List<String> defects = SimulatedLine.defects(product);
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
                if (!job.defect.equals(SimulatedFrame.GOOD)) Files.createDirectories(out.resolve(product).resolve("ground_truth").resolve(job.defect));
            }
            try {
                IntStream.range(0, jobs.size()).parallel().forEach(k -> write(line, out.resolve(product), product, jobs.get(k)));
            } catch (UncheckedIOException e) {
                throw e.getCause();
            }
            written += jobs.size();
        }
        return written;
    }

    private record Job(long stream, int index, String defect, String folder, String name) { }

    private static String name(int i) {
        return String.format("%03d", i);
    }

    private static void write(SimulatedLine line, Path root, String product, Job job) {
        SimulatedFrame f = line.part(product, job.defect, job.stream, job.index);
        int w = f.image().width();
        int h = f.image().height();
        byte[] rgb = f.image().rgb();
        BufferedImage picture = new BufferedImage(w, h, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < w * h; i++) {
            picture.setRGB(i % w, i / w, (rgb[3 * i] & 255) << 16 | (rgb[3 * i + 1] & 255) << 8 | (rgb[3 * i + 2] & 255));
        }
        try {
            save(picture, root.resolve(job.folder).resolve(job.name + ".png"));
            if (f.anomalous()) {
                BufferedImage mask = new BufferedImage(w, h, BufferedImage.TYPE_BYTE_GRAY);
                for (int i = 0; i < w * h; i++) mask.getRaster().setSample(i % w, i / w, 0, f.mask()[i] != 0 ? 255 : 0);
                save(mask, root.resolve("ground_truth").resolve(job.defect).resolve(job.name + "_mask.png"));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void save(BufferedImage picture, Path file) throws IOException {
        if (!ImageIO.write(picture, "png", file.toFile())) throw new IOException("no PNG writer for " + file);
    }
}
