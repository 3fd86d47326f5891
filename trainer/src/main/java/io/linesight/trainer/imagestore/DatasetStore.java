package io.linesight.trainer.imagestore;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.linesight.mmad.checkpoint.ProductName;
import io.linesight.mmad.image.DecodeSettings;
import io.linesight.mmad.io.ExclusiveLock;
import io.linesight.trainer.folders.ImageSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The trainer's own images: files named by the SHA-256 of their bytes, and a journal of their labels. Both survive a
 * kill at any instant: an image is complete before its line is written, and a line counts when it is on the disk.
 * Identical images are stored once.
 *
 * <p>Bounded: when an image would exceed the limit, others are evicted, oldest first: reservoir images, then normals
 * that people labelled and that are trained on; each only while its product keeps its minimum of normals. Held-out
 * labelled images and anomalous images are never evicted. Where that frees too little, {@link #put} throws.
 *
 * <p>Labels arrive with their position in the labels topic. A label older than the latest of its frame changes nothing,
 * so reading the topic again is harmless; {@link #positions} says where to resume.
 *
 * <p>Threads: safe. Ownership: whoever opens it closes it; a folder is open once, in one process.
 */
public final class DatasetStore implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DatasetStore.class);
    /** Obsolete lines that the journal may have, beyond as many as are valid, before it is rewritten. */
    private static final int MAX_OBSOLETE_LINES = 1000;

    private final StoreConfig config;
    private final ExclusiveLock lock;
    private final Blobs blobs;
    private final Journal journal;
    private final StoreState state = new StoreState();
    private final Pins pins = new Pins();
    private boolean closed;
    /** Lines of the journal when rewriting it failed: not retried until there are many more. */
    private int linesAtFailedRewrite;

    /**
     * What to store.
     *
     * @param frame key of the frame
     * @param product product it shows
     * @param anomalous its label
     * @param origin who labelled it
     * @param annotator name of the person; empty for RESERVOIR
     * @param at when it was labelled
     * @param image JPEG or PNG file; null keeps the image that is stored for this frame
     * @param mask PNG; null without one
     * @param position of the label; {@link LabelPosition#NONE} for RESERVOIR
     */
    public record Entry(
            String frame,
            String product,
            boolean anomalous,
            LabelSource origin,
            String annotator,
            Instant at,
            byte @Nullable [] image,
            byte @Nullable [] mask,
            LabelPosition position) {
        public Entry {
            product = ProductName.normalized(product);
        }
    }

    /** What {@link #put} did. */
    public enum Put {
        /** The frame is new to the store. */
        ADDED,
        /** The frame has another label. */
        REPLACED,
        /** Nothing: the store knows this label, or a later one. */
        UNCHANGED
    }

    /**
     * Opens a store, made when absent. Finishes what a crash left: half a line is cut off, files without a line are
     * removed.
     *
     * @throws DatasetStoreException when another process uses it, or a file is damaged; nothing was changed then
     * @throws IOException when the folder cannot be read or written
     */
    public static DatasetStore open(StoreConfig config) throws IOException {
        return open(config, Disk.REAL);
    }

    static DatasetStore open(StoreConfig config, Disk disk) throws IOException {
        Files.createDirectories(config.folder());
        ExclusiveLock lock = ExclusiveLock.tryOn(config.folder().resolve("lock"))
                .orElseThrow(() -> new DatasetStoreException("another process uses the dataset store " + config.folder()
                        + "; nothing was opened. Stop it, or choose another folder"));
        try {
            return new DatasetStore(config, lock, disk);
        } catch (IOException | RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    private DatasetStore(StoreConfig config, ExclusiveLock lock, Disk disk) throws IOException {
        this.config = config;
        this.lock = lock;
        blobs = new Blobs(config.folder().resolve("pictures"), disk);
        List<JsonNode> lines = new ArrayList<>();
        journal = Journal.open(config.folder().resolve("journal.jsonl"), lines, disk);
        try {
            state.replay(lines, config.folder());
            ensureComplete();
            int swept = blobs.sweep(state.files());
            if (swept > 0) LOG.info("Removed {} files that no line of the journal names", swept);
            compact();
        } catch (IOException | RuntimeException e) {
            journal.close();
            throw e;
        }
    }

    private void ensureComplete() {
        List<String> missing = state.images().stream()
                .flatMap(image -> image.files().stream())
                .filter(file -> !blobs.has(file))
                .toList();
        if (missing.isEmpty()) return;
        throw new DatasetStoreException(
                missing.size() + " images that the journal names are missing in " + config.folder() + ", the first "
                        + missing.get(0)
                        + "; restore the folder from a copy, or start with an empty one: labels are read again from "
                        + "Kafka. Nothing was changed");
    }

    /**
     * Binds the store to a cluster's labels topic the first time; afterwards rejects any other, because positions mean
     * something else there.
     *
     * @throws DatasetStoreException when it is bound to another
     */
    public synchronized void bind(String id) throws IOException {
        ensureOpen();
        if (id.equals(state.boundTo())) return;
        if (state.boundTo() != null) {
            throw new DatasetStoreException("the dataset store " + config.folder()
                    + " belongs to another Kafka cluster or labels topic (" + state.boundTo() + ", not " + id
                    + "); nothing was read. Choose another folder, and copy the images with export and import");
        }
        journal.append(List.of(JournalLine.bound(id)));
        state.bind(id);
    }

    /**
     * Stores an image, or another label of one. Returns when it is on the disk.
     *
     * @throws DatasetStoreException when there is no space, or no image was given for a frame that is not stored;
     *     nothing was changed
     * @throws IOException when the disk fails, being full for instance; nothing was changed then either, and the same
     *     can be put again
     */
    public synchronized Put put(Entry entry) throws IOException {
        ensureOpen();
        StoredImage before = state.image(entry.frame);
        if (isKnown(entry)) return Put.UNCHANGED;
        if (entry.origin == LabelSource.RESERVOIR && (before != null || state.hasLabelOf(entry.frame)))
            return Put.UNCHANGED;
        if (entry.image == null && before == null)
            throw new DatasetStoreException("no image was given for frame " + entry.frame + ", and the store has none");
        String sha256 = entry.image == null ? before.sha256() : Blobs.sha256(entry.image);
        // A copy of a stored image that nobody labelled adds nothing.
        if (entry.origin == LabelSource.RESERVOIR && state.refersTo(sha256)) return Put.UNCHANGED;
        String mask = entry.mask == null ? null : Blobs.sha256(entry.mask);
        List<StoredImage> victims = makeRoom(addedBytes(entry, sha256, mask), entry.frame, sha256);
        StoredImage image = new StoredImage(
                entry.frame,
                entry.product,
                entry.anomalous,
                entry.origin,
                entry.annotator,
                entry.at.truncatedTo(ChronoUnit.MICROS),
                sha256,
                mask,
                splitOf(sha256),
                state.sequence() + 1);
        writeFiles(entry, sha256, mask);
        commit(image, entry.position, victims);
        return before == null ? Put.ADDED : Put.REPLACED;
    }

    /** Puts an image of a frame that the store does not have; returns whether it was added. */
    synchronized boolean putIfAbsent(Entry entry) throws IOException {
        return state.image(entry.frame) == null && put(entry) != Put.UNCHANGED;
    }

    private boolean isKnown(Entry entry) {
        if (!state.knows(entry.frame, entry.position)) return false;
        // A pending label is not stored yet: the same position may bring its image later.
        PendingLabel waiting = state.pending(entry.frame);
        return waiting == null || !waiting.position().equals(entry.position);
    }

    private long addedBytes(Entry entry, String sha256, @Nullable String mask) {
        long image = state.refersTo(sha256) ? 0 : entry.image.length;
        return image + (mask == null || state.refersTo(mask) ? 0 : entry.mask.length);
    }

    private void writeFiles(Entry entry, String sha256, @Nullable String mask) throws IOException {
        if (entry.image != null) {
            blobs.write(sha256, entry.image);
            state.setSize(sha256, entry.image.length);
        }
        if (mask == null) return;
        try {
            blobs.write(mask, entry.mask);
        } catch (IOException e) {
            // The image is of no use without its mask, and a full disk needs the space.
            delete(List.of(sha256));
            throw e;
        }
        state.setSize(mask, entry.mask.length);
    }

    /** INVARIANT: files are written before their line, and deleted after the line that no longer names them. */
    private void commit(StoredImage image, LabelPosition position, List<StoredImage> victims) throws IOException {
        List<ObjectNode> lines = new ArrayList<>();
        for (StoredImage victim : victims) lines.add(JournalLine.evict(victim.frame()));
        lines.add(state.line(image, position));
        journal.append(lines);
        List<String> unreferenced = new ArrayList<>();
        for (StoredImage victim : victims) unreferenced.addAll(state.remove(victim.frame()));
        unreferenced.addAll(state.remove(image.frame()));
        state.set(image, position);
        delete(unreferenced);
        if (!victims.isEmpty()) LOG.info("The dataset store is full: evicted {} old images", victims.size());
    }

    private Split splitOf(String sha256) {
        for (StoredImage image : state.images()) if (image.sha256().equals(sha256)) return image.split();
        return Split.of(sha256, config.heldOutShare(), config.calibrateShare());
    }

    private List<StoredImage> makeRoom(long added, String frame, String sha256) {
        long excess = bytes() + added - config.maxBytes();
        if (excess <= 0 || added == 0) return List.of();
        Eviction.Choice choice =
                Eviction.choose(state, excess, config.minNormals(), new Eviction.ImageKey(frame, sha256), pins.files());
        if (choice.missingBytes() <= 0) return choice.victims();
        throw new DatasetStoreException("the dataset store " + config.folder() + " is full (" + (bytes() >> 20) + " of "
                + (config.maxBytes() >> 20) + " MiB), and every image left is needed: labelled, held out, or among the "
                + "minimum of " + config.minNormals()
                + " normals of its product. Raise its limit; the label stays in Kafka and is read again then");
    }

    /** Bytes of images and masks. */
    public synchronized long bytes() {
        long sum = 0;
        for (String file : state.files()) sum += state.size(file);
        for (String file : pins.files()) if (!state.refersTo(file)) sum += state.size(file);
        return sum;
    }

    /**
     * Retracts a label: the frame counts as never labelled.
     *
     * @return the image before, if there was one and the retraction is newer
     */
    public synchronized Optional<StoredImage> retract(String frame, LabelPosition position) throws IOException {
        ensureOpen();
        if (state.knows(frame, position)) return Optional.empty();
        journal.append(List.of(JournalLine.retract(frame, position)));
        StoredImage before = state.image(frame);
        delete(state.retract(frame, position));
        return Optional.ofNullable(before);
    }

    /**
     * Removes the oldest reservoir images of a product.
     *
     * @param max reservoir images that stay
     * @return how many were removed
     */
    public synchronized int trimReservoir(String product, int max) throws IOException {
        ensureOpen();
        List<StoredImage> reservoir = state.images().stream()
                .filter(image -> image.origin() == LabelSource.RESERVOIR
                        && image.product().equals(product))
                .sorted(Comparator.comparingLong(StoredImage::sequence))
                .toList();
        List<StoredImage> victims = reservoir.subList(0, Math.max(0, reservoir.size() - max));
        journal.append(victims.stream()
                .map(victim -> JournalLine.evict(victim.frame()))
                .toList());
        for (StoredImage victim : victims) delete(state.remove(victim.frame()));
        return victims.size();
    }

    /**
     * Keeps a label whose frame has not arrived; a later {@link #put} or {@link #retract} of the frame replaces it.
     * Does nothing when the store knows a later label.
     */
    public synchronized void defer(PendingLabel label) throws IOException {
        ensureOpen();
        if (state.knows(label.frame(), label.position())) return;
        journal.append(List.of(JournalLine.pending(label)));
        state.defer(label);
    }

    /** Drops a deferred label. */
    public synchronized void drop(String frame) throws IOException {
        ensureOpen();
        if (state.pending(frame) == null) return;
        journal.append(List.of(JournalLine.drop(frame)));
        state.dropPending(frame);
    }

    /** Labels that wait for their frames. */
    public synchronized List<PendingLabel> pending() {
        return state.pending();
    }

    /** Records how far the labels topic has been read; partitions not named keep their position. */
    public synchronized void advance(Map<Integer, Long> nextOffsets) throws IOException {
        ensureOpen();
        Map<Integer, Long> known = state.nextOffsets();
        Map<Integer, Long> changed = new TreeMap<>(nextOffsets);
        changed.entrySet().removeIf(e -> e.getValue().equals(known.get(e.getKey())));
        if (changed.isEmpty()) return;
        journal.append(List.of(JournalLine.positions(changed)));
        state.advance(changed);
        compact();
    }

    /** Next offset to read per partition of the labels topic. */
    public synchronized Map<Integer, Long> positions() {
        return state.nextOffsets();
    }

    /** Whether a label at this position, or a later one of the frame, was seen. */
    public synchronized boolean knows(String frame, LabelPosition position) {
        return state.knows(frame, position);
    }

    /** The image of a frame, if there is one. */
    public synchronized Optional<StoredImage> get(String frame) {
        return Optional.ofNullable(state.image(frame));
    }

    /** Every distinct image per product with its latest label, in the order in which the store received them. */
    public synchronized List<StoredImage> images() {
        return state.distinctImages();
    }

    /** Sequence number of the newest image. */
    public synchronized long lastSequence() {
        return state.sequence();
    }

    /** How many frames of the line people labelled normal after the image of that sequence number. */
    public synchronized int normalsSince(long sequence) {
        return (int) state.images().stream()
                .filter(image -> !image.anomalous() && image.labelledOnTheLine() && image.sequence() > sequence)
                .count();
    }

    /** How images and masks of the store are decoded. */
    public DecodeSettings decoding() {
        return config.decoding();
    }

    /** File of an image or mask; read-only. It may be deleted unless {@link #pin pinned}. */
    public Path file(String sha256) {
        return blobs.path(sha256);
    }

    /** Keeps the files of some images until closed, whatever happens to their labels. */
    public interface Pin extends AutoCloseable {
        @Override
        void close();
    }

    /**
     * Pins the files of these images.
     *
     * @throws DatasetStoreException naming how many of them the store no longer has
     */
    public synchronized Pin pin(Collection<StoredImage> images) {
        ensureOpen();
        List<String> files =
                images.stream().flatMap(image -> image.files().stream()).toList();
        long missing = files.stream().filter(file -> !blobs.has(file)).count();
        if (missing > 0)
            throw new DatasetStoreException(missing + " of " + files.size() + " images are no longer in the store");
        pins.add(files);
        return new FilePin(files);
    }

    private final class FilePin implements Pin {
        private final List<String> files;
        private boolean released;

        FilePin(List<String> files) {
            this.files = files;
        }

        @Override
        public void close() {
            synchronized (DatasetStore.this) {
                if (released) return;
                released = true;
                List<String> unpinned = pins.remove(files);
                if (!closed) delete(unpinned);
            }
        }
    }

    /** Deletes files, except those that an image or a pin still needs. */
    private void delete(List<String> files) {
        for (String file : files) {
            if (state.refersTo(file) || pins.contains(file)) continue;
            state.forgetSize(file);
            try {
                blobs.delete(file);
            } catch (IOException e) {
                LOG.warn("Cannot remove an unused image; the next start retries: {}", e.toString());
            }
        }
    }

    /**
     * These images as a source to learn from and to measure on, by their splits. Products without a normal to train on
     * are left out. Pin the images while it is in use.
     */
    public ImageSource source(String name, Collection<StoredImage> images) {
        return new StoreSource(this, name, images);
    }

    /**
     * Copies images from another source: its training images as reservoir, its test images as labelled by this
     * annotator. Images that are stored already stay as they are.
     *
     * @return number of images added
     * @throws DatasetStoreException when the store is full, or an image cannot be read; names the first
     */
    public int importFrom(ImageSource source, String annotator) throws IOException {
        return new DatasetImport(this, annotator).run(source);
    }

    /**
     * Copies everything into a folder in MVTec-AD layout, with {@code pictures.csv} listing frame, annotator and split
     * of every file. Normals that are trained on or place thresholds go to {@code train/good}, held-out ones to
     * {@code test/good}, anomalous ones to {@code test/anomalous}.
     *
     * @param out made when absent; must be empty
     * @return number of images, masks not counted
     */
    public int export(Path out) throws IOException {
        MvtecExport.ensureEmpty(out);
        List<StoredImage> images = images();
        try (Pin pin = pin(images)) {
            return MvtecExport.write(this, images, out);
        }
    }

    /** Rewrites a journal of mostly obsolete lines. Where that fails, the old one stays valid. */
    private void compact() {
        int before = journal.lines();
        if (before <= Math.max(2 * state.maxLines(), linesAtFailedRewrite) + MAX_OBSOLETE_LINES) return;
        List<ObjectNode> lines = state.lines();
        try {
            journal.rewrite(lines);
        } catch (IOException e) {
            linesAtFailedRewrite = before;
            LOG.warn(
                    "Cannot shorten the dataset store's journal of {} lines. It stays as it is, nothing is lost, and "
                            + "it is tried again later: {}",
                    before,
                    e.toString());
            return;
        }
        linesAtFailedRewrite = 0;
        LOG.info("Rewrote the dataset store's journal: {} lines became {}", before, lines.size());
    }

    private void ensureOpen() {
        if (closed) throw new IllegalStateException("the dataset store is closed");
    }

    /** Releases the folder. Everything is on the disk already. Does nothing the second time. */
    @Override
    public synchronized void close() {
        if (closed) return;
        closed = true;
        try {
            journal.close();
            lock.close();
        } catch (IOException e) {
            throw new UncheckedIOException("the dataset store did not close cleanly: " + e.getMessage(), e);
        }
    }
}
