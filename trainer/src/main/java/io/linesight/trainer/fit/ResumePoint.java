package io.linesight.trainer.fit;

import io.linesight.mmad.architecture.ParameterSpec;
import io.linesight.mmad.architecture.Weights;
import io.linesight.trainer.dataset.TrainingSet;
import io.linesight.trainer.features.FeatureType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where a run begins: at its start, or where an earlier process left it.
 *
 * @param folder where the run is saved; null = nowhere
 * @param state to resume from; null = the start
 * @param settings what must be the same for a resumption, option to value
 */
record ResumePoint(@Nullable SavedRun folder, SavedRun.@Nullable State state, Map<String, String> settings) {
    static ResumePoint of(@Nullable SavedRun folder, Map<String, String> settings) throws IOException {
        return new ResumePoint(folder, folder == null ? null : folder.load(settings), settings);
    }

    /** What a run can be resumed with only while it is the same; saved, so the words stay. */
    static Map<String, String> settings(
            FitOptions options, StartingPoint start, TrainingSet set, LearnedImages images) {
        FitOptions.Training training = options.training();
        Map<String, String> s = new LinkedHashMap<>();
        s.put(
                "pictures",
                images.count() + " with fingerprint " + set.fingerprint().substring(0, 16));
        s.put("encoder", start.encoder().name() + " " + start.encoder().sha256().substring(0, 16));
        if (start.parent() == null) s.put("preset", options.network().preset());
        else s.put("from", start.parent().info().version());
        s.put("recipe", lower(options.network().recipe()));
        s.put("finest stride", String.valueOf(4 << start.config().finest()));
        s.put("top share", String.valueOf(start.config().topShare()));
        s.put("map", lower(start.config().map()));
        s.put("minutes", String.valueOf(training.minutes()));
        s.put("epochs", String.valueOf(training.epochs()));
        s.put("batch", String.valueOf(training.batch()));
        s.put("seed", String.valueOf(training.seed()));
        s.put("learning rate", String.valueOf(training.learningRate()));
        s.put("schedule", lower(training.schedule()));
        s.put("warm-up", String.valueOf(training.warmup()));
        s.put("balance", String.valueOf(options.data().balance()));
        int copies = options.data().copies();
        s.put("augment", Augmentation.name(options.data().augment()) + (copies > 0 ? " x" + copies : ""));
        FeatureType precision = options.features().precision();
        if (precision != FeatureType.FLOAT32) s.put("cache precision", lower(precision));
        s.put("early stop", training.patience() + " every " + training.validateEvery());
        return s;
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    /** Counters to continue with; a copy. */
    RunState run() {
        return state == null ? new RunState() : state.run().copy();
    }

    /** Weights saved last; null at the start. */
    @Nullable
    Weights weights(List<ParameterSpec> specs) throws IOException {
        return state == null ? null : folder.weights(state.weights(), specs);
    }

    /** Best weights so far by early stopping; null when there are none. */
    @Nullable
    Weights best(List<ParameterSpec> specs) throws IOException {
        return state == null || state.best() == null ? null : folder.weights(state.best(), specs);
    }

    /** The optimiser's file; null before the first step. */
    @Nullable
    Path optimiser() {
        return state == null || state.optimiser() == null ? null : folder.file(state.optimiser());
    }
}
