package io.linesight.trainer.imagestore;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;

/** Writes images in MVTec-AD layout, with a table of their labels. */
final class MvtecExport {
    private static final CSVFormat FORMAT = CSVFormat.RFC4180
            .builder()
            .setRecordSeparator("\n")
            .setHeader("file", "frame", "product", "label", "origin", "annotator", "labelled_at", "side")
            .get();

    private final DatasetStore store;
    private final Path out;
    private final Map<String, String> folders = new HashMap<>();

    private MvtecExport(DatasetStore store, Path out) {
        this.store = store;
        this.out = out;
    }

    static void ensureEmpty(Path out) throws IOException {
        if (!Files.exists(out)) return;
        try (Stream<Path> files = Files.list(out)) {
            if (files.findAny().isPresent())
                throw new IOException(out + " is not empty: choose another folder or empty it; nothing was written");
        }
    }

    /** Returns the number of images written. */
    static int write(DatasetStore store, List<StoredImage> images, Path out) throws IOException {
        Files.createDirectories(out);
        MvtecExport export = new MvtecExport(store, out);
        try (CSVPrinter table = new CSVPrinter(Files.newBufferedWriter(out.resolve("pictures.csv")), FORMAT)) {
            for (StoredImage image : images) {
                table.printRecord(
                        export.copy(image),
                        image.frame(),
                        image.product(),
                        image.anomalous() ? "anomalous" : "normal",
                        image.origin(),
                        image.annotator(),
                        image.labelledAt(),
                        image.split());
            }
        }
        return images.size();
    }

    /** Copies an image and its mask; returns the image's path in the folder. */
    private String copy(StoredImage image) throws IOException {
        String product = folderOf(image.product());
        String stem = image.sha256().substring(0, 16);
        byte[] bytes = Files.readAllBytes(store.file(image.sha256()));
        String file = product + "/" + folderOf(image) + "/" + stem + extensionOf(bytes);
        write(out.resolve(file), bytes);
        if (image.mask() != null) {
            Path mask = out.resolve(product).resolve("ground_truth/anomalous").resolve(stem + "_mask.png");
            write(mask, Files.readAllBytes(store.file(image.mask())));
        }
        return file;
    }

    private static String folderOf(StoredImage image) {
        if (image.anomalous()) return "test/anomalous";
        return image.split() == Split.HELD_OUT ? "test/good" : "train/good";
    }

    private static String extensionOf(byte[] bytes) {
        return bytes.length > 1 && bytes[0] == (byte) 0xff ? ".jpg" : ".png";
    }

    private static void write(Path file, byte[] bytes) throws IOException {
        Files.createDirectories(file.getParent());
        Files.write(file, bytes);
    }

    /** A product is free text; its folder must stay inside the export and be its own. */
    private String folderOf(String product) {
        return folders.computeIfAbsent(product, p -> {
            String safe = p.replaceAll("[^A-Za-z0-9_-]", "_");
            String name = safe;
            for (int i = 2; folders.containsValue(name); i++) name = safe + "-" + i;
            return name;
        });
    }
}
