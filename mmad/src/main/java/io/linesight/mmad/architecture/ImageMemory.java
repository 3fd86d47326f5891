package io.linesight.mmad.architecture;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a retrieval model has learnt: normal images of all products, as the encoder sees them, and how far a normal
 * image's patches lie from those of the others. The arrays are not copied.
 *
 * @param strides patches at strides 8 and 16
 * @param projections per stride [D,C], which the encoder's channels are reduced by; empty where they are kept as they
 *     are
 * @param lookup what finds the images that are most like a frame
 * @param products of every image its product's number
 * @param levels per stride [P,2,S*S]: mean and deviation of the log distance by product and place
 */
public record ImageMemory(
        List<PatchMemory> strides, List<Tensor> projections, Lookup lookup, int[] products, List<Tensor> levels) {
    /** Scales that are compared. */
    public static final int STRIDES = 2;

    /**
     * Finds images by their mean feature at stride 16, standardised per channel.
     *
     * @param shift [C]
     * @param scale [C]; (mean feature - shift) * scale is what is compared
     * @param images [M,C], standardised
     * @param neighbours images that a frame is compared with; fewer where there are no more
     * @param places of every image: a frame is compared with those of its own place only, since tiles of one place show
     *     the same; null = all are of place 0
     */
    public record Lookup(Tensor shift, Tensor scale, Tensor images, int neighbours, int @Nullable [] places) {
        /** All images of place 0. */
        public Lookup(Tensor shift, Tensor scale, Tensor images, int neighbours) {
            this(shift, scale, images, neighbours, null);
        }

        public Lookup {
            if (places != null && places.length != images.shape()[0])
                throw new IllegalArgumentException(
                        places.length + " places do not fit " + images.shape()[0] + " images");
            int channels = shift.size();
            if (neighbours < 1) throw new IllegalArgumentException("neighbours must be positive, got " + neighbours);
            if (images.shape().length != 2 || images.shape()[1] != channels || scale.size() != channels)
                throw new IllegalArgumentException(
                        "a lookup's parts do not fit: shift " + shift + ", scale " + scale + ", images " + images);
            for (Tensor t : List.of(shift, scale, images))
                for (float v : t.data())
                    if (!Float.isFinite(v))
                        throw new IllegalArgumentException(
                                "the encoder gave a value that is not a number for an image");
        }

        /** Images of place 0, which whole frames are compared with; they come first. */
        public int wholes() {
            return places == null
                    ? images.shape()[0]
                    : (int) Arrays.stream(places).filter(p -> p == 0).count();
        }

        /** Images that a frame is compared with, of those there are. */
        public int compared() {
            return Math.min(neighbours, images.shape()[0]);
        }
    }

    /** @throws IllegalArgumentException when the parts do not fit each other, or there is no image */
    public ImageMemory {
        strides = List.copyOf(strides);
        projections = List.copyOf(projections);
        levels = List.copyOf(levels);
        int images = products.length;
        if (images == 0) throw new IllegalArgumentException("a memory needs an image");
        if (strides.size() != STRIDES
                || levels.size() != STRIDES
                || !projections.isEmpty() && projections.size() != STRIDES)
            throw new IllegalArgumentException("a memory has " + STRIDES + " strides, got " + strides.size() + ", "
                    + levels.size() + " levels and " + projections.size() + " projections");
        if (lookup.images().shape()[0] != images)
            throw new IllegalArgumentException(
                    "the lookup has " + lookup.images().shape()[0] + " images, the memory " + images);
        int count = 0;
        for (int p : products) count = Math.max(count, p + 1);
        for (int s = 0; s < STRIDES; s++) {
            PatchMemory patches = strides.get(s);
            int[] shape = levels.get(s).shape();
            if (patches.images() != images
                    || shape.length != 3
                    || shape[0] < count
                    || shape[1] != 2
                    || shape[2] != patches.places())
                throw new IllegalArgumentException("the levels " + levels.get(s) + " do not fit " + patches + " of "
                        + images + " images and " + count + " products");
            if (!projections.isEmpty() && projections.get(s).shape()[0] != patches.channels())
                throw new IllegalArgumentException(
                        "the projection " + projections.get(s) + " does not give the channels of " + patches);
        }
    }

    /** Number of images. */
    public int images() {
        return products.length;
    }

    /** The memory of some of the images, in the order given; levels and projections stay. */
    public ImageMemory select(int[] images) {
        int channels = lookup.shift().size();
        float[] rows = new float[images.length * channels];
        int[] some = new int[images.length];
        for (int i = 0; i < images.length; i++) {
            System.arraycopy(lookup.images().data(), images[i] * channels, rows, i * channels, channels);
            some[i] = products[images[i]];
        }
        int[] places = lookup.places();
        int[] chosen = places == null
                ? null
                : Arrays.stream(images).map(i -> places[i]).toArray();
        Lookup reduced = new Lookup(
                lookup.shift(), lookup.scale(), new Tensor(rows, images.length, channels), lookup.neighbours(), chosen);
        return new ImageMemory(
                strides.stream().map(p -> p.select(images)).toList(), projections, reduced, some, levels);
    }

    /** Bytes of all patches with their scales. */
    public long bytes() {
        return strides.stream()
                .mapToLong(p -> p.patches().length + (long) Float.BYTES * p.scales().length)
                .sum();
    }
}
