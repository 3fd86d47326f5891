package io.linesight.mmad.checkpoint;

import io.linesight.mmad.architecture.ImageMemory;
import io.linesight.mmad.encoder.Encoder;
import java.util.List;

/**
 * A retrieval model. It can be served and recalibrated, but not trained further.
 *
 * @param memory normal images as the encoder sees them
 * @param images the same images for people, in the memory's order; tiles are not named
 * @param encoder the frozen encoder
 */
public record RetrievalModel(ImageMemory memory, List<RememberedImage> images, Encoder encoder) {
    /** @throws IllegalArgumentException when the images are not the memory's */
    public RetrievalModel {
        images = List.copyOf(images);
        if (images.size() != memory.lookup().wholes())
            throw new IllegalArgumentException(
                    "the memory holds " + memory.lookup().wholes() + " images, and " + images.size() + " are named");
    }
}
