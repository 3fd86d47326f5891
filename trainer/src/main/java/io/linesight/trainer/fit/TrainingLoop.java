package io.linesight.trainer.fit;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.ParameterSpec;
import io.linesight.mmad.architecture.Weights;
import io.linesight.trainer.dataset.Progress;
import io.linesight.trainer.features.FeatureStore;
import io.linesight.trainer.network.MmadNet;
import io.linesight.trainer.network.Parameters;
import io.linesight.trainer.network.Trainer;
import io.linesight.trainer.torch.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CancellationException;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * The training loop: a step, its validation, its record, and a save when it is time, until the budget is used up or the
 * loss on normals set apart falls no more. Used by one thread.
 */
final class TrainingLoop {
    private static final ObjectMapper JSON = new ObjectMapper();

    /**
     * What is trained and on what.
     *
     * @param initial weights before the first step of this process
     * @param startNanos {@code System.nanoTime()} at the start of the fit: the budget counts from there
     */
    record Task(
            FitOptions options,
            MmadConfig config,
            List<ParameterSpec> specs,
            Weights initial,
            LearnedImages images,
            EncodedImages encoded,
            ResumePoint resume,
            long startNanos) {
        int batch() {
            return Math.min(options.training().batch(), images.count());
        }

        /** Steps of an epoch. */
        int perEpoch() {
            return images.count() / batch();
        }
    }

    private final Task task;
    private final FitOptions.Training training;
    private final Parameters parameters;
    private final Trainer trainer;
    private final StepMetrics metrics;
    private final Progress progress;
    private final RunState run;
    private final RunSaver saver;
    private final ImageOrder order;
    private final int batch;
    private final int perEpoch;
    private final long stepLimit;
    private final double secondsLimit;
    private @Nullable Weights best;
    private double rate = Double.NaN;
    private boolean metricsHaveGap;
    /** This process's part of the run: when it began, and the counters then. */
    private long begunNanos;

    private RunState before = new RunState();

    private TrainingLoop(
            Task task, Parameters parameters, Trainer trainer, StepMetrics metrics, RunState run, Progress progress)
            throws IOException {
        this.task = task;
        this.training = task.options.training();
        this.parameters = parameters;
        this.trainer = trainer;
        this.metrics = metrics;
        this.progress = progress;
        this.run = run;
        batch = task.batch();
        perEpoch = task.perEpoch();
        stepLimit = training.epochs() > 0 ? (long) training.epochs() * perEpoch : Long.MAX_VALUE;
        secondsLimit = training.minutes() > 0 ? training.minutes() * 60 : Double.POSITIVE_INFINITY;
        best = task.resume.best(task.specs);
        order = new ImageOrder(task.images, training.seed(), task.options.data().balance(), run.step(), perEpoch);
        saver = new RunSaver(
                task.resume,
                task.options.output(),
                new RunSaver.Sources(run, task.specs, parameters, trainer, metrics));
    }

    /**
     * Trains.
     *
     * @throws CancellationException when it is cancelled; the run is saved where there is a run folder
     */
    static TrainedNetwork run(Task task) throws IOException {
        Path log = task.options.output().metrics();
        if (log.toAbsolutePath().getParent() != null)
            Files.createDirectories(log.toAbsolutePath().getParent());
        RunState run = task.resume.run();
        try (Parameters parameters = new Parameters(task.specs, task.initial);
                MmadNet net = new MmadNet(task.config, parameters);
                Trainer trainer =
                        new Trainer(net, parameters, task.options.training().learningRate());
                StepMetrics metrics = StepMetrics.open(log, run.metricsBytes);
                Progress progress = new Progress(task.options.session().progress(), "train")) {
            return new TrainingLoop(task, parameters, trainer, metrics, run, progress).run();
        }
    }

    private TrainedNetwork run() throws IOException {
        prepare();
        while (hasBudget()) {
            ensureNotCancelled();
            Trainer.Step step = step();
            double validationLoss = validateWhenDue();
            record(step, validationLoss);
            report();
            saver.saveWhenDue(best, progress);
        }
        // What comes now takes minutes too, and must not cost the training when it is interrupted.
        saver.saveRest(best, progress);
        ensureNotCancelled();
        takeBestWeights();
        return new TrainedNetwork(parameters.export(), run, batch, perEpoch);
    }

    private void prepare() throws IOException {
        SavedRun.State state = task.resume.state();
        if (state == null) {
            torch.manual_seed(training.seed());
            run.elapsed = seconds(task.startNanos);
        } else {
            Path optimiser = task.resume.optimiser();
            if (optimiser != null) trainer.load(optimiser);
            Torch.randomState(state.random());
            progress.say(String.format(
                    Locale.ROOT,
                    "resuming at step %d, saved %s ago in %s (start over with --fresh)",
                    run.step(),
                    Progress.duration((System.currentTimeMillis() - state.savedAt()) / 1000.0),
                    task.options.output().runFolder()));
        }
        progress.say(String.format(
                Locale.ROOT,
                "training %s on %d images (%d categories), batch %d, learning rate %.3g",
                task.config.preset(),
                task.images.count(),
                task.options.data().source().categories().size(),
                batch,
                training.learningRate()));
        begunNanos = System.nanoTime();
        before = run.copy();
    }

    private boolean hasBudget() {
        if (run.step() >= stepLimit || run.stopped) return false;
        run.elapsed = before.elapsed + seconds(begunNanos);
        // One step is done in any case.
        return run.step() == 0 || run.elapsed < secondsLimit;
    }

    private void ensureNotCancelled() {
        if (task.options.session().stopWhen().getAsBoolean()) throw saver.cancelled(best);
    }

    /** Share of the run that is done, 0..1 or just above. */
    private double fraction(RunState at) {
        return Math.max(at.step() / (double) stepLimit, at.elapsed / secondsLimit);
    }

    private Trainer.Step step() {
        double wanted = training.learningRate(run.step(), fraction(run));
        if (wanted != rate) trainer.learningRate(wanted);
        rate = wanted;
        long epoch = run.step() / perEpoch;
        int at = (int) (run.step() % perEpoch);
        if (at == 0) order.begin(epoch);
        Trainer.Step step;
        try (PointerScope scope = new PointerScope()) {
            step = trainer.step(task.encoded.training().batch(order.batch(at, batch, epoch)));
        }
        run.addStep(step.loss(), perEpoch);
        return step;
    }

    /** Loss on the normals set apart, and what follows from it; NaN when it is not time. */
    private double validateWhenDue() {
        int every = training.validateEvery() > 0 ? training.validateEvery() : perEpoch;
        if (!training.stopsEarly() || run.step() % every != 0) return Double.NaN;
        double loss = validationLoss();
        if (run.addValidation(loss, training.patience())) {
            best = parameters.export();
        } else if (run.stopped) {
            progress.say(String.format(
                    Locale.ROOT,
                    "stopping early: the loss on normals set apart has not fallen below %.4f (step %d) in %d "
                            + "validations",
                    run.bestLoss,
                    run.bestStep,
                    run.worse));
        }
        return loss;
    }

    private double validationLoss() {
        FeatureStore validation = task.encoded.validation();
        double sum = 0;
        for (int from = 0; from < validation.size(); from += batch) {
            int n = Math.min(batch, validation.size() - from);
            int[] images = new int[n];
            for (int i = 0; i < n; i++) images[i] = from + i;
            try (PointerScope scope = new PointerScope()) {
                sum += n * trainer.loss(validation.batch(images));
            }
        }
        return sum / validation.size();
    }

    private void record(Trainer.Step step, double validationLoss) throws IOException {
        run.elapsed = before.elapsed + seconds(begunNanos);
        run.trained = before.trained + seconds(begunNanos);
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("step", run.step());
        line.put("epoch", (double) run.step() / perEpoch);
        line.put("loss", step.loss());
        if (!Double.isNaN(validationLoss)) line.put("validationLoss", validationLoss);
        line.put("gradientNorm", step.gradientNorm());
        line.put("learningRate", rate);
        line.put("imagesPerSecond", imagesPerSecond());
        line.put("seconds", run.elapsed);
        try {
            metrics.write(JSON.writeValueAsString(line));
        } catch (IOException e) {
            if (task.resume.folder() == null) throw e;
            // With a run folder somebody means the run to last: a gap in its record costs less than the run.
            if (!metricsHaveGap)
                progress.say("warning: " + task.options.output().metrics() + " cannot be written (" + e.getMessage()
                        + "); training continues with gaps in it");
            metricsHaveGap = true;
        }
    }

    private double imagesPerSecond() {
        return (run.step() - before.step()) * batch / seconds(begunNanos);
    }

    private void report() {
        double fraction = fraction(run);
        double done = Math.max(1e-9, fraction - fraction(before));
        double left = seconds(begunNanos) / done * Math.max(0, 1 - fraction);
        String validation = training.stopsEarly() && run.bestStep >= 0
                ? String.format(Locale.ROOT, " (set apart %.4f)", run.bestLoss)
                : "";
        progress.update(
                fraction,
                String.format(
                        Locale.ROOT,
                        "epoch %.1f, loss %.4f%s, %.1f images/s, %s left",
                        (double) run.step() / perEpoch,
                        run.smoothLoss,
                        validation,
                        imagesPerSecond(),
                        Progress.duration(left)));
    }

    private void takeBestWeights() {
        if (best == null) return;
        parameters.restore(best);
        if (run.bestStep < run.step())
            progress.say(String.format(
                    Locale.ROOT,
                    "taking the weights of step %d, where the loss on normals set apart was lowest",
                    run.bestStep));
    }

    private static double seconds(long since) {
        return (System.nanoTime() - since) / 1e9;
    }
}
