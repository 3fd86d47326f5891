package io.linesight.trainer.fit;

import io.linesight.mmad.architecture.Weights;
import io.linesight.mmad.runtime.Device;
import io.linesight.mmad.scan.ScanVectors;
import io.linesight.trainer.dataset.FrameSpool;
import io.linesight.trainer.dataset.ImageReading;
import io.linesight.trainer.dataset.TrainingSet;
import io.linesight.trainer.features.FeatureStore;
import io.linesight.trainer.folders.DatasetException;
import io.linesight.trainer.folders.ImageSource;
import io.linesight.trainer.torch.SelectiveScan;
import io.linesight.trainer.torch.Torch;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Trains one unified model on normal images of all categories and writes a checkpoint that the scorer loads: encoder
 * features once through ONNX Runtime, fuser and decoder in libtorch, thresholds per product from normals held out of
 * training.
 */
public final class Fit {
    private static final Logger LOG = LoggerFactory.getLogger(Fit.class);

    private final FitOptions options;
    private final ImageSource source;
    private final PrintStream out;
    private final long startNanos = System.nanoTime();

    private Fit(FitOptions options) {
        this.options = options;
        this.source = Objects.requireNonNull(options.data().source(), "no images to learn from");
        this.out = options.session().progress();
    }

    /**
     * Trains. Uses all processors unless told otherwise; heap needs stay below 1 GB, native memory grows with batch and
     * preset.
     *
     * @throws IllegalArgumentException naming every problem of the options
     * @throws DatasetException when there is nothing to learn from or images cannot be read; names them
     * @throws IOException when a file cannot be written; an existing checkpoint stays as it was
     * @throws IllegalStateException when training diverges
     * @throws CancellationException when {@link FitOptions.Session#stopWhen} says so; nothing was written, except to
     *     the run folder where there is one
     */
    public static FitResult run(FitOptions options) throws IOException {
        options.validate();
        return new Fit(options).run();
    }

    /**
     * Has scoring and training use vectors of one width in this process, without which the one that comes second is
     * some thirty times slower (see {@link ScanVectors}). Whoever opens a checkpoint before training begins calls this
     * first.
     */
    public static void shareProcess() {
        if (!ScanVectors.limit(SelectiveScan.VECTOR_BITS)) {
            LOG.warn("A checkpoint was opened with wider vectors than training uses; training will be very slow in "
                    + "this process. Train in a process of its own");
        }
    }

    private FitResult run() throws IOException {
        shareProcess();
        boolean validating = options.training().stopsEarly();
        TrainingSet set = TrainingSet.of(source, options.data().rules().skipUnreadable(), out, validating);
        if (validating && set.validation().values().stream().allMatch(List::isEmpty))
            throw new DatasetException(
                    "there are too few normal images to set some apart for early stopping; train without it");
        Files.createDirectories(options.output().checkpoint().toAbsolutePath().getParent());
        Torch.start(options.machine().threads());
        chooseDevice();
        StartingPoint start = StartingPoint.of(options.network());
        checkMemory(start, set);
        try (SavedRun saved = options.output().runFolder() == null
                ? null
                : SavedRun.open(options.output().runFolder())) {
            if (saved != null && options.output().fresh()) saved.clear();
            FitResult result = fit(start, set, saved);
            if (saved != null) saved.finished();
            return result;
        }
    }

    private void chooseDevice() {
        Device device = Device.parse(options.machine().device());
        boolean cuda = device.kind() == Device.Kind.CUDA || device.kind() == Device.Kind.AUTO && Torch.cudaAvailable();
        if (device.kind() == Device.Kind.AUTO && !cuda) out.println("training on the CPU: libtorch has no GPU here");
        if (cuda) {
            Torch.useCuda(device.index());
            out.println("training on " + Torch.device() + ", which has not been tried on any GPU yet: watch the loss");
        } else {
            Torch.useCpu();
        }
    }

    private void checkMemory(StartingPoint start, TrainingSet set) {
        String preset = start.config().preset();
        int batch = Math.min(options.training().batch(), set.size());
        String scarce = MemoryNeed.check(preset, batch, MemoryNeed.total(), MemoryNeed.available());
        if (scarce != null) out.println(scarce);
        if (!options.data().rules().survey()) return;
        long images = (long) set.size() * (1 + options.data().copies()) + ImageReading.sizeOf(set.validation());
        long disk = FeatureStore.imageBytes(start.encoder(), options.features().precision()) * images;
        out.println(String.format(
                Locale.ROOT,
                "memory: about %s for %s with batch %d; disk: %s of features while it trains",
                MemoryNeed.text(MemoryNeed.estimate(preset, batch)),
                preset,
                batch,
                MemoryNeed.text(disk >> 20)));
    }

    /** Reads, encodes, trains, writes. */
    private FitResult fit(StartingPoint wanted, TrainingSet set, @Nullable SavedRun saved) throws IOException {
        int frames = set.size() + ImageReading.sizeOf(set.validation());
        try (FrameSpool spool = FrameSpool.create(options.output().temporary(), frames)) {
            ImageReading.Result read = read(set, spool);
            LearnedImages images = LearnedImages.of(read, options.data().copies());
            // Only now it is known which categories have an image that can be read.
            StartingPoint start = wanted.withCategories(images.sizes().size());
            ResumePoint resume = ResumePoint.of(saved, ResumePoint.settings(options, start, set, images));
            try (EncodedImages encoded = EncodedImages.of(
                    options, start.encoder(), spool, images, saved == null ? null : saved.features())) {
                TrainedNetwork network = network(start, images, encoded, resume);
                List<MapFitting.Judge> judges = MapFitting.fit(
                        start.config(),
                        network.weights(),
                        encoded.training(),
                        images,
                        options.training().seed(),
                        out);
                return new CheckpointWriting(options, start, network, images)
                        .write(judges, set, spool, read.calibrationFrames());
            }
        }
    }

    /** Decodes every image, and names what is wrong with them before anything costly begins. */
    private ImageReading.Result read(TrainingSet set, FrameSpool spool) throws IOException {
        String unevenAdvice = options.data().balance()
                ? null
                : "the model will be better at the former. --balance shows it every category equally often";
        return ImageReading.of(
                source,
                set,
                spool,
                new ImageReading.Context(
                        options.data().rules(),
                        unevenAdvice,
                        out,
                        options.session().stopWhen()));
    }

    private TrainedNetwork network(StartingPoint start, LearnedImages images, EncodedImages encoded, ResumePoint resume)
            throws IOException {
        Weights weights = resume.weights(start.specs());
        if (weights == null) weights = start.weights(options.training().seed(), encoded.training());
        TrainingLoop.Task task = new TrainingLoop.Task(
                options, start.config(), start.specs(), weights, images, encoded, resume, startNanos);
        return options.network().mapOnly()
                ? new TrainedNetwork(weights, new RunState(), task.batch(), task.perEpoch())
                : TrainingLoop.run(task);
    }
}
