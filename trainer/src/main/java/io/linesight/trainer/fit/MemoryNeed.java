package io.linesight.trainer.fit;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What training takes of the machine's memory, estimated from measured peaks (docs/operations.md), so that a run is not
 * killed hours later.
 */
final class MemoryNeed {
    /**
     * JVM, libraries and what training holds whatever the batch, and what an image of a batch adds, in MiB of resident
     * memory.
     */
    private record Peak(int fixed, int perImage) {}

    private static final Map<String, Peak> PEAKS =
            Map.of("tiny", new Peak(1200, 25), "small", new Peak(1000, 160), "base", new Peak(2000, 400));

    private MemoryNeed() {}

    /** MiB of resident memory at most. */
    static long estimate(String preset, int batch) {
        Peak p = PEAKS.getOrDefault(preset, PEAKS.get("base"));
        return p.fixed + (long) p.perImage * batch;
    }

    /** The machine's, or what a container may take, in MiB. */
    static long total() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean os
                ? os.getTotalMemorySize() >> 20
                : Long.MAX_VALUE;
    }

    /** Of it what is not in use, in MiB; the total where the system does not say. */
    static long available() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/meminfo"))) {
            long machine = lines.filter(l -> l.startsWith("MemAvailable:"))
                    .mapToLong(l -> Long.parseLong(l.replaceAll("\\D", "")) >> 10)
                    .findFirst()
                    .orElse(Long.MAX_VALUE);
            return Math.min(total(), machine);
        } catch (IOException e) {
            return total();
        }
    }

    /** For people. */
    static String text(long mebibytes) {
        return mebibytes < 1024 ? mebibytes + " MiB" : String.format(Locale.ROOT, "%.1f GiB", mebibytes / 1024.0);
    }

    /**
     * @param total of the machine, MiB
     * @param available of it, MiB
     * @return a warning, or null when there is enough
     * @throws IllegalStateException when the machine is too small
     */
    static @Nullable String check(String preset, int batch, long total, long available) {
        long need = estimate(preset, batch);
        if (need > total) {
            throw new IllegalStateException("training preset " + preset + " with batch " + batch + " takes about "
                    + text(need) + " of memory, and there are " + text(total) + ": take a smaller --batch"
                    + (preset.equals("tiny") ? "" : " or --preset") + ". Nothing was written");
        }
        if (need <= available) return null;
        return "warning: training takes about " + text(need) + " of memory, and " + text(available) + " of "
                + text(total) + " are free: it may be slow or be killed. Stop something, or take a smaller --batch";
    }
}
