package io.linesight.mmad.score;

import com.sun.management.OperatingSystemMXBean;
import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.encoder.FilterBankEncoder;
import io.linesight.mmad.runtime.ScanMode;
import io.linesight.mmad.runtime.ScorerOptions;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * Milliseconds per image of the presets, untrained, on the CPU: with the operator at batch 1, 4 and 8 and with the
 * portable definition of the scan at batch 1; the best run's wall time, and in brackets the process's CPU time per
 * image, which a busy machine spoils less. Main arguments: preset names or checkpoint files; default all presets.
 * {@code -Dthreads=N} sets the threads, {@code -Dfunction=false} leaves the portable definition out.
 */
public final class ScorerBenchmark {
    private ScorerBenchmark() {}

    public static void main(String[] args) throws Exception {
        Encoder encoder = FilterBankEncoder.create();
        ScorerOptions options =
                ScorerOptions.defaults().withDevice("cpu").withThreads(Integer.getInteger("threads", 0));
        for (String name : args.length == 0 ? new String[] {"base", "small", "tiny"} : args) {
            boolean file = name.endsWith(".onnx");
            Path path = file ? Path.of(name) : Files.createTempFile("linesight-" + name, ".onnx");
            try {
                if (!file) RandomCheckpoint.write(path, MmadConfig.preset(name, encoder.channels()), encoder);
                System.out.printf(
                        Locale.ROOT,
                        "%s: operator %s ms per image at batch 1 / 4 / 8",
                        name,
                        measure(path, options, 1, 4, 8));
                if (!"false".equals(System.getProperty("function"))) {
                    System.out.printf(
                            Locale.ROOT,
                            "; portable definition %s at batch 1",
                            measure(path, options.withScan(ScanMode.FUNCTION), 1));
                }
                System.out.println();
            } finally {
                if (!file) Files.delete(path);
            }
        }
    }

    private static String measure(Path path, ScorerOptions options, int... batches) {
        OperatingSystemMXBean process = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        List<String> out = new ArrayList<>();
        try (OrtScorer scorer = OrtScorer.open(path, options)) {
            for (int batch : batches) {
                List<byte[]> frames = frames(batch);
                scorer.warmUp(batch);
                long best = Long.MAX_VALUE;
                long minCpu = Long.MAX_VALUE;
                long until = System.nanoTime() + 4_000_000_000L;
                do {
                    long cpu = process.getProcessCpuTime();
                    long start = System.nanoTime();
                    scorer.score(frames);
                    best = Math.min(best, System.nanoTime() - start);
                    minCpu = Math.min(minCpu, process.getProcessCpuTime() - cpu);
                } while (System.nanoTime() < until);
                out.add(String.format(Locale.ROOT, "%.1f (%.1f)", best / 1e6 / batch, minCpu / 1e6 / batch));
            }
        }
        return String.join(" / ", out);
    }

    static List<byte[]> frames(int count) {
        Random random = new Random(count);
        List<byte[]> frames = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            byte[] frame = new byte[3 * 256 * 256];
            random.nextBytes(frame);
            frames.add(frame);
        }
        return frames;
    }
}
