package io.linesight.trainer.torch;

import com.sun.jna.Function;
import com.sun.jna.Platform;
import io.linesight.mmad.io.NativeLibraries;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.T_TensorTensor_T;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The little of libtorch that training needs, in one place. Tensors are float32, on the CPU unless {@link #useCuda} was
 * called: then what the network computes with lies on the GPU, and what Java reads and writes on the host. Every tensor
 * belongs to the {@code PointerScope} that is open on the calling thread; what must outlive it is retained explicitly.
 */
public final class Torch {
    private static boolean started;
    /** Where networks compute, as libtorch calls it; null on the CPU. */
    private static volatile @Nullable String cuda;
    /**
     * Tests only: moves between host and device copy though both are the CPU, so that nothing may rely on their being
     * the same memory.
     */
    private static final boolean COPYING = Boolean.getBoolean("linesight.torch.copying");

    private static final Pattern GPU_LIBRARY =
            Pattern.compile("lib(cu[a-z]+|nccl|nvrtc)[A-Za-z_]*\\.so|linux-x86_64-gpu");
    private static final Logger LOG = LoggerFactory.getLogger(Torch.class);
    private static final Path CACHES = Path.of("/sys/devices/system/cpu/cpu0/cache/index0");
    private static final String OPENBLAS_THREADS = "OPENBLAS_NUM_THREADS";
    private static final long SOLVE_STACK = 64L << 20;

    private Torch() {}

    /**
     * Loads libtorch and sets its threads; must be called before anything else here. Later calls only set the threads.
     *
     * @param threads for tensor operators; 0 = one per processor
     * @throws IllegalStateException when the natives cannot be loaded
     */
    public static synchronized void start(int threads) {
        if (!started) {
            NativeLibraries.prepare();
            tuneProcess();
            try {
                torch.get_num_threads();
            } catch (LinkageError e) {
                throw new IllegalStateException(notLoaded(e), e);
            }
            quietOpenBlas();
            avoidOneDnnWhereItDivides();
            started = true;
        }
        torch.set_num_threads(threads > 0 ? threads : Runtime.getRuntime().availableProcessors());
    }

    /**
     * oneDNN sizes the blocks of a 1x1 convolution by the processor's caches, and where a virtual machine tells nothing
     * of them it divides by zero, which ends the process (SIGFPE in brg_blocking_t::est_eff_1x1, seen with libtorch
     * 2.10). Without it convolutions run through OpenBLAS: slower, with the same results to rounding.
     */
    private static void avoidOneDnnWhereItDivides() {
        if (!Platform.isLinux() || Files.exists(CACHES)) return;
        torch.globalContext().setUserEnabledMkldnn(false);
        LOG.warn(
                "This machine does not tell the size of its processor's caches, so training runs without oneDNN, which "
                        + "would crash: slower, with the same results.");
    }

    /** The GPU's natives need CUDA's libraries even to train on the CPU, and the dynamic linker names one of them. */
    static String notLoaded(LinkageError e) {
        String all = e + (e.getCause() == null ? "" : " " + e.getCause());
        if (GPU_LIBRARY.matcher(all).find()) {
            return "libtorch could not be loaded: this program was built for training on a GPU (Maven profile "
                    + "'cuda-training'), which takes CUDA 13, cuDNN 9 and NCCL 2 on this machine whatever the device. "
                    + "Install them, or build without the profile; nothing was trained. " + firstLine(all);
        }
        return "libtorch could not be loaded: training needs its natives for this platform. " + firstLine(all);
    }

    /**
     * OpenMP workers that spin between operators starve the scan's threads, and glibc hands big blocks back to the
     * kernel at once so that every tensor is paid for in page faults. All of it can only be set before libtorch is
     * loaded.
     */
    private static void tuneProcess() {
        if (!Platform.isLinux()) return;
        try {
            Function setenv = Function.getFunction("c", "setenv");
            setenv.invokeInt(new Object[] {"OMP_WAIT_POLICY", "passive", 0});
            setenv.invokeInt(new Object[] {OPENBLAS_THREADS, "1", 0});
            Function mallopt = Function.getFunction("c", "mallopt");
            mallopt.invokeInt(new Object[] {-4, 0}); // M_MMAP_MAX: no block gets a mapping of its own
            mallopt.invokeInt(new Object[] {-1, Integer.MAX_VALUE}); // M_TRIM_THRESHOLD
        } catch (UnsatisfiedLinkError e) {
            // Another C library: slower, not wrong.
        }
    }

    /**
     * OpenBLAS splits even small products, and its workers wait for each other by spinning; beside other work that
     * starves the scan. Where it was loaded before libtorch, with OpenCV, it has read its variable already and has to
     * be told. Whoever has idle cores can set the variable.
     */
    private static void quietOpenBlas() {
        if (!Platform.isLinux() || System.getenv(OPENBLAS_THREADS) != null) return;
        try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
            for (String library : maps.filter(l -> l.contains("libopenblas"))
                    .map(l -> l.substring(l.indexOf('/')))
                    .distinct()
                    .toList()) {
                Function.getFunction(library, "openblas_set_num_threads").invokeVoid(new Object[] {1});
            }
        } catch (IOException | UnsatisfiedLinkError e) {
            // Slower beside other work, not wrong.
        }
    }

    /**
     * The x of a x = b, for square a [n,n] and b [n,m]; the result belongs to the innermost scope of the caller.
     *
     * @throws RuntimeException of libtorch when a is singular
     */
    public static Tensor solve(Tensor a, Tensor b) {
        return attached(withStack(() -> torch.linalg_solve(a, b)));
    }

    /**
     * The lower triangle l of a = l l', for a symmetric positive definite [n,n]; the result belongs to the innermost
     * scope of the caller.
     *
     * @throws RuntimeException of libtorch when a is not positive definite
     */
    public static Tensor cholesky(Tensor a) {
        return attached(withStack(() -> torch.linalg_cholesky(a)));
    }

    private static Tensor attached(Tensor x) {
        PointerScope scope = PointerScope.getInnerScope();
        if (scope != null) scope.attach(x);
        return x;
    }

    /**
     * Eigenvalues, ascending, and eigenvectors of a symmetric matrix.
     *
     * @param values n
     * @param vectors {@code [n,n]} row-major; vector i is column i
     */
    public record Eigen(double[] values, double[] vectors) {}

    /**
     * Eigen-decomposition of a symmetric matrix {@code [n,n]}, row-major; on a thread of its own, as {@link #solve}.
     */
    public static Eigen eigen(double[] symmetric, int n) {
        return withStack(() -> {
            try (PointerScope scope = new PointerScope()) {
                Tensor a = torch.empty(new long[] {n, n}, new TensorOptions(torch.ScalarType.Double), null);
                a.data_ptr_double().put(symmetric);
                T_TensorTensor_T result = torch.linalg_eigh(a);
                double[] values = new double[n];
                double[] vectors = new double[n * n];
                result.get0().contiguous().data_ptr_double().get(values);
                result.get1().contiguous().data_ptr_double().get(vectors);
                return new Eigen(values, vectors);
            }
        });
    }

    /**
     * On a thread of its own, because LAPACK in OpenBLAS may need more stack than the JVM gives its threads, and takes
     * the process with it when it runs out.
     */
    private static <T> T withStack(Callable<T> lapack) {
        FutureTask<T> task = new FutureTask<>(() -> {
            // Whether gradients are recorded is a matter of the thread.
            try (NoGradGuard off = new NoGradGuard()) {
                return lapack.call();
            }
        });
        new Thread(null, task, "linesight-solve", SOLVE_STACK).start();
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return task.get();
                } catch (InterruptedException e) {
                    interrupted = true; // native code cannot be interrupted; whoever asked looks afterwards
                } catch (ExecutionException e) {
                    if (e.getCause() instanceof RuntimeException cause) throw cause;
                    throw new IllegalStateException(e.getCause());
                }
            }
        } finally {
            if (interrupted) Thread.currentThread().interrupt();
        }
    }

    /** Whether libtorch has a GPU here: its CUDA natives are on the class path, and driver and device are there. */
    public static boolean cudaAvailable() {
        try {
            return torch.cuda_is_available();
        } catch (RuntimeException | LinkageError e) {
            return false;
        }
    }

    /**
     * Has the tensors of networks made from here on lie on a GPU.
     *
     * @param index of the GPU, from 0
     * @throws IllegalStateException when there is none; says what happens next
     */
    public static void useCuda(int index) {
        cuda = "cuda:" + checkCuda(index, cudaAvailable() ? torch.cuda_device_count() : 0);
    }

    /** @param gpus that libtorch has here */
    static int checkCuda(int index, int gpus) {
        if (gpus == 0) {
            throw new IllegalStateException("libtorch has no GPU here, so cuda:" + index
                    + " cannot be trained on: that needs its GPU natives (build with Maven profile "
                    + "'cuda-training', linux-x86_64), "
                    + "CUDA 13 and an NVIDIA driver for it. Nothing was trained; choose device cpu, or auto "
                    + "to take what there is");
        }
        if (index >= gpus) {
            throw new IllegalStateException("there is no GPU cuda:" + index + ": libtorch has "
                    + (gpus == 1 ? "one, cuda:0" : gpus + ", cuda:0 to cuda:" + (gpus - 1))
                    + ". Nothing was trained; choose one of them, cpu or auto");
        }
        return index;
    }

    public static void useCpu() {
        cuda = null;
    }

    /** Where networks compute: {@code cpu} or {@code cuda:N}. */
    public static String device() {
        return cuda == null ? "cpu" : cuda;
    }

    /** Where the network computes; the same tensor when it is there. */
    public static Tensor onDevice(Tensor host) {
        if (COPYING) return host.clone();
        return cuda == null ? host : moved(host, cuda);
    }

    /** The same values of the same type at another place; the same tensor when it is there. */
    static Tensor moved(Tensor t, String device) {
        return t.to(new Device(device), t.scalar_type());
    }

    /** Where Java can read and write; the same tensor when it is there. */
    public static Tensor onHost(Tensor t) {
        if (COPYING) return t.clone();
        return t.cpu();
    }

    /** Dropout whose draws come from the CPU's generator wherever the network is, so that a saved run has them all. */
    public static Tensor dropout(Tensor x, double rate) {
        if (cuda == null) return torch.dropout(x, rate, true);
        long[] shape = new long[(int) x.dim()];
        for (int i = 0; i < shape.length; i++) shape[i] = x.size(i);
        return x.mul(onDevice(
                torch.rand(shape).ge(scalar(rate)).to(torch.ScalarType.Float).div_(scalar(1 - rate))));
    }

    /** The tensor, which from now on lives as long as the scope, whatever inner scope it was made in. */
    public static Tensor keep(PointerScope scope, Tensor t) {
        scope.attach(t);
        return t;
    }

    /** A tensor with a copy of the values, on the device. */
    public static Tensor of(float[] values, long... shape) {
        Tensor t = torch.empty(shape);
        if (t.numel() != values.length)
            throw new IllegalArgumentException("shape needs " + t.numel() + " values, got " + values.length);
        if (values.length > 0) t.data_ptr_float().put(values);
        return onDevice(t);
    }

    /** A copy of the values in row-major order. */
    public static float[] values(Tensor t) {
        Tensor c = t.detach().cpu().contiguous();
        float[] values = new float[Math.toIntExact(c.numel())];
        if (values.length > 0) c.data_ptr_float().get(values);
        return values;
    }

    /** The memory of a contiguous tensor on the host; valid as long as the tensor. */
    public static FloatBuffer buffer(Tensor t) {
        if (!t.is_contiguous()) throw new IllegalArgumentException("tensor is not contiguous");
        FloatPointer p = t.data_ptr_float();
        return p.capacity(t.numel()).asBuffer();
    }

    /** On the host. */
    public static Tensor empty(long... shape) {
        return torch.empty(shape);
    }

    public static Tensor zeros(long... shape) {
        return torch.zeros(shape);
    }

    public static Scalar scalar(double v) {
        return new Scalar(v);
    }

    /** Linear layer: x [..., in] times the transpose of w [out, in], plus bias [out] or null. */
    public static Tensor linear(Tensor x, Tensor w, @Nullable Tensor bias) {
        return torch.linear(x, w, optional(bias));
    }

    /** Square convolution; bias may be null. */
    public static Tensor conv2d(
            Tensor x, Tensor w, @Nullable Tensor bias, int stride, int padding, int dilation, long groups) {
        return torch.conv2d(
                x,
                w,
                optional(bias),
                new long[] {stride, stride},
                new long[] {padding, padding},
                new long[] {dilation, dilation},
                groups);
    }

    /** LayerNorm over the last axis; weight and bias may be null. */
    public static Tensor layerNorm(Tensor x, @Nullable Tensor weight, @Nullable Tensor bias, double eps) {
        return torch.layer_norm(x, new long[] {x.size(-1)}, optional(weight), optional(bias), eps, false);
    }

    public static Tensor batchNorm(Tensor x, Tensor weight, Tensor bias, Tensor mean, Tensor var, boolean training) {
        return torch.batch_norm(
                x, optional(weight), optional(bias), optional(mean), optional(var), training, 0.1, 1e-5, false);
    }

    public static Tensor concat(int axis, Tensor... parts) {
        TensorVector v = new TensorVector();
        for (Tensor p : parts) v.push_back(p);
        return torch.cat(v, axis);
    }

    /**
     * A convolution input or output of logical shape [N,C,H,W] as [N,H*W,C], contiguous; free when the memory already
     * is channels-last.
     */
    public static Tensor rows(Tensor nchw) {
        long n = nchw.size(0);
        long c = nchw.size(1);
        return nchw.permute(0, 2, 3, 1).contiguous().view(n, nchw.size(2) * nchw.size(3), c);
    }

    /** [N,side*side,C] contiguous as a channels-last tensor of logical shape [N,C,side,side]; a view. */
    public static Tensor image(Tensor rows, int side) {
        return rows.view(rows.size(0), side, side, rows.size(2)).permute(0, 3, 1, 2);
    }

    /** C++ exceptions carry dozens of native frames: keep the first line, which says what is wrong. */
    public static RuntimeException readable(String doing, RuntimeException e) {
        return new IllegalStateException(doing + " failed in libtorch: " + firstLine(e), e);
    }

    /** What is wrong, without the native frames. */
    public static String firstLine(RuntimeException e) {
        return firstLine(String.valueOf(e.getMessage()));
    }

    private static String firstLine(String message) {
        int end = message.indexOf('\n');
        return end < 0 ? message : message.substring(0, end);
    }

    /**
     * The state of the generator that every draw on the CPU comes from: {@link #randomState(byte[])} makes it draw from
     * here again.
     */
    public static byte[] randomState() {
        try (PointerScope scope = new PointerScope()) {
            Tensor state = torch.getDefaultCPUGenerator().get_state();
            byte[] bytes = new byte[Math.toIntExact(state.numel())];
            new BytePointer(state.data_ptr()).get(bytes);
            return bytes;
        }
    }

    /** @param state of {@link #randomState()} */
    public static void randomState(byte[] state) {
        try (PointerScope scope = new PointerScope()) {
            Tensor t = torch.zeros(new long[] {state.length}, new TensorOptions(torch.ScalarType.Byte));
            new BytePointer(t.data_ptr()).put(state);
            torch.getDefaultCPUGenerator().set_state(t);
        } catch (RuntimeException e) {
            throw readable("restoring the random generator", e);
        }
    }

    private static TensorOptional optional(@Nullable Tensor t) {
        return t == null ? new TensorOptional() : new TensorOptional(t);
    }

    static TensorOptions floats() {
        return new TensorOptions(torch.ScalarType.Float);
    }
}
