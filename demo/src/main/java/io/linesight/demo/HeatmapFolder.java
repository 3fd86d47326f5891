package io.linesight.demo;

import io.linesight.demo.line.Ledger;
import io.linesight.demo.line.RunSummary;
import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.GrayImage;
import io.linesight.mmad.image.Heatmaps;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.ImageLimits;
import io.linesight.mmad.image.RgbImage;
import io.linesight.schemas.AnomalyEvent;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.Region;
import io.linesight.simulator.SimulatedFrame;
import io.linesight.simulator.SimulatedLine;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Keeps anomaly events while the demo runs, some of every kind, and writes them as pictures: the frame, the truth, the
 * anomaly map. The truth is rendered again from camera and sequence, so nothing but the event itself is kept.
 */
public final class HeatmapFolder {
    private static final int PER_KIND = 3;
    /** A peak this near to the defect, in pixels of a 320-pixel frame, counts as on it: the map is smoothed. */
    private static final int NEAR = 8;
    /** Rendering costs milliseconds; so many are enough for a percentage. */
    private static final int MOST_PEAKS = 300;

    private final SimulatedLine line;
    private final int most;
    private final Map<String, List<AnomalyEvent>> kept = new TreeMap<>();

    /**
     * @param onDefect peaks on the defect
     * @param measured events looked at
     */
    public record Peaks(int onDefect, int measured) {}

    HeatmapFolder(SimulatedLine line, int most) {
        this.line = line;
        this.most = most;
    }

    /** Keeps the event when its kind is still wanted. Any thread. */
    synchronized void offer(AnomalyEvent event) {
        int camera = camera(event.getResult());
        if (camera < 0) return;
        String key = event.getResult().getProduct() + "/"
                + line.defectOf(camera, event.getResult().getSequence());
        List<AnomalyEvent> list = kept.computeIfAbsent(key, k -> new ArrayList<>());
        if (list.size() < PER_KIND) list.add(event);
    }

    private static int camera(InspectionResult r) {
        return r.getCameraId().startsWith("camera-")
                ? Integer.parseInt(r.getCameraId().substring("camera-".length())) - 1
                : -1;
    }

    /** Writes the pictures and {@code index.html}; measures how often the highest peak lies on the defect. */
    synchronized Peaks write(Path folder, Ledger ledger, RunSummary summary, String version) throws IOException {
        Files.createDirectories(folder);
        StringBuilder rows = new StringBuilder();
        int written = 0;
        // Round after round over the kinds, so that a small number of pictures still shows many of them.
        for (int round = 0; round < PER_KIND && written < most; round++) {
            for (Map.Entry<String, List<AnomalyEvent>> kind : kept.entrySet()) {
                if (round >= kind.getValue().size() || written >= most) continue;
                written++;
                rows.append(picture(folder, kind.getValue().get(round)));
            }
        }
        Peaks peaks = peaks(ledger);
        Files.writeString(
                folder.resolve("index.html"), page(rows, ledger, summary, peaks, version), StandardCharsets.UTF_8);
        return peaks;
    }

    private String picture(Path folder, AnomalyEvent event) throws IOException {
        InspectionResult r = event.getResult();
        SimulatedFrame frame = line.frame(camera(r), r.getSequence());
        RgbImage panel = Heatmaps.panel(
                frame.image(),
                frame.anomalous() ? frame.mask() : null,
                map(event),
                256,
                r.getRawScore(),
                r.getThreshold());
        String name = String.format(
                Locale.ROOT, "%s-%06d-%s-%s.png", r.getCameraId(), r.getSequence(), r.getProduct(), frame.defect());
        Files.write(folder.resolve(name), ImageCodec.encodePng(panel));
        return "<figure><img src=\"" + name + "\" loading=\"lazy\"><figcaption><b>" + r.getProduct() + "</b> "
                + (frame.anomalous() ? frame.defect() : "<em>good part, false alarm</em>")
                + String.format(
                        Locale.ROOT,
                        " &middot; score %.3f &middot; raw %.4f (threshold %.4f) &middot; %s frame %d",
                        r.getScore(),
                        r.getRawScore(),
                        r.getThreshold(),
                        r.getCameraId(),
                        r.getSequence())
                + "</figcaption></figure>\n";
    }

    private static float[] map(AnomalyEvent event) throws IOException {
        ByteBuffer png = event.getMapPng().duplicate();
        byte[] file = new byte[png.remaining()];
        png.get(file);
        try {
            GrayImage grey = ImageCodec.decodeGray(file, ImageLimits.defaults());
            float[] map = new float[grey.gray().length];
            float step = (event.getMapHigh() - event.getMapLow()) / 255f;
            for (int i = 0; i < map.length; i++) map[i] = event.getMapLow() + step * (grey.gray()[i] & 255);
            return map;
        } catch (BadImageException e) {
            throw new IOException(
                    "the anomaly map of " + event.getResult().getResultId() + " cannot be decoded: " + e.getMessage(),
                    e);
        }
    }

    private Peaks peaks(Ledger ledger) {
        int on = 0;
        int measured = 0;
        for (Ledger.Outcome o : ledger.outcomes()) {
            if (measured == MOST_PEAKS) break;
            if (!Boolean.TRUE.equals(o.sent().anomalous())
                    || o.result().getRegions().isEmpty()
                    || o.result().getScore() < 0.5f) continue;
            SimulatedFrame frame = line.frame(camera(o.result()), o.sent().sequence());
            Region top = o.result().getRegions().get(0);
            measured++;
            if (near(frame, top.getPeakX(), top.getPeakY())) on++;
        }
        return new Peaks(on, measured);
    }

    private static boolean near(SimulatedFrame frame, int px, int py) {
        int n = SimulatedLine.SIZE;
        for (int y = Math.max(0, py - NEAR); y <= Math.min(n - 1, py + NEAR); y++) {
            for (int x = Math.max(0, px - NEAR); x <= Math.min(n - 1, px + NEAR); x++) {
                if (frame.mask()[y * n + x] != 0 && (x - px) * (x - px) + (y - py) * (y - py) <= NEAR * NEAR)
                    return true;
            }
        }
        return false;
    }

    private static String page(StringBuilder rows, Ledger ledger, RunSummary summary, Peaks peaks, String version) {
        Map<String, int[]> kinds = new TreeMap<>();
        for (Ledger.Outcome o : ledger.outcomes()) {
            if (o.sent().anomalous() == null) continue;
            int[] n = kinds.computeIfAbsent(
                    o.sent().product() + "</td><td>" + o.sent().defect(), k -> new int[2]);
            n[0]++;
            if (o.result().getScore() >= 0.5f) n[1]++;
        }
        StringBuilder table = new StringBuilder(
                "<table><tr><th>product</th><th>defect</th><th>frames</th><th>called anomalous</th></tr>\n");
        kinds.forEach((k, n) -> table.append("<tr><td>")
                .append(k)
                .append("</td><td class=n>")
                .append(n[0])
                .append("</td><td class=n>")
                .append(n[1])
                .append("</td></tr>\n"));
        table.append("</table>\n");
        return """
                <!doctype html><html lang="en"><meta charset="utf-8"><title>Linesight demo</title>
                <style>body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:1100px;padding:0 1rem;color:#1b2430;background:#f6f7f9}
                pre,table{background:#fff;padding:1rem;border-radius:8px}td,th{padding:.15rem .8rem;text-align:left}.n{text-align:right}
                figure{margin:1rem 0;background:#fff;padding:.8rem;border-radius:8px}img{max-width:100%%;display:block}figcaption{padding-top:.5rem}pre{white-space:pre-wrap}</style>
                <h1>Linesight demo</h1><p>Model %s. Each picture: the frame, the truth of the simulator where the part is defective, the anomaly map.</p>
                <pre>%s  %-13s %d of %d found defects have their highest peak on the defect</pre>
                %s%s</html>
                """
                .formatted(version, summary.text(), "peaks", peaks.onDefect(), peaks.measured(), table, rows);
    }
}
