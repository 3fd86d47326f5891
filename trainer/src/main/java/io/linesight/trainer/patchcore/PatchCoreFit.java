package io.linesight.trainer.patchcore;

import io.linesight.mmad.architecture.PatchBank;
import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.Checkpoints;
import io.linesight.mmad.checkpoint.PatchCoreModel;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.encoder.FilterBankEncoder;
import io.linesight.mmad.encoder.FrameSession;
import io.linesight.mmad.graph.MmadGraph;
import io.linesight.mmad.graph.PatchCoreGraph;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.mmad.score.OrtScorer;
import io.linesight.mmad.score.Scorer;
import io.linesight.mmad.view.ViewLayouts;
import io.linesight.trainer.calibration.CheckpointFinisher;
import io.linesight.trainer.dataset.FrameSpool;
import io.linesight.trainer.dataset.ImageReading;
import io.linesight.trainer.dataset.Progress;
import io.linesight.trainer.dataset.TrainingSet;
import io.linesight.trainer.fit.FitOptions;
import io.linesight.trainer.folders.DatasetException;
import io.linesight.trainer.folders.ImageSource;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.ForkJoinPool;

/**
 * PatchCore (Roth et al. 2022) on normal images of all categories: their patches, thinned out to a bank, are the model,
 * and a patch is as anomalous as it is far from the bank. One bank for all categories, with as much room for one as for
 * another; which category a frame is of is not asked. Nothing is trained, so it takes minutes where MMAD takes hours,
 * and it is what MMAD has to be better than.
 */
public final class PatchCoreFit {
    /** Dimensions in which the bank is chosen, as published. */
    private static final int PROJECTED = 128;

    private static final int BATCH = 8;
    /** Of a view's pixels that make the score where there are regions or tiles: ten patches of 1,024. */
    private static final double TOP_SHARE = 0.01;

    private final PatchCoreOptions options;
    private final PrintStream progress;
    private final long start = System.nanoTime();
    /** Candidates in the store per category, in its order. */
    private final List<Integer> sizes = new ArrayList<>();

    private ViewLayouts layouts = ViewLayouts.NONE;
    private int images;
    private int views;

    private PatchCoreFit(PatchCoreOptions options) {
        this.options = options;
        this.progress = options.output().progress();
    }

    /**
     * Fits. Uses all processors unless told otherwise.
     *
     * @throws IllegalArgumentException naming every problem of the options
     * @throws DatasetException when there is nothing to learn from, or images cannot be read or are not fit to learn
     *     from; names them before any work
     * @throws IOException when a file cannot be written; an existing checkpoint stays as it was
     */
    public static PatchCoreResult run(PatchCoreOptions options) throws IOException {
        options.validate();
        return new PatchCoreFit(options).run();
    }

    private PatchCoreResult run() throws IOException {
        ImageSource source = Objects.requireNonNull(options.source(), "no images to learn from");
        TrainingSet set = TrainingSet.of(source, options.rules().skipUnreadable(), progress);
        Files.createDirectories(options.output().checkpoint().toAbsolutePath().getParent());
        Encoder encoder = options.encoder() == null ? FilterBankEncoder.create() : options.encoder();
        layouts = options.views().layouts(set, encoder, TOP_SHARE, progress);
        set.lookBy(layouts);
        Path workDir = options.output().workDir();
        long all = set.training().entrySet().stream()
                .mapToLong(e -> (long) e.getValue().size() * layouts.views(e.getKey()))
                .sum();
        try (FrameSpool spool = FrameSpool.create(workDir, set.size(), all)) {
            ImageReading.Result read = ImageReading.of(
                    source,
                    set,
                    spool,
                    new ImageReading.Context(
                            options.rules(),
                            "the bank has as much room for one as for the other, so the former's is thinned out "
                                    + "far more",
                            progress,
                            () -> false));
            try (CandidateStore store = CandidateStore.create(
                    workDir, PatchCoreGraph.channels(encoder), options.bank().candidates())) {
                collect(encoder, spool, read, store);
                PatchBank bank = choose(store);
                return write(bank, encoder, set, read.calibrationFrames(), store.size());
            }
        }
    }

    private void collect(Encoder encoder, FrameSpool spool, ImageReading.Result read, CandidateStore store)
            throws IOException {
        List<Integer> counts = new ArrayList<>();
        for (int c = 0; c < read.sizes().size(); c++)
            counts.add(read.sizes().get(c) * layouts.views(read.categories().get(c)));
        int[] shares = Shares.of(
                options.bank().candidates(),
                counts.stream()
                        .mapToLong(n -> (long) n * PatchCoreGraph.PATCH_COUNT)
                        .toArray());
        // Patches by the same operators that the checkpoint will serve with.
        try (FrameSession session = FrameSession.open(
                        "encoder '" + encoder.name() + "'",
                        PatchCoreGraph.patches(encoder),
                        MmadGraph.FRAMES,
                        List.of(PatchCoreGraph.PATCHES),
                        ScorerOptions.defaults().withDevice("cpu").withThreads(options.threads()));
                Progress bar = new Progress(progress, "encode")) {
            for (int c = 0; c < shares.length; c++) {
                int before = store.size();
                int each = layouts.views(read.categories().get(c));
                collectCategory(session, new Shown(spool, images, each), counts.get(c), shares[c], store, bar);
                images += counts.get(c) / each;
                sizes.add(store.size() - before);
            }
        }
    }

    /**
     * The views of a category's images, in the order of the images.
     *
     * @param first number of its first image in the spool
     * @param each views of an image
     */
    private record Shown(FrameSpool spool, int first, int each) {
        byte[] get(int n) throws IOException {
            return spool.view(first + n / each, n % each);
        }
    }

    private void collectCategory(
            FrameSession session, Shown shown, int size, int share, CandidateStore store, Progress bar)
            throws IOException {
        for (int from = 0; from < size; from += BATCH) {
            List<byte[]> frames = new ArrayList<>();
            for (int i = from; i < Math.min(size, from + BATCH); i++) frames.add(shown.get(i));
            float[] patches = session.run(frames)[0];
            int channels = patches.length / (frames.size() * PatchCoreGraph.PATCH_COUNT);
            for (int i = 0; i < frames.size(); i++) {
                // As many of one image as of another, to within one.
                int wanted = (int) ((long) (from + i + 1) * share / size - (long) (from + i) * share / size);
                long seed = options.bank().seed() * 1_000_003 + views;
                for (int p : drawn(wanted, new SplittableRandom(seed)))
                    store.add(patches, (i * PatchCoreGraph.PATCH_COUNT + p) * channels);
                views++;
            }
            int done = shown.first + (from + frames.size()) / shown.each;
            int of = shown.spool.size();
            bar.update((double) done / of, done + " of " + of + " images");
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
        if (store.size() < PatchBank.MIN_PATCHES)
            throw new DatasetException("there are too few patches of normal images to choose from: " + store.size());
        float[] shift = store.mean();
        int[] shares = Shares.of(
                options.bank().size(),
                sizes.stream().mapToLong(Integer::longValue).toArray());
        double total = 0;
        for (int c = 0; c < shares.length; c++) total += (double) shares[c] * sizes.get(c);
        List<float[]> chosen = new ArrayList<>();
        ForkJoinPool pool = new ForkJoinPool(
                options.threads() > 0 ? options.threads() : Runtime.getRuntime().availableProcessors());
        try (Progress bar = new Progress(progress, "choose")) {
            bar.say(String.format(
                    Locale.ROOT,
                    "choosing %,d of %,d patches of %d images (%d categories)",
                    Arrays.stream(shares).sum(),
                    store.size(),
                    images,
                    shares.length));
            Choice choice = new Choice(store, shift, pool, bar, total);
            int first = 0;
            for (int c = 0; c < shares.length; c++) {
                choice.addCategory(c, first, sizes.get(c), shares[c], chosen);
                first += sizes.get(c);
            }
        } finally {
            pool.shutdown();
        }
        if (chosen.size() < PatchBank.MIN_PATCHES)
            throw new DatasetException("the normal images are all of one colour: there is nothing to compare with");
        int channels = shift.length;
        float[] vectors = new float[chosen.size() * channels];
        for (int i = 0; i < chosen.size(); i++) System.arraycopy(chosen.get(i), 0, vectors, i * channels, channels);
        return new PatchBank(new Tensor(vectors, chosen.size(), channels), new Tensor(shift, channels));
    }

    /** Chooses category after category from the candidates, and shows how far it is. */
    private final class Choice {
        private final CandidateStore store;
        private final float[] shift;
        private final ForkJoinPool pool;
        private final Progress bar;
        private final double total;
        private final Projection projection;
        private final long begun = System.nanoTime();
        private double done;

        /** @param total work of all categories: patches to choose times candidates */
        Choice(CandidateStore store, float[] shift, ForkJoinPool pool, Progress bar, double total) {
            this.store = store;
            this.shift = shift;
            this.pool = pool;
            this.bar = bar;
            this.total = total;
            projection = new Projection(
                    shift.length, PROJECTED, new SplittableRandom(options.bank().seed()));
        }

        void addCategory(int category, int first, int size, int share, List<float[]> chosen) throws IOException {
            if (size == 0) return;
            Coreset coreset = new Coreset(size, PROJECTED);
            for (int i = 0; i < size; i++) coreset.put(i, projection.of(centred(first + i)));
            SplittableRandom random = new SplittableRandom(options.bank().seed() + category);
            double before = done;
            for (int i : coreset.choose(share, random, pool, n -> report(before + (double) n * size)))
                chosen.add(centred(first + i));
            done += (double) share * size;
        }

        private float[] centred(int candidate) throws IOException {
            float[] vector = new float[shift.length];
            store.read(candidate, vector);
            subtract(vector, shift);
            return vector;
        }

        private void report(double now) {
            double fraction = now / total;
            double left = seconds(begun) * (1 - fraction) / fraction;
            bar.update(fraction, String.format(Locale.ROOT, "about %.0f s left", left));
        }
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
        provenance.put("recipe", options.recipe().name().toLowerCase(Locale.ROOT));
        provenance.put("bank", String.valueOf(bank.size()));
        provenance.put("candidates", String.valueOf(candidates));
        provenance.put("seed", String.valueOf(options.bank().seed()));
        provenance.put("trainingSeconds", String.format(Locale.ROOT, "%.0f", chosenAfter));
        provenance.put("command", options.output().command());
        PatchCoreGraph.Score score = options.recipe() == FitOptions.Recipe.PAPER
                ? PatchCoreGraph.Score.REWEIGHTED
                : PatchCoreGraph.Score.MEAN_OF_LARGEST;
        Path out = options.output().checkpoint();
        PatchCoreModel model = new PatchCoreModel(bank, score, encoder);
        provenance.putAll(measured(model, frames).properties());
        CheckpointInfo info = new CheckpointFinisher(out, options.threads(), progress)
                .run(
                        frames,
                        List.of(),
                        options.calibration(),
                        draft -> Checkpoints.write(draft, model, CheckpointFinisher.UNCALIBRATED, provenance));
        return new PatchCoreResult(out, info, images, set.skipped(), candidates, bank.size(), seconds(start));
    }

    /** The layouts with what is normal in each view: distances in a tile are not those in the whole. */
    private ViewLayouts measured(PatchCoreModel model, Map<String, List<byte[]>> frames) throws IOException {
        if (layouts.isEmpty()) return layouts;
        Path out = options.output().checkpoint();
        Path draft = Files.createTempFile(out.toAbsolutePath().getParent(), "unmeasured-", ".onnx");
        try {
            Checkpoints.write(draft, model, CheckpointFinisher.UNCALIBRATED, Map.of());
            try (Scorer scorer = OrtScorer.open(
                    draft, ScorerOptions.defaults().withDevice("cpu").withThreads(options.threads()))) {
                return layouts.withLevels(ViewLevels.measure(scorer, layouts, frames));
            }
        } finally {
            Files.deleteIfExists(draft);
        }
    }

    private static double seconds(long since) {
        return (System.nanoTime() - since) / 1e9;
    }
}
