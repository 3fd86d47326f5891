package io.linesight.simulator;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A kind of part: its defect-free surface, how it lies under the camera, and what can go wrong with it. Immutable,
 * shared between threads.
 */
abstract class Product {
    static final int BODY = 1;
    final String name;
    final List<String> defects;
    Layer base;
    float[] tile;
    float heightGain = 0.35f;
    float textureColour = 0.04f;
    float textureHeight = 0.1f;
    float maxShift = 4;
    float maxAngle = 0.05f;
    final List<Stamp> stamps = new ArrayList<>();

    Product(String name, String... defects) {
        this.name = name;
        this.defects = List.of(defects);
    }

    /** Spoils the scene, which shows a good part under the pose. */
    abstract void damage(String kind, Scene s, Scene clean, Scene.Pose pose, SplittableRandom random, Placer placer);

    /** Places a changed layer with the same texture as the good part has. */
    interface Placer {
        void place(Scene s, Layer layer);
    }

    /** Surface detail that is no stamp, laid over the painted area. */
    void detail(Layer layer, Layer.Area area) {}

    private static void fill(Layer layer, float r, float g, float b, float gloss, float texture) {
        int n = layer.side;
        for (int i = 0; i < n * n; i++) {
            int k = i * Layer.CHANNELS;
            layer.data[k] = r;
            layer.data[k + 1] = g;
            layer.data[k + 2] = b;
            layer.data[k + 4] = gloss;
            layer.data[k + 5] = texture;
            layer.u[i] = (short) (i % n);
            layer.v[i] = (short) (i / n);
        }
    }

    private Layer build(float r, float g, float b, float gloss, float texture) {
        Layer layer = new Layer(416);
        fill(layer, r, g, b, gloss, texture);
        layer.paint(stamps, layer.all());
        detail(layer, layer.all());
        return layer;
    }

    /** The layer with one group of stamps left out (change null) or changed. */
    final Layer altered(String group, java.util.function.UnaryOperator<Stamp> change) {
        Layer.Area area = null;
        List<Stamp> changed = new ArrayList<>();
        for (Stamp s : stamps) {
            if (!s.group.equals(group)) {
                changed.add(s);
                continue;
            }
            area = base.area(s).union(area);
            if (change != null) {
                Stamp other = change.apply(s);
                area = base.area(other).union(area);
                changed.add(other);
            }
        }
        Layer fresh = emptied(area);
        fresh.paint(changed, area);
        detail(fresh, area);
        return fresh;
    }

    /** A copy of the base with the area cleared to what lies under all stamps. */
    private Layer emptied(Layer.Area area) {
        Layer copy = base.copy();
        for (int y = area.y0(); y < area.y1(); y++) {
            for (int x = area.x0(); x < area.x1(); x++) {
                int i = y * copy.side + x;
                System.arraycopy(ground, 0, copy.data, i * Layer.CHANNELS, Layer.CHANNELS);
                copy.material[i] = 0;
            }
        }
        return copy;
    }

    /** Channels of the bare ground under all stamps. */
    float[] ground = new float[Layer.CHANNELS];

    final void finish(double r, double g, double b, double gloss, double texture) {
        ground = new float[] {(float) r, (float) g, (float) b, 0, (float) gloss, (float) texture};
        base = build(ground[0], ground[1], ground[2], ground[4], ground[5]);
    }

    /** Frame position of a point of the part. */
    static int[] inFrame(Scene s, Scene.Pose pose, double x, double y) {
        double c = s.side / 2.0 - 0.5;
        return new int[] {
            (int) Math.round(c + pose.dx() + pose.cos() * x - pose.sin() * y),
            (int) Math.round(c + pose.dy() + pose.sin() * x + pose.cos() * y)
        };
    }
}
