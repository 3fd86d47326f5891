package io.linesight.streams.batching;

import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.RgbImage;
import io.linesight.mmad.view.ViewLayouts;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A frame as models look at it: whole at 256x256, and for a model with regions or tiles of its product, those. Which
 * model scores a frame is settled when its batch begins; the views are cut before that, for the model that then serves,
 * and once more where a model with other views came between. Immutable but for that; one thread at a time.
 */
public final class FrameViews {
    private final @Nullable String product;
    private final byte[] whole;
    private final @Nullable Decoder decoder;
    private @Nullable ViewLayouts cutBy;
    private byte @Nullable [] cut;

    /** Decodes the frame. */
    @FunctionalInterface
    public interface Decoder {
        /** @throws BadImageException when it is no image, which was found out before */
        RgbImage decode() throws BadImageException;
    }

    /** A frame does not have the proportions that the model's views were made for. */
    static final class UnfitException extends Exception {
        private static final long serialVersionUID = 1L;

        UnfitException(String message, Throwable cause) {
            super(message, cause);
        }
    }

    private FrameViews(@Nullable String product, byte[] whole, @Nullable Decoder decoder) {
        this.product = product;
        this.whole = Objects.requireNonNull(whole, "frame");
        this.decoder = decoder;
    }

    /** A frame that is only looked at as a whole, whatever the model. */
    public static FrameViews whole(byte[] planar) {
        return new FrameViews(null, planar, null);
    }

    /**
     * A frame of the line.
     *
     * @param product of the frame
     * @param planar the whole frame, {@code 3*256*256} bytes; not copied
     * @param image the frame itself; not kept
     * @param layouts of the model that serves now: the views are cut for it
     * @param decoder decodes the frame again, for a model with other views
     */
    public static FrameViews of(
            @Nullable String product, byte[] planar, RgbImage image, ViewLayouts layouts, Decoder decoder) {
        FrameViews views = new FrameViews(product, planar, decoder);
        if (layouts.of(product) == null) return views;
        views.cutBy = layouts;
        try {
            views.cut = layouts.cut(product, image);
        } catch (BadImageException e) {
            // Said in the frame's answer, by the model that scores it.
            views.cut = null;
        }
        return views;
    }

    /** Product of the frame. */
    @Nullable
    String product() {
        return product;
    }

    /** The whole frame, planar RGB, {@code 3*256*256} bytes. */
    public byte[] whole() {
        return whole;
    }

    /** Places that it takes in a batch: one for each view. */
    int slots() {
        return cut == null ? 1 : cut.length / whole.length;
    }

    /** Whether a model looks at it as a whole. */
    boolean isWhole(ViewLayouts layouts) {
        return decoder == null || layouts.of(product) == null;
    }

    /**
     * The frame's views by a model's layouts.
     *
     * @throws UnfitException when it does not have the proportions that they were made for
     */
    byte[] cut(ViewLayouts layouts) throws UnfitException {
        byte[] views = cut;
        if (views != null && layouts.equals(cutBy)) return views;
        try {
            views = layouts.cut(product, Objects.requireNonNull(decoder).decode());
            cut = views;
            cutBy = layouts;
            return views;
        } catch (BadImageException e) {
            throw new UnfitException(e.getMessage(), e);
        }
    }
}
