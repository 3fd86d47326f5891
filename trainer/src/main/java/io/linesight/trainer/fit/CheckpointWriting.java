package io.linesight.trainer.fit;

import io.linesight.mmad.architecture.Weights;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.Checkpoints;
import io.linesight.mmad.checkpoint.MmadModel;
import io.linesight.trainer.calibration.CheckpointFinisher;
import io.linesight.trainer.dataset.FrameSpool;
import io.linesight.trainer.dataset.TrainingSet;
import io.linesight.trainer.features.FeatureType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** Turns a trained network into a checkpoint: its provenance, its thresholds, and what came of it all. */
final class CheckpointWriting {
    private final FitOptions options;
    private final StartingPoint start;
    private final TrainedNetwork network;
    private final LearnedImages images;

    CheckpointWriting(FitOptions options, StartingPoint start, TrainedNetwork network, LearnedImages images) {
        this.options = options;
        this.start = start;
        this.network = network;
        this.images = images;
    }

    /**
     * Scores, calibrates, writes.
     *
     * @param judges what scores images that were trained on
     * @param spool all images that were trained on, by number
     * @param heldOut frames that set the thresholds, by category
     */
    FitResult write(List<MapFitting.Judge> judges, TrainingSet set, FrameSpool spool, Map<String, List<byte[]>> heldOut)
            throws IOException {
        Map<String, String> provenance = provenance(set, heldOut);
        List<CheckpointFinisher.Seen> seen = new ArrayList<>();
        for (MapFitting.Judge judge : judges) {
            seen.add(new CheckpointFinisher.Seen(
                    images.framesOf(judge.images(), spool),
                    judge.tensors().isEmpty()
                            ? null
                            : draft -> write(draft, network.weights().with(judge.tensors()), provenance)));
        }
        Path out = options.output().checkpoint();
        CheckpointInfo info = new CheckpointFinisher(
                        out, options.machine().threads(), options.session().progress())
                .run(heldOut, seen, options.calibration(), draft -> write(draft, network.weights(), provenance));
        Map<String, Integer> held = new TreeMap<>();
        heldOut.forEach((category, frames) -> held.put(category, frames.size()));
        return new FitResult(
                out,
                info,
                network.run().step(),
                network.epochs(),
                images.count(),
                held,
                set.skipped(),
                network.run().firstLoss(),
                network.run().lastLoss(),
                network.secondsPerImage());
    }

    private void write(Path draft, Weights weights, Map<String, String> provenance) throws IOException {
        Checkpoints.write(
                draft,
                new MmadModel(start.config(), weights, start.encoder()),
                CheckpointFinisher.UNCALIBRATED,
                provenance);
    }

    private Map<String, String> provenance(TrainingSet set, Map<String, List<byte[]>> heldOut) {
        Map<String, String> provenance = set.provenance(images.count(), heldOut);
        provenance.put("preset", start.config().preset());
        if (start.parent() != null)
            provenance.put("parent", start.parent().info().version());
        provenance.put("recipe", options.network().recipe().name().toLowerCase(Locale.ROOT));
        provenance.put("command", options.session().command());
        FeatureType precision = options.features().precision();
        if (precision != FeatureType.FLOAT32)
            provenance.put("cachePrecision", precision.name().toLowerCase(Locale.ROOT));
        if (options.network().mapOnly()) inheritTraining(provenance);
        else describeTraining(provenance);
        return provenance;
    }

    /** The network came about as that of the checkpoint did. */
    private void inheritTraining(Map<String, String> provenance) {
        provenance.put("mapOnly", "true");
        start.parent().info().properties().forEach((key, value) -> {
            if (key.startsWith(Checkpoints.PROVENANCE_PREFIX))
                provenance.putIfAbsent(key.substring(Checkpoints.PROVENANCE_PREFIX.length()), value);
        });
    }

    /** How the network came about. */
    private void describeTraining(Map<String, String> provenance) {
        FitOptions.Training training = options.training();
        RunState run = network.run();
        provenance.put("seed", String.valueOf(training.seed()));
        provenance.put("batch", String.valueOf(training.batch()));
        provenance.put("learningRate", String.valueOf(training.learningRate()));
        provenance.put("steps", String.valueOf(run.step()));
        provenance.put("epochs", String.format(Locale.ROOT, "%.2f", network.epochs()));
        provenance.put("loss", String.format(Locale.ROOT, "%.6f", run.lastLoss()));
        provenance.put("schedule", training.schedule().name().toLowerCase(Locale.ROOT));
        if (training.warmup() > 0) provenance.put("warmup", String.valueOf(training.warmup()));
        if (options.data().balance()) provenance.put("balance", "true");
        if (images.copies() > 0)
            provenance.put("augment", Augmentation.name(options.data().augment()) + " x" + images.copies());
        if (run.bestStep() >= 0) {
            provenance.put("validationLoss", String.format(Locale.ROOT, "%.6f", run.bestLoss));
            provenance.put("weightsOfStep", String.valueOf(run.bestStep()));
        }
        provenance.put("trainingSeconds", String.format(Locale.ROOT, "%.0f", run.trained));
    }
}
