package io.linesight.streams.inspect;

import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.RememberedImage;
import io.linesight.mmad.score.Scores;
import io.linesight.streams.batching.Answer;
import io.linesight.streams.batching.Inference;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Names the good image that a frame is most like, where the model remembers images. Thread-safe. */
final class NearestImages {
    private static final Logger LOG = LoggerFactory.getLogger(NearestImages.class);
    /** Champion, challenger, and one that just went. */
    private static final int MODELS = 3;

    private final Map<String, List<String>> names = new ConcurrentHashMap<>();

    /**
     * The nearest image of a frame.
     *
     * @param name as {@code <product>/<name>}
     * @param distance in deviations of the mean feature over the images remembered
     */
    record Nearest(String name, float distance) {}

    /** Null where the model remembers none, or does not say which they are. */
    @Nullable
    Nearest of(Inference inference) {
        if (!(inference.answer() instanceof Answer.Scored scored)) return null;
        Scores.Nearest nearest = scored.batch().nearest();
        if (nearest == null) return null;
        List<String> known = names(inference.model());
        int image = nearest.images()[scored.frame()];
        return image < 0 || image >= known.size()
                ? null
                : new Nearest(known.get(image), nearest.distances()[scored.frame()]);
    }

    private List<String> names(CheckpointInfo model) {
        if (names.size() > MODELS) names.clear();
        return names.computeIfAbsent(model.sha256(), sha -> {
            try {
                return RememberedImage.of(model).stream()
                        .map(RememberedImage::toString)
                        .toList();
            } catch (IOException e) {
                LOG.warn("Results of model {} do not name the nearest image: {}", model.version(), e.getMessage());
                return List.of();
            }
        });
    }
}
