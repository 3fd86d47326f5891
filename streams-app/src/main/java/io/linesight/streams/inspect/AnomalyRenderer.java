package io.linesight.streams.inspect;

import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.Preprocess;
import io.linesight.mmad.image.RgbImage;
import io.linesight.schemas.AnomalyEvent;
import io.linesight.schemas.InspectionResult;
import io.linesight.streams.config.MapRange;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Images of an anomaly event: the map as a grey PNG, the frame as a small JPEG. Stateless; any thread. */
final class AnomalyRenderer {

    /** Leaves room in a record of a megabyte, what brokers take by default, for the result. */
    static final int MAX_MAP_BYTES = 768 << 10;

    private final MapRange range;
    private final boolean thumbnail;
    private final int thumbnailQuality;

    AnomalyRenderer(MapRange range, boolean thumbnail, int thumbnailQuality) {
        this.range = range;
        this.thumbnail = thumbnail;
        this.thumbnailQuality = thumbnailQuality;
    }

    /**
     * @param map finite values, row-major, size*size
     * @param planar the frame at model resolution, as the model saw it
     */
    AnomalyEvent render(InspectionResult result, float[] map, int size, byte[] planar) {
        Images images = images(map, size, planar);
        return new AnomalyEvent(result, ByteBuffer.wrap(images.map), images.low, images.high, images.thumbnail());
    }

    /** @param jpeg null where events have no thumbnail */
    private record Images(byte[] map, float low, float high, byte @Nullable [] jpeg) {
        @Nullable
        ByteBuffer thumbnail() {
            return jpeg == null ? null : ByteBuffer.wrap(jpeg);
        }
    }

    private Images images(float[] map, int size, byte[] planar) {
        float low = range.low();
        float high = range.high();
        if (range.auto()) {
            low = Float.POSITIVE_INFINITY;
            high = Float.NEGATIVE_INFINITY;
            for (float value : map) {
                low = Math.min(low, value);
                high = Math.max(high, value);
            }
            high = Math.max(high, Math.nextUp(low)); // a flat map has no range of its own
        }
        byte[] grey = new byte[map.length];
        for (int i = 0; i < map.length; i++) {
            double t = ((double) map[i] - low) / ((double) high - low);
            grey[i] = (byte) Math.round(255 * Math.min(1, Math.max(0, t)));
        }
        return new Images(
                png(grey, size),
                low,
                high,
                thumbnail ? ImageCodec.encodeJpeg(interleaved(planar), thumbnailQuality) : null);
    }

    /**
     * As a PNG. A map of tiles that does not fit an event is made smaller by halves, each pixel the highest of four, so
     * that no spot goes.
     */
    static byte[] png(byte[] grey, int size) {
        byte[] png = ImageCodec.encodeGrayPng(grey, size, size);
        if (png.length <= MAX_MAP_BYTES || size < 2) return png;
        int half = size / 2;
        byte[] smaller = new byte[half * half];
        for (int y = 0; y < half; y++) {
            for (int x = 0; x < half; x++) {
                int at = 2 * y * size + 2 * x;
                int highest = Math.max(grey[at] & 0xff, grey[at + 1] & 0xff);
                highest = Math.max(highest, Math.max(grey[at + size] & 0xff, grey[at + size + 1] & 0xff));
                smaller[y * half + x] = (byte) highest;
            }
        }
        return png(smaller, half);
    }

    /** Renders once to nowhere. */
    void warmUp(byte[] planar) {
        images(new float[64 * 64], 64, planar);
    }

    private static RgbImage interleaved(byte[] planar) {
        int pixels = Preprocess.SIDE * Preprocess.SIDE;
        byte[] rgb = new byte[3 * pixels];
        for (int i = 0; i < pixels; i++) {
            rgb[3 * i] = planar[i];
            rgb[3 * i + 1] = planar[pixels + i];
            rgb[3 * i + 2] = planar[2 * pixels + i];
        }
        return new RgbImage(Preprocess.SIDE, Preprocess.SIDE, rgb);
    }
}
