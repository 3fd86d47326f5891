package io.linesight.trainer.patchcore;

import io.linesight.mmad.architecture.PatchBank;
import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.Checkpoints;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.encoder.FilterBankEncoder;
import io.linesight.mmad.encoder.FrameSession;
import io.linesight.mmad.graph.MmadGraph;
import io.linesight.mmad.graph.PatchCoreGraph;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.trainer.calibration.CheckpointFinisher;
import io.linesight.trainer.dataset.FrameSpool;
import io.linesight.trainer.dataset.ImageReading;
import io.linesight.trainer.dataset.Progress;
import io.linesight.trainer.dataset.TrainingSet;
import io.linesight.trainer.fit.FitOptions;
import io.linesight.trainer.folders.DatasetException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ForkJoinPool;

/**
 * PatchCore (Roth et al. 2022) on normal pictures of all categories: their patches, thinned out to a bank, are the
 * model, and a patch is as anomalous as it is far from the bank. One bank for all categories, with as much room for one
 * as for another; which category a frame is of is not asked. Nothing is trained, so it takes minutes where MMAD takes
 * hours, and it is what MMAD has to be better than.
 */
public final class PatchCoreFit {
    /** Dimensions in which the bank is chosen, as published. */
    private static final int PROJECTED = 128;

    private static final int BATCH = 8;

    private final PatchCoreOptions options;
    private final long start = System.nanoTime();
    /** Candidates in the store per category, in its order. */
    private final List<Integer> sizes = new ArrayList<>();

    private int images;

    private PatchCoreFit(PatchCoreOptions options) {
        this.options = options;
    }

    /**
     * Fits. Uses all processors unless told otherwise.
     *
     * @throws DatasetException when there is nothing to learn from, or pictures cannot be read or are not fit to learn
     *     from; names them before any work
     * @throws IOException when a file cannot be written; an existing checkpoint stays as it was
     */
    public static PatchCoreResult run(PatchCoreOptions options) throws IOException {
        return new PatchCoreFit(options).run();
    }

    private PatchCoreResult run() throws IOException {
        TrainingSet set = TrainingSet.of(options.source, options.skipUnreadable, options.progress);
        Path folder = options.out.toAbsolutePath().getParent();
        Files.createDirectories(folder);
        Encoder encoder = options.encoder == null ? FilterBankEncoder.create() : options.encoder;
        try (FrameSpool spool = FrameSpool.create(options.workDir, set.size())) {
            ImageReading.Result read = ImageReading.of(
                    options.source,
                    set,
                    spool,
                    new ImageReading.Rules(
                            options.survey,
                            "the bank has as much room for one as for the other, so the former's is thinned out far more",
                            options.allowLeakage,
                            options.allowFew,
                            options.progress,
                            () -> false));
            try (CandidateStore store =
                    CandidateStore.create(options.workDir, PatchCoreGraph.channels(encoder), options.candidates)) {
                collect(encoder, spool, read.sizes(), store);
                PatchBank bank = choose(store);
                return write(bank, encoder, set, read.calibrationFrames(), store.size());
            }
        }
    }

    /** @param pictures in the spool, by category */
    private void collect(Encoder encoder, FrameSpool spool, List<Integer> pictures, CandidateStore store)
            throws IOException {
        int channels = PatchCoreGraph.channels(encoder);
        int[] shares = Shares.of(
                options.candidates,
                pictures.stream()
                        .mapToLong(n -> (long) n * PatchCoreGraph.PATCH_COUNT)
                        .toArray());
        // Patches by the same operators that the checkpoint will serve with.
        try (FrameSession session = FrameSession.open(
                        "encoder '" + encoder.name() + "'",
                        PatchCoreGraph.patches(encoder),
                        MmadGraph.FRAMES,
                        List.of(PatchCoreGraph.PATCHES),
                        ScorerOptions.defaults().withDevice("cpu").withThreads(options.threads));
                Progress progress = new Progress(options.progress, "encode")) {
            for (int c = 0; c < shares.length; c++) {
                int size = pictures.get(c);
                int before = store.size();
                for (int from = 0; from < size; from += BATCH) {
                    List<byte[]> frames = new ArrayList<>();
                    for (int i = from; i < Math.min(size, from + BATCH); i++)
                        frames.add(spool.get(images + frames.size()));
                    float[] patches = session.run(frames)[0];
                    for (int i = 0; i < frames.size(); i++) {
                        // As many of one picture as of another, to within one.
                        int wanted =
                                (int) ((long) (from + i + 1) * shares[c] / size - (long) (from + i) * shares[c] / size);
                        for (int p : drawn(wanted, new SplittableRandom(options.seed * 1_000_003 + images)))
                            store.add(patches, (i * PatchCoreGraph.PATCH_COUNT + p) * channels);
                        images++;
                    }
                    progress.update((double) images / spool.size(), images + " of " + spool.size() + " images");
                }
                sizes.add(store.size() - before);
            }
        }
    }

    /** Different places of an image, in order. */
    private static int[] drawn(int wanted, SplittableRandom random) {
        int[] places = new int[PatchCoreGraph.PATCH_COUNT];
        for (int i = 0; i < places.length; i++) places[i] = i;
        for (int i = 0; i < wanted; i++) {
            int j = random.nextInt(i, places.length);
            int swapped = places[i];
            places[i] = places[j];
            places[j] = swapped;
        }
        int[] first = Arrays.copyOf(places, wanted);
        Arrays.sort(first);
        return first;
    }

    private PatchBank choose(CandidateStore store) throws IOException {
        if (store.size() < PatchBank.LEAST)
            throw new DatasetException("there are too few patches of normal pictures to choose from: " + store.size());
        float[] shift = store.mean();
        int channels = shift.length;
        Projection projection = new Projection(channels, PROJECTED, new SplittableRandom(options.seed));
        int[] shares = Shares.of(
                options.bank, sizes.stream().mapToLong(Integer::longValue).toArray());
        double total = 0;
        for (int c = 0; c < shares.length; c++) total += (double) shares[c] * sizes.get(c);
        List<float[]> chosen = new ArrayList<>();
        ForkJoinPool pool = new ForkJoinPool(
                options.threads > 0 ? options.threads : Runtime.getRuntime().availableProcessors());
        try (Progress progress = new Progress(options.progress, "choose")) {
            progress.say(String.format(
                    Locale.ROOT,
                    "choosing %,d of %,d patches of %d images (%d categories)",
                    Arrays.stream(shares).sum(),
                    store.size(),
                    images,
                    shares.length));
            long begun = System.nanoTime();
            double done = 0;
            int first = 0;
            for (int c = 0; c < shares.length; c++) {
                int size = sizes.get(c);
                if (size == 0) continue;
                Coreset coreset = new Coreset(size, PROJECTED);
                float[] row = new float[channels];
                for (int i = 0; i < size; i++) {
                    store.read(first + i, row);
                    subtract(row, shift);
                    coreset.put(i, projection.of(row));
                }
                double before = done;
                double whole = total;
                int[] indices = coreset.choose(shares[c], new SplittableRandom(options.seed + c), pool, n -> {
                    double fraction = (before + (double) n * size) / whole;
                    double left = seconds(begun) * (1 - fraction) / fraction;
                    progress.update(fraction, String.format(Locale.ROOT, "about %.0f s left", left));
                });
                for (int i : indices) {
                    float[] vector = new float[channels];
                    store.read(first + i, vector);
                    subtract(vector, shift);
                    chosen.add(vector);
                }
                done += (double) shares[c] * size;
                first += size;
            }
        } finally {
            pool.shutdown();
        }
        if (chosen.size() < PatchBank.LEAST)
            throw new DatasetException("the normal pictures are all of one colour: there is nothing to compare with");
        float[] vectors = new float[chosen.size() * channels];
        for (int i = 0; i < chosen.size(); i++) System.arraycopy(chosen.get(i), 0, vectors, i * channels, channels);
        return new PatchBank(new Tensor(vectors, chosen.size(), channels), new Tensor(shift, channels));
    }

    private static void subtract(float[] vector, float[] shift) {
        for (int k = 0; k < vector.length; k++) vector[k] -= shift[k];
    }

    private PatchCoreResult write(
            PatchBank bank, Encoder encoder, TrainingSet set, Map<String, List<byte[]>> frames, int candidates)
            throws IOException {
        double chosenAfter = seconds(start);
        Map<String, String> provenance = set.provenance(images, frames);
        provenance.put("method", Checkpoints.PATCHCORE);
        provenance.put("recipe", options.recipe.name().toLowerCase(Locale.ROOT));
        provenance.put("bank", String.valueOf(bank.size()));
        provenance.put("candidates", String.valueOf(candidates));
        provenance.put("seed", String.valueOf(options.seed));
        provenance.put("trainingSeconds", String.format(Locale.ROOT, "%.0f", chosenAfter));
        provenance.put("command", options.command);
        PatchCoreGraph.Score score = options.recipe == FitOptions.Recipe.PAPER
                ? PatchCoreGraph.Score.REWEIGHTED
                : PatchCoreGraph.Score.MEAN_OF_LARGEST;
        CheckpointInfo info = new CheckpointFinisher(options.out, options.threads, options.progress)
                .run(
                        frames,
                        List.of(),
                        options.rule,
                        draft -> Checkpoints.write(draft, bank, score, encoder, CheckpointFinisher.UNCALIBRATED, provenance));
        return new PatchCoreResult(options.out, info, images, set.skipped(), candidates, bank.size(), seconds(start));
    }

    private static double seconds(long since) {
        return (System.nanoTime() - since) / 1e9;
    }
}
