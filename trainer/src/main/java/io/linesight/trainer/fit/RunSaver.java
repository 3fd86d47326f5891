package io.linesight.trainer.fit;

import io.linesight.mmad.architecture.ParameterSpec;
import io.linesight.mmad.architecture.Weights;
import io.linesight.trainer.dataset.Progress;
import io.linesight.trainer.network.Parameters;
import io.linesight.trainer.network.Trainer;
import io.linesight.trainer.torch.Torch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * Saves a training run as it is. What is saved belongs to the loop and is not closed here. Without a run folder nothing
 * is saved. Used by the training thread.
 */
final class RunSaver {
    /** What a save takes. */
    record Sources(
            RunState run, List<ParameterSpec> specs, Parameters parameters, Trainer trainer, StepMetrics metrics) {}

    private final @Nullable SavedRun folder;
    private final @Nullable Path path;
    private final Map<String, String> settings;
    private final Sources sources;
    private final long everyNanos;
    private long lastNanos = System.nanoTime();
    private SavedRun.@Nullable State last;

    RunSaver(ResumePoint resume, FitOptions.Output output, Sources sources) {
        this.folder = resume.folder();
        this.path = output.runFolder();
        this.settings = resume.settings();
        this.sources = sources;
        this.last = resume.state();
        this.everyNanos = output.saveEvery().toNanos();
    }

    /** Saves when the time between saves is over. */
    void saveWhenDue(@Nullable Weights best, Progress progress) {
        if (folder == null || System.nanoTime() - lastNanos < everyNanos) return;
        save(best, progress);
        lastNanos = System.nanoTime();
    }

    /** Saves when steps were done since the last save. */
    void saveRest(@Nullable Weights best, Progress progress) {
        if (folder != null && (last == null || last.run().step() < sources.run.step())) save(best, progress);
    }

    /** A run that cannot be saved continues: what is left may be little, and the disk may have room again. */
    private void save(@Nullable Weights best, Progress progress) {
        try {
            write(best);
        } catch (IOException e) {
            progress.say("warning: the run cannot be saved at step " + sources.run.step() + " (" + e.getMessage()
                    + "); training continues, and after a kill it would resume from " + before("its beginning")
                    + ". Make room in " + path);
        }
    }

    /** Saves for the last time; returns what to throw. */
    CancellationException cancelled(@Nullable Weights best) {
        long step = sources.run.step();
        if (folder == null)
            return new CancellationException("training was cancelled after " + step + " steps; nothing was written");
        try {
            write(best);
            return new CancellationException(
                    "stopped at step " + step + " and saved in " + path + "; run the same again to resume");
        } catch (IOException e) {
            CancellationException cancelled = new CancellationException("stopped at step " + step
                    + ", which cannot be saved (" + e.getMessage() + "); run the same again to resume from "
                    + before("the beginning"));
            cancelled.initCause(e);
            return cancelled;
        }
    }

    private void write(@Nullable Weights best) throws IOException {
        sources.run.metricsBytes = sources.metrics.saved();
        last = folder.save(
                new SavedRun.Snapshot(
                        settings,
                        sources.run,
                        Torch.randomState(),
                        sources.parameters.export(),
                        sources.specs,
                        sources.run.step() > 0 ? sources.trainer : null,
                        best),
                last);
    }

    private String before(String beginning) {
        return last == null ? beginning : "step " + last.run().step();
    }
}
