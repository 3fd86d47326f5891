package io.linesight.trainer.dataset;

import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.RgbImage;
import io.linesight.mmad.io.Sha256;
import io.linesight.mmad.view.ViewLayout;
import io.linesight.mmad.view.ViewLayouts;
import io.linesight.trainer.folders.DatasetException;
import io.linesight.trainer.folders.ImageSource;
import io.linesight.trainer.folders.ImageSource.Sample;
import io.linesight.trainer.folders.UnreadableImages;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * A source's normal images, divided into those to learn from and those that set the thresholds, and what became of them
 * while they were read: the unreadable ones and the fingerprint of all others. Not thread-safe.
 */
public final class TrainingSet {
    /** Share of a category's normals kept out of training for its threshold, and the least number of them. */
    private static final double HELD_OUT = 0.1;

    private static final int MIN_HELD_OUT = 4;
    /** The most of them: their frames are in the heap together, and more say hardly more of a rate of 1 %. */
    private static final int MAX_HELD_OUT = 1000;

    private final ImageSource source;
    private final boolean skipUnreadable;
    private final PrintStream progress;
    private final Map<String, List<Sample>> training = new TreeMap<>();
    private final Map<String, List<Sample>> heldOut = new TreeMap<>();
    private final Map<String, List<Sample>> validation = new TreeMap<>();
    private final UnreadableImages unreadable = new UnreadableImages();
    private final MessageDigest digest = Sha256.digest();
    private ViewLayouts views = ViewLayouts.NONE;
    private String fingerprint;
    private Observer observer = (category, sample, image, frame) -> {};

    /** Sees every image that could be read, as it is read. */
    interface Observer {
        void saw(String category, Sample sample, RgbImage image, byte[] frame);
    }

    private TrainingSet(ImageSource source, boolean skipUnreadable, PrintStream progress) {
        this.source = source;
        this.skipUnreadable = skipUnreadable;
        this.progress = progress;
    }

    /** @throws DatasetException when there is nothing to learn from; names every empty category */
    public static TrainingSet of(ImageSource source, boolean skipUnreadable, PrintStream progress) {
        return of(source, skipUnreadable, progress, false);
    }

    /** @param validating whether normals are set apart to see when learning helps no more; see {@link #validation} */
    public static TrainingSet of(ImageSource source, boolean skipUnreadable, PrintStream progress, boolean validating) {
        TrainingSet set = new TrainingSet(source, skipUnreadable, progress);
        set.check();
        for (String category : source.categories()) set.split(category, validating);
        return set;
    }

    /** How images are looked at, from now on. */
    public void lookBy(ViewLayouts layouts) {
        views = layouts;
    }

    /** How images are looked at. */
    public ViewLayouts views() {
        return views;
    }

    void observe(Observer v) {
        observer = v;
    }

    /** By category, sorted; every category has at least one. */
    public Map<String, List<Sample>> training() {
        return training;
    }

    /** Normals by category that are neither learned from nor set thresholds; none for a category that has too few. */
    public Map<String, List<Sample>> validation() {
        return validation;
    }

    /** Normals by category that set the thresholds. */
    public Map<String, List<Sample>> heldOut() {
        return heldOut;
    }

    /** Number of images to learn from. */
    public int size() {
        return training.values().stream().mapToInt(List::size).sum();
    }

    /** Unreadable images met so far. */
    public int skipped() {
        return unreadable.count();
    }

    /**
     * Lower-case hex SHA-256 over the names and pixels of all images read, in the order of reading. Ends the reading.
     */
    public String fingerprint() {
        if (fingerprint == null) fingerprint = Sha256.hex(digest);
        return fingerprint;
    }

    /**
     * The normals that set the thresholds, as frames, by category. Called after the training images were read, so that
     * all that cannot be read is named at once.
     *
     * @throws DatasetException when images cannot be read and must not be skipped, or a category has none left
     */
    public Map<String, List<byte[]>> calibrationFrames() throws IOException {
        Map<String, List<byte[]>> frames = new TreeMap<>();
        for (Map.Entry<String, List<Sample>> e : heldOut.entrySet())
            frames.put(e.getKey(), read(e.getKey(), e.getValue()));
        unreadable.check(skipUnreadable, progress);
        for (Map.Entry<String, List<byte[]>> e : frames.entrySet()) {
            if (e.getValue().isEmpty())
                throw new DatasetException("category '" + e.getKey() + "' has no readable normal images left");
        }
        return frames;
    }

    /**
     * What a checkpoint's provenance says of the images, whatever the method. Ends the reading.
     *
     * @param images learned from
     * @param frames what set the thresholds
     */
    public Map<String, String> provenance(int images, Map<String, List<byte[]>> frames) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("dataset", source.name());
        facts.put("dataset.fingerprint", fingerprint());
        facts.put("categories", String.join(",", training.keySet()));
        facts.put("images", String.valueOf(images));
        facts.put(
                "heldOut",
                String.valueOf(frames.values().stream().mapToInt(List::size).sum()));
        facts.put("skipped", String.valueOf(skipped()));
        return facts;
    }

    private void check() {
        List<String> empty = new ArrayList<>();
        for (String category : source.categories()) if (source.train(category).isEmpty()) empty.add(category);
        if (source.categories().isEmpty()) throw new DatasetException("there is no category to train on");
        if (!empty.isEmpty())
            throw new DatasetException("no normal training images (train/good) in: " + String.join(", ", empty)
                    + ". Add some, or leave the category out");
    }

    private void split(String category, boolean validating) {
        // By the images' names and not by the seed: whoever goes on from a checkpoint must not calibrate on what it
        // was trained on.
        List<Sample> all = new ArrayList<>(source.train(category));
        all.sort(Comparator.comparingLong((Sample s) -> scattered(category + "/" + s.name()))
                .thenComparing(Sample::name));
        List<Sample> apart = source.calibration(category).stream()
                .filter(s -> !s.anomalous())
                .toList();
        // What the source sets apart is used as it is; only where that is too little, training images fill it up.
        int wanted = apart.isEmpty()
                ? Math.min(MAX_HELD_OUT, Math.max(MIN_HELD_OUT, (int) Math.round(HELD_OUT * all.size())))
                : Math.max(0, MIN_HELD_OUT - apart.size());
        int held = Math.min(wanted, all.size() / 2);
        List<Sample> forThreshold = new ArrayList<>(apart);
        // A single normal has to serve for both.
        forThreshold.addAll(all.subList(0, apart.isEmpty() ? Math.max(1, held) : held));
        heldOut.put(category, List.copyOf(forThreshold));
        List<Sample> rest = all.subList(held, all.size());
        int watched = validating
                ? Math.min(Math.max(MIN_HELD_OUT, (int) Math.round(HELD_OUT * rest.size())), rest.size() / 3)
                : 0;
        validation.put(category, List.copyOf(rest.subList(0, watched)));
        training.put(category, List.copyOf(rest.subList(watched, rest.size())));
    }

    private static long scattered(String name) {
        return new SplittableRandom(name.hashCode()).nextLong();
    }

    /** Planar 256x256 RGB views of those that can be read, as {@link ViewLayouts#cut} gives them. */
    public List<byte[]> read(String category, List<Sample> samples) throws IOException {
        List<byte[]> frames = new ArrayList<>();
        for (Sample s : samples) {
            try {
                RgbImage image = s.image().read();
                byte[] frame = views.cut(category, image);
                digest.update((category + "/" + s.name()).getBytes(StandardCharsets.UTF_8));
                digest.update(frame);
                observer.saw(category, s, image, ViewLayout.viewOf(frame, 0));
                frames.add(frame);
            } catch (BadImageException | IOException e) {
                unreadable.add(category, s, e);
            }
        }
        return frames;
    }
}
