package io.linesight.streams.drift;

import io.linesight.mmad.checkpoint.ScoreQuantiles;
import io.linesight.streams.config.DriftSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compares windows of frames with the first day of their camera and product, and scores also with the normal images of
 * the checkpoint. Without clock: a window ends with a frame that was captured after it, so the same frames in the same
 * order make the same reports. Immutable; all that changes is in the {@link DriftStore}.
 *
 * <p>Two entries of the store belong to a camera and product: a small one that is written with every frame (at most 0.6
 * KB) and one that is written every {@value WindowBuffer#CAPACITY} frames (about 4 KB).
 */
public final class DriftMonitor {
    private static final Logger LOG = LoggerFactory.getLogger(DriftMonitor.class);
    private static final String WINDOW = "w";
    private static final String MEMORY = "m";
    /** A window that is short of frames goes on for so many first days; then it begins again. */
    private static final int MAX_FIRST_DAYS = 7;

    private static final int MAX_MODEL_NAME = 200;
    /** Up to the year 9999, so that no difference of two times overflows. */
    private static final long MAX_TIME = 253_402_300_799_000_000L;

    private final DriftSettings settings;
    private final NormalScores normals;
    private final long windowMicros;
    private final long baselineMicros;

    /** @param normals asked once a window */
    public DriftMonitor(DriftSettings settings, NormalScores normals) {
        this.settings = settings;
        this.normals = normals;
        windowMicros = micros(settings.window());
        baselineMicros = micros(settings.baseline());
    }

    private static long micros(Duration time) {
        return time.toNanos() / 1_000;
    }

    /**
     * Adds a frame.
     *
     * @param key of camera and product
     * @param product null for frames without one
     * @return a report where a window ended with it or another model came
     */
    public Optional<DriftReport> add(DriftStore store, String key, @Nullable String product, Sample sample) {
        if (windowMicros == 0) return Optional.empty();
        Sample s = bounded(sample);
        WindowBuffer window = read(WindowBuffer::of, store, WINDOW + key);
        DriftReport report = null;
        if (window.frames == 0) window.start = s.capturedAt();
        if (window.model.isEmpty()) window.model = s.model();
        // The clock was set back: what it says now is as good as what it said before.
        if (s.capturedAt() < window.start - windowMicros) window.start = s.capturedAt();
        long age = s.capturedAt() - window.start;
        boolean over = age >= windowMicros && window.frames >= settings.windowFrames();
        boolean stale = !over && age >= MAX_FIRST_DAYS * baselineMicros && age >= windowMicros;
        boolean otherModel = !s.model().isEmpty() && !window.model.equals(s.model());
        boolean full = window.count == WindowBuffer.CAPACITY;
        if (over || stale || otherModel || full) {
            DriftMemory memory = read(DriftMemory::of, store, MEMORY + key);
            fold(window, memory);
            if (over) report = end(window, memory, product, s.capturedAt());
            if (over || stale) begin(window, memory, s.capturedAt());
            if (otherModel) report = changeModel(window, memory, s, report);
            store.put(MEMORY + key, memory.toBytes());
        }
        window.add(s);
        store.put(WINDOW + key, window.toBytes());
        return Optional.ofNullable(report);
    }

    private static Sample bounded(Sample s) {
        boolean scored = Float.isFinite(s.score());
        String model =
                !scored ? "" : s.model().length() > MAX_MODEL_NAME ? s.model().substring(0, MAX_MODEL_NAME) : s.model();
        long at = Math.max(0, Math.min(MAX_TIME, s.capturedAt()));
        return new Sample(at, model, s.score(), s.brightness(), s.contrast(), s.sharpness());
    }

    /** What cannot be read starts over: it must not stop the partition for good. */
    private static <T> T read(Function<byte @Nullable [], T> parser, DriftStore store, String key) {
        try {
            return parser.apply(store.get(key));
        } catch (IllegalArgumentException e) {
            LOG.error("{}: they start over", key, e);
            return parser.apply(null);
        }
    }

    /** The sketches take the frames of the buffer. */
    private static void fold(WindowBuffer window, DriftMemory memory) {
        for (Measure m : Measure.values()) {
            Sketch sketch = memory.window.get(m.ordinal());
            for (int i = 0; i < window.count; i++) sketch.add(window.value(i, m));
        }
        window.count = 0;
        if (memory.images == null) memory.images = new Baseline("", window.start, Measure.COUNT - 1);
        if (memory.scores == null && !window.model.isEmpty())
            memory.scores = new Baseline(window.model, window.start, 1);
    }

    private static void begin(WindowBuffer window, DriftMemory memory, long at) {
        memory.clearWindow();
        window.start = at;
        window.end = at;
        window.frames = 0;
    }

    /** @param at when the next window begins */
    private DriftReport end(WindowBuffer window, DriftMemory memory, @Nullable String product, long at) {
        List<Shift> shifts = new ArrayList<>();
        for (Measure m : Measure.values()) compareWithFirstDay(memory, m).ifPresent(shifts::add);
        compareWithNormals(memory, window.model, product).ifPresent(shifts::add);
        learn(memory.images, memory.window.subList(1, Measure.COUNT), window.start, at);
        learn(memory.scores, memory.window.subList(0, 1), window.start, at);
        return new DriftReport(
                false, memory.drifted(), window.start, Math.max(window.start, window.end), window.frames, shifts);
    }

    private Optional<Shift> compareWithFirstDay(DriftMemory memory, Measure m) {
        Baseline first = m == Measure.SCORE ? memory.scores : memory.images;
        Sketch now = memory.window.get(m.ordinal());
        if (first == null || !first.complete || !isEnough(now)) return Optional.empty();
        Sketch before = first.sketches.get(m == Measure.SCORE ? 0 : m.ordinal() - 1);
        if (before.size() == 0) return Optional.empty();
        Distance d = Distance.of(m, before::quantile, now::quantile);
        return Optional.of(track(memory.tracks.get(m.ordinal()), m, false, d, settings.effect()));
    }

    private Optional<Shift> compareWithNormals(DriftMemory memory, String model, @Nullable String product) {
        Sketch now = memory.window.get(Measure.SCORE.ordinal());
        if (settings.normalsEffect() == 0 || !isEnough(now)) return Optional.empty();
        ScoreQuantiles before = normals.of(model, product).orElse(null);
        if (before == null) return Optional.empty();
        Distance d = Distance.of(Measure.SCORE, q -> before.scoreAt(1 - q), now::quantile);
        Track track = memory.tracks.get(DriftMemory.NORMALS);
        return Optional.of(track(track, Measure.SCORE, true, d, settings.normalsEffect()));
    }

    private Shift track(Track track, Measure m, boolean ofNormals, Distance d, double limit) {
        double counts = m == Measure.SCORE ? d.whole() : d.effect();
        track.add(counts, limit, settings.openWindows(), settings.clearWindows());
        return new Shift(
                m,
                ofNormals,
                d.effect(),
                d.effect() >= limit && counts < limit,
                track.drifted,
                track.out,
                Arrays.stream(d.before()).boxed().toList(),
                Arrays.stream(d.now()).boxed().toList());
    }

    /** Some frames have no score, some no image. */
    private boolean isEnough(Sketch sketch) {
        return sketch.size() >= settings.windowFrames() / 2;
    }

    private void learn(@Nullable Baseline first, List<Sketch> window, long start, long at) {
        if (first == null || first.complete) return;
        if (first.start > at) first.start = start;
        for (int i = 0; i < first.sketches.size(); i++) first.sketches.get(i).merge(window.get(i));
        first.complete = at - first.start >= baselineMicros && first.frames() >= settings.baselineFrames();
    }

    /** Scores of different models cannot be compared; images can. */
    private static DriftReport changeModel(
            WindowBuffer window, DriftMemory memory, Sample sample, @Nullable DriftReport ended) {
        String model = sample.model();
        window.model = model;
        Baseline before = memory.scoresBefore;
        memory.scoresBefore = memory.scores;
        memory.scores =
                before != null && before.model.equals(model) ? before : new Baseline(model, sample.capturedAt(), 1);
        memory.window.set(Measure.SCORE.ordinal(), new Sketch());
        memory.tracks.get(Measure.SCORE.ordinal()).reset();
        memory.tracks.get(DriftMemory.NORMALS).reset();
        return ended == null
                ? new DriftReport(true, memory.drifted(), 0, 0, 0, List.of())
                : new DriftReport(true, memory.drifted(), ended.from(), ended.to(), ended.frames(), ended.shifts());
    }

    /** Forgets a camera and product, so that its next frame begins a first day. */
    public static void forget(DriftStore store, String key) {
        store.delete(WINDOW + key);
        store.delete(MEMORY + key);
    }
}
