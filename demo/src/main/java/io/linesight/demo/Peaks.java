package io.linesight.demo;

import io.linesight.demo.line.Ledger;
import io.linesight.demo.line.RunSummary;
import io.linesight.schemas.Region;
import io.linesight.simulator.SimulatedFrame;
import io.linesight.simulator.SimulatedLine;

/**
 * How often the highest peak of the anomaly map lies on the defect.
 *
 * @param onDefect defective frames whose peak does
 * @param measured defective frames that were found and looked at
 */
public record Peaks(int onDefect, int measured) {
    /** A peak this near to the defect, in pixels of the frame, counts as on it: the map is smoothed. */
    private static final int NEAR = 8;
    /** Rendering a frame again costs milliseconds; this many are enough for a percentage. */
    private static final int MAX_MEASURED = 300;

    /** Compares results with the ground truth, which is rendered again. */
    static Peaks measure(SimulatedLine line, Ledger ledger) {
        int onDefect = 0;
        int measured = 0;
        for (Ledger.Outcome o : ledger.outcomes()) {
            if (measured == MAX_MEASURED) break;
            if (!Boolean.TRUE.equals(o.sent().anomalous())
                    || o.result().getRegions().isEmpty()
                    || !o.calledAnomalous()) continue;
            SimulatedFrame frame =
                    line.frame(SimulatedFrames.cameraOf(o.result()), o.sent().sequence());
            Region top = o.result().getRegions().get(0);
            measured++;
            if (isNear(frame, top.getPeakX(), top.getPeakY())) onDefect++;
        }
        return new Peaks(onDefect, measured);
    }

    private static boolean isNear(SimulatedFrame frame, int px, int py) {
        int n = SimulatedLine.SIZE;
        for (int y = Math.max(0, py - NEAR); y <= Math.min(n - 1, py + NEAR); y++) {
            for (int x = Math.max(0, px - NEAR); x <= Math.min(n - 1, px + NEAR); x++) {
                boolean inside = (x - px) * (x - px) + (y - py) * (y - py) <= NEAR * NEAR;
                if (inside && frame.mask()[y * n + x] != 0) return true;
            }
        }
        return false;
    }

    /** For people. */
    public RunSummary.Row row() {
        return new RunSummary.Row(
                "peaks", onDefect + " of " + measured + " found defects have their highest peak on the defect");
    }
}
