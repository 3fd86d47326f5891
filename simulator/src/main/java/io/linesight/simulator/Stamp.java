package io.linesight.simulator;

/**
 * One feature of a part: a shape with a material and a height profile, painted over what lies below. Coordinates are
 * pixels from the centre of the part. Stamps of one group are one feature to a defect: they go missing or shift
 * together.
 */
final class Stamp {
    /** Signed distance to the outline in pixels, negative inside. */
    interface Shape {
        float distance(float x, float y);
    }

    /** Colour at a place of the part; lets a stamp carry print or a sheen. */
    interface Tint {
        float at(float x, float y);
    }

    final String group;
    final Shape shape;
    final float reach;
    float centreX;
    float centreY;
    float red;
    float green;
    float blue;
    float gloss = 0.1f;
    float texture = 1;
    float rise;
    float bevel = 1;
    boolean dome;
    float feather = 1;
    float opacity = 1;
    int material;
    Tint tint;
    private float shiftX;
    private float shiftY;
    private float cos = 1;
    private float sin;
    private float pivotX;
    private float pivotY;

    /** @param reach radius around (centreX, centreY) outside which the shape has no coverage */
    Stamp(String group, float centreX, float centreY, float reach, Shape shape) {
        this.group = group;
        this.centreX = centreX;
        this.centreY = centreY;
        this.reach = reach;
        this.shape = shape;
    }

    Stamp colour(double r, double g, double b) {
        red = (float) r;
        green = (float) g;
        blue = (float) b;
        return this;
    }

    Stamp surface(int material, double gloss, double texture) {
        this.material = material;
        this.gloss = (float) gloss;
        this.texture = (float) texture;
        return this;
    }

    Stamp raised(double rise, double bevel) {
        this.rise = (float) rise;
        this.bevel = (float) bevel;
        return this;
    }

    Stamp domed(double rise, double radius) {
        dome = true;
        return raised(rise, radius);
    }

    Stamp soft(double feather, double opacity) {
        this.feather = (float) feather;
        this.opacity = (float) opacity;
        return this;
    }

    Stamp tinted(Tint tint) {
        this.tint = tint;
        return this;
    }

    /** The same stamp moved and turned about a pivot. */
    Stamp moved(float dx, float dy, float angle, float pivotX, float pivotY) {
        Stamp s = new Stamp(
                group,
                centreX + dx,
                centreY + dy,
                reach + Math.abs(angle) * (reach + (float) Math.hypot(centreX - pivotX, centreY - pivotY)),
                shape);
        s.colour(red, green, blue)
                .surface(material, gloss, texture)
                .raised(rise, bevel)
                .soft(feather, opacity)
                .tinted(tint);
        s.dome = dome;
        s.shiftX = dx;
        s.shiftY = dy;
        s.cos = (float) Math.cos(angle);
        s.sin = (float) Math.sin(angle);
        s.pivotX = pivotX;
        s.pivotY = pivotY;
        return s;
    }

    float distance(float x, float y) {
        float px = x - shiftX - pivotX;
        float py = y - shiftY - pivotY;
        return shape.distance(pivotX + cos * px + sin * py, pivotY - sin * px + cos * py);
    }

    float profile(float distance) {
        float t = Math.min(1, Math.max(0, -distance / bevel));
        return rise * (dome ? (float) Math.sqrt(1 - (1 - t) * (1 - t)) : Noise.smooth(t));
    }

    static Stamp circle(String group, double cx, double cy, double radius) {
        float x0 = (float) cx;
        float y0 = (float) cy;
        float r = (float) radius;
        return new Stamp(
                group, x0, y0, r + 8, (x, y) -> (float) Math.sqrt((x - x0) * (x - x0) + (y - y0) * (y - y0)) - r);
    }

    static Stamp ring(String group, double cx, double cy, double radius, double width) {
        float x0 = (float) cx;
        float y0 = (float) cy;
        float r = (float) radius;
        float w = (float) width / 2;
        return new Stamp(
                group,
                x0,
                y0,
                r + w + 8,
                (x, y) -> Math.abs((float) Math.sqrt((x - x0) * (x - x0) + (y - y0) * (y - y0)) - r) - w);
    }

    static Stamp box(String group, double cx, double cy, double width, double height, double corner) {
        float x0 = (float) cx;
        float y0 = (float) cy;
        float hw = (float) (width / 2 - corner);
        float hh = (float) (height / 2 - corner);
        float c = (float) corner;
        return new Stamp(group, x0, y0, (float) Math.hypot(width, height) / 2 + 10, (x, y) -> {
            float qx = Math.abs(x - x0) - hw;
            float qy = Math.abs(y - y0) - hh;
            float ox = Math.max(qx, 0);
            float oy = Math.max(qy, 0);
            return (float) Math.sqrt(ox * ox + oy * oy) + Math.min(Math.max(qx, qy), 0) - c;
        });
    }

    static Stamp line(String group, double ax, double ay, double bx, double by, double width) {
        float x1 = (float) ax;
        float y1 = (float) ay;
        float x2 = (float) bx;
        float y2 = (float) by;
        float w = (float) width / 2;
        return new Stamp(
                group,
                (x1 + x2) / 2,
                (y1 + y2) / 2,
                (float) Math.hypot(bx - ax, by - ay) / 2 + w + 4,
                (x, y) -> segment(x, y, x1, y1, x2, y2) - w);
    }

    static float segment(float x, float y, float x1, float y1, float x2, float y2) {
        float dx = x2 - x1;
        float dy = y2 - y1;
        float length = dx * dx + dy * dy;
        float t = length == 0 ? 0 : ((x - x1) * dx + (y - y1) * dy) / length;
        t = Math.max(0, Math.min(1, t));
        float ex = x - x1 - t * dx;
        float ey = y - y1 - t * dy;
        return (float) Math.sqrt(ex * ex + ey * ey);
    }
}
