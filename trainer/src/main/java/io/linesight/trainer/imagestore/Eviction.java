package io.linesight.trainer.imagestore;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Chooses images to evict from a full store: reservoir images first, then labelled normals of the training split, each
 * group oldest first. A product keeps its minimum of normals. Pure.
 */
final class Eviction {
    private Eviction() {}

    /**
     * Chooses as few images as free the space.
     *
     * @param excess bytes to free
     * @param minNormals normals per product that stay
     * @param incoming image that needs the space; neither it nor a copy of it is evicted
     * @param pinned files that stay on the disk even when no image refers to them
     * @return the images and how many bytes are still missing, 0 or less when they suffice
     */
    static Choice choose(StoreState state, long excess, int minNormals, ImageKey incoming, Set<String> pinned) {
        Map<String, Integer> normals = new HashMap<>();
        for (StoredImage image : state.images())
            if (!image.anomalous()) normals.merge(image.product(), 1, Integer::sum);
        Map<String, Integer> references = new HashMap<>(state.references());
        List<StoredImage> victims = new ArrayList<>();
        long missing = excess;
        for (StoredImage image : candidates(state, incoming)) {
            if (missing <= 0) break;
            if (normals.get(image.product()) <= minNormals) continue;
            normals.merge(image.product(), -1, Integer::sum);
            victims.add(image);
            boolean freed = references.merge(image.sha256(), -1, Integer::sum) == 0 && !pinned.contains(image.sha256());
            if (freed) missing -= state.size(image.sha256());
        }
        return new Choice(victims, missing);
    }

    private static List<StoredImage> candidates(StoreState state, ImageKey incoming) {
        return state.images().stream()
                .filter(image -> !image.anomalous()
                        && !image.frame().equals(incoming.frame)
                        && !image.sha256().equals(incoming.sha256)
                        && (image.origin() == LabelSource.RESERVOIR || image.split() == Split.TRAIN))
                .sorted(Comparator.comparing((StoredImage image) -> image.origin() != LabelSource.RESERVOIR)
                        .thenComparing(StoredImage::sequence))
                .toList();
    }

    /** Frame and content of an image. */
    record ImageKey(String frame, String sha256) {}

    /**
     * What to evict.
     *
     * @param victims images to evict
     * @param missingBytes bytes that are still missing afterwards
     */
    record Choice(List<StoredImage> victims, long missingBytes) {}
}
