package io.linesight.mmad.score;

import io.linesight.mmad.image.Preprocess;
import io.linesight.mmad.runtime.ScoringException;
import io.linesight.mmad.view.ViewBlend;
import io.linesight.mmad.view.ViewLayout;
import io.linesight.mmad.view.ViewLayouts;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Scores frames as their checkpoint looks at them: the views of all frames go through the model in common batches, and
 * each frame's maps become one. Fit, evaluate, score and serve all come through here. A frame's answer does not depend
 * on the others. Stateless.
 */
public final class FrameScorer {
    private FrameScorer() {}

    /**
     * A frame to score.
     *
     * @param product says how it is looked at; null where it has none
     * @param views what {@link ViewLayouts#cut} made of it for this product; not copied
     */
    public record Frame(@Nullable String product, byte[] views) {}

    /**
     * Scores frames.
     *
     * @param batch views that go through the model at once, at most
     * @throws ScoringException when the runtime fails
     */
    public static List<ScoredFrame> score(Scorer scorer, List<Frame> frames, int batch) {
        ViewLayouts layouts = scorer.views();
        List<@Nullable ScoredFrame> answers = new ArrayList<>(Collections.nCopies(frames.size(), null));
        List<Integer> plain = new ArrayList<>();
        Batch views = new Batch(scorer, batch);
        for (int f = 0; f < frames.size(); f++) {
            Frame frame = frames.get(f);
            ViewLayout layout = layouts.of(frame.product);
            if (layout == null) {
                plain.add(f);
                continue;
            }
            if (frame.views.length != layout.bytes())
                throw new IllegalArgumentException("a frame of product '" + frame.product + "' has " + layout.bytes()
                        + " bytes of views, got " + frame.views.length);
            int at = f;
            Blended blended = new Blended(layouts.blend(frame.product), layout, a -> answers.set(at, a));
            for (int v = 0; v < layout.views(); v++)
                views.add(ViewLayout.viewOf(frame.views, v), layouts.place(frame.product, v), blended, v);
        }
        views.run();
        for (int from = 0; from < plain.size(); from += batch) {
            List<Integer> some = plain.subList(from, Math.min(plain.size(), from + batch));
            Scores scores =
                    scorer.score(some.stream().map(f -> frames.get(f).views).toList());
            for (int i = 0; i < some.size(); i++) answers.set(some.get(i), new ScoredFrame(scores, i));
        }
        return List.copyOf(answers);
    }

    private interface Done {
        void answer(ScoredFrame answer);
    }

    /** A frame whose views come back one by one. */
    private static final class Blended {
        private final ViewBlend blend;
        private final ViewLayout layout;
        private final Done done;
        private final ViewBlend.Sum sum;
        private Scores.@Nullable Nearest nearest;
        private boolean failed;
        private int missing;

        Blended(ViewBlend blend, ViewLayout layout, Done done) {
            this.blend = blend;
            this.layout = layout;
            this.done = done;
            sum = blend.sum();
            missing = layout.views();
        }

        void add(int view, Scores scores, int i) {
            if (scores.size() != Preprocess.SIDE)
                throw new ScoringException("the model's maps have " + scores.size() + " pixels a side", null);
            int values = scores.size() * scores.size();
            failed |= !Float.isFinite(scores.raw()[i]);
            sum.add(view, scores.maps(), i * values);
            if (view == 0 && scores.nearest() != null)
                nearest = new Scores.Nearest(
                        new int[] {scores.nearest().images()[i]},
                        new float[] {scores.nearest().distances()[i]});
            if (--missing > 0) return;
            float[] map = sum.map();
            float raw = failed ? Float.NaN : blend.score(map);
            done.answer(new ScoredFrame(new Scores(1, layout.mapSide(), new float[] {raw}, map, nearest), 0));
        }
    }

    /** Views of several frames that go through the model at once. */
    private static final class Batch {
        private final Scorer scorer;
        private final int size;
        private final List<byte[]> pixels = new ArrayList<>();
        private final List<Blended> frames = new ArrayList<>();
        private final int[] places;
        private final int[] numbers;

        Batch(Scorer scorer, int size) {
            this.scorer = scorer;
            this.size = size;
            places = new int[size];
            numbers = new int[size];
        }

        void add(byte[] view, int place, Blended frame, int number) {
            places[pixels.size()] = place;
            numbers[pixels.size()] = number;
            pixels.add(view);
            frames.add(frame);
            if (pixels.size() == size) run();
        }

        void run() {
            if (pixels.isEmpty()) return;
            Scores scores = scorer.score(pixels, Arrays.copyOf(places, pixels.size()));
            for (int i = 0; i < frames.size(); i++) frames.get(i).add(numbers[i], scores, i);
            pixels.clear();
            frames.clear();
        }
    }
}
