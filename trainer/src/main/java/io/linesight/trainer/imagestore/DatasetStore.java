package io.linesight.trainer.imagestore;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.ImageCodec;
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
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The trainer's own pictures: files named by the SHA-256 of their bytes, and a journal of what is known about them.
 * Both survive a kill at any instant: a picture is complete before its line is written, and a line counts when it is on
 * the disk. Identical pictures are stored once.
 *
 * <p>Bounded: when a picture would exceed the limit, others go first, the oldest before the younger: reservoir
 * pictures, then normals that people labelled and that are trained on; each only while its product keeps its least
 * number of normals. Held-out labelled pictures and anomalous ones never go. Where that is not enough, {@link #put}
 * refuses.
 *
 * <p>Labels come in with their place in the labels topic. What is older than what the store knows of a frame changes
 * nothing, so reading the topic again is harmless; {@link #positions} says from where to go on.
 *
 * <p>Threads: safe. Ownership: whoever opens it closes it; a folder is open once, in one process.
 */
public final class DatasetStore implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DatasetStore.class);
    /** Lines that may be dead before the journal is rewritten, beyond as many as are alive. */
    private static final int DEAD_LINES = 1000;

    private final StoreConfig config;
    private final ExclusiveLock lock;
    private final Blobs blobs;
    private final Journal journal;
    private final Map<String, StoredImage> pictures = new LinkedHashMap<>();
    /** Place in the labels topic of the last word on a frame, taken-back ones included. */
    private final Map<String, Place> last = new HashMap<>();

    private final Map<String, Pending> pending = new LinkedHashMap<>();
    private final Map<Integer, Long> positions = new TreeMap<>();
    private final Map<String, Long> sizes = new HashMap<>();
    private final Map<String, Integer> references = new HashMap<>();
    private final Map<String, Integer> pins = new HashMap<>();
    private String boundTo;
    private long sequence;
    private boolean closed;
    /** Lines that the journal had when it could not be rewritten: not tried again until there are many more. */
    private int notRewritten;

    /**
     * Where in the labels topic a label lies.
     *
     * @param partition of the labels topic; -1 for pictures that come from elsewhere
     * @param offset in it
     */
    public record Place(int partition, long offset) {
        public static final Place NONE = new Place(-1, -1);

        private boolean olderThan(Place other) {
            return partition >= 0 && other != null && partition == other.partition && offset <= other.offset;
        }
    }

    /**
     * A label whose frame is not in Kafka yet.
     *
     * @param frame key of the frame
     * @param label the record as bytes; the store does not look into it
     * @param place in the labels topic
     * @param since when it was first asked for
     */
    public record Pending(String frame, byte[] label, Place place, Instant since) {}

    /**
     * What to store.
     *
     * @param frame key of the frame
     * @param product product it shows
     * @param anomalous what it counts as
     * @param origin who says so
     * @param annotator who labelled it; empty for RESERVOIR
     * @param at when
     * @param image JPEG or PNG file; null keeps the picture that is stored for this frame
     * @param mask PNG, or null
     * @param place of the label; {@link Place#NONE} for RESERVOIR
     */
    public record Entry(
            String frame,
            String product,
            boolean anomalous,
            LabelSource origin,
            String annotator,
            Instant at,
            byte[] image,
            byte[] mask,
            Place place) {}

    /** What {@link #put} did. */
    public enum Put {
        /** A frame that the store did not have. */
        ADDED,
        /** Another word on a frame that it has. */
        REPLACED,
        /** Nothing: it knows this, or something newer. */
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
                        + "; nothing was opened. End it, or choose another folder"));
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
            for (int i = 0; i < lines.size(); i++) {
                try {
                    replay(lines.get(i));
                } catch (IllegalArgumentException e) {
                    throw new DatasetStoreException(
                            "line " + (i + 1) + " of the journal in " + config.folder() + " is damaged ("
                                    + e.getMessage()
                                    + "); restore the folder from a copy, or remove that line to go on without what it says. Nothing was changed",
                            e);
                }
            }
            List<String> missing = new ArrayList<>();
            for (StoredImage p : pictures.values()) {
                if (!blobs.has(p.sha256())) missing.add(p.sha256());
                if (p.mask() != null && !blobs.has(p.mask())) missing.add(p.mask());
            }
            if (!missing.isEmpty()) {
                throw new DatasetStoreException(
                        missing.size() + " pictures that the journal names are missing in " + config.folder()
                                + ", the first " + missing.get(0)
                                + "; restore the folder from a copy, or start with an empty one: labels are read again from Kafka. Nothing was changed");
            }
            int swept = blobs.sweep(references.keySet());
            if (swept > 0) LOG.info("Removed {} files that no line of the journal names", swept);
            compact();
        } catch (IOException | RuntimeException e) {
            journal.close();
            throw e;
        }
    }

    private void replay(JsonNode n) {
        String frame = n.path("frame").asText();
        Place place = new Place(n.path("lp").asInt(-1), n.path("lo").asLong(-1));
        switch (n.path("op").asText()) {
            case "put" -> {
                boolean masked = n.hasNonNull("mask");
                StoredImage p = new StoredImage(
                        frame,
                        text(n, "product"),
                        needed(n, "anomalous").asBoolean(),
                        LabelSource.valueOf(text(n, "origin")),
                        text(n, "annotator"),
                        instant(number(n, "at")),
                        sha(n, "sha"),
                        masked ? sha(n, "mask") : null,
                        Split.valueOf(text(n, "side")),
                        number(n, "seq"));
                long bytes = number(n, "bytes");
                long maskBytes = masked ? number(n, "maskBytes") : 0;
                sizes.put(p.sha256(), bytes);
                if (masked) sizes.put(p.mask(), maskBytes);
                set(p, place);
            }
            case "retract" -> {
                unset(frame);
                pending.remove(frame);
                last.put(frame, place);
            }
            case "evict" -> unset(frame);
            case "known" -> last.put(frame, place);
            case "pending" -> {
                pending.put(
                        frame,
                        new Pending(
                                frame,
                                java.util.Base64.getDecoder().decode(text(n, "label")),
                                place,
                                instant(number(n, "at"))));
                last.put(frame, place);
            }
            case "drop" -> pending.remove(frame);
            case "positions" ->
                needed(n, "offsets")
                        .properties()
                        .forEach(e -> positions.put(
                                Integer.parseInt(e.getKey()), e.getValue().asLong()));
            case "sequence" -> sequence = Math.max(sequence, number(n, "seq"));
            case "bound" -> boundTo = text(n, "to");
            default ->
                throw new DatasetStoreException("the journal in " + config.folder() + " has a line '"
                        + n.path("op").asText()
                        + "' that this program does not know; use the program that wrote it. Nothing was changed");
        }
    }

    private static JsonNode needed(JsonNode n, String name) {
        if (!n.hasNonNull(name)) throw new IllegalArgumentException("it has no '" + name + "'");
        return n.get(name);
    }

    private static String text(JsonNode n, String name) {
        if (!needed(n, name).isTextual()) throw new IllegalArgumentException("its '" + name + "' is no text");
        return n.get(name).asText();
    }

    private static long number(JsonNode n, String name) {
        if (!needed(n, name).isIntegralNumber() || !n.get(name).canConvertToLong())
            throw new IllegalArgumentException("its '" + name + "' is no whole number");
        return n.get(name).asLong();
    }

    /** It becomes the name of a file. */
    private static String sha(JsonNode n, String name) {
        String sha = text(n, name);
        if (!sha.matches("[0-9a-f]{64}")) throw new IllegalArgumentException("its '" + name + "' is no SHA-256");
        return sha;
    }

    private void set(StoredImage p, Place place) {
        unset(p.frame());
        pictures.put(p.frame(), p);
        pending.remove(p.frame());
        if (place.partition >= 0) last.put(p.frame(), place);
        references.merge(p.sha256(), 1, Integer::sum);
        if (p.mask() != null) references.merge(p.mask(), 1, Integer::sum);
        sequence = Math.max(sequence, p.sequence());
    }

    private List<String> unset(String frame) {
        StoredImage p = pictures.remove(frame);
        List<String> free = new ArrayList<>();
        if (p == null) return free;
        for (String sha : p.mask() == null ? List.of(p.sha256()) : List.of(p.sha256(), p.mask())) {
            if (references.merge(sha, -1, Integer::sum) > 0) continue;
            references.remove(sha);
            free.add(sha);
        }
        return free;
    }

    /**
     * Ties the store to a cluster's labels topic, the first time; afterwards refuses any other, because places mean
     * something else there.
     *
     * @throws DatasetStoreException when it is tied to another
     */
    public synchronized void bind(String id) throws IOException {
        ensureOpen();
        if (id.equals(boundTo)) return;
        if (boundTo != null) {
            throw new DatasetStoreException("the dataset store " + config.folder()
                    + " belongs to another Kafka cluster or labels topic (" + boundTo + ", not " + id
                    + "); nothing was read. Choose another folder, and take the pictures over with export and import");
        }
        journal.append(List.of(Journal.line("bound").put("to", id)));
        boundTo = id;
    }

    /**
     * Stores a picture or another word on one. Returns when it is on the disk.
     *
     * @throws DatasetStoreException when there is no room, or no picture was given for a frame that is not stored;
     *     nothing was changed
     * @throws IOException when the disk refuses, being full for instance; nothing was changed then either, and the same
     *     can be put again
     */
    public synchronized Put put(Entry e) throws IOException {
        ensureOpen();
        StoredImage before = pictures.get(e.frame);
        if (e.place.olderThan(last.get(e.frame))) {
            // A pending label is no word yet: the same place may bring its picture later.
            Pending waiting = pending.get(e.frame);
            if (waiting == null || !waiting.place.equals(e.place)) return Put.UNCHANGED;
        }
        if (e.origin == LabelSource.RESERVOIR && (before != null || last.containsKey(e.frame))) return Put.UNCHANGED;
        if (e.image == null && before == null)
            throw new DatasetStoreException("no picture was given for frame " + e.frame + ", and the store has none");
        String sha = e.image == null ? before.sha256() : Blobs.sha256(e.image);
        String mask = e.mask == null ? null : Blobs.sha256(e.mask);
        // The same picture again, from nobody: one is enough.
        if (e.origin == LabelSource.RESERVOIR && references.containsKey(sha)) return Put.UNCHANGED;
        long added = (references.containsKey(sha) ? 0 : e.image.length)
                + (mask == null || references.containsKey(mask) ? 0 : e.mask.length);
        List<ObjectNode> lines = new ArrayList<>();
        List<StoredImage> victims = room(added, e.frame, sha);
        for (StoredImage v : victims) lines.add(Journal.line("evict").put("frame", v.frame()));
        StoredImage p = new StoredImage(
                e.frame,
                e.product,
                e.anomalous,
                e.origin,
                e.annotator,
                e.at.truncatedTo(ChronoUnit.MICROS),
                sha,
                mask,
                side(sha),
                sequence + 1);
        if (e.image != null) {
            blobs.write(sha, e.image);
            sizes.put(sha, (long) e.image.length);
        }
        if (mask != null) {
            try {
                blobs.write(mask, e.mask);
            } catch (IOException full) {
                // The picture alone is of no use, and a full disk needs the room.
                delete(List.of(sha));
                throw full;
            }
            sizes.put(mask, (long) e.mask.length);
        }
        lines.add(line(p, e.place));
        journal.append(lines);
        List<String> free = new ArrayList<>();
        for (StoredImage v : victims) free.addAll(unset(v.frame()));
        if (before != null) free.addAll(unset(e.frame));
        set(p, e.place);
        delete(free);
        if (!victims.isEmpty()) LOG.info("The dataset store is full: {} old pictures made room", victims.size());
        return before == null ? Put.ADDED : Put.REPLACED;
    }

    private Split side(String sha) {
        for (StoredImage p : pictures.values()) if (p.sha256().equals(sha)) return p.side();
        return sideOf(sha, config.heldOutShare(), config.calibrateShare());
    }

    /** By the picture's hash alone, which is as good as random and the same for everybody. */
    static Split sideOf(String sha, double heldOut, double calibrate) {
        double u = Long.parseLong(sha.substring(0, 13), 16) / (double) (1L << 52);
        return u < heldOut ? Split.HELD_OUT : u < heldOut + calibrate ? Split.CALIBRATE : Split.TRAIN;
    }

    /** Whom to evict so that this many bytes more fit. */
    private List<StoredImage> room(long added, String frame, String sha) {
        long over = bytes() + added - config.maxBytes();
        if (over <= 0 || added == 0) return List.of();
        Map<String, Integer> normals = new HashMap<>();
        for (StoredImage p : pictures.values()) if (!p.anomalous()) normals.merge(p.product(), 1, Integer::sum);
        List<StoredImage> candidates = new ArrayList<>(pictures.values().stream()
                .filter(p -> !p.anomalous()
                        && !p.frame().equals(frame)
                        && !p.sha256().equals(sha)
                        && (p.origin() == LabelSource.RESERVOIR || p.side() == Split.TRAIN))
                .toList());
        candidates.sort(Comparator.comparing((StoredImage p) -> p.origin() == LabelSource.RESERVOIR ? 0 : 1)
                .thenComparing(StoredImage::sequence));
        Map<String, Integer> left = new HashMap<>(references);
        List<StoredImage> victims = new ArrayList<>();
        for (StoredImage p : candidates) {
            if (over <= 0) break;
            if (normals.get(p.product()) <= config.leastNormals()) continue;
            normals.merge(p.product(), -1, Integer::sum);
            victims.add(p);
            if (left.merge(p.sha256(), -1, Integer::sum) == 0 && !pins.containsKey(p.sha256()))
                over -= sizes.get(p.sha256());
        }
        if (over > 0) {
            throw new DatasetStoreException("the dataset store " + config.folder() + " is full (" + (bytes() >> 20)
                    + " of "
                    + (config.maxBytes() >> 20) + " MiB), and every picture left is needed: labelled, held out, "
                    + "or among the least " + config.leastNormals()
                    + " normals of its product. Raise its limit; the label stays in Kafka and is read again then");
        }
        return victims;
    }

    /** Bytes of pictures and masks. */
    public synchronized long bytes() {
        long sum = 0;
        for (String sha : references.keySet()) sum += sizes.get(sha);
        for (String sha : pins.keySet()) if (!references.containsKey(sha)) sum += sizes.getOrDefault(sha, 0L);
        return sum;
    }

    private ObjectNode line(StoredImage p, Place place) {
        ObjectNode n = Journal.line("put")
                .put("frame", p.frame())
                .put("product", p.product())
                .put("anomalous", p.anomalous())
                .put("origin", p.origin().name())
                .put("annotator", p.annotator())
                .put("at", micros(p.labelledAt()))
                .put("sha", p.sha256())
                .put("bytes", sizes.get(p.sha256()))
                .put("side", p.side().name())
                .put("seq", p.sequence());
        if (p.mask() != null) n.put("mask", p.mask()).put("maskBytes", sizes.get(p.mask()));
        return placed(n, place);
    }

    private static ObjectNode placed(ObjectNode n, Place place) {
        return place.partition < 0 ? n : n.put("lp", place.partition).put("lo", place.offset);
    }

    /**
     * Takes a label back: the frame counts as never labelled.
     *
     * @return what it was, if it was anything and the retraction is newer
     */
    public synchronized Optional<StoredImage> retract(String frame, Place place) throws IOException {
        ensureOpen();
        if (place.olderThan(last.get(frame))) return Optional.empty();
        journal.append(List.of(placed(Journal.line("retract").put("frame", frame), place)));
        StoredImage before = pictures.get(frame);
        List<String> free = unset(frame);
        pending.remove(frame);
        last.put(frame, place);
        delete(free);
        return Optional.ofNullable(before);
    }

    /** Removes the oldest reservoir pictures of a product until at most this many are left; returns how many went. */
    public synchronized int trimReservoir(String product, int most) throws IOException {
        ensureOpen();
        List<StoredImage> mine = pictures.values().stream()
                .filter(p -> p.origin() == LabelSource.RESERVOIR && p.product().equals(product))
                .sorted(Comparator.comparingLong(StoredImage::sequence))
                .toList();
        List<StoredImage> victims = mine.subList(0, Math.max(0, mine.size() - most));
        journal.append(victims.stream()
                .map(p -> Journal.line("evict").put("frame", p.frame()))
                .toList());
        for (StoredImage p : victims) delete(unset(p.frame()));
        return victims.size();
    }

    /**
     * Remembers a label whose frame has not arrived; a later {@link #put} or {@link #retract} of the frame ends it.
     * Nothing when it knows newer.
     */
    public synchronized void defer(Pending p) throws IOException {
        ensureOpen();
        if (p.place.olderThan(last.get(p.frame))) return;
        journal.append(List.of(placed(
                Journal.line("pending")
                        .put("frame", p.frame)
                        .put("label", java.util.Base64.getEncoder().encodeToString(p.label))
                        .put("at", micros(p.since)),
                p.place)));
        pending.put(p.frame, p);
        last.put(p.frame, p.place);
    }

    /** Gives up on a deferred label. */
    public synchronized void drop(String frame) throws IOException {
        ensureOpen();
        if (!pending.containsKey(frame)) return;
        journal.append(List.of(Journal.line("drop").put("frame", frame)));
        pending.remove(frame);
    }

    public synchronized List<Pending> pending() {
        return List.copyOf(pending.values());
    }

    /** Notes how far the labels topic has been read; partitions not named keep theirs. */
    public synchronized void advance(Map<Integer, Long> next) throws IOException {
        ensureOpen();
        Map<Integer, Long> news = new TreeMap<>(next);
        news.entrySet().removeIf(e -> e.getValue().equals(positions.get(e.getKey())));
        if (news.isEmpty()) return;
        ObjectNode n = Journal.line("positions");
        ObjectNode offsets = n.putObject("offsets");
        news.forEach((partition, offset) -> offsets.put(partition.toString(), offset));
        journal.append(List.of(n));
        positions.putAll(news);
        compact();
    }

    /** Next offset to read per partition of the labels topic. */
    public synchronized Map<Integer, Long> positions() {
        return Map.copyOf(positions);
    }

    /** Whether a label at this place, or a newer one of the frame, has been seen. */
    public synchronized boolean knows(String frame, Place place) {
        return place.olderThan(last.get(frame));
    }

    public synchronized Optional<StoredImage> get(String frame) {
        return Optional.ofNullable(pictures.get(frame));
    }

    /** Every distinct picture per product with the latest word on it, in the order in which the store learned of it. */
    public synchronized List<StoredImage> pictures() {
        Map<String, StoredImage> distinct = new LinkedHashMap<>();
        pictures.values().stream()
                .sorted(Comparator.comparingLong(StoredImage::sequence))
                .forEach(p -> {
                    StoredImage other = distinct.get(p.product() + "\n" + p.sha256());
                    // A person's word stands above a frame that merely passed.
                    if (other != null && other.origin() == LabelSource.PERSON && p.origin() == LabelSource.RESERVOIR)
                        return;
                    distinct.put(p.product() + "\n" + p.sha256(), p);
                });
        return distinct.values().stream()
                .sorted(Comparator.comparingLong(StoredImage::sequence))
                .toList();
    }

    /** Number given to the youngest picture. */
    public synchronized long lastSequence() {
        return sequence;
    }

    /** Frames of the line that people labelled normal since the picture of that number. */
    public synchronized int normalsSince(long number) {
        int n = 0;
        for (StoredImage p : pictures.values())
            if (!p.anomalous() && p.labelledOnTheLine() && p.sequence() > number) n++;
        return n;
    }

    /** File of a picture or mask; read-only. It may go unless {@link #pin pinned}. */
    public Path file(String sha256) {
        return blobs.path(sha256);
    }

    /** Keeps the files of these pictures until closed, whatever happens to their labels. */
    public interface Pin extends AutoCloseable {
        @Override
        void close();
    }

    /** @throws DatasetStoreException naming how many of them the store no longer has */
    public synchronized Pin pin(Collection<StoredImage> wanted) {
        ensureOpen();
        List<String> shas = new ArrayList<>();
        int missing = 0;
        for (StoredImage p : wanted) {
            for (String sha : p.mask() == null ? List.of(p.sha256()) : List.of(p.sha256(), p.mask())) {
                if (!blobs.has(sha)) missing++;
                shas.add(sha);
            }
        }
        if (missing > 0)
            throw new DatasetStoreException(missing + " of " + shas.size() + " pictures are no longer in the store");
        shas.forEach(sha -> pins.merge(sha, 1, Integer::sum));
        return new Pin() {
            private boolean done;

            @Override
            public void close() {
                synchronized (DatasetStore.this) {
                    if (done) return;
                    done = true;
                    List<String> free = new ArrayList<>();
                    for (String sha : shas)
                        if (pins.merge(sha, -1, Integer::sum) == 0
                                && pins.remove(sha) != null
                                && !references.containsKey(sha)) free.add(sha);
                    if (!closed) delete(free);
                }
            }
        };
    }

    private void delete(List<String> shas) {
        for (String sha : shas) {
            if (references.containsKey(sha) || pins.containsKey(sha)) continue;
            sizes.remove(sha);
            try {
                blobs.delete(sha);
            } catch (IOException e) {
                LOG.warn(
                        "A picture that nobody needs could not be removed and is tried again at the next start: {}",
                        e.toString());
            }
        }
    }

    /**
     * These pictures as something to learn from and to measure on, by their sides. Products without a normal to train
     * on are left out. Pin the pictures while it is in use.
     */
    public ImageSource source(String name, Collection<StoredImage> chosen) {
        return new StoreSource(this, name, chosen);
    }

    /**
     * Takes over pictures from elsewhere: its training pictures as reservoir, its test pictures as labelled by this
     * annotator. What is already there stays as it is.
     *
     * @return number of pictures added
     * @throws DatasetStoreException when it gets full, or some cannot be read; names the first
     */
    public int importFrom(ImageSource source, String annotator) throws IOException {
        int added = 0;
        for (String product : source.categories()) {
            List<ImageSource.Sample> all = new ArrayList<>(source.train(product));
            all.addAll(source.test(product));
            Set<ImageSource.Sample> measured = new HashSet<>(source.test(product));
            for (ImageSource.Sample s : all) {
                byte[] image;
                byte[] mask;
                try {
                    image = ImageCodec.encodePng(s.image().read());
                    mask = s.mask() == null
                            ? null
                            : ImageCodec.encodePng(s.mask().read());
                } catch (BadImageException e) {
                    throw new DatasetStoreException(
                            "picture " + product + "/" + s.name() + " cannot be imported: " + e.getMessage()
                                    + ". Mend or remove it, then import again; " + added + " were added",
                            e);
                }
                boolean person = measured.contains(s);
                String frame = StoredImage.IMPORTED + product + "/" + Blobs.sha256(image);
                synchronized (this) {
                    if (pictures.containsKey(frame)) continue;
                    Put put = put(new Entry(
                            frame,
                            product,
                            s.anomalous(),
                            person ? LabelSource.PERSON : LabelSource.RESERVOIR,
                            person ? annotator : "",
                            Instant.now(),
                            image,
                            mask,
                            Place.NONE));
                    if (put != Put.UNCHANGED) added++;
                }
            }
        }
        return added;
    }

    /**
     * Copies everything into a folder in MVTec-AD layout, with {@code pictures.csv} telling frame, annotator and side
     * of every file. Normals that are trained on or place thresholds go to {@code train/good}, held-out ones to
     * {@code test/good}, anomalous ones to {@code test/anomalous}.
     *
     * @param out made when absent; must be empty
     * @return number of pictures, masks not counted
     */
    public int export(Path out) throws IOException {
        if (Files.exists(out)) {
            try (var list = Files.list(out)) {
                if (list.findAny().isPresent())
                    throw new IOException(
                            out + " is not empty: choose another folder or empty it; nothing was written");
            }
        }
        List<StoredImage> all = pictures();
        try (Pin pin = pin(all)) {
            return MvtecExport.write(this, all, out);
        }
    }

    private int alive() {
        return pictures.size() + pending.size() + last.size() + 2;
    }

    /** Leaves only what is still true in the journal. It is as good as it was where that cannot be done. */
    private void compact() {
        if (journal.lines() <= Math.max(2 * alive(), notRewritten) + DEAD_LINES) return;
        List<ObjectNode> lines = new ArrayList<>();
        if (boundTo != null) lines.add(Journal.line("bound").put("to", boundTo));
        lines.add(Journal.line("sequence").put("seq", sequence));
        // The place of a frame that is not stored: without it an old label would come back when the topic is read
        // again.
        last.forEach((frame, place) -> {
            if (!pictures.containsKey(frame) && !pending.containsKey(frame))
                lines.add(placed(Journal.line("known").put("frame", frame), place));
        });
        for (StoredImage p : pictures.values()) lines.add(line(p, last.getOrDefault(p.frame(), Place.NONE)));
        for (Pending p : pending.values()) {
            lines.add(placed(
                    Journal.line("pending")
                            .put("frame", p.frame)
                            .put("label", java.util.Base64.getEncoder().encodeToString(p.label))
                            .put("at", micros(p.since)),
                    p.place));
        }
        ObjectNode n = Journal.line("positions");
        ObjectNode offsets = n.putObject("offsets");
        positions.forEach((partition, offset) -> offsets.put(partition.toString(), offset));
        lines.add(n);
        int before = journal.lines();
        try {
            journal.rewrite(lines);
        } catch (IOException e) {
            notRewritten = before;
            LOG.warn(
                    "The dataset store's journal could not be shortened and stays as it is, {} lines long; it is tried again later, and nothing is lost: {}",
                    before,
                    e.toString());
            return;
        }
        notRewritten = 0;
        LOG.info("Rewrote the dataset store's journal: {} lines became {}", before, lines.size());
    }

    private static long micros(Instant t) {
        return ChronoUnit.MICROS.between(Instant.EPOCH, t);
    }

    private static Instant instant(long micros) {
        return Instant.EPOCH.plus(micros, ChronoUnit.MICROS);
    }

    private void ensureOpen() {
        if (closed) throw new IllegalStateException("the dataset store is closed");
    }

    /** Gives the folder free. Everything is on the disk already. Does nothing the second time. */
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
