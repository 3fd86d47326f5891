package io.linesight.trainer.network;

import io.linesight.mmad.architecture.FeatureNorm;
import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.trainer.torch.Torch;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * MMAD's trainable part in libtorch: fuser and decoder over the frozen encoder's features. Feature maps are
 * channels-last rows [B,L,C] with L = 64*64, 32*32, 16*16, finest first. Not thread-safe; the parameters belong to the
 * caller.
 */
public final class MmadNet implements AutoCloseable {
    /**
     * First entry of each decoder level in the reference's drop-path table of 16 rates, and how many entries the level
     * has.
     */
    private static final int[] RATE_FROM = {0, 3, 7, 13};

    private static final int[] RATE_COUNT = {3, 4, 6, 3};

    private final MmadConfig config;
    private final Parameters p;
    private final Fuser fuser;
    private final List<List<HybridBlock>> levels = new ArrayList<>();

    public MmadNet(MmadConfig config, Parameters parameters) {
        this.config = config;
        this.p = parameters;
        fuser = new Fuser(parameters);
        for (int level = 0; level < config.levels(); level++) {
            List<HybridBlock> blocks = new ArrayList<>();
            for (int i = 0; i < config.blocks().get(level); i++) {
                blocks.add(new HybridBlock(
                        parameters,
                        "net_s.layers_up." + level + ".blocks." + i,
                        config.levelChannels().get(level),
                        config.chains().get(level),
                        MmadConfig.levelSide(level),
                        dropPath(level, i)));
            }
            levels.add(blocks);
        }
    }

    /**
     * Drop-path rate of a decoder block: MMAD_SPEC section 8. The reference counts blocks of levels with 3, 4, 6 and 3
     * table entries along linspace(0, 0.2, 16) reversed and builds fewer blocks than entries; block i of a level takes
     * the level's entry i. A configuration with more blocks than a level has entries repeats the level's last.
     */
    static double dropPath(int level, int block) {
        int entry = RATE_FROM[level] + Math.min(block, RATE_COUNT[level] - 1);
        return 0.2 * (15 - entry) / 15;
    }

    /**
     * Teacher features as the fuser sees them and the decoder imitates them: with the configuration's statistics
     * applied.
     */
    List<Tensor> normalised(List<Tensor> features) {
        if (config.featureNorm() == FeatureNorm.NONE) return features;
        List<Tensor> out = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            out.add(features.get(i)
                    .sub(p.get("teacher_norm." + i + ".shift"))
                    .mul(p.get("teacher_norm." + i + ".scale")));
        }
        return out;
    }

    /**
     * The student's features.
     *
     * @param teacher normalised teacher features
     * @param noise null = eval: running statistics, no dropping, rule "expected"
     * @return like {@link #imitated} of the teacher
     */
    List<Tensor> forward(List<Tensor> teacher, @Nullable TrainingNoise noise) {
        return student(teacher, noise).features();
    }

    /**
     * What the student gives.
     *
     * @param features like the teacher's imitated ones
     * @param levels the decoder levels' outputs before any projection to the encoder's channels, coarsest first
     */
    record Student(List<Tensor> features, List<Tensor> levels) {}

    /** As {@link #forward}, with the levels' outputs. */
    Student student(List<Tensor> teacher, @Nullable TrainingNoise noise) {
        List<Tensor> images = new ArrayList<>();
        for (int i = 0; i < 3; i++) images.add(Torch.image(teacher.get(i), 64 >> i));
        Tensor x = Torch.rows(fuser.forward(images, noise));
        Tensor[] out = new Tensor[3 - config.finest()];
        List<Tensor> outputs = new ArrayList<>();
        for (int level = 0; level < config.levels(); level++) {
            if (level > 0) x = expand(x, level);
            for (HybridBlock block : levels.get(level)) x = block.forward(x, noise);
            outputs.add(x);
            if (level == 0) continue;
            int scale = MmadConfig.scaleOfLevel(level);
            Tensor y = x;
            if (config.needsProjection(scale)) {
                Tensor w = p.get("net_s.proj." + scale + ".weight");
                y = Torch.linear(x, w.view(w.size(0), w.size(1)), p.get("net_s.proj." + scale + ".bias"));
            }
            out[scale - config.finest()] = y;
        }
        return new Student(List.of(out), outputs);
    }

    private Tensor expand(Tensor x, int level) {
        String name = "net_s.layers_up." + level + ".upsample.";
        long batch = x.size(0);
        long side = MmadConfig.levelSide(level - 1);
        long c = config.levelChannels().get(level);
        Tensor h = Torch.linear(x, p.get(name + "expand.weight"), null)
                .view(batch, side, side, 2, 2, c)
                .permute(0, 1, 3, 2, 4, 5)
                .reshape(batch, 4 * side * side, c);
        return Torch.layerNorm(h, p.get(name + "norm.weight"), p.get(name + "norm.bias"), 1e-5);
    }

    /** Those of the teacher's maps that the student imitates. */
    List<Tensor> imitated(List<Tensor> teacher) {
        return teacher.subList(config.finest(), 3);
    }

    /** Sum over the imitated scales of 5 times the mean squared difference (MMAD_SPEC section 10). */
    static Tensor loss(List<Tensor> teacher, List<Tensor> student) {
        Tensor sum = null;
        for (int i = 0; i < student.size(); i++) {
            Tensor l = torch.mse_loss(student.get(i), teacher.get(i)).mul(Torch.scalar(5));
            sum = sum == null ? l : sum.add(l);
        }
        return sum;
    }

    @Override
    public void close() {
        levels.forEach(level -> level.forEach(HybridBlock::close));
    }
}
