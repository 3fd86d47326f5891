package io.linesight.simulator;

import io.linesight.mmad.image.RgbImage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A production line that exists only as numbers: parts of several products under cameras, with natural variation,
 * drifting light, sensor noise, and now and then a defect whose pixels are known. A frame depends on the seed, the
 * camera, the sequence, the speed of the drift and the lamps alone, in any order and on any machine with IEEE
 * arithmetic.
 *
 * <p>Threads: safe to share; every call works on buffers of its own thread.
 */
public final class SimulatedLine {
    /** Side of the images in pixels. */
    public static final int SIZE = 320;

    /** A defect is drawn again this often until it shows. */
    private static final int MAX_ATTEMPTS = 12;
    /** A small one has to have the right extent, too. */
    private static final int MAX_SMALL_ATTEMPTS = 100;
    /** Pixels that differ clearly from the good part, so that a defect shows; and so that a small one does. */
    private static final int CLEAR = 45;

    private static final int CLEAR_SMALL = 8;

    private static final List<Product> PRODUCTS = List.of(new Flange(), new Board(), new Fabric(), new Blister());
    private static final ThreadLocal<Buffers> BUFFERS = ThreadLocal.withInitial(Buffers::new);

    private final long seed;
    private final double defectRate;
    private final Lamp lamp;
    private final double drift;
    private final Map<Integer, Replacement> replacements = new ConcurrentHashMap<>();

    private record Replacement(long fromSequence, Lamp lamp) {}

    private static final class Buffers {
        final Scene scene = new Scene(SIZE);
        final Scene clean = new Scene(SIZE);
        final float[] linear = new float[SIZE * SIZE * 3];
        final float[] reference = new float[SIZE * SIZE * 3];
    }

    /**
     * @param seed everything follows from it
     * @param defectRate fraction of defective parts, 0..1
     */
    public SimulatedLine(long seed, double defectRate) {
        this(seed, defectRate, Lamp.TUBE);
    }

    /** @param lamp over every camera */
    public SimulatedLine(long seed, double defectRate, Lamp lamp) {
        this(seed, defectRate, lamp, 1);
    }

    /**
     * @param drift how fast the light drifts; at 1 it comes and goes in 420 to 720 frames of a camera, which is
     *     minutes, at 0.1 in ten times as many
     */
    public SimulatedLine(long seed, double defectRate, Lamp lamp, double drift) {
        if (!(defectRate >= 0 && defectRate <= 1))
            throw new IllegalArgumentException("the defect rate must be 0..1, got " + defectRate);
        if (!(drift >= 0 && drift <= 1)) throw new IllegalArgumentException("the drift must be 0..1, got " + drift);
        this.seed = seed;
        this.defectRate = defectRate;
        this.lamp = lamp;
        this.drift = drift;
    }

    /**
     * Puts another lamp over a camera; frames before {@code fromSequence} stay what they were. Any thread; a camera's
     * lamp is replaced once.
     */
    public void replaceLamp(int camera, long fromSequence, Lamp by) {
        replacements.put(camera, new Replacement(fromSequence, by));
    }

    private Lamp lampOver(int camera, long sequence) {
        Replacement r = replacements.get(camera);
        return r != null && sequence >= r.fromSequence ? r.lamp : lamp;
    }

    /** Products in the order in which cameras get them. */
    public static List<String> products() {
        return PRODUCTS.stream().map(p -> p.name).toList();
    }

    /**
     * Defects a product can have.
     *
     * @throws IllegalArgumentException naming the products when there is no such one
     */
    public static List<String> defects(String product) {
        return product(product).defects;
    }

    /** Product under a camera: camera 0 sees the first product, and so on round the list. */
    public static String productOf(int camera) {
        return PRODUCTS.get(Math.floorMod(camera, PRODUCTS.size())).name;
    }

    /** The frame a camera takes. */
    public SimulatedFrame frame(int camera, long sequence) {
        Product product = PRODUCTS.get(Math.floorMod(camera, PRODUCTS.size()));
        return render(product, defectOf(camera, sequence), seed, camera, sequence, lampOver(camera, sequence));
    }

    /** What is wrong in a frame, without rendering it; {@link SimulatedFrame#GOOD} when nothing is. */
    public String defectOf(int camera, long sequence) {
        Product product = PRODUCTS.get(Math.floorMod(camera, PRODUCTS.size()));
        SplittableRandom fate = new SplittableRandom(Noise.mix(seed, camera, sequence, 1));
        return fate.nextDouble() < defectRate
                ? product.defects.get(fate.nextInt(product.defects.size()))
                : SimulatedFrame.GOOD;
    }

    /** The same part without its defect, for comparing. */
    public SimulatedFrame goodTwin(int camera, long sequence) {
        return render(
                PRODUCTS.get(Math.floorMod(camera, PRODUCTS.size())),
                SimulatedFrame.GOOD,
                seed,
                camera,
                sequence,
                lampOver(camera, sequence));
    }

    /**
     * Good parts for training, each under the light of another moment. They come from another stream of random numbers
     * than {@link #frame}, so no image of the running line is among them.
     *
     * @param seedOffset different numbers give different parts
     */
    public List<SimulatedFrame> normals(String product, int n, long seedOffset) {
        List<SimulatedFrame> out = new ArrayList<>(n);
        for (int i = 0; i < n; i++) out.add(part(product, SimulatedFrame.GOOD, seedOffset, i));
        return out;
    }

    /**
     * Part number i of a product with the given defect (or {@link SimulatedFrame#GOOD}), for data sets; the same stream
     * as {@link #normals}.
     *
     * @throws IllegalArgumentException when the product or the defect is unknown
     */
    public SimulatedFrame part(String productName, String defect, long seedOffset, int i) {
        Product product = product(productName);
        if (!defect.equals(SimulatedFrame.GOOD) && !product.defects.contains(defect)) {
            throw new IllegalArgumentException(
                    "a " + productName + " has no defect '" + defect + "': choose one of " + product.defects);
        }
        long stream = Noise.mix(seed, 0x5EED, seedOffset, productName.hashCode());
        SplittableRandom random = new SplittableRandom(Noise.mix(stream, i));
        return render(
                product, defect, Noise.mix(stream, i), 1000 + random.nextInt(1000), random.nextInt(100_000), lamp);
    }

    private static Product product(String name) {
        for (Product p : PRODUCTS) if (p.name.equals(name)) return p;
        throw new IllegalArgumentException("there is no simulated product '" + name + "': choose one of " + products());
    }

    /**
     * Tray number i of a product, one of whose parts has the given defect (or {@link SimulatedFrame#GOOD}), for data
     * sets; another stream than {@link #part}.
     *
     * @throws IllegalArgumentException when the product or the defect is unknown
     */
    public SimulatedFrame tray(String productName, String defect, Tray tray, long seedOffset, int i) {
        Product product = product(productName);
        boolean good = defect.equals(SimulatedFrame.GOOD);
        if (!good && !tray.defects(productName).contains(defect))
            throw new IllegalArgumentException("a tray of " + productName + " has no defect '" + defect
                    + "': choose one of " + tray.defects(productName));
        long stream = Noise.mix(seed, 0x7124, seedOffset, productName.hashCode());
        SplittableRandom random = new SplittableRandom(Noise.mix(stream, i));
        int camera = 1000 + random.nextInt(1000);
        long sequence = random.nextInt(100_000);
        Light light = Light.at(Noise.mix(stream, i), camera, sequence, drift, lamp);
        SmallDefect small = tray.small() ? new SmallDefect(tray.minDefect(), tray.maxDefect()) : null;
        int n = tray.parts();
        int whole = tray.cut() > 0 ? 1 : 0;
        int spoiled = (whole + random.nextInt(n - 2 * whole)) * n + whole + random.nextInt(n - 2 * whole);
        byte[] rgb = new byte[3 * tray.size() * tray.size()];
        byte[] mask = new byte[tray.size() * tray.size()];
        for (int cell = 0; cell < n * n; cell++) {
            Part part = new Part(product, Noise.mix(stream, i, cell), camera, sequence);
            SimulatedFrame f = render(part, cell == spoiled ? defect : SimulatedFrame.GOOD, light, small);
            int left = cell % n * SIZE - tray.cut();
            int top = cell / n * SIZE - tray.cut();
            copy(f.image().rgb(), 3, left, top, rgb, tray.size());
            copy(f.mask(), 1, left, top, mask, tray.size());
        }
        RgbImage image = new RgbImage(tray.size(), tray.size(), rgb);
        return new SimulatedFrame(camera, sequence, productName, !good, defect, image, mask);
    }

    /** Copies what lies inside. */
    private static void copy(byte[] part, int channels, int left, int top, byte[] to, int side) {
        int from = Math.max(0, -left);
        int until = Math.min(SIZE, side - left);
        for (int y = Math.max(0, -top); y < Math.min(SIZE, side - top); y++)
            System.arraycopy(
                    part,
                    (y * SIZE + from) * channels,
                    to,
                    ((top + y) * side + left + from) * channels,
                    (until - from) * channels);
    }

    /** What a part follows from, apart from its defect and the light. */
    private record Part(Product product, long seed, int camera, long sequence) {}

    private SimulatedFrame render(Product p, String defect, long seed, int camera, long sequence, Lamp lamp) {
        return render(new Part(p, seed, camera, sequence), defect, Light.at(seed, camera, sequence, drift, lamp), null);
    }

    /** @param small draws the defect in the place of the product; null = the product's own */
    private static SimulatedFrame render(Part of, String defect, Light light, @Nullable SmallDefect small) {
        Product p = of.product;
        Buffers b = BUFFERS.get();
        SplittableRandom part = new SplittableRandom(Noise.mix(of.seed, of.camera, of.sequence, 2));
        Scene.Pose pose = Scene.Pose.of(
                (part.nextDouble() * 2 - 1) * p.maxAngle,
                (part.nextDouble() * 2 - 1) * p.maxShift,
                (part.nextDouble() * 2 - 1) * p.maxShift);
        int u = part.nextInt(Noise.SIDE);
        int v = part.nextInt(Noise.SIDE);
        float tint = Damage.between(part, 0.97, 1.03);
        b.clean.clearMask();
        b.clean.place(p.base, pose, p.tile, u, v);
        boolean good = defect.equals(SimulatedFrame.GOOD);
        if (good) {
            light.shade(b.clean, p.heightGain, p.textureColour, p.textureHeight, b.linear);
        } else {
            light.shade(b.clean, p.heightGain, p.textureColour, p.textureHeight, b.reference);
            // A defect that nobody could see is no ground truth: draw again until it shows.
            for (int attempt = 0; attempt < (small == null ? MAX_ATTEMPTS : MAX_SMALL_ATTEMPTS); attempt++) {
                b.scene.copyFrom(b.clean);
                SplittableRandom random = new SplittableRandom(Noise.mix(of.seed, of.camera, of.sequence, 3, attempt));
                if (small != null) small.draw(defect, b.scene, random);
                else p.damage(defect, b.scene, b.clean, pose, random, (s, layer) -> s.place(layer, pose, p.tile, u, v));
                light.shade(b.scene, p.heightGain, p.textureColour, p.textureHeight, b.linear);
                int clear = clearPixels(b.linear, b.reference, b.scene.mask);
                if (small == null ? clear >= CLEAR : clear >= CLEAR_SMALL && small.fits(b.scene.mask, SIZE)) break;
            }
        }
        for (int i = 0; i < b.linear.length; i++) b.linear[i] *= tint;
        byte[] rgb = Light.expose(b.linear, SIZE, new SplittableRandom(Noise.mix(of.seed, of.camera, of.sequence, 4)));
        byte[] mask = (good ? b.clean : b.scene).mask.clone();
        return new SimulatedFrame(of.camera, of.sequence, p.name, !good, defect, new RgbImage(SIZE, SIZE, rgb), mask);
    }

    /** How many pixels of the defect differ clearly from the part without it. */
    private static int clearPixels(float[] seen, float[] clean, byte[] mask) {
        int clear = 0;
        for (int i = 0; i < mask.length; i++) {
            if (mask[i] == 0) continue;
            float d = Math.abs(seen[3 * i] - clean[3 * i])
                    + Math.abs(seen[3 * i + 1] - clean[3 * i + 1])
                    + Math.abs(seen[3 * i + 2] - clean[3 * i + 2]);
            if (d > 0.18f) clear++;
        }
        return clear;
    }
}
