package io.linesight.trainer.torch;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorBase;
import org.bytedeco.pytorch.TensorTensorHook;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * A differentiable operator of one activation whose forward and backward are written in Java. libtorch's autograd nodes
 * cannot be subclassed from Java, but tensor hooks can carry one: a term that is exactly zero links the input to the
 * output in the graph, a hook on the output runs {@link #backward}, and a hook on a view of the input replaces the zero
 * gradient by ours. Gradients of parameters are added by {@link #backward} itself to the leaves ({@link #accumulate}).
 *
 * <p>One instance per application. Everything lives until {@link #endStep()}, which must follow every backward pass on
 * the same thread.
 */
public abstract class JavaOp {
    private static final ThreadLocal<List<JavaOp>> LIVE = ThreadLocal.withInitial(ArrayList::new);

    private final List<Pointer> retained = new ArrayList<>();
    private @Nullable Tensor inputGradient;

    /** Computes the output from a detached, contiguous input. Gradients are off. */
    protected abstract Tensor forward(Tensor x);

    /**
     * Returns the gradient of the input, shaped like it, and accumulates those of the parameters. Gradients are off.
     */
    protected abstract Tensor backward(Tensor outputGradient);

    /** Keeps a tensor that backward needs, whatever pointer scope closes in between. */
    protected final <T extends Pointer> T keep(T pointer) {
        pointer.retainReference();
        retained.add(pointer);
        return pointer;
    }

    /** Adds to a leaf's gradient, which must exist already (zeroed); nothing is done for leaves without gradient. */
    protected static void accumulate(Tensor leaf, Tensor gradient) {
        if (!leaf.requires_grad()) return;
        Tensor g = leaf.grad();
        if (!g.defined()) leaf.mutable_grad().put(gradient.view_as(leaf).clone());
        else g.add_(gradient.view_as(leaf));
    }

    /** Whether gradients will be asked for: only then is there anything to keep. */
    protected final boolean recording() {
        return recording;
    }

    private boolean recording;

    public final Tensor apply(Tensor x) {
        recording = GradMode.is_enabled() && x.requires_grad();
        Tensor y;
        try (NoGradGuard off = new NoGradGuard()) {
            y = forward(x.detach().contiguous());
        }
        if (!recording) return y;
        Tensor link = x.view_as(x);
        TensorTensorHook replace = new TensorTensorHook() {
            @Override
            public TensorBase call(TensorBase zero) {
                return inputGradient;
            }
        };
        keep(replace);
        link.register_hook(replace);
        y = y.add_(link.narrow(0, 0, 0).sum());
        TensorTensorHook run = new TensorTensorHook() {
            @Override
            public TensorBase call(TensorBase gradient) {
                // On a GPU libtorch calls from a thread of its own, where no scope of the caller's is open.
                try (PointerScope scope = new PointerScope();
                        NoGradGuard off = new NoGradGuard()) {
                    inputGradient = keep(backward(new Tensor(gradient).contiguous()));
                }
                return gradient;
            }
        };
        keep(run);
        y.register_hook(run);
        LIVE.get().add(this);
        return y;
    }

    /** Releases what the operators of this thread's last forward and backward pass kept. */
    public static void endStep() {
        List<JavaOp> live = LIVE.get();
        for (JavaOp op : live) {
            for (Pointer p : op.retained) p.releaseReference();
            op.retained.clear();
            op.inputGradient = null;
        }
        live.clear();
    }

    /** Zero-filled gradient like a leaf, for tests and optimisers that start without one. */
    public static void zeroGradient(Tensor leaf) {
        leaf.mutable_grad().put(torch.zeros_like(leaf));
    }
}
