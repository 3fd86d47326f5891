package io.linesight.app.cli.common;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/**
 * Ctrl-C and SIGTERM as a wish to end in order. A shutdown hook would be too late: by then ONNX Runtime tears its
 * environment down beside us, and what is pending could not be scored any more. The second signal ends the process at
 * once.
 */
public final class StopSignal implements AutoCloseable {
    private final AtomicBoolean asked = new AtomicBoolean();
    private final List<Runnable> restore = new ArrayList<>();

    /** Listens until closed. */
    public StopSignal(Runnable wish) {
        for (String name : List.of("INT", "TERM")) {
            try {
                Signal signal = new Signal(name);
                SignalHandler before = Signal.handle(signal, s -> {
                    if (asked.getAndSet(true)) Runtime.getRuntime().halt(130);
                    wish.run();
                });
                restore.add(() -> Signal.handle(signal, before));
            } catch (IllegalArgumentException taken) {
                // The JVM or its options keep this signal (-Xrs): it then ends the process as usual.
            }
        }
    }

    /** Whether somebody wants us to end. */
    public boolean asked() {
        return asked.get();
    }

    @Override
    public void close() {
        restore.forEach(Runnable::run);
    }
}
