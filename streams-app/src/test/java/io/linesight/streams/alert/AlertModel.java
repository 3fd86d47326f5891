package io.linesight.streams.alert;

import io.linesight.schemas.AlertActionKind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The rules of defects in plain words, for one camera with K of N = 3 of 5, M = 4, good below 0.4 and no latching; to
 * compare {@link AlertRules} with. Keeps everything and computes from it; knows nothing of stores, restarts and
 * records.
 */
final class AlertModel {
    private static final int K = 3;
    private static final int N = 5;
    private static final int M = 4;

    /** What is written of a change: the alert's id, the change, the state after it. */
    record Line(String id, String change, String state) {}

    private static final class Open {
        final String id;
        final String product;
        boolean active = true;
        boolean acknowledged;
        long shelvedUntil;
        int good;

        Open(String id, String product) {
            this.id = id;
            this.product = product;
        }

        String state() {
            if (shelvedUntil > 0) return "SHELVED";
            if (!active) return acknowledged ? "CLOSED" : "CLEARED_UNACKNOWLEDGED";
            return acknowledged ? "ACTIVE_ACKNOWLEDGED" : "ACTIVE_UNACKNOWLEDGED";
        }
    }

    final List<Line> lines = new ArrayList<>();
    private final Map<String, Open> open = new HashMap<>();
    private final Map<String, List<Double>> window = new HashMap<>();
    private final Set<String> actions = new HashSet<>();

    void frame(String result, String product, double score) {
        List<Double> frames = window.computeIfAbsent(product, p -> new ArrayList<>());
        frames.add(score);
        Open alert = open.get(product);
        long bad = frames.subList(Math.max(0, frames.size() - N), frames.size()).stream()
                .filter(s -> s >= 0.5)
                .count();
        if (alert == null) {
            if (bad < K) return;
            Open fresh = new Open("DEFECT-ANOMALOUS-" + result, product);
            open.put(product, fresh);
            forgetFrames(frames);
            write(fresh, "OPENED");
            return;
        }
        if (score >= 0.4) alert.good = 0;
        else alert.good++;
        if (alert.active && alert.good >= M) {
            alert.active = false;
            forgetFrames(frames);
            write(alert, "CLEARED");
        } else if (!alert.active && bad >= K) {
            alert.active = true;
            alert.acknowledged = false;
            alert.good = 0;
            forgetFrames(frames);
            write(alert, "REOPENED");
        } else if (alert.active) {
            // While it is active nothing counts towards the next time.
            forgetFrames(frames);
        }
    }

    /** Good frames take the places of those that have had their effect. */
    private static void forgetFrames(List<Double> frames) {
        for (int i = 0; i < N; i++) frames.add(0.0);
    }

    void act(String action, AlertActionKind kind, String alert, Long until, long now) {
        if (!actions.add(action)) return;
        Open target = open.values().stream()
                .filter(a -> a.id.equals(alert))
                .findFirst()
                .orElse(null);
        if (target == null) {
            lines.add(new Line("REFUSED-" + action, "REFUSED", "CLOSED"));
            return;
        }
        switch (kind) {
            case ACKNOWLEDGE -> {
                boolean refused = target.acknowledged;
                target.acknowledged = true;
                write(target, refused ? "REFUSED" : "ACKNOWLEDGED");
            }
            case SHELVE -> {
                boolean refused = until == null || until <= now;
                if (!refused) target.shelvedUntil = until;
                write(target, refused ? "REFUSED" : "SHELVED");
            }
            case UNSHELVE -> {
                boolean refused = target.shelvedUntil == 0;
                target.shelvedUntil = 0;
                write(target, refused ? "REFUSED" : "UNSHELVED");
            }
            case CLOSE -> {
                lines.add(new Line(target.id, "CLOSED", "CLOSED"));
                open.remove(target.product);
            }
            default -> throw new IllegalArgumentException("" + kind);
        }
    }

    void time(long now) {
        for (Open a : new ArrayList<>(open.values())) {
            if (a.shelvedUntil == 0 || a.shelvedUntil > now) continue;
            a.shelvedUntil = 0;
            write(a, "UNSHELVED");
        }
    }

    private void write(Open a, String change) {
        lines.add(new Line(a.id, change, a.state()));
        if (a.state().equals("CLOSED")) open.remove(a.product);
    }

    Set<String> ids() {
        Set<String> ids = new HashSet<>();
        open.values().forEach(a -> ids.add(a.id));
        return ids;
    }
}
