package io.linesight.trainer.retrieval;

import io.linesight.mmad.architecture.ImageMemory;
import io.linesight.mmad.architecture.PatchMemory;
import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.Checkpoints;
import io.linesight.mmad.checkpoint.RememberedImage;
import io.linesight.mmad.checkpoint.RetrievalModel;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.encoder.FilterBankEncoder;
import io.linesight.mmad.encoder.FrameSession;
import io.linesight.mmad.graph.MmadGraph;
import io.linesight.mmad.graph.RetrievalGraph;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.mmad.view.ViewLayout;
import io.linesight.mmad.view.ViewLayouts;
import io.linesight.trainer.calibration.CheckpointFinisher;
import io.linesight.trainer.calibration.Groups;
import io.linesight.trainer.dataset.FrameSpool;
import io.linesight.trainer.dataset.ImageReading;
import io.linesight.trainer.dataset.Progress;
import io.linesight.trainer.dataset.TrainingSet;
import io.linesight.trainer.folders.DatasetException;
import io.linesight.trainer.folders.ImageSource;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Retrieval on normal images of all products: the images themselves are the model, and a patch of a frame is as
 * anomalous as it is far from all patches near its place in the images that are most like the frame. Nothing is
 * trained, so it takes a little more than one pass of the encoder.
 */
public final class RetrievalFit {
    /** What a checkpoint can hold, with room for the encoder: an ONNX file ends at 2 GB. */
    private static final long MAX_BYTES = 1_700_000_000L;

    private static final int BATCH = 8;

    private final RetrievalOptions options;
    private final PrintStream progress;
    private final Encoder encoder;
    private final int threads;
    private final long start = System.nanoTime();
    private ViewLayouts layouts = ViewLayouts.NONE;

    private RetrievalFit(RetrievalOptions options) {
        this.options = options;
        progress = options.output().progress();
        encoder = options.encoder() == null ? FilterBankEncoder.create() : options.encoder();
        threads =
                options.threads() > 0 ? options.threads() : Runtime.getRuntime().availableProcessors();
    }

    /**
     * Fits. Uses all processors unless told otherwise. Memory: that of the checkpoint, three times.
     *
     * @throws IllegalArgumentException naming every problem of the options
     * @throws DatasetException when there is nothing to learn from, images cannot be read or are not fit to learn from,
     *     or they are more than a checkpoint can hold
     * @throws IOException when a file cannot be written; an existing checkpoint stays as it was
     */
    public static RetrievalResult run(RetrievalOptions options) throws IOException {
        options.validate();
        return new RetrievalFit(options).run();
    }

    /** Images by number in the spool, with their products' numbers and names. */
    private record Images(ImageReading.Result read, int[] products) {
        static Images of(ImageReading.Result read) {
            int[] products = new int[read.training()];
            int at = 0;
            for (int p = 0; p < read.sizes().size(); p++)
                for (int i = 0; i < read.sizes().get(p); i++) products[at++] = p;
            return new Images(read, products);
        }

        String product(int image) {
            return read.categories().get(products[image]);
        }
    }

    private RetrievalResult run() throws IOException {
        ImageSource source = Objects.requireNonNull(options.source(), "no images to learn from");
        TrainingSet set = TrainingSet.of(source, options.rules().skipUnreadable(), progress);
        layouts = options.views().layouts(set, encoder, RetrievalGraph.TOP_SHARE, progress);
        set.lookBy(layouts);
        ensureRoom(set);
        Files.createDirectories(options.output().checkpoint().toAbsolutePath().getParent());
        long views = set.training().entrySet().stream()
                .mapToLong(e -> (long) e.getValue().size() * layouts.views(e.getKey()))
                .sum();
        try (FrameSpool spool = FrameSpool.create(options.output().workDir(), set.size(), views)) {
            Images images = Images.of(ImageReading.of(
                    source, set, spool, new ImageReading.Context(options.rules(), null, progress, () -> false)));
            int[] kept = chosen(images, spool);
            Shown shown = Shown.of(images, kept, layouts);
            List<Tensor> projections = options.memory().dimensions() == 0
                    ? List.of()
                    : new Projections(encoder, options.memory().dimensions())
                            .fit(shown.size(), n -> shown.frame(n, spool), threads);
            Remembered remembered = remember(images, shown, projections, spool);
            return write(remembered, images, kept, set, spool);
        }
    }

    /** Says so before the encoder runs for an hour. */
    private void ensureRoom(TrainingSet set) {
        long images = 0;
        long views = 0;
        long viewsOfOne = 0;
        for (Map.Entry<String, List<ImageSource.Sample>> e : set.training().entrySet()) {
            long own = Math.min(e.getValue().size(), options.memory().images());
            images += own;
            views += own * layouts.views(e.getKey());
            viewsOfOne += layouts.views(e.getKey());
        }
        long each = bytesPerView();
        if (views * each <= MAX_BYTES) return;
        long fit = Math.max(1, MAX_BYTES / each / viewsOfOne);
        throw new DatasetException(String.format(
                Locale.ROOT,
                "%d images%s take %.1f GB as this encoder sees them, and a checkpoint holds %.1f: remember fewer "
                        + "(--memory-images %d), or in fewer dimensions (--memory-dimensions 64). Nothing was done",
                images,
                layouts.isEmpty() ? "" : " (" + views + " views)",
                views * each / 1e9,
                MAX_BYTES / 1e9,
                fit));
    }

    private long bytesPerView() {
        long bytes = 0;
        for (int s = 0; s < ImageMemory.STRIDES; s++)
            bytes += PatchMemory.bytes(1, dimensions(s), RetrievalGraph.side(s));
        return bytes;
    }

    private int dimensions(int scale) {
        int channels = RetrievalGraph.channels(encoder, scale);
        int wanted = options.memory().dimensions();
        return wanted == 0 ? channels : Math.min(wanted, channels);
    }

    /** Images to remember, by number in the spool. */
    private int[] chosen(Images images, FrameSpool spool) throws IOException {
        int most = options.memory().images();
        if (images.read.sizes().stream().allMatch(n -> n <= most))
            return IntStream.range(0, images.products.length).toArray();
        float[][] means = new float[images.products.length][];
        encode(
                means.length,
                n -> spool.view(n, 0),
                List.of(),
                List.of(RetrievalGraph.MEAN),
                "look",
                (n, outputs, i) -> means[n] = row(outputs[0], i, RetrievalGraph.channels(encoder, 1)));
        MeanFeatures features = MeanFeatures.of(means);
        ForkJoinPool pool = new ForkJoinPool(threads);
        try {
            List<int[]> parts = new ArrayList<>();
            int first = 0;
            for (int size : images.read.sizes()) {
                parts.add(features.representatives(
                        first, first + size, most, options.memory().seed(), pool));
                first += size;
            }
            return parts.stream().flatMapToInt(Arrays::stream).toArray();
        } finally {
            pool.shutdown();
        }
    }

    /**
     * What the memory holds: the images themselves, then the tiles of each.
     *
     * @param images of each view its image, by number in the spool
     * @param views of each which view of the image it is
     * @param kept of each its image's place among those that are kept
     * @param places of each its place, by {@link ViewLayouts#place}; null where there are no tiles
     * @param classes of each what it is normal among: others of its product and place
     */
    private record Shown(int[] images, int[] views, int[] kept, int @Nullable [] places, int[] classes) {
        static Shown of(Images images, int[] kept, ViewLayouts layouts) {
            List<int[]> all = new ArrayList<>();
            int products = images.read.categories().size();
            boolean tiled = false;
            for (int k = 0; k < kept.length; k++) all.add(new int[] {kept[k], 0, k, 0, images.products[kept[k]]});
            for (int k = 0; k < kept.length; k++) {
                String product = images.product(kept[k]);
                for (int v = 1; v < layouts.views(product); v++) {
                    int place = layouts.place(product, v);
                    all.add(new int[] {kept[k], v, k, place, products + place - 1});
                    tiled = true;
                }
            }
            return new Shown(
                    column(all, 0), column(all, 1), column(all, 2), tiled ? column(all, 3) : null, column(all, 4));
        }

        private static int[] column(List<int[]> rows, int c) {
            return rows.stream().mapToInt(r -> r[c]).toArray();
        }

        int size() {
            return images.length;
        }

        byte[] frame(int n, FrameSpool spool) throws IOException {
            return spool.view(images[n], views[n]);
        }
    }

    /**
     * The memory, the features that it finds images by, what images belong together, of everything in the memory the
     * fold that it is left out with, and by fold what is normal without it.
     */
    private record Remembered(
            ImageMemory memory,
            MeanFeatures means,
            ImageGroups groups,
            int[] folds,
            List<List<Tensor>> levelsWithout) {}

    private Remembered remember(Images images, Shown shown, List<Tensor> projections, FrameSpool spool)
            throws IOException {
        int count = shown.size();
        List<PatchMemory> strides = new ArrayList<>();
        for (int s = 0; s < ImageMemory.STRIDES; s++)
            strides.add(PatchMemory.create(count, dimensions(s), RetrievalGraph.side(s)));
        float[][] means = new float[count][];
        encode(
                count,
                n -> shown.frame(n, spool),
                projections,
                List.of(RetrievalGraph.patches(0), RetrievalGraph.patches(1), RetrievalGraph.MEAN),
                "encode",
                (n, outputs, i) -> {
                    for (int s = 0; s < ImageMemory.STRIDES; s++) {
                        PatchMemory p = strides.get(s);
                        p.remember(n, outputs[s], i * p.paddedChannels() * p.places());
                    }
                    means[n] = row(outputs[2], i, RetrievalGraph.channels(encoder, 1));
                });
        MeanFeatures features = MeanFeatures.of(means);
        int neighbours = options.memory().neighbours();
        // Tiles come after the images, and are left out with theirs.
        int[] whole = IntStream.range(0, count)
                .filter(n -> shown.views[n] == 0)
                .map(n -> shown.images[n])
                .toArray();
        ImageGroups groups = ImageGroups.of(
                IntStream.of(whole).mapToObj(i -> images.read.names().get(i)).toList(),
                IntStream.of(whole).map(i -> images.products[i]).toArray(),
                features,
                options.groupBy());
        progress.println("comparing the images with each other: what is normal at which place");
        int[] folds = IntStream.of(shown.kept).map(k -> groups.folds()[k]).toArray();
        NormalLevels levels =
                new NormalLevels(strides, features, shown.classes, folds, shown.places, neighbours, threads);
        ImageMemory.Lookup lookup =
                new ImageMemory.Lookup(features.shift(), features.scale(), features.rows(), neighbours, shown.places);
        return new Remembered(
                new ImageMemory(strides, projections, lookup, shown.classes, levels.fit()),
                features,
                groups,
                folds,
                IntStream.range(0, ImageGroups.FOLDS).mapToObj(levels::without).toList());
    }

    /** Takes one image's outputs: its number, the batch's outputs, and which of them is its. */
    private interface Encoded {
        void take(int n, float[][] outputs, int i) throws IOException;
    }

    /** Gives the frame of an image. */
    interface Frames {
        byte[] get(int n) throws IOException;
    }

    private void encode(
            int count, Frames images, List<Tensor> projections, List<String> outputs, String task, Encoded encoded)
            throws IOException {
        try (FrameSession session = FrameSession.open(
                        "encoder '" + encoder.name() + "'",
                        RetrievalGraph.features(encoder, projections),
                        MmadGraph.FRAMES,
                        outputs,
                        ScorerOptions.defaults().withDevice("cpu").withThreads(options.threads()));
                Progress bar = new Progress(progress, task)) {
            for (int from = 0; from < count; from += BATCH) {
                List<byte[]> frames = new ArrayList<>();
                for (int i = from; i < Math.min(count, from + BATCH); i++) frames.add(images.get(i));
                float[][] values = session.run(frames);
                for (int i = 0; i < frames.size(); i++) encoded.take(from + i, values, i);
                int done = from + frames.size();
                bar.update((double) done / count, done + " of " + count + (layouts.isEmpty() ? " images" : " views"));
            }
        }
    }

    private static float[] row(float[] values, int i, int size) {
        return Arrays.copyOfRange(values, i * size, (i + 1) * size);
    }

    private RetrievalResult write(Remembered remembered, Images images, int[] kept, TrainingSet set, FrameSpool spool)
            throws IOException {
        Thumbnails thumbnails = new Thumbnails(kept.length);
        List<RememberedImage> named = new ArrayList<>();
        for (int image : kept)
            named.add(new RememberedImage(
                    images.product(image), images.read.names().get(image), thumbnails.of(spool.view(image, 0))));
        RetrievalModel model = new RetrievalModel(remembered.memory, named, encoder);
        Map<String, List<byte[]>> heldOut = images.read.calibrationFrames();
        Map<String, String> provenance = provenance(model, images, set, heldOut);
        Path out = options.output().checkpoint();
        Map<String, RetrievalResult.Groups> groups = remembered.groups.byProduct(images.read.categories());
        Map<String, Groups> counted = new TreeMap<>();
        groups.forEach((product, g) -> counted.put(product, g.counted()));
        CheckpointInfo info = new CheckpointFinisher(out, options.threads(), progress)
                .run(
                        unseen(remembered, model, images, kept, spool),
                        counted,
                        options.calibration(),
                        draft -> write(draft, model, provenance));
        return new RetrievalResult(
                out,
                info,
                images.products.length,
                set.skipped(),
                kept.length,
                remembered.memory.bytes(),
                thumbnails.made(),
                groups,
                cost(images, kept, remembered.memory.projections(), spool),
                seconds());
    }

    /** What the images left out are missed for; null where nobody can know. */
    private @Nullable ChoiceCost cost(Images images, int[] kept, List<Tensor> projections, FrameSpool spool)
            throws IOException {
        ImageSource source = Objects.requireNonNull(options.source());
        int all = images.products.length;
        if (kept.length == all || !ChoiceCost.measurable(source)) return null;
        int[] numbers = IntStream.range(0, all).toArray();
        Shown shown = Shown.of(images, numbers, layouts);
        if (shown.size() * bytesPerView() > MAX_BYTES) return null;
        progress.println("comparing with a memory of all " + all + " images, to say what those left out cost");
        Path out = options.output().checkpoint();
        Path whole = Files.createTempFile(out.toAbsolutePath().getParent(), "whole-", ".onnx");
        try {
            List<RememberedImage> named = new ArrayList<>();
            for (int i : numbers)
                named.add(new RememberedImage(
                        images.product(i), images.read.names().get(i), null));
            write(
                    whole,
                    new RetrievalModel(remember(images, shown, projections, spool).memory, named, encoder),
                    layouts.properties());
            return ChoiceCost.measure(source, layouts, out, whole, options.threads());
        } finally {
            Files.deleteIfExists(whole);
        }
    }

    /** Normal images, remembered, left out and held out, with models that do not know them. */
    private List<CheckpointFinisher.Seen> unseen(
            Remembered remembered, RetrievalModel model, Images images, int[] kept, FrameSpool spool)
            throws IOException {
        UnseenNormals unseen = new UnseenNormals(
                remembered.groups.folds(), Arrays.copyOf(remembered.memory.products(), kept.length), remembered.folds);
        unseen.addRemembered(images.read.categories(), i -> spool.get(kept[i]));
        for (String product : images.read.categories()) {
            List<byte[]> frames =
                    new ArrayList<>(images.read.calibrationFrames().getOrDefault(product, List.of()));
            frames.addAll(leftOut(product, images, kept, spool));
            encode(
                    frames.size(),
                    n -> ViewLayout.viewOf(frames.get(n), 0),
                    List.of(),
                    List.of(RetrievalGraph.MEAN),
                    "look",
                    (n, outputs, i) -> unseen.addOther(
                            product,
                            frames.get(n),
                            remembered.means.nearest(
                                    row(outputs[0], i, RetrievalGraph.channels(encoder, 1)), kept.length)));
        }
        return unseen.folds((draft, fold, others) ->
                write(draft, without(model, others, remembered.levelsWithout.get(fold)), layouts.properties()));
    }

    /** Frames of a product that are not remembered, evenly spaced, as many as there is use for. */
    private static List<byte[]> leftOut(String product, Images images, int[] kept, FrameSpool spool)
            throws IOException {
        Set<Integer> remembered = new HashSet<>();
        int own = 0;
        for (int i : kept) {
            remembered.add(i);
            if (images.product(i).equals(product)) own++;
        }
        int[] others = IntStream.range(0, images.products.length)
                .filter(i -> images.product(i).equals(product) && !remembered.contains(i))
                .toArray();
        int wanted = Math.min(others.length, Math.max(0, UnseenNormals.LEFT_OUT - own));
        List<byte[]> frames = new ArrayList<>();
        for (int n = 0; n < wanted; n++) frames.add(spool.get(others[(int) ((long) n * others.length / wanted)]));
        return frames;
    }

    private static RetrievalModel without(RetrievalModel model, int[] others, List<Tensor> levels) {
        ImageMemory some = model.memory().select(others);
        return new RetrievalModel(
                new ImageMemory(some.strides(), some.projections(), some.lookup(), some.products(), levels),
                Arrays.stream(others)
                        .filter(i -> i < model.images().size())
                        .mapToObj(model.images()::get)
                        .toList(),
                model.encoder());
    }

    private static void write(Path draft, RetrievalModel model, Map<String, String> provenance) throws IOException {
        Checkpoints.write(draft, model, CheckpointFinisher.UNCALIBRATED, provenance);
    }

    private Map<String, String> provenance(
            RetrievalModel model, Images images, TrainingSet set, Map<String, List<byte[]>> heldOut) {
        Map<String, String> provenance = set.provenance(images.products.length, heldOut);
        provenance.put("method", Checkpoints.RETRIEVAL);
        provenance.put("remembered", String.valueOf(model.images().size()));
        provenance.putAll(layouts.properties());
        provenance.put(
                "groupBy",
                options.groupBy().pattern() == null
                        ? options.groupBy().kind().name().toLowerCase(Locale.ROOT)
                        : options.groupBy().pattern().pattern());
        provenance.put("neighbours", String.valueOf(options.memory().neighbours()));
        provenance.put("dimensions", String.valueOf(options.memory().dimensions()));
        provenance.put("seed", String.valueOf(options.memory().seed()));
        provenance.put("trainingSeconds", String.format(Locale.ROOT, "%.0f", seconds()));
        provenance.put("command", options.output().command());
        return provenance;
    }

    private double seconds() {
        return (System.nanoTime() - start) / 1e9;
    }
}
