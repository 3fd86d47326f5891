package io.linesight.streams.alert;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The rules of drift in plain words, for scores and brightness of one camera; to compare {@link AlertRules} with. Keeps
 * every value and computes from all of them; knows nothing of digests, buffers, bytes and restarts.
 */
final class DriftModel {
    private static final long WINDOW = 10_000_000;
    private static final int MIN_FRAMES = 10;
    private static final long FIRST_DAY = 60_000_000;
    private static final int MIN_FIRST_DAY = 50;
    private static final double LIMIT = 0.5;
    private static final int OPEN = 2;
    private static final int CLEAR = 3;

    private static final class FirstDay {
        final long start;
        final List<Double> values = new ArrayList<>();
        boolean over;

        FirstDay(long start) {
            this.start = start;
        }

        void learn(List<Double> window, long at) {
            if (over) return;
            values.addAll(window);
            over = at - start >= FIRST_DAY && values.size() >= MIN_FIRST_DAY;
        }
    }

    private static final class Drift {
        int out;
        int back;
        boolean drifted;

        void add(double effect) {
            out = effect >= LIMIT ? out + 1 : 0;
            back = effect < 0.6 * LIMIT ? back + 1 : 0;
            if (out >= OPEN) drifted = true;
            else if (back >= CLEAR) drifted = false;
        }
    }

    private static final class Product {
        long start;
        int frames;
        List<Double> scores = new ArrayList<>();
        List<Double> brightness = new ArrayList<>();
        String model = "";
        String modelBefore = "";
        FirstDay images;
        final Map<String, FirstDay> scoresOf = new HashMap<>();
        Drift score = new Drift();
        final Drift light = new Drift();

        boolean isOver(long at) {
            return frames >= MIN_FRAMES && at - start >= WINDOW;
        }
    }

    private static final class Open {
        final String id;
        boolean active = true;
        boolean acknowledged;

        Open(String id) {
            this.id = id;
        }
    }

    final List<AlertModel.Line> lines = new ArrayList<>();
    private final Map<String, Product> products = new HashMap<>();
    private final Map<String, Open> open = new HashMap<>();

    /** Whether a frame would be the first of a window. */
    boolean begins(String product, long at) {
        Product p = products.get(product);
        return p == null || p.frames == 0 || p.isOver(at);
    }

    boolean knowsImages(String product) {
        Product p = products.get(product);
        return p != null && p.images != null && p.images.over;
    }

    boolean knowsScores(String product, String model) {
        Product p = products.get(product);
        return p != null && p.scoresOf.containsKey(model) && p.scoresOf.get(model).over;
    }

    void frame(String result, String product, long at, String model, double score, double brightness) {
        Product p = products.computeIfAbsent(product, x -> new Product());
        if (p.frames == 0) p.start = at;
        if (p.images == null) p.images = new FirstDay(p.start);
        if (p.model.isEmpty()) {
            p.model = model;
            p.scoresOf.put(model, new FirstDay(p.start));
        }
        boolean over = p.isOver(at);
        boolean other = !p.model.equals(model);
        if (over) endWindow(p, at);
        if (other) changeModel(p, model, at);
        if (over || other) judge(result, product, p.score.drifted || p.light.drifted);
        p.frames++;
        p.scores.add(score);
        p.brightness.add(brightness);
    }

    private static void endWindow(Product p, long at) {
        FirstDay scores = p.scoresOf.get(p.model);
        if (scores.over && p.scores.size() >= MIN_FRAMES / 2) {
            double effect = effect(scores.values, p.scores);
            double median = Math.abs(quantile(p.scores, 0.5) - quantile(scores.values, 0.5)) / width(scores.values);
            p.score.add(Math.min(effect, 2 * median));
        }
        if (p.images.over) p.light.add(effect(p.images.values, p.brightness));
        scores.learn(p.scores, at);
        p.images.learn(p.brightness, at);
        p.scores = new ArrayList<>();
        p.brightness = new ArrayList<>();
        p.frames = 0;
        p.start = at;
    }

    /** The first days of two models are kept. */
    private static void changeModel(Product p, String model, long at) {
        FirstDay again = model.equals(p.modelBefore) ? p.scoresOf.get(model) : new FirstDay(at);
        FirstDay before = p.scoresOf.get(p.model);
        p.scoresOf.clear();
        p.scoresOf.put(p.model, before);
        p.scoresOf.put(model, again);
        p.modelBefore = p.model;
        p.model = model;
        p.scores = new ArrayList<>();
        p.score = new Drift();
    }

    private static double width(List<Double> values) {
        return Math.max(0.1 * quantile(values, 0.5), quantile(values, 0.9) - quantile(values, 0.1));
    }

    private static double effect(List<Double> before, List<Double> now) {
        double sum = 0;
        for (int i = 1; i < 100; i += 2) sum += Math.abs(quantile(now, i / 100.0) - quantile(before, i / 100.0));
        return sum / 50 / width(before);
    }

    private static double quantile(List<Double> values, double q) {
        return values.stream()
                .sorted()
                .skip((long) (q * values.size()))
                .findFirst()
                .orElseThrow();
    }

    private void judge(String result, String product, boolean drifted) {
        Open a = open.get(product);
        if (a == null && drifted) {
            a = new Open("DRIFT-SHIFTED-" + result);
            open.put(product, a);
            write(product, a, "OPENED");
        } else if (a != null && a.active && !drifted) {
            a.active = false;
            write(product, a, "CLEARED");
        } else if (a != null && !a.active && drifted) {
            a.active = true;
            a.acknowledged = false;
            write(product, a, "REOPENED");
        }
    }

    private void write(String product, Open a, String change) {
        String state = a.active
                ? a.acknowledged ? "ACTIVE_ACKNOWLEDGED" : "ACTIVE_UNACKNOWLEDGED"
                : a.acknowledged ? "CLOSED" : "CLEARED_UNACKNOWLEDGED";
        lines.add(new AlertModel.Line(a.id, change, state));
        if (state.equals("CLOSED")) open.remove(product);
    }

    /** Null where no alert is open. */
    String alertOf(String product) {
        return open.containsKey(product) ? open.get(product).id : null;
    }

    void acknowledge(String product) {
        Open a = open.get(product);
        boolean refused = a.acknowledged;
        a.acknowledged = true;
        write(product, a, refused ? "REFUSED" : "ACKNOWLEDGED");
    }

    /** How it is now is the usual. */
    void close(String product) {
        lines.add(new AlertModel.Line(open.remove(product).id, "CLOSED", "CLOSED"));
        products.remove(product);
    }
}
