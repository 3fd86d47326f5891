package io.linesight.trainer.dataset;

import io.linesight.mmad.image.RgbImage;
import io.linesight.trainer.folders.ImageSource;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Woven textures with small variations, one a category; defects are smooth patches without the weave. */
public final class TextureSource implements ImageSource {
    private static final int SIDE = 256;

    private final int normals;
    private final int tests;

    private final List<String> categories;

    public TextureSource(int normals, int tests) {
        this(normals, tests, List.of("weave"));
    }

    /** @param categories among {@code weave} and {@code mesh}, which is coarser and lighter */
    public TextureSource(int normals, int tests, List<String> categories) {
        this.normals = normals;
        this.tests = tests;
        this.categories = categories;
    }

    @Override
    public String name() {
        return "texture";
    }

    @Override
    public List<String> categories() {
        return categories;
    }

    @Override
    public List<Sample> train(String category) {
        List<Sample> s = new ArrayList<>();
        for (int i = 0; i < normals; i++) {
            int seed = i;
            s.add(Sample.normal("train/" + i, () -> texture(category, seed, false)));
        }
        return s;
    }

    @Override
    public List<Sample> test(String category) {
        List<Sample> s = new ArrayList<>();
        for (int i = 0; i < tests; i++) {
            int seed = 1000 + i;
            s.add(Sample.normal("good/" + i, () -> texture(category, seed, false)));
            s.add(new Sample("patch/" + i, "patch", () -> texture(category, seed + 500, true), () -> mask(seed + 500)));
        }
        return s;
    }

    public static RgbImage weave(int seed, boolean defect) {
        return texture("weave", seed, defect);
    }

    private static RgbImage texture(String category, int seed, boolean defect) {
        boolean mesh = category.equals("mesh");
        double frequency = mesh ? 0.25 : 0.6;
        SplittableRandom r = new SplittableRandom(seed);
        double phaseX = r.nextDouble(2 * Math.PI);
        double phaseY = r.nextDouble(2 * Math.PI);
        double brightness = (mesh ? 160 : 110) + r.nextDouble(20);
        int[] box = box(seed);
        byte[] rgb = new byte[SIDE * SIDE * 3];
        for (int y = 0; y < SIDE; y++) {
            for (int x = 0; x < SIDE; x++) {
                double noise = r.nextDouble(-8, 8);
                double v =
                        brightness + 40 * Math.sin(x * frequency + phaseX) * Math.sin(y * frequency + phaseY) + noise;
                if (defect && inside(box, x, y)) v = brightness + noise + 25;
                for (int c = 0; c < 3; c++) rgb[(y * SIDE + x) * 3 + c] = (byte) Math.max(0, Math.min(255, v - 10 * c));
            }
        }
        return new RgbImage(SIDE, SIDE, rgb);
    }

    private static RgbImage mask(int seed) {
        int[] box = box(seed);
        byte[] rgb = new byte[SIDE * SIDE * 3];
        for (int i = 0; i < rgb.length; i++) rgb[i] = (byte) (inside(box, i / 3 % SIDE, i / 3 / SIDE) ? 255 : 0);
        return new RgbImage(SIDE, SIDE, rgb);
    }

    private static int[] box(int seed) {
        SplittableRandom r = new SplittableRandom(seed * 31L);
        return new int[] {r.nextInt(30, 190), r.nextInt(30, 190), r.nextInt(24, 40)};
    }

    private static boolean inside(int[] box, int x, int y) {
        return x >= box[0] && x < box[0] + box[2] && y >= box[1] && y < box[1] + box[2];
    }
}
