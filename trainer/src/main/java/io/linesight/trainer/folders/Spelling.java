package io.linesight.trainer.folders;

import java.nio.file.Path;
import java.text.Normalizer;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What folders and files are called in the data sets of the field. Case does not count; names are compared in NFC. */
public final class Spelling {
    private static final Set<String> GOOD = Set.of(
            "good",
            "ok",
            "okay",
            "normal",
            "normals",
            "non-defective",
            "non_defective",
            "nondefective",
            "defect-free",
            "defect_free",
            "defectfree",
            "no_defect",
            "anomaly_free",
            "anomaly-free",
            "pass",
            "gut",
            "io",
            "i.o.");
    private static final Set<String> BAD = Set.of(
            "bad",
            "ng",
            "ko",
            "nok",
            "not_ok",
            "not-ok",
            "anomaly",
            "anomalies",
            "anomalous",
            "abnormal",
            "defect",
            "defects",
            "defective",
            "faulty",
            "fail",
            "reject",
            "rejects",
            "schlecht",
            "nio",
            "n.i.o.");
    private static final Set<String> TRAIN = Set.of("train", "training");
    private static final Set<String> TEST = Set.of("test", "testing", "test_public");
    private static final Set<String> VALIDATION = Set.of("validation", "val", "valid");
    private static final Set<String> TRUTH =
            Set.of("ground_truth", "groundtruth", "ground-truth", "ground truth", "gt", "mask", "masks", "annotations");
    private static final List<String> MASK_ENDINGS = List.of("_mask", "", "_gt", "_label", "-mask", "_seg");
    private static final Set<String> LEFTOVERS =
            Set.of("@eadir", "__macosx", "thumbs.db", "desktop.ini", "lost+found", "$recycle.bin", "#recycle");

    private Spelling() {}

    /** A name as it is compared and shown: the same characters, however a file system writes them. */
    public static String nfc(String name) {
        return Normalizer.normalize(name, Normalizer.Form.NFC);
    }

    static String name(Path p) {
        return p.getFileName() == null ? "" : nfc(p.getFileName().toString());
    }

    private static boolean in(Set<String> names, Path p) {
        return names.contains(name(p).toLowerCase(Locale.ROOT));
    }

    public static boolean isGood(Path folder) {
        return in(GOOD, folder);
    }

    public static boolean isBad(Path folder) {
        return in(BAD, folder);
    }

    public static boolean isTrain(Path folder) {
        return in(TRAIN, folder);
    }

    public static boolean isTest(Path folder) {
        return in(TEST, folder);
    }

    static boolean isValidation(String split) {
        return VALIDATION.contains(split.toLowerCase(Locale.ROOT));
    }

    /** Images that only place thresholds. */
    public static boolean isValidation(Path folder) {
        return in(VALIDATION, folder);
    }

    /** Whether a folder holds masks and no images. */
    public static boolean isTruth(Path folder) {
        return in(TRUTH, folder);
    }

    /** What systems and programs leave behind: {@code ._x}, {@code @eaDir}, {@code Thumbs.db}. */
    static boolean isLeftover(Path p) {
        return name(p).startsWith(".") || in(LEFTOVERS, p);
    }

    /** A file's name without its extension. */
    static String stem(Path file) {
        String name = name(file);
        int dot = name.lastIndexOf('.');
        return dot > 0 ? name.substring(0, dot) : name;
    }

    static String extension(Path file) {
        String name = name(file);
        int dot = name.lastIndexOf('.');
        return dot > 0 ? name.substring(dot + 1).toLowerCase(Locale.ROOT) : "";
    }

    /** Whether a file in a folder of masks is called as that of an image. */
    static boolean isMaskOf(Path mask, Path image) {
        String stem = stem(mask).toLowerCase(Locale.ROOT);
        String of = stem(image).toLowerCase(Locale.ROOT);
        return MASK_ENDINGS.stream().anyMatch(e -> stem.equals(of + e));
    }

    /** What the mask of an image is called in the image's own folder, where it cannot be called as the image is. */
    static List<String> maskStemsBeside(Path image) {
        String stem = stem(image);
        return MASK_ENDINGS.stream()
                .filter(e -> !e.isEmpty())
                .map(e -> stem + e)
                .toList();
    }

    /** Whether a file beside images is called as masks are. */
    static @Nullable String imageStemOf(Path mask) {
        String stem = stem(mask);
        for (String ending : MASK_ENDINGS)
            if (!ending.isEmpty() && stem.toLowerCase(Locale.ROOT).endsWith(ending))
                return stem.substring(0, stem.length() - ending.length());
        return null;
    }
}
