package io.linesight.streams.batching;

import io.linesight.mmad.runtime.ScoringException;
import io.linesight.mmad.score.FeaturedScores;
import io.linesight.mmad.score.Scorer;
import io.linesight.mmad.score.Scores;
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
    private long lastWarning = System.nanoTime() - WARNING_INTERVAL_NANOS;

    /** @param listener told of retries */
    BatchScorer(BatchListener listener) {
        this.listener = listener;
    }

    /**
     * One answer for every frame, in their order.
     *
     * @param features whether somebody wants what the encoder sees
     */
    List<Answer> score(Scorer scorer, List<byte[]> frames, boolean features) {
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
