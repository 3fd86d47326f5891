package io.linesight.mmad.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A normal image that a retrieval model compares frames with, as a checkpoint names it to people. Lies in the metadata,
 * which ONNX Runtime never computes with.
 *
 * @param product its product
 * @param name unique within the product, such as {@code good/012.png}
 * @param thumbnail a small JPEG; null where the checkpoint had no more room. Not copied
 */
public record RememberedImage(String product, String name, byte @Nullable [] thumbnail) {
    /** Property: JSON, the images in the memory's order. */
    static final String PROPERTY = "linesight.retrieval.images";

    /** As the property has it. */
    record Entry(String product, String name, @Nullable String jpeg) {}

    /**
     * The images of a checkpoint in the memory's order; empty where it remembers none.
     *
     * @throws IOException when what it has cannot be read
     */
    public static List<RememberedImage> of(CheckpointInfo info) throws IOException {
        String json = info.properties().get(PROPERTY);
        if (json == null) return List.of();
        try {
            List<RememberedImage> images = new ArrayList<>();
            for (Entry e : Properties.parse(json, Entry[].class))
                images.add(new RememberedImage(
                        e.product,
                        e.name,
                        e.jpeg == null ? null : Base64.getDecoder().decode(e.jpeg)));
            return images;
        } catch (JsonProcessingException | IllegalArgumentException | NullPointerException e) {
            throw new IOException(
                    "the images that checkpoint " + info.version() + " remembers (" + PROPERTY + ") cannot be read: "
                            + e.getMessage(),
                    e);
        }
    }

    static Map<String, String> property(List<RememberedImage> images) {
        List<Entry> entries = new ArrayList<>();
        for (RememberedImage i : images)
            entries.add(new Entry(
                    i.product,
                    i.name,
                    i.thumbnail == null ? null : Base64.getEncoder().encodeToString(i.thumbnail)));
        Map<String, String> property = new LinkedHashMap<>();
        property.put(PROPERTY, Properties.format(entries));
        return property;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof RememberedImage o
                && product.equals(o.product)
                && name.equals(o.name)
                && Arrays.equals(thumbnail, o.thumbnail);
    }

    @Override
    public int hashCode() {
        return 31 * product.hashCode() + name.hashCode();
    }

    @Override
    public String toString() {
        return product + "/" + name;
    }
}
