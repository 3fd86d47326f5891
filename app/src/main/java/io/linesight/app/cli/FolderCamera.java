package io.linesight.app.cli;

import io.linesight.cameras.Camera;
import io.linesight.cameras.CameraShot;
import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.GrayImage;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.ImageLimits;
import io.linesight.mmad.image.Preprocess;
import io.linesight.schemas.FrameEncoding;
import io.linesight.trainer.folders.MvtecDataset;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Replays the images of a folder, bytes as they are. In MVTec-AD layout ({@code <category>/test/<defect>/x.png}) the
 * category becomes the product, and the folder under {@code test} or {@code train} becomes the ground truth;
 * {@code ground_truth} itself is left out.
 */
final class FolderCamera implements Camera {
    private static final Logger LOG = LoggerFactory.getLogger(FolderCamera.class);
    private final String id;
    private final Path root;
    private final List<Path> files;
    private final Options options;
    private int at;
    private int round;
    private int takenThisRound;
    private long skipped;

    /**
     * @param product product of every image; null to take it from the layout
     * @param split {@code test}, {@code train}, or {@code all}; folders without either are taken whole
     * @param loop start over after the last image
     * @param shuffleSeed order of the images; null for the order of their names
     */
    record Options(String product, String split, boolean loop, Long shuffleSeed) {
        public Options {
            if (!List.of("test", "train", "all").contains(split))
                throw new IllegalArgumentException("the split must be test, train or all, got '" + split + "'");
        }

        public static Options defaults() {
            return new Options(null, "test", false, null);
        }
    }

    private FolderCamera(String id, Path root, List<Path> files, Options options) {
        this.id = id;
        this.root = root;
        this.files = files;
        this.options = options;
        shuffle();
    }

    /**
     * Lists the folder.
     *
     * @throws IOException when it is no folder, cannot be read, or holds no image
     */
    public static FolderCamera open(String id, Path folder, Options options) throws IOException {
        if (!Files.isDirectory(folder))
            throw new IOException("there is no folder " + folder.toAbsolutePath() + "; nothing was sent");
        List<Path> found = new ArrayList<>();
        try (Stream<Path> walk = Files.walk(folder)) {
            for (Path p : (Iterable<Path>) walk::iterator) {
                if (isImage(p) && wanted(folder, p, options.split)) found.add(p);
            }
        } catch (java.io.UncheckedIOException e) {
            throw new IOException(
                    "cannot list " + folder.toAbsolutePath() + ": "
                            + e.getCause().getMessage() + "; nothing was sent",
                    e);
        }
        if (found.isEmpty())
            throw new IOException("no .jpg, .jpeg or .png in " + folder.toAbsolutePath()
                    + (options.split.equals("all") ? "" : " (split " + options.split + ")") + "; nothing was sent");
        Collections.sort(found);
        return new FolderCamera(id, folder, found, options);
    }

    /** Number of images in one round. */
    public int size() {
        return files.size();
    }

    @Override
    public String id() {
        return id;
    }

    @Override
    public long skipped() {
        return skipped;
    }

    @Override
    public Optional<CameraShot> next() {
        while (true) {
            if (at == files.size()) {
                // A round without a single readable image would repeat for ever.
                if (!options.loop || takenThisRound == 0) return Optional.empty();
                at = 0;
                round++;
                takenThisRound = 0;
                shuffle();
            }
            Path file = files.get(at++);
            byte[] bytes;
            try {
                bytes = Files.readAllBytes(file);
            } catch (IOException e) {
                skipped++;
                LOG.warn("Skipped {}: it cannot be read ({})", file, e.toString());
                continue;
            }
            takenThisRound++;
            return Optional.of(shot(file, bytes));
        }
    }

    private CameraShot shot(Path file, byte[] bytes) {
        Path relative = root.relativize(file);
        Map<String, String> attributes = new HashMap<>();
        attributes.put(CameraShot.FILE, relative.toString());
        String product = options.product;
        Path absolute = file.toAbsolutePath().normalize();
        int n = absolute.getNameCount();
        String split = n >= 3 ? absolute.getName(n - 3).toString() : "";
        if (split.equals("test") || split.equals("train")) {
            String kind = absolute.getName(n - 2).toString();
            attributes.put(CameraShot.TRUTH_DEFECT, kind);
            attributes.put(
                    CameraShot.TRUTH_ANOMALOUS, Boolean.toString(!kind.equals("good") && !vanishes(absolute, kind)));
            if (product == null && n >= 4) product = absolute.getName(n - 4).toString();
        }
        return new CameraShot(product, Instant.now(), encoding(file, bytes), 0, 0, bytes, attributes);
    }

    /**
     * A defect whose mask has no pixel left at the model's resolution counts as good, as {@code evaluate} counts it
     * (MMAD_SPEC section 12).
     */
    private static boolean vanishes(Path image, String defect) {
        Path mask = MvtecDataset.maskOf(image.getParent().getParent().getParent(), defect, image);
        if (!Files.isRegularFile(mask)) return false;
        try {
            GrayImage marked = ImageCodec.decodeMask(Files.readAllBytes(mask), ImageLimits.defaults());
            for (byte pixel : Preprocess.mask(marked.gray(), marked.width(), marked.height()))
                if (pixel != 0) return false;
            return true;
        } catch (IOException | BadImageException e) {
            LOG.warn(
                    "The ground truth {} cannot be read ({}); the image counts as defective, as its folder says",
                    mask,
                    e.getMessage());
            return false;
        }
    }

    private void shuffle() {
        if (options.shuffleSeed != null) Collections.shuffle(files, new Random(options.shuffleSeed + round));
    }

    /** Contents decide; the name only where they say nothing. */
    private static FrameEncoding encoding(Path file, byte[] b) {
        if (b.length > 2 && (b[0] & 255) == 0xFF && (b[1] & 255) == 0xD8) return FrameEncoding.JPEG;
        if (b.length > 4 && (b[0] & 255) == 0x89 && b[1] == 'P' && b[2] == 'N' && b[3] == 'G') return FrameEncoding.PNG;
        return file.toString().toLowerCase(Locale.ROOT).endsWith(".png") ? FrameEncoding.PNG : FrameEncoding.JPEG;
    }

    private static boolean isImage(Path p) {
        String name = p.getFileName().toString().toLowerCase(Locale.ROOT);
        return (name.endsWith(".jpg") || name.endsWith(".jpeg") || name.endsWith(".png")) && !Files.isDirectory(p);
    }

    private static boolean wanted(Path root, Path file, String split) {
        boolean test = false;
        boolean train = false;
        for (Path part : root.relativize(file)) {
            String name = part.toString();
            if (name.equals("ground_truth")) return false;
            test |= name.equals("test");
            train |= name.equals("train");
        }
        return switch (split) {
            case "test" -> !train;
            case "train" -> !test;
            default -> true;
        };
    }
}
