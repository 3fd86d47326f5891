package io.linesight.simulator;

import java.util.List;

/**
 * The defect-free surface of a part, wider than the camera's view so that a turned or shifted part still fills it.
 * Immutable once painted.
 */
final class Layer {
    static final int CHANNELS = 6;
    final int side;
    /** red, green, blue, height, gloss, texture strength; row-major. */
    final float[] data;

    final byte[] material;
    /** Where each pixel reads the product's texture tile. */
    final short[] u;

    final short[] v;

    Layer(int side) {
        this(
                side,
                new float[side * side * CHANNELS],
                new byte[side * side],
                new short[side * side],
                new short[side * side]);
    }

    private Layer(int side, float[] data, byte[] material, short[] u, short[] v) {
        this.side = side;
        this.data = data;
        this.material = material;
        this.u = u;
        this.v = v;
    }

    Layer copy() {
        return new Layer(side, data.clone(), material.clone(), u, v);
    }

    /** Area of the layer in layer pixels. */
    record Area(int x0, int y0, int x1, int y1) {
        Area union(Area o) {
            return o == null
                    ? this
                    : new Area(Math.min(x0, o.x0), Math.min(y0, o.y0), Math.max(x1, o.x1), Math.max(y1, o.y1));
        }

        Area intersect(Area o) {
            return new Area(Math.max(x0, o.x0), Math.max(y0, o.y0), Math.min(x1, o.x1), Math.min(y1, o.y1));
        }
    }

    Area all() {
        return new Area(0, 0, side, side);
    }

    Area area(Stamp s) {
        float c = side / 2f;
        return new Area(
                        (int) Math.floor(s.centreX - s.reach + c),
                        (int) Math.floor(s.centreY - s.reach + c),
                        (int) Math.ceil(s.centreX + s.reach + c) + 1,
                        (int) Math.ceil(s.centreY + s.reach + c) + 1)
                .intersect(all());
    }

    void paint(List<Stamp> stamps, Area clip) {
        for (Stamp s : stamps) paint(s, area(s).intersect(clip));
    }

    private void paint(Stamp s, Area area) {
        float c = side / 2f - 0.5f;
        for (int y = area.y0; y < area.y1; y++) {
            for (int x = area.x0; x < area.x1; x++) {
                float d = s.distance(x - c, y - c);
                float coverage = 0.5f - d / s.feather;
                if (coverage <= 0) continue;
                if (coverage > 1) coverage = 1;
                float a = coverage * s.opacity;
                int i = y * side + x;
                int k = i * CHANNELS;
                float tint = s.tint == null ? 1 : s.tint.at(x - c, y - c);
                data[k] += a * (s.red * tint - data[k]);
                data[k + 1] += a * (s.green * tint - data[k + 1]);
                data[k + 2] += a * (s.blue * tint - data[k + 2]);
                data[k + 3] += s.profile(d);
                data[k + 4] += a * (s.gloss - data[k + 4]);
                data[k + 5] += a * (s.texture - data[k + 5]);
                if (s.material != 0 && coverage > 0.5f) material[i] = (byte) s.material;
            }
        }
    }
}
