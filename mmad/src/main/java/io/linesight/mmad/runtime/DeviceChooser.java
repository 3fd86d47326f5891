package io.linesight.mmad.runtime;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtProvider;
import ai.onnxruntime.OrtSession;
import io.linesight.mmad.onnx.OnnxRuntime;
import io.linesight.mmad.scan.ScanWarmup;
import io.linesight.mmad.scan.SelectiveScanOperator;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens ONNX Runtime sessions on the configured device, with the session options that suit it. Thread-safe.
 *
 * <p>An explicit device is taken or opening fails; {@code auto} takes {@code cuda:0} where this build and machine have
 * it, and otherwise the CPU, and says which at INFO.
 */
public final class DeviceChooser {
    private static final Logger LOG = LoggerFactory.getLogger(DeviceChooser.class);

    /** What the model is made from. */
    @FunctionalInterface
    public interface ModelSource {
        OrtSession open(OrtEnvironment environment, OrtSession.SessionOptions options) throws OrtException;
    }

    /**
     * An opened session.
     *
     * @param session owned by the caller
     * @param device where it runs: CPU or CUDA
     * @param scanOperator whether scans run in the Java operator
     */
    public record Opened(OrtSession session, Device device, boolean scanOperator) {}

    private DeviceChooser() {}

    /** Whether this build of ONNX Runtime has CUDA; says nothing about a GPU being there. */
    public static boolean builtWithCuda() {
        return OnnxRuntime.providers().contains(OrtProvider.CUDA);
    }

    /** Why ONNX Runtime's CUDA provider does not load for this GPU; empty when it does. Loads the natives. */
    public static Optional<String> whyNoCuda(int index) {
        if (!builtWithCuda()) return Optional.of("this build has no CUDA (Maven profile 'cuda')");
        try (OrtSession.SessionOptions session = OnnxRuntime.sessionOptions()) {
            session.addCUDA(index);
            return Optional.empty();
        } catch (OrtException e) {
            return Optional.of(e.getMessage());
        }
    }

    /**
     * Opens a session.
     *
     * @param name what is being opened, for messages
     * @throws ModelLoadException when the device or the operator asked for is not there
     * @throws OrtException when ONNX Runtime rejects the model itself
     */
    public static Opened open(String name, ScorerOptions options, ModelSource source) throws OrtException {
        Device wanted = Device.parse(options.device());
        switch (wanted.kind()) {
            case CPU -> {
                return onCpu(options, source);
            }
            case CUDA -> {
                if (!builtWithCuda()) {
                    throw new ModelLoadException("device " + wanted
                            + " was asked for, but this build runs on the CPU only. Build with the Maven profile"
                            + " 'cuda' (mvn -Pcuda package), or choose device cpu or auto.");
                }
                try {
                    return onCuda(wanted, options, source);
                } catch (OrtException e) {
                    throw new ModelLoadException(
                            name + " cannot be loaded on " + wanted + ": " + e.getMessage()
                                    + ". ONNX Runtime needs CUDA 12 and cuDNN 9 on the library path and a free GPU "
                                    + "of that number; or choose device cpu.",
                            e);
                }
            }
            default -> {
                return automatic(name, options, source);
            }
        }
    }

    private static Opened automatic(String name, ScorerOptions options, ModelSource source) throws OrtException {
        if (!builtWithCuda()) {
            LOG.info(
                    "{} runs on the CPU ({} threads): this build has no CUDA (Maven profile 'cuda')",
                    name,
                    options.effectiveThreads());
            return onCpu(options, source);
        }
        if (options.scan() == ScanMode.OPERATOR) {
            LOG.info(
                    "{} runs on the CPU ({} threads): scan mode OPERATOR is for the CPU",
                    name,
                    options.effectiveThreads());
            return onCpu(options, source);
        }
        Device first = new Device(Device.Kind.CUDA, 0);
        try {
            Opened opened = onCuda(first, options, source);
            LOG.info("{} runs on {}", name, first);
            return opened;
        } catch (OrtException e) {
            LOG.info(
                    "{} runs on the CPU ({} threads): {} does not work here: {}",
                    name,
                    options.effectiveThreads(),
                    first,
                    e.getMessage());
            return onCpu(options, source);
        }
    }

    private static Opened onCuda(Device device, ScorerOptions options, ModelSource source) throws OrtException {
        if (options.scan() == ScanMode.OPERATOR) {
            throw new ModelLoadException(
                    "scan mode OPERATOR runs on the CPU, not on " + device + ": choose scan mode AUTO, or device cpu");
        }
        try (OrtSession.SessionOptions session = common(options)) {
            session.addCUDA(device.index());
            // Patterns are kept per input shape and never freed: with changing batch sizes the device memory grows
            // without end.
            session.setMemoryPatternOptimization(false);
            return new Opened(source.open(OnnxRuntime.environment(), session), device, false);
        }
    }

    private static Opened onCpu(ScorerOptions options, ModelSource source) throws OrtException {
        try (OrtSession.SessionOptions session = common(options)) {
            boolean operator =
                    options.scan() != ScanMode.FUNCTION && SelectiveScanOperator.register(session, options.threads());
            if (options.scan() == ScanMode.OPERATOR && !operator) {
                throw new ModelLoadException(
                        "scan mode OPERATOR was asked for, but the operator does not work here (the log says why):"
                                + " start Java with --add-modules jdk.incubator.vector, or choose scan mode AUTO");
            }
            if (operator) ScanWarmup.run();
            return new Opened(source.open(OnnxRuntime.environment(), session), Device.CPU, operator);
        }
    }

    private static OrtSession.SessionOptions common(ScorerOptions options) throws OrtException {
        OrtSession.SessionOptions session = OnnxRuntime.sessionOptions();
        session.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
        session.setIntraOpNumThreads(options.effectiveThreads());
        session.setInterOpNumThreads(1);
        // Spinning workers would take the cores from the scan's own threads and from whatever runs between two batches.
        session.addConfigEntry("session.intra_op.allow_spinning", "0");
        return session;
    }
}
