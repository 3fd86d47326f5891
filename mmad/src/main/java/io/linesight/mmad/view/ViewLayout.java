package io.linesight.mmad.view;

import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.Preprocess;
import io.linesight.mmad.image.RgbImage;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How frames of one product are looked at: the whole region of interest at 256x256, and overlapping tiles of it, each
 * at 256x256 too. The tiles come beside the whole, which alone shows diffuse defects. Immutable, thread-safe.
 *
 * @param width of the frames that it was made for
 * @param height of those frames
 * @param roi region of interest, in their pixels; null = the whole frame
 * @param tiles in their pixels, within the bounds of the region; may be empty
 */
public record ViewLayout(int width, int height, @Nullable Roi roi, List<Box> tiles) {
    /** Most tiles of a frame; more would take seconds a frame. */
    public static final int MAX_TILES = 256;
    /** Largest side of a map: 16 MB. */
    static final int MAX_MAP = 2048;

    private static final int SIDE = Preprocess.SIDE;
    private static final int VIEW_BYTES = 3 * SIDE * SIDE;
    /** Frames of another size are taken when their proportions differ by no more than this: rounding. */
    private static final double SAME_SHAPE = 0.01;
    /** What stands for pixels outside a polygon. */
    private static final byte OUTSIDE = (byte) 128;

    /** @throws IllegalArgumentException when region or tiles do not lie in the frame */
    public ViewLayout {
        tiles = List.copyOf(tiles);
        Box frame = new Box(0, 0, width, height);
        if (roi != null) checkInside(frame, roi.bounds(), "the region of interest (" + roi + ")");
        Box whole = roi == null ? frame : roi.bounds();
        for (Box tile : tiles) checkInside(whole, tile, "the tile " + tile);
        if (tiles.size() > MAX_TILES)
            throw new IllegalArgumentException("a frame has at most " + MAX_TILES + " tiles, got " + tiles.size());
    }

    private static void checkInside(Box outer, Box inner, String what) {
        if (inner.x() < outer.x()
                || inner.y() < outer.y()
                || inner.right() > outer.right()
                || inner.bottom() > outer.bottom())
            throw new IllegalArgumentException(what + " does not lie in the " + outer.width() + "x" + outer.height()
                    + " pixels at " + outer.x() + "," + outer.y());
    }

    /** Number of views of a frame: the whole, and the tiles. */
    public int views() {
        return 1 + tiles.size();
    }

    /** What a view shows, in pixels of the frames that this was made for; view 0 is the whole. */
    public Box view(int view) {
        if (view > 0) return tiles.get(view - 1);
        return roi == null ? new Box(0, 0, width, height) : roi.bounds();
    }

    /** The view that is magnified most: its pixels are those of the map, as far as there is room. */
    private Box finest() {
        return view(tiles.isEmpty() ? 0 : 1);
    }

    /**
     * Side of the map, which covers the whole frame whatever its proportions: about a pixel of the finest view each, no
     * finer than the frame itself, 256 to {@value #MAX_MAP}.
     */
    public int mapSide() {
        double across = (double) width / Math.max(1, finest().width() / (double) SIDE);
        double down = (double) height / Math.max(1, finest().height() / (double) SIDE);
        return (int) Math.min(MAX_MAP, Math.max(SIDE, Math.ceil(Math.max(across, down))));
    }

    /** Pixels of the map that the finest view covers. */
    double finestArea() {
        double perPixel = (double) mapSide() * mapSide() / ((double) width * height);
        return (double) finest().width() * finest().height() * perPixel;
    }

    /** Bytes of all views of a frame. */
    public int bytes() {
        return views() * VIEW_BYTES;
    }

    /**
     * Cuts a frame's views out. A frame of another size is taken when it has the same proportions: its views lie at the
     * same places, relatively.
     *
     * @return views in their order, each planar RGB of 3*256*256 bytes
     * @throws BadImageException when the frame has other proportions
     */
    public byte[] cut(RgbImage frame) throws BadImageException {
        checkShape(frame.width(), frame.height());
        byte[] all = new byte[bytes()];
        RgbImage shown = roi == null || roi.isBox() ? frame : blanked(frame, roi);
        for (int v = 0; v < views(); v++) {
            byte[] view = Preprocess.toModelInput(crop(shown, scaled(view(v), frame.width(), frame.height())));
            System.arraycopy(view, 0, all, v * VIEW_BYTES, VIEW_BYTES);
        }
        return all;
    }

    private void checkShape(int w, int h) throws BadImageException {
        double ratio = (double) w * height / ((double) h * width);
        if (ratio >= 1 - SAME_SHAPE && ratio <= 1 + SAME_SHAPE) return;
        throw new BadImageException(
                BadImageException.Code.SIZE_MISMATCH,
                "the frame has " + w + "x" + h + " pixels, and the checkpoint's regions and tiles were made for "
                        + width + "x" + height + ": fit it again on images of this size, or set the camera back");
    }

    private Box scaled(Box box, int w, int h) {
        if (w == width && h == height) return box;
        int left = (int) Math.round((double) box.x() * w / width);
        int top = (int) Math.round((double) box.y() * h / height);
        int right = (int) Math.round((double) box.right() * w / width);
        int bottom = (int) Math.round((double) box.bottom() * h / height);
        return new Box(
                Math.min(left, w - 1), Math.min(top, h - 1), Math.max(1, right - left), Math.max(1, bottom - top));
    }

    private static RgbImage crop(RgbImage frame, Box box) {
        if (box.width() == frame.width() && box.height() == frame.height()) return frame;
        int row = 3 * box.width();
        byte[] rgb = new byte[row * box.height()];
        for (int y = 0; y < box.height(); y++)
            System.arraycopy(frame.rgb(), 3 * ((box.y() + y) * frame.width() + box.x()), rgb, y * row, row);
        return new RgbImage(box.width(), box.height(), rgb);
    }

    private RgbImage blanked(RgbImage frame, Roi polygon) {
        byte[] rgb = frame.rgb().clone();
        boolean[] inside = new boolean[frame.width()];
        double scaleX = (double) frame.width() / width;
        double scaleY = (double) frame.height() / height;
        for (int y = 0; y < frame.height(); y++) {
            polygon.row(inside, 0.5, 1, y + 0.5, scaleX, scaleY);
            for (int x = 0; x < frame.width(); x++) {
                if (inside[x]) continue;
                int at = 3 * (y * frame.width() + x);
                rgb[at] = OUTSIDE;
                rgb[at + 1] = OUTSIDE;
                rgb[at + 2] = OUTSIDE;
            }
        }
        return new RgbImage(frame.width(), frame.height(), rgb);
    }

    /** One view of what {@link #cut} returned. */
    public static byte[] viewOf(byte[] cut, int view) {
        if (view == 0 && cut.length == VIEW_BYTES) return cut;
        byte[] out = new byte[VIEW_BYTES];
        System.arraycopy(cut, view * VIEW_BYTES, out, 0, VIEW_BYTES);
        return out;
    }

    /** For people. */
    public String describe() {
        List<String> parts = new ArrayList<>();
        parts.add(roi == null ? "the whole frame of " + width + "x" + height : roi + " of " + width + "x" + height);
        if (!tiles.isEmpty())
            parts.add(tiles.size() + " tiles of " + tiles.get(0).width() + "x"
                    + tiles.get(0).height() + " pixels");
        return String.join(" and ", parts);
    }
}
