package io.linesight.trainer.folders;

import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.GrayImage;
import io.linesight.trainer.folders.FilesReport.LeftOut;
import io.linesight.trainer.folders.FilesReport.Truth;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * The masks of a category: in a folder of their own, in one for each kind of defect or all together, called as the
 * image is or with an ending. Finds the mask of an image and says which of them has none. One thread.
 */
public final class Masks {
    /** Share of the image from which a mask is taken for one whose ground is not black. */
    private static final double NEARLY_ALL = 0.9;
    /** Share, and mean length of a run of marked pixels, of specks all over. */
    private static final double SPECKS = 0.1;

    private static final double SPECK_LENGTH = 5;
    /** Below this width a run says nothing. */
    private static final int MIN_WIDTH = 64;

    private final List<Path> roots = new ArrayList<>();
    private final Map<String, List<Path>> byKind = new HashMap<>();
    private final Set<Path> unused = new LinkedHashSet<>();

    private Masks() {}

    /** @param category folder in which folders of masks lie */
    public static Masks in(Path category, FilesReport report) {
        Masks masks = new Masks();
        for (Path root : FolderWalk.folders(category)) {
            if (!Spelling.isTruth(root)) continue;
            masks.roots.add(root);
            for (Path file : new FolderWalk(report).images(root)) {
                Path below = root.relativize(file);
                String kind = below.getNameCount() > 1 ? kind(Spelling.name(below.getName(0))) : "";
                masks.byKind.computeIfAbsent(kind, k -> new ArrayList<>()).add(file);
                masks.unused.add(file);
            }
        }
        return masks;
    }

    private static String kind(String folder) {
        return folder.toLowerCase(Locale.ROOT);
    }

    boolean isEmpty() {
        return roots.isEmpty();
    }

    /**
     * The masks of a defective image, which together mark its defects: one, or all those in a folder that is called as
     * the image is (MVTec LOCO); none where there are none.
     */
    public List<Path> of(Path image, String defect) {
        List<Path> candidates = new ArrayList<>(byKind.getOrDefault(kind(defect), List.of()));
        candidates.addAll(byKind.getOrDefault("", List.of()));
        candidates.addAll(byKind.getOrDefault(kind(Spelling.stem(image)), List.of()));
        List<Path> several = candidates.stream()
                .filter(mask -> Spelling.name(mask.getParent()).equalsIgnoreCase(Spelling.stem(image)))
                .distinct()
                .toList();
        Path best = null;
        for (Path mask : candidates) {
            if (!Spelling.isMaskOf(mask, image)) continue;
            if (best == null || sameFolder(mask, image)) best = mask;
        }
        List<Path> masks = !several.isEmpty() ? several : best == null ? List.of() : List.of(best);
        masks.forEach(unused::remove);
        return masks;
    }

    private static boolean sameFolder(Path mask, Path image) {
        return Spelling.name(mask.getParent()).equals(Spelling.name(image.getParent()));
    }

    /** Reports masks that no image was found for. */
    void reportLone(FilesReport report) {
        for (Path mask : unused) report.leave(LeftOut.LONE_MASK, mask, "");
    }

    /**
     * Checks what a mask marks.
     *
     * @throws ImplausibleMaskException when it marks nearly everything, or specks all over; reported, as is that it
     *     marks nothing
     */
    static void check(Path file, GrayImage mask, FilesReport report) throws BadImageException {
        int marked = 0;
        int runs = 0;
        byte before = 0;
        for (byte b : mask.gray()) {
            if (b != 0) {
                marked++;
                if (before == 0) runs++;
            }
            before = b;
        }
        double share = (double) marked / mask.gray().length;
        if (marked == 0) {
            report.note(Truth.EMPTY, file, "");
            return;
        }
        if (share > NEARLY_ALL)
            throw implausible(Truth.IMPLAUSIBLE, file, percent(share) + " of it is not black", report);
        boolean wide = mask.width() >= MIN_WIDTH;
        if (wide && share > SPECKS && (double) marked / runs < SPECK_LENGTH)
            throw implausible(
                    Truth.IMPLAUSIBLE, file, "specks all over, " + percent(share) + " of it is not black", report);
    }

    private static String percent(double share) {
        return Math.round(100 * share) + " %";
    }

    private static ImplausibleMaskException implausible(Truth what, Path file, String why, FilesReport report) {
        report.note(what, file, why);
        return new ImplausibleMaskException("its ground truth " + file + " cannot be: " + why);
    }
}
