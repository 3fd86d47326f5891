package io.linesight.demo;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.Locale;
import java.util.Optional;

/** How much of the machine other processes take, so that slow answers are not blamed on the line. One thread. */
final class OtherLoad {
    /** Of the newest reading; the loads of single seconds jump. */
    private static final double WEIGHT = 0.3;
    /** Share of all cores from which it is worth a word. */
    private static final double NOTABLE = 0.2;

    private final OperatingSystemMXBean system;
    private double share;

    OtherLoad() {
        system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    }

    /** Call once a second. */
    void read() {
        add(system.getCpuLoad(), system.getProcessCpuLoad());
    }

    /**
     * @param all load of the machine, 0..1; negative when unknown
     * @param own this process's part of it
     */
    void add(double all, double own) {
        if (!(all >= 0 && own >= 0)) return;
        share += WEIGHT * (Math.max(0, all - own) - share);
    }

    /** A remark for people; empty while the machine has time for the line. */
    Optional<String> remark() {
        if (share < NOTABLE) return Optional.empty();
        int cores = Runtime.getRuntime().availableProcessors();
        return Optional.of(String.format(
                Locale.ROOT,
                "the machine is busy with something else (%.1f of %d cores), so answers may take longer",
                share * cores,
                cores));
    }
}
