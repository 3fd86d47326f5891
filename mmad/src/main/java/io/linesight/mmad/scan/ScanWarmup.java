package io.linesight.mmad.scan;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/**
 * Lets the JIT compile the scan before frames wait for it: the first call of a cold process takes seconds, a warm one
 * milliseconds. Thread-safe; costs about a second of one core the first time and nothing later.
 */
public final class ScanWarmup {
    private static final long MAX_NANOS = 3_000_000_000L;
    private static final int ROUNDS = 60;
    private static boolean done;

    private ScanWarmup() {}

    /**
     * Blocks until the scan is compiled, or three seconds have passed. Returns at once where the operator is not
     * available.
     *
     * @return whether this call did it
     */
    public static synchronized boolean run() {
        if (done || !SelectiveScanOperator.available()) return false;
        done = true;
        ScanShape shape = new ScanShape(1, 256, 4, 32, 8, 16);
        int[] order = new int[shape.directions() * shape.length()];
        for (int i = 0; i < order.length; i++) order[i] = i % shape.length();
        ScanData data = new ScanData(
                shape,
                image(shape.imageValues()),
                image(shape.stepValues()),
                image(shape.gateValues()),
                image(shape.gateValues()),
                zeros(shape.directions() * shape.channels() * shape.states()),
                zeros(shape.channels()),
                zeros(shape.directions() * shape.channels()),
                order,
                image(shape.imageValues()));
        long start = System.nanoTime();
        for (int i = 0; i < ROUNDS && System.nanoTime() - start < MAX_NANOS; i++) ScanKernel.run(data, 1);
        return true;
    }

    private static FloatBuffer[] image(int values) {
        return new FloatBuffer[] {zeros(values)};
    }

    private static FloatBuffer zeros(int values) {
        return ByteBuffer.allocateDirect(values * Float.BYTES)
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
    }
}
