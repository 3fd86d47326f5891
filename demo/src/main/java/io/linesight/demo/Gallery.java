package io.linesight.demo;

import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.checkpoint.VerdictRule;
import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.Heatmaps;
import io.linesight.mmad.image.RgbImage;
import io.linesight.mmad.score.FrameScorer;
import io.linesight.mmad.score.ScoredFrame;
import io.linesight.mmad.score.Scorer;
import io.linesight.simulator.SimulatedFrame;
import io.linesight.simulator.SimulatedLine;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.List;
import java.util.Locale;

/**
 * One image of the simulated line: a defective part of every product, and below it the same frame with its heatmap. The
 * same seed and checkpoint give the same image. Stateless; any thread.
 */
public final class Gallery {
    private static final int TILE = 260;
    /** Views that are scored at once. */
    private static final int BATCH = 8;

    private static final int GAP = 8;
    private static final int CAPTION = 44;
    private static final Color BACKGROUND = new Color(24, 27, 33);
    private static final Color TEXT = new Color(232, 234, 238);
    private static final Color FAINT = new Color(158, 165, 176);
    /** A model that finds no defect in so many frames of a product is of no use here. */
    private static final int MAX_FRAMES = 500;

    private Gallery() {}

    private record Example(SimulatedFrame frame, RgbImage overlay, double score) {}

    /**
     * Renders, for each product, the first defective frame that the model calls anomalous.
     *
     * @throws IllegalStateException when the model finds no defect of a product
     */
    public static RgbImage render(SimulatedLine line, Scorer scorer) {
        List<String> products = SimulatedLine.products();
        int width = products.size() * (TILE + GAP) + GAP;
        BufferedImage sheet = new BufferedImage(width, CAPTION + 2 * (TILE + GAP), BufferedImage.TYPE_INT_RGB);
        Graphics2D g = sheet.createGraphics();
        g.setRenderingHint(RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BICUBIC);
        g.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        g.setColor(BACKGROUND);
        g.fillRect(0, 0, sheet.getWidth(), sheet.getHeight());
        for (int camera = 0; camera < products.size(); camera++) {
            draw(g, GAP + camera * (TILE + GAP), firstFound(line, scorer, camera));
        }
        g.dispose();
        return toRgb(sheet);
    }

    private static Example firstFound(SimulatedLine line, Scorer scorer, int camera) {
        ProductCalibration calibration = scorer.info().calibration().forProduct(SimulatedLine.productOf(camera));
        for (long sequence = 0; sequence < MAX_FRAMES; sequence++) {
            if (line.defectOf(camera, sequence).equals(SimulatedFrame.GOOD)) continue;
            SimulatedFrame frame = line.frame(camera, sequence);
            ScoredFrame scored = scored(scorer, frame);
            double score = VerdictRule.score(calibration, scored.raw());
            if (score < VerdictRule.DECISION_POINT) continue;
            RgbImage overlay = Heatmaps.overlay(frame.image(), scored.map(), scored.size(), calibration.threshold());
            return new Example(frame, overlay, score);
        }
        throw new IllegalStateException("the model calls none of the first " + MAX_FRAMES + " frames of "
                + SimulatedLine.productOf(camera) + " anomalous; no image was made");
    }

    private static ScoredFrame scored(Scorer scorer, SimulatedFrame frame) {
        try {
            byte[] views = scorer.views().cut(frame.product(), frame.image());
            return FrameScorer.score(scorer, List.of(new FrameScorer.Frame(frame.product(), views)), BATCH)
                    .get(0);
        } catch (BadImageException e) {
            throw new IllegalArgumentException("this checkpoint is not for simulated parts: " + e.getMessage(), e);
        }
    }

    private static void draw(Graphics2D g, int x, Example e) {
        g.setFont(new Font(Font.SANS_SERIF, Font.BOLD, 15));
        g.setColor(TEXT);
        g.drawString(e.frame.product(), x + 2, 19);
        g.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13));
        g.setColor(FAINT);
        String defect = e.frame.defect().replace('_', ' ').replace('-', ' ');
        g.drawString(String.format(Locale.ROOT, "%s, score %.2f", defect, e.score), x + 2, 37);
        g.drawImage(toBuffered(e.frame.image()), x, CAPTION, TILE, TILE, null);
        g.drawImage(toBuffered(e.overlay), x, CAPTION + TILE + GAP, TILE, TILE, null);
    }

    private static BufferedImage toBuffered(RgbImage image) {
        BufferedImage out = new BufferedImage(image.width(), image.height(), BufferedImage.TYPE_INT_RGB);
        byte[] rgb = image.rgb();
        for (int i = 0; i < image.width() * image.height(); i++) {
            int pixel = (rgb[3 * i] & 255) << 16 | (rgb[3 * i + 1] & 255) << 8 | rgb[3 * i + 2] & 255;
            out.setRGB(i % image.width(), i / image.width(), pixel);
        }
        return out;
    }

    private static RgbImage toRgb(BufferedImage image) {
        int[] pixels = image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
        byte[] rgb = new byte[3 * pixels.length];
        for (int i = 0; i < pixels.length; i++) {
            rgb[3 * i] = (byte) (pixels[i] >> 16);
            rgb[3 * i + 1] = (byte) (pixels[i] >> 8);
            rgb[3 * i + 2] = (byte) pixels[i];
        }
        return new RgbImage(image.getWidth(), image.getHeight(), rgb);
    }
}
