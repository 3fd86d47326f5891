package io.linesight.trainer.imagestore;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Writes pictures in MVTec-AD layout. */
final class MvtecExport {
    private MvtecExport() {}

    static int write(DatasetStore store, List<StoredImage> pictures, Path out) throws IOException {
        Files.createDirectories(out);
        Map<String, String> folders = new HashMap<>();
        try (BufferedWriter table = Files.newBufferedWriter(out.resolve("pictures.csv"))) {
            table.write("file,frame,product,label,origin,annotator,labelled_at,side\n");
            for (StoredImage p : pictures) {
                String product = folder(folders, p.product());
                String kind =
                        p.anomalous() ? "test/anomalous" : p.side() == Split.HELD_OUT ? "test/good" : "train/good";
                byte[] bytes = Files.readAllBytes(store.file(p.sha256()));
                String stem = p.sha256().substring(0, 16);
                String file = product + "/" + kind + "/" + stem
                        + (bytes.length > 1 && bytes[0] == (byte) 0xff ? ".jpg" : ".png");
                put(out.resolve(file), bytes);
                if (p.mask() != null)
                    put(
                            out.resolve(product)
                                    .resolve("ground_truth/anomalous")
                                    .resolve(stem + "_mask.png"),
                            Files.readAllBytes(store.file(p.mask())));
                table.write(String.join(
                                ",",
                                quoted(file),
                                quoted(p.frame()),
                                quoted(p.product()),
                                p.anomalous() ? "anomalous" : "normal",
                                p.origin().name(),
                                quoted(p.annotator()),
                                p.labelledAt().toString(),
                                p.side().name())
                        + "\n");
            }
        }
        return pictures.size();
    }

    private static void put(Path file, byte[] bytes) throws IOException {
        Files.createDirectories(file.getParent());
        Files.write(file, bytes);
    }

    /** A product is free text; as a folder it must not lead elsewhere, nor meet another one. */
    private static String folder(Map<String, String> taken, String product) {
        return taken.computeIfAbsent(product, p -> {
            String safe = p.replaceAll("[^A-Za-z0-9_-]", "_");
            String name = safe;
            for (int i = 2; taken.containsValue(name); i++) name = safe + "-" + i;
            return name;
        });
    }

    private static String quoted(String s) {
        return s.matches("[^\",\\r\\n]*") ? s : '"' + s.replace("\"", "\"\"") + '"';
    }
}
