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
import io.linesight.simulator.SimulatedFrame;
import io.linesight.simulator.SimulatedLine;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Collects anomaly events during a run, some of every kind, and writes them as images: the frame, the ground truth, the
 * anomaly map. The ground truth is rendered again from camera and sequence, so only the event itself is kept.
 */
final class HeatmapFolder {
    private static final int MAX_PER_KIND = 3;
    private static final int MAP_SIZE = 256;

    private final SimulatedLine line;
    private final int maxImages;
    private final Map<String, List<AnomalyEvent>> eventsByKind = new TreeMap<>();

    HeatmapFolder(SimulatedLine line, int maxImages) {
        this.line = line;
        this.maxImages = maxImages;
    }

    /** Keeps the event when more of its kind are wanted. Any thread. */
    synchronized void offer(AnomalyEvent event) {
        InspectionResult result = event.getResult();
        int camera = SimulatedFrames.cameraOf(result);
        if (camera < 0) return;
        String kind = result.getProduct() + "/" + line.defectOf(camera, result.getSequence());
        List<AnomalyEvent> events = eventsByKind.computeIfAbsent(kind, k -> new ArrayList<>());
        if (events.size() < MAX_PER_KIND) events.add(event);
    }

    /** Writes the images and {@code index.html}. */
    synchronized void write(Path folder, Ledger ledger, RunSummary summary, Peaks peaks, String version)
            throws IOException {
        Files.createDirectories(folder);
        List<HeatmapPage.Image> images = new ArrayList<>();
        for (AnomalyEvent event : chosen()) images.add(writeImage(folder, event));
        List<RunSummary.Row> rows = new ArrayList<>(summary.rows());
        rows.add(peaks.row());
        HeatmapPage page = new HeatmapPage(version, rows, countKinds(ledger), images);
        Files.writeString(folder.resolve("index.html"), page.toHtml());
    }

    /** Round after round over the kinds, so that a small number of images still shows many of them. */
    private List<AnomalyEvent> chosen() {
        List<AnomalyEvent> chosen = new ArrayList<>();
        for (int round = 0; round < MAX_PER_KIND; round++) {
            for (List<AnomalyEvent> events : eventsByKind.values()) {
                if (round < events.size() && chosen.size() < maxImages) chosen.add(events.get(round));
            }
        }
        return chosen;
    }

    private HeatmapPage.Image writeImage(Path folder, AnomalyEvent event) throws IOException {
        InspectionResult r = event.getResult();
        SimulatedFrame frame = line.frame(SimulatedFrames.cameraOf(r), r.getSequence());
        RgbImage panel = Heatmaps.panel(
                frame.image(),
                frame.anomalous() ? frame.mask() : null,
                decodeMap(event),
                MAP_SIZE,
                r.getRawScore(),
                r.getThreshold());
        String file = String.format(
                Locale.ROOT, "%s-%06d-%s-%s.png", r.getCameraId(), r.getSequence(), r.getProduct(), frame.defect());
        Files.write(folder.resolve(file), ImageCodec.encodePng(panel));
        return new HeatmapPage.Image(
                file,
                frame.product(),
                frame.defect(),
                !frame.anomalous(),
                String.format(Locale.ROOT, "%.3f", r.getScore()),
                String.format(Locale.ROOT, "%.4f", r.getRawScore()),
                String.format(Locale.ROOT, "%.4f", r.getThreshold()),
                r.getCameraId(),
                r.getSequence());
    }

    private static float[] decodeMap(AnomalyEvent event) throws IOException {
        ByteBuffer png = event.getMapPng().duplicate();
        byte[] file = new byte[png.remaining()];
        png.get(file);
        try {
            GrayImage gray = ImageCodec.decodeGray(file, ImageLimits.defaults());
            float[] map = new float[gray.gray().length];
            float step = (event.getMapHigh() - event.getMapLow()) / 255f;
            for (int i = 0; i < map.length; i++) map[i] = event.getMapLow() + step * (gray.gray()[i] & 255);
            return map;
        } catch (BadImageException e) {
            throw new IOException(
                    "the anomaly map of " + event.getResult().getResultId() + " cannot be decoded: " + e.getMessage(),
                    e);
        }
    }

    private static List<HeatmapPage.Kind> countKinds(Ledger ledger) {
        record Key(String product, String defect) {}
        Map<Key, int[]> counts = new TreeMap<>(
                (a, b) -> a.product.equals(b.product) ? a.defect.compareTo(b.defect) : a.product.compareTo(b.product));
        for (Ledger.Outcome o : ledger.outcomes()) {
            if (o.sent().anomalous() == null) continue;
            int[] count =
                    counts.computeIfAbsent(new Key(o.sent().product(), o.sent().defect()), k -> new int[2]);
            count[0]++;
            if (o.calledAnomalous()) count[1]++;
        }
        List<HeatmapPage.Kind> kinds = new ArrayList<>();
        counts.forEach((key, n) -> kinds.add(
                new HeatmapPage.Kind(key.product, key.defect, key.defect.equals(SimulatedFrame.GOOD), n[0], n[1])));
        return kinds;
    }
}
