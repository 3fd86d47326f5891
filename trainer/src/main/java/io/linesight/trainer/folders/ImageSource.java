package io.linesight.trainer.folders;

import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.RgbImage;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where images come from: a folder, or a program that renders them. One unified model is trained over all its
 * categories.
 */
public interface ImageSource {
    /** What it is, for people and for the checkpoint's provenance; no path. */
    String name();

    /** Category (= product) names, sorted, at least one. */
    List<String> categories();

    /** Normal images to learn from. */
    List<Sample> train(String category);

    /**
     * Labelled images that place the threshold and are never trained on; may be empty. {@code Fit} uses the normals
     * among them and takes what is missing from {@link #train}.
     */
    default List<Sample> calibration(String category) {
        return List.of();
    }

    /** Labelled images to measure on; may be empty. */
    default List<Sample> test(String category) {
        return List.of();
    }

    /**
     * One image, read on demand.
     *
     * @param name unique within the category, e.g. {@code crack/012.png}
     * @param defect kind of defect; null for a normal
     * @param image the pixels
     * @param mask ground truth as an image of any size, everything above 0 is defective; null where unknown (and for
     *     normals)
     */
    record Sample(String name, @Nullable String defect, Reader image, @Nullable Reader mask) {
        /** A normal image. */
        public static Sample normal(String name, Reader image) {
            return new Sample(name, null, image, null);
        }

        public boolean anomalous() {
            return defect != null;
        }
    }

    /** Reads or renders pixels; may be called again and gives the same pixels every time. */
    interface Reader {
        RgbImage read() throws IOException, BadImageException;
    }
}
