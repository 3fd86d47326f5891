package io.linesight.trainer.learning;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import io.linesight.trainer.imagestore.LabelSource;
import io.linesight.trainer.imagestore.Split;
import io.linesight.trainer.imagestore.StoredImage;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * The images of a run: per product the newest normals, a sample of earlier ones, all that place thresholds, and those
 * that the gate measures on. The same store, run and history give the same images.
 *
 * @param images all of them
 * @param trained products that are trained on
 * @param tooFew products with too few normals to train on, with their number
 * @param newNormals how many normals are new to the network
 */
record ImageSelection(List<StoredImage> images, List<String> trained, List<String> tooFew, int newNormals) {
    /** Fewer normals cannot train a product: fit needs some for the threshold too. */
    static final int MIN_NORMALS = 4;

    private static final ObjectMapper JSON = new ObjectMapper();

    /**
     * Chooses images.
     *
     * @param trainedThrough sequence number of the newest image of the last run
     * @param runId makes the sample of earlier normals another one in every run
     */
    static ImageSelection choose(
            List<StoredImage> all, TrainerConfig.Tuning tuning, long trainedThrough, String runId) {
        Chooser chooser = new Chooser(tuning, trainedThrough, runId);
        Map<String, List<StoredImage>> byProduct = new TreeMap<>();
        for (StoredImage image : all)
            byProduct
                    .computeIfAbsent(image.product(), product -> new ArrayList<>())
                    .add(image);
        byProduct.forEach(chooser::addProduct);
        return new ImageSelection(chooser.images, chooser.trained, chooser.tooFew, chooser.newNormals);
    }

    private static final class Chooser {
        private final TrainerConfig.Tuning tuning;
        private final long trainedThrough;
        private final String runId;
        private final List<StoredImage> images = new ArrayList<>();
        private final List<String> trained = new ArrayList<>();
        private final List<String> tooFew = new ArrayList<>();
        private int newNormals;

        Chooser(TrainerConfig.Tuning tuning, long trainedThrough, String runId) {
            this.tuning = tuning;
            this.trainedThrough = trainedThrough;
            this.runId = runId;
        }

        private void addProduct(String product, List<StoredImage> all) {
            // Measured on even where there are too few to train on: the product may not get worse either.
            for (boolean anomalous : new boolean[] {false, true}) {
                images.addAll(sample(
                        all.stream()
                                .filter(image -> image.split() == Split.HELD_OUT && image.anomalous() == anomalous)
                                .toList(),
                        tuning.measuredPerProduct(),
                        ""));
            }
            List<StoredImage> normals = all.stream()
                    .filter(image -> !image.anomalous() && image.split() == Split.TRAIN)
                    .toList();
            if (normals.size() < MIN_NORMALS) {
                tooFew.add(product + " (" + normals.size() + ")");
                return;
            }
            addNormals(normals);
            for (StoredImage image : all) if (placesThreshold(image)) images.add(image);
            trained.add(product);
        }

        private void addNormals(List<StoredImage> normals) {
            List<StoredImage> unseen = normals.stream()
                    .filter(image -> image.sequence() > trainedThrough && image.labelledOnTheLine())
                    .toList();
            List<StoredImage> newest =
                    unseen.subList(Math.max(0, unseen.size() - tuning.newPerProduct()), unseen.size());
            Set<StoredImage> chosen = new HashSet<>(newest);
            newNormals += newest.size();
            images.addAll(newest);
            images.addAll(sample(
                    normals.stream().filter(image -> !chosen.contains(image)).toList(),
                    Math.max(tuning.earlierPerProduct(), MIN_NORMALS - newest.size()),
                    runId));
        }

        private static boolean placesThreshold(StoredImage image) {
            return image.split() != Split.HELD_OUT && (image.anomalous() || image.split() == Split.CALIBRATE);
        }

        /** At most {@code max} images, as good as at random, the same for the same salt. */
        private static List<StoredImage> sample(List<StoredImage> images, int max, String salt) {
            if (images.size() <= max) return images;
            return images.stream()
                    .sorted(Comparator.comparingLong(
                            image -> new SplittableRandom((salt + image.sha256()).hashCode()).nextLong()))
                    .limit(max)
                    .toList();
        }
    }

    static void write(Path file, List<StoredImage> images) throws IOException {
        ArrayNode array = JSON.createArrayNode();
        for (StoredImage image : images) {
            array.addObject()
                    .put("frame", image.frame())
                    .put("product", image.product())
                    .put("anomalous", image.anomalous())
                    .put("origin", image.origin().name())
                    .put("annotator", image.annotator())
                    .put("at", image.labelledAt().toString())
                    .put("sha", image.sha256())
                    .put("mask", image.mask())
                    .put("side", image.split().name())
                    .put("sequence", image.sequence());
        }
        RunFolder.write(file, JSON.writeValueAsBytes(array));
    }

    static List<StoredImage> read(Path file) throws IOException {
        List<StoredImage> images = new ArrayList<>();
        for (JsonNode node : JSON.readTree(file.toFile())) {
            images.add(new StoredImage(
                    node.get("frame").asText(),
                    node.get("product").asText(),
                    node.get("anomalous").asBoolean(),
                    LabelSource.valueOf(node.get("origin").asText()),
                    node.get("annotator").asText(),
                    Instant.parse(node.get("at").asText()),
                    node.get("sha").asText(),
                    node.get("mask").isNull() ? null : node.get("mask").asText(),
                    Split.valueOf(node.get("side").asText()),
                    node.get("sequence").asLong()));
        }
        return images;
    }
}
