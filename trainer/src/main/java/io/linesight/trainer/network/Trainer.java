package io.linesight.trainer.network;

import io.linesight.trainer.torch.JavaOp;
import io.linesight.trainer.torch.Torch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AdamW;
import org.bytedeco.pytorch.AdamWOptions;
import org.bytedeco.pytorch.ArchiveWriter;
import org.bytedeco.pytorch.InputArchive;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.OptimizerParamGroup;
import org.bytedeco.pytorch.OutputArchive;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * One optimiser step after the other (MMAD_SPEC section 10): loss, backward, clipping at norm 5, AdamW. Not
 * thread-safe.
 */
public final class Trainer implements AutoCloseable {
    private static final double WEIGHT_DECAY = 1e-4;
    private static final double CLIP = 5.0;

    private final MmadNet net;
    private final AdamW optimiser;
    private final TensorVector all;

    /** Loss before the step and global gradient norm before clipping. */
    public record Step(double loss, double gradientNorm) {}

    public Trainer(MmadNet net, Parameters parameters, double learningRate) {
        this.net = net;
        optimiser = new AdamW(parameters.trainable(true), options(learningRate, WEIGHT_DECAY));
        optimiser.add_param_group(new OptimizerParamGroup(parameters.trainable(false), options(learningRate, 0)));
        optimiser.retainReference();
        all = parameters.trainable();
        all.retainReference();
    }

    private static AdamWOptions options(double learningRate, double decay) {
        AdamWOptions o = new AdamWOptions(learningRate);
        o.weight_decay().put(decay);
        return o;
    }

    public void learningRate(double rate) {
        try (PointerScope scope = new PointerScope()) {
            for (long i = 0; i < optimiser.param_groups().size(); i++)
                optimiser.param_groups().get(i).options().set_lr(rate);
        }
    }

    /**
     * Trains on one batch.
     *
     * @param features raw teacher features [B,L,C], finest first
     * @throws IllegalStateException when libtorch fails or the loss is not a number
     */
    public Step step(List<Tensor> features) {
        return step(features, TrainingNoise.RANDOM);
    }

    Step step(List<Tensor> features, TrainingNoise noise) {
        try (PointerScope scope = new PointerScope()) {
            double loss = gradients(features, noise);
            double norm = torch.clip_grad_norm_(all, CLIP);
            if (!Double.isFinite(norm))
                throw new IllegalStateException(
                        "the gradient is not finite (loss " + loss + "): lower the learning rate");
            optimiser.step();
            return new Step(loss, norm);
        } catch (IllegalStateException e) {
            throw e;
        } catch (RuntimeException e) {
            throw Torch.readable("a training step", e);
        } finally {
            JavaOp.endStep();
        }
    }

    /** Loss of a batch; leaves its gradients in the parameters. The caller ends the step. */
    double gradients(List<Tensor> features, TrainingNoise noise) {
        optimiser.zero_grad(false);
        List<Tensor> teacher = net.normalised(features);
        Tensor loss = MmadNet.loss(net.imitated(teacher), net.forward(teacher, noise));
        double value = loss.item_double();
        if (!Double.isFinite(value)) throw new IllegalStateException("the loss is not finite: lower the learning rate");
        loss.backward();
        return value;
    }

    /**
     * Loss of a batch as the finished network sees it: running statistics, nothing dropped. Changes nothing.
     *
     * @param features raw teacher features [B,L,C], finest first
     */
    public double loss(List<Tensor> features) {
        try (PointerScope scope = new PointerScope();
                NoGradGuard off = new NoGradGuard()) {
            List<Tensor> teacher = net.normalised(features);
            return MmadNet.loss(net.imitated(teacher), net.forward(teacher, null))
                    .item_double();
        } catch (RuntimeException e) {
            throw Torch.readable("measuring the loss", e);
        } finally {
            JavaOp.endStep();
        }
    }

    /**
     * Writes the optimiser's moments and step counts; the weights are not among them.
     *
     * @throws IOException when the file cannot be written; what is there of it is of no use
     */
    public void save(Path file) throws IOException {
        try (PointerScope scope = new PointerScope();
                FileChannel channel = FileChannel.open(
                        file,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.WRITE);
                Sink sink = new Sink(channel)) {
            OutputArchive archive = new OutputArchive();
            optimiser.save(archive);
            archive.save_to(sink);
            if (sink.failure != null) throw sink.failure;
        } catch (RuntimeException e) {
            throw new IOException("the optimiser's state cannot be written to " + file + ": " + Torch.firstLine(e), e);
        }
    }

    /**
     * Libtorch ends the process when an archive cannot be written, on a full disk for instance: it is not told, and we
     * look afterwards.
     */
    private static final class Sink extends ArchiveWriter {
        private final FileChannel channel;
        private @Nullable IOException failure;

        private Sink(FileChannel channel) {
            this.channel = channel;
        }

        @Override
        public long call(Pointer bytes, long count) {
            try {
                ByteBuffer buffer = new BytePointer(bytes).capacity(count).asByteBuffer();
                while (failure == null && buffer.hasRemaining()) channel.write(buffer);
            } catch (IOException e) {
                failure = e;
            }
            return count;
        }
    }

    /**
     * Takes over what {@link #save} wrote for the same network. The learning rate comes along.
     *
     * @throws IOException when the file cannot be read or belongs to another network
     */
    public void load(Path file) throws IOException {
        try (PointerScope scope = new PointerScope()) {
            InputArchive archive = new InputArchive();
            archive.load_from(file.toString());
            optimiser.load(archive);
        } catch (RuntimeException e) {
            throw new IOException("the optimiser's state cannot be read from " + file + ": " + Torch.firstLine(e), e);
        }
    }

    @Override
    public void close() {
        optimiser.releaseReference();
        all.releaseReference();
    }
}
