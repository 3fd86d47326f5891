package io.linesight.mmad.architecture;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Shape of one MMAD network. Widths that MMAD_SPEC gives for the reference are the {@link #base base} preset's; every
 * other part of the architecture (scan directions 8, states 16, expansion 2, input 256x256) is fixed.
 *
 * @param preset name, for people and for the checkpoint's metadata
 * @param encoderChannels channels of the encoder's three feature maps at strides 4, 8, 16
 * @param fuserChannels widths of the fuser at stride 8 (reference 128) and stride 16 (reference 256)
 * @param levelChannels decoder widths at 8x8, 16x16, 32x32, 64x64 (reference 512, 256, 128, 64); each half of the one
 *     before; the first is also the width of the fuser's output z. Where the width at a stride differs from the
 *     encoder's channels, a learned 1x1 convolution with bias ({@code net_s.proj.<i>.weight/.bias}, i = 0 for stride 4,
 *     1 for 8, 2 for 16) follows the level's last block
 * @param blocks HybridBlocks per level (reference 1, 2, 2, 1)
 * @param chains per level, the VSSBlocks of every chain in order (reference: hilbert, zorder, zigzag everywhere)
 * @param featureNorm treatment of encoder features
 * @param map how distances become the anomaly map; null (files written before there was a choice) is the cosine
 *     distance
 * @param finest finest encoder scale that the decoder imitates and the anomaly map is made of: 0 = stride 4 (the
 *     reference), 1 = stride 8, 2 = stride 16. The decoder ends at that level; entries of the lists for levels after it
 *     are not used. Three quarters of the reference decoder's pixels are at stride 4
 * @param topShare the score is the mean over this share of the map's pixels, the highest ones (read at every fourth row
 *     and column); 0 = the single highest pixel, as published. More than one pixel makes the score steadier where
 *     defects are larger than a few pixels
 * @param groups groups of images, one per product trained on, that have statistics of their own in
 *     {@link MapKind#WHITENED}; an image belongs to the group that its mean feature at stride 16 is nearest to, nobody
 *     has to say which. 0 or 1 = one for all
 */
public record MmadConfig(
        String preset,
        List<Integer> encoderChannels,
        List<Integer> fuserChannels,
        List<Integer> levelChannels,
        List<Integer> blocks,
        List<List<ScanKind>> chains,
        FeatureNorm featureNorm,
        MapKind map,
        int finest,
        double topShare,
        int groups) {

    /** Side of the square input in pixels; scan tables are bound to it. */
    public static final int INPUT_SIZE = 256;
    /** Scan directions per base order. */
    public static final int DIRECTIONS = 8;
    /** States per channel of the scan. */
    public static final int STATES = 16;
    /** Channel groups, hence parallel chains, of a mixer. */
    public static final int GROUPS = 4;
    /** Hidden units of the networks behind {@link MapKind#STANDARDISED}. */
    public static final int EXPECTATION_UNITS = 128;
    /** Added to a cosine distance before its logarithm is taken. */
    public static final float MIN_DISTANCE = 1e-6f;

    // Limits of what a configuration may ask for: it can come from a file.
    private static final int MAX_WIDTH = 16_384;

    private static final int MAX_BLOCKS = 32;
    private static final int MAX_SCANS = 8;
    private static final int MAX_GROUPS = 4096;

    public MmadConfig {
        if (encoderChannels == null
                || fuserChannels == null
                || levelChannels == null
                || blocks == null
                || chains == null
                || chains.stream().anyMatch(Objects::isNull)) {
            throw new IllegalArgumentException(
                    "MMAD configuration: encoderChannels, fuserChannels, levelChannels, blocks and chains are all "
                            + "needed");
        }
        encoderChannels = List.copyOf(encoderChannels);
        fuserChannels = List.copyOf(fuserChannels);
        levelChannels = List.copyOf(levelChannels);
        blocks = List.copyOf(blocks);
        chains = chains.stream().map(List::copyOf).toList();
        if (map == null) map = MapKind.COSINE;
        List<String> problems = new ArrayList<>();
        if (preset == null || preset.isBlank()) problems.add("preset has no name");
        if (encoderChannels.size() != 3)
            problems.add("encoderChannels must have 3 entries (strides 4, 8, 16), got " + encoderChannels);
        if (fuserChannels.size() != 2)
            problems.add("fuserChannels must have 2 entries (strides 8, 16), got " + fuserChannels);
        if (levelChannels.size() != 4) problems.add("levelChannels must have 4 entries, got " + levelChannels);
        if (blocks.size() != 4) problems.add("blocks must have 4 entries, got " + blocks);
        if (chains.size() != 4) problems.add("chains must have 4 entries, got " + chains);
        checkWidths(encoderChannels, fuserChannels, levelChannels, problems);
        checkDepths(blocks, chains, problems);
        if (finest < 0 || finest > 2)
            problems.add("finest must be 0 (stride 4), 1 (stride 8) or 2 (stride 16), got " + finest);
        if (!(topShare >= 0 && topShare <= 1)) problems.add("topShare must be 0..1, got " + topShare);
        if (groups < 0 || groups > MAX_GROUPS)
            problems.add("groups must not be negative and at most " + MAX_GROUPS + ", got " + groups);
        if (featureNorm == null) problems.add("featureNorm is missing");
        if (!problems.isEmpty())
            throw new IllegalArgumentException("MMAD configuration: " + String.join("; ", problems));
    }

    private static void checkWidths(
            List<Integer> encoderChannels,
            List<Integer> fuserChannels,
            List<Integer> levelChannels,
            List<String> problems) {
        for (int c : encoderChannels)
            if (c < 1 || c > MAX_WIDTH)
                problems.add("encoder channels must be 1 to " + MAX_WIDTH + ", got " + encoderChannels);
        for (int c : fuserChannels)
            if (c < 16 || c > MAX_WIDTH || c % 16 != 0)
                problems.add("fuser widths must be positive multiples of 16, at most " + MAX_WIDTH + ", got "
                        + fuserChannels);
        for (int i = 0; i < levelChannels.size(); i++) {
            if (levelChannels.get(i) < 16 || levelChannels.get(i) > MAX_WIDTH || levelChannels.get(i) % 16 != 0)
                problems.add("level widths must be positive multiples of 16, at most " + MAX_WIDTH + ", got "
                        + levelChannels);
            if (i > 0 && levelChannels.get(i) * 2 != levelChannels.get(i - 1))
                problems.add("each level must be half as wide as the one before, got " + levelChannels);
        }
    }

    private static void checkDepths(List<Integer> blocks, List<List<ScanKind>> chains, List<String> problems) {
        for (int b : blocks)
            if (b < 1 || b > MAX_BLOCKS)
                problems.add("every level needs at least one block, at most " + MAX_BLOCKS + ", got " + blocks);
        for (List<ScanKind> c : chains)
            if (c.isEmpty() || c.size() > MAX_SCANS)
                problems.add("every level needs at least one scan in its chains, at most " + MAX_SCANS);
    }

    private static final List<ScanKind> ALL = List.of(ScanKind.HILBERT, ScanKind.ZORDER, ScanKind.ZIGZAG);

    /** The paper's network, for any encoder (ResNet-34: 64, 128, 256). */
    public static MmadConfig base(List<Integer> encoderChannels) {
        return new MmadConfig(
                "base",
                encoderChannels,
                List.of(128, 256),
                List.of(512, 256, 128, 64),
                List.of(1, 2, 2, 1),
                List.of(ALL, ALL, ALL, ALL),
                FeatureNorm.NONE,
                MapKind.COSINE,
                0,
                0,
                0);
    }

    /** Half the width, one block a level, a single scan at 64x64: about a fifth of the base preset's work. */
    public static MmadConfig small(List<Integer> encoderChannels) {
        return new MmadConfig(
                "small",
                encoderChannels,
                List.of(64, 128),
                List.of(256, 128, 64, 32),
                List.of(1, 1, 1, 1),
                List.of(ALL, ALL, ALL, List.of(ScanKind.HILBERT)),
                FeatureNorm.CHANNEL,
                MapKind.COSINE,
                0,
                0,
                0);
    }

    /** A quarter of the width and one scan a chain: for CPUs that have to keep up with a line, and for tests. */
    public static MmadConfig tiny(List<Integer> encoderChannels) {
        return new MmadConfig(
                "tiny",
                encoderChannels,
                List.of(32, 64),
                List.of(128, 64, 32, 16),
                List.of(1, 1, 1, 1),
                List.of(ALL, ALL, List.of(ScanKind.HILBERT), List.of(ScanKind.HILBERT)),
                FeatureNorm.CHANNEL,
                MapKind.COSINE,
                0,
                0,
                0);
    }

    /**
     * A preset by name.
     *
     * @throws IllegalArgumentException naming the known presets
     */
    public static MmadConfig preset(String name, List<Integer> encoderChannels) {
        return switch (name) {
            case "base" -> base(encoderChannels);
            case "small" -> small(encoderChannels);
            case "tiny" -> tiny(encoderChannels);
            default -> throw new IllegalArgumentException("unknown preset '" + name + "': choose base, small or tiny");
        };
    }

    public MmadConfig withFeatureNorm(FeatureNorm norm) {
        return new MmadConfig(
                preset,
                encoderChannels,
                fuserChannels,
                levelChannels,
                blocks,
                chains,
                norm,
                map,
                finest,
                topShare,
                groups);
    }

    public MmadConfig withMap(MapKind kind) {
        return new MmadConfig(
                preset,
                encoderChannels,
                fuserChannels,
                levelChannels,
                blocks,
                chains,
                featureNorm,
                kind,
                finest,
                topShare,
                groups);
    }

    /** The same network without the decoder levels finer than this scale. */
    public MmadConfig withFinest(int scale) {
        return new MmadConfig(
                preset,
                encoderChannels,
                fuserChannels,
                levelChannels,
                blocks,
                chains,
                featureNorm,
                map,
                scale,
                topShare,
                groups);
    }

    /** The same network, scored by another share of the map's pixels. */
    public MmadConfig withTopShare(double share) {
        return new MmadConfig(
                preset,
                encoderChannels,
                fuserChannels,
                levelChannels,
                blocks,
                chains,
                featureNorm,
                map,
                finest,
                share,
                groups);
    }

    /** The same network with statistics for so many groups of images. */
    public MmadConfig withGroups(int count) {
        return new MmadConfig(
                preset,
                encoderChannels,
                fuserChannels,
                levelChannels,
                blocks,
                chains,
                featureNorm,
                map,
                finest,
                topShare,
                count);
    }

    /** Decoder levels there are: 4 for the reference. */
    public int levels() {
        return 4 - finest;
    }

    /** Side of decoder level 0..3: 8, 16, 32, 64. */
    public static int levelSide(int level) {
        return 8 << level;
    }

    /** Index into {@link #encoderChannels} (0 = stride 4) that decoder level 1..3 imitates. */
    public static int scaleOfLevel(int level) {
        return 3 - level;
    }

    /** Whether scale i (0 = stride 4) needs the learned 1x1 output projection. */
    public boolean needsProjection(int scale) {
        return !levelChannels.get(3 - scale).equals(encoderChannels.get(scale));
    }
}
