package io.linesight.streams.batching;

import io.linesight.mmad.runtime.ScoringException;
import io.linesight.mmad.score.FeaturedScores;
import io.linesight.mmad.score.FrameScorer;
import io.linesight.mmad.score.ScoredFrame;
import io.linesight.mmad.score.Scorer;
import io.linesight.mmad.score.Scores;
import io.linesight.mmad.view.ViewLayouts;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Scores a batch so that no model loses a frame: a batch that fails is retried frame by frame, and a frame that fails
 * alone is answered {@link Answer.Failed}. Inference thread only.
 */
final class BatchScorer {

    private static final Logger LOG = LoggerFactory.getLogger(BatchScorer.class);
    private static final long WARNING_INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final BatchListener listener;
    private final int maxBatch;
    private long lastWarning = System.nanoTime() - WARNING_INTERVAL_NANOS;

    /**
     * @param listener told of retries
     * @param maxBatch views that go through the model at once, at most
     */
    BatchScorer(BatchListener listener, int maxBatch) {
        this.listener = listener;
        this.maxBatch = maxBatch;
    }

    /**
     * One answer for every frame, in their order.
     *
     * @param features whether somebody wants what the encoder sees
     */
    List<Answer> score(Scorer scorer, List<FrameViews> frames, boolean features) {
        ViewLayouts layouts = scorer.views();
        if (layouts.isEmpty())
            return scoreWhole(scorer, frames.stream().map(FrameViews::whole).toList(), features);
        Answer[] answers = new Answer[frames.size()];
        List<Integer> whole = new ArrayList<>();
        List<Integer> several = new ArrayList<>();
        for (int i = 0; i < answers.length; i++) (frames.get(i).isWhole(layouts) ? whole : several).add(i);
        if (!whole.isEmpty()) {
            List<Answer> some = scoreWhole(
                    scorer, whole.stream().map(i -> frames.get(i).whole()).toList(), features);
            for (int i = 0; i < some.size(); i++) answers[whole.get(i)] = some.get(i);
        }
        scoreViews(scorer, frames, several, answers);
        return List.of(answers);
    }

    /** Answers frames of several views; what the encoder saw of them is not said. */
    private void scoreViews(Scorer scorer, List<FrameViews> frames, List<Integer> which, Answer[] answers) {
        List<FrameScorer.Frame> cut = new ArrayList<>();
        List<Integer> fit = new ArrayList<>();
        for (int i : which) {
            FrameViews frame = frames.get(i);
            try {
                cut.add(new FrameScorer.Frame(frame.product(), frame.cut(scorer.views())));
                fit.add(i);
            } catch (FrameViews.UnfitException e) {
                answers[i] = new Answer.Unfit(String.valueOf(e.getMessage()));
            }
        }
        if (cut.isEmpty()) return;
        try {
            List<ScoredFrame> scored = FrameScorer.score(scorer, cut, maxBatch);
            for (int i = 0; i < scored.size(); i++) answers[fit.get(i)] = answer(scored.get(i));
        } catch (RuntimeException e) {
            listener.onRetry(cut.size(), e);
            List<Answer> alone = new ArrayList<>();
            for (FrameScorer.Frame frame : cut) alone.add(scoreAlone(scorer, frame));
            for (int i = 0; i < alone.size(); i++) answers[fit.get(i)] = alone.get(i);
            warn(alone, e);
        }
    }

    private Answer scoreAlone(Scorer scorer, FrameScorer.Frame frame) {
        try {
            return answer(FrameScorer.score(scorer, List.of(frame), maxBatch).get(0));
        } catch (RuntimeException e) {
            return new Answer.Failed(String.valueOf(e.getMessage()));
        }
    }

    private static Answer answer(ScoredFrame frame) {
        return new Answer.Scored(frame.batch(), frame.frame());
    }

    private List<Answer> scoreWhole(Scorer scorer, List<byte[]> frames, boolean features) {
        List<Answer> answers = new ArrayList<>(frames.size());
        try {
            FeaturedScores scores = scoreChecked(scorer, frames, features);
            for (int i = 0; i < frames.size(); i++)
                answers.add(new Answer.Scored(scores.scores(), i, scores.features()));
        } catch (RuntimeException e) {
            listener.onRetry(frames.size(), e);
            for (byte[] frame : frames) answers.add(scoreAlone(scorer, frame, features));
            warn(answers, e);
        }
        return answers;
    }

    static int failures(List<Answer> answers) {
        int failed = 0;
        for (Answer answer : answers) if (answer instanceof Answer.Failed) failed++;
        return failed;
    }

    private static Answer scoreAlone(Scorer scorer, byte[] frame, boolean features) {
        try {
            FeaturedScores scores = scoreChecked(scorer, List.of(frame), features);
            return new Answer.Scored(scores.scores(), 0, scores.features());
        } catch (RuntimeException e) {
            return new Answer.Failed(String.valueOf(e.getMessage()));
        }
    }

    /** A model that answers with the wrong shape is as broken as one that throws. */
    private static FeaturedScores scoreChecked(Scorer scorer, List<byte[]> frames, boolean features) {
        FeaturedScores answer =
                features ? scorer.scoreWithFeatures(frames) : new FeaturedScores(scorer.score(frames), null);
        Scores scores = answer.scores();
        long pixels = (long) scores.size() * scores.size();
        if (scores.count() != frames.size()
                || scores.raw().length != frames.size()
                || scores.maps().length != pixels * frames.size()) {
            throw new ScoringException(
                    "the model answered " + frames.size() + " frames with " + scores.count() + " scores and "
                            + scores.maps().length + " map values",
                    null);
        }
        return answer;
    }

    private void warn(List<Answer> answers, RuntimeException cause) {
        long now = System.nanoTime();
        if (now - lastWarning < WARNING_INTERVAL_NANOS) return;
        lastWarning = now;
        LOG.warn(
                "Inference failed on a batch of {}; retried frame by frame, {} failed alone and get verdict REVIEW",
                answers.size(),
                failures(answers),
                cause);
    }
}
