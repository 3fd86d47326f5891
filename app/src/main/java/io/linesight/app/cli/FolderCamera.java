package io.linesight.app.cli;

import io.linesight.cameras.Camera;
import io.linesight.cameras.CameraShot;
import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.DecodeSettings;
import io.linesight.mmad.image.FrameImages;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.Preprocess;
import io.linesight.mmad.image.RgbImage;
import io.linesight.schemas.FrameEncoding;
import io.linesight.trainer.folders.DatasetException;
import io.linesight.trainer.folders.FilesReport;
import io.linesight.trainer.folders.FolderWalk;
import io.linesight.trainer.folders.ImageFiles;
import io.linesight.trainer.folders.Masks;
import io.linesight.trainer.folders.ReadingContext;
import io.linesight.trainer.folders.Spelling;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Replays the images of a folder, bytes as they are; a BMP, TIFF, WebP or GIF becomes a PNG, as frames have no such
 * encoding. In MVTec-AD layout ({@code <category>/test/<defect>/x.png}) the category becomes the product, and the
 * folder under {@code test} or {@code train} becomes the ground truth, as do folders of good and bad images. Only
 * folders below the given one count, and that one's own name. Masks are left out.
 */
final class FolderCamera implements Camera {
    private static final Logger LOG = LoggerFactory.getLogger(FolderCamera.class);
    private final String id;
    private final Path root;
    private final List<Path> files;
    private final Options options;
    private final ReadingContext context;
    private final Map<Path, Masks> masks = new HashMap<>();
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

    private FolderCamera(String id, Path root, List<Path> files, Options options, ReadingContext context) {
        this.context = context;
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
        return open(id, folder, options, ReadingContext.defaults());
    }

    /** The same, by settings. */
    static FolderCamera open(String id, Path folder, Options options, ReadingContext context) throws IOException {
        if (!Files.isDirectory(folder))
            throw new IOException("there is no folder " + folder.toAbsolutePath() + "; nothing was sent");
        List<Path> found = new ArrayList<>();
        try {
            for (Path p : new FolderWalk(context.report()).withoutTruth(folder))
                if (wanted(folder, p, options.split)) found.add(p);
        } catch (DatasetException e) {
            throw new IOException(e.getMessage() + "; nothing was sent", e);
        }
        if (found.isEmpty())
            throw new IOException("no .jpg, .jpeg, .png or other image in " + folder.toAbsolutePath()
                    + (options.split.equals("all") ? "" : " (split " + options.split + ")") + "; nothing was sent");
        Collections.sort(found);
        return new FolderCamera(id, folder, found, options, context);
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
                bytes = frame(file);
            } catch (IOException | BadImageException e) {
                skipped++;
                context.report().leave(FilesReport.LeftOut.UNREADABLE, file, String.valueOf(e.getMessage()));
                LOG.warn("Skipped {}: it cannot be read ({})", file, e.toString());
                continue;
            }
            context.report().read(file);
            takenThisRound++;
            return Optional.of(shot(file, bytes));
        }
    }

    /** The file as it is, where it may be a frame. */
    private byte[] frame(Path file) throws IOException, BadImageException {
        byte[] bytes = ImageFiles.bytes(file, context.decoding().limits());
        return FrameImages.isFrameFile(bytes)
                ? bytes
                : ImageCodec.encodePng(
                        ImageCodec.decodeFile(bytes, context.decoding()).image());
    }

    private CameraShot shot(Path file, byte[] bytes) {
        Path relative = root.relativize(file);
        Map<String, String> attributes = new HashMap<>();
        attributes.put(CameraShot.FILE, Spelling.nfc(relative.toString()));
        int bits = context.decoding().sampleBits();
        if (bits != DecodeSettings.ALL_BITS && FrameImages.isFrameFile(bytes))
            attributes.put(FrameImages.BITS, Integer.toString(bits));
        String product = options.product;
        int part = part(relative);
        if (part >= 0) {
            Path category = part == 0 ? root : root.resolve(relative.subpath(0, part));
            truth(category, relative, part, file, attributes);
            if (product == null) product = name(category);
        }
        return new CameraShot(product, Instant.now(), encoding(file, bytes), 0, 0, bytes, attributes);
    }

    /** The first folder that says what the images in it are: of test, train, good or bad; -1 for none. */
    private static int part(Path relative) {
        for (int i = 0; i + 1 < relative.getNameCount(); i++) {
            Path folder = relative.getName(i);
            boolean split = isSplit(folder);
            if (split && i + 2 < relative.getNameCount()) return i;
            if (!split && (Spelling.isGood(folder) || Spelling.isBad(folder))) return i;
        }
        return -1;
    }

    private static boolean isSplit(Path folder) {
        return Spelling.isTest(folder) || Spelling.isTrain(folder) || Spelling.isValidation(folder);
    }

    private void truth(Path category, Path relative, int part, Path file, Map<String, String> attributes) {
        Path folder = relative.getName(part);
        boolean split = isSplit(folder);
        Path says = split ? relative.getName(part + 1) : folder;
        boolean kinds = !split && Spelling.isBad(folder) && part + 2 < relative.getNameCount();
        String kind = Spelling.nfc((kinds ? relative.getName(part + 1) : says).toString());
        boolean good = Spelling.isGood(says);
        attributes.put(CameraShot.TRUTH_DEFECT, good ? "good" : kind);
        attributes.put(CameraShot.TRUTH_ANOMALOUS, Boolean.toString(!good && !vanishes(category, file, kind)));
    }

    private static String name(Path folder) {
        return Spelling.nfc(folder.toAbsolutePath().normalize().getFileName().toString());
    }

    /**
     * A defect whose mask has no pixel left at the model's resolution counts as good, as {@code evaluate} counts it
     * (MMAD_SPEC section 12). A mask that is empty as it is says nothing.
     */
    private boolean vanishes(Path category, Path image, String defect) {
        List<Path> mask = masks.computeIfAbsent(category, c -> Masks.in(c, context.report()))
                .of(image, defect);
        if (mask.isEmpty()) return false;
        try {
            RgbImage marked = ImageFiles.truth(ImageFiles.masks(mask, context));
            if (marked == null) return false;
            for (byte pixel : Preprocess.mask(marked)) if (pixel != 0) return false;
            return true;
        } catch (IOException | BadImageException e) {
            LOG.warn(
                    "The ground truth {} cannot be read ({}); the image counts as defective, as its folder says",
                    mask.get(0),
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

    private static boolean wanted(Path root, Path file, String split) {
        boolean test = false;
        boolean train = false;
        boolean validation = false;
        for (Path part : root.relativize(file)) {
            test |= Spelling.isTest(part);
            train |= Spelling.isTrain(part);
            validation |= Spelling.isValidation(part);
        }
        return switch (split) {
            case "test" -> !train && !validation;
            case "train" -> !test && !validation;
            default -> true;
        };
    }
}
