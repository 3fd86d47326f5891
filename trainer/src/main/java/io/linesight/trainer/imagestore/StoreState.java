package io.linesight.trainer.imagestore;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What a dataset store's journal says, in memory: {@link #replay} reads lines into it, {@link #lines} writes what is
 * still true. Not thread-safe; the store guards it.
 */
final class StoreState {
    private final Map<String, StoredImage> images = new LinkedHashMap<>();
    /** Position of the latest label of a frame, retractions included. */
    private final Map<String, LabelPosition> latest = new HashMap<>();

    private final Map<String, PendingLabel> pending = new LinkedHashMap<>();
    private final Map<Integer, Long> nextOffsets = new TreeMap<>();
    private final Map<String, Long> sizes = new HashMap<>();
    private final Map<String, Integer> references = new HashMap<>();
    private @Nullable String boundTo;
    private long sequence;

    /**
     * Reads a journal.
     *
     * @param folder of the store, for messages
     * @throws DatasetStoreException naming the line that is damaged or unknown
     */
    void replay(List<JsonNode> lines, Path folder) {
        for (int i = 0; i < lines.size(); i++) {
            try {
                if (!apply(lines.get(i)))
                    throw new DatasetStoreException("the journal in " + folder + " has a line '"
                            + lines.get(i).path("op").asText()
                            + "' that this program does not know; use the program that wrote it. Nothing was changed");
            } catch (IllegalArgumentException e) {
                throw new DatasetStoreException(
                        "line " + (i + 1) + " of the journal in " + folder + " is damaged (" + e.getMessage()
                                + "); restore the folder from a copy, or remove that line to continue without it. "
                                + "Nothing was changed",
                        e);
            }
        }
    }

    /**
     * Reads one line of the journal.
     *
     * @return false when no program of this version writes such a line
     * @throws IllegalArgumentException when the line is damaged; the message is a clause that says how
     */
    private boolean apply(JsonNode line) {
        String frame = JournalLine.frame(line);
        switch (line.path("op").asText()) {
            case "put" -> {
                StoredImage image = JournalLine.readImage(line);
                setSize(image.sha256(), JournalLine.number(line, "bytes"));
                if (image.mask() != null) setSize(image.mask(), JournalLine.number(line, "maskBytes"));
                set(image, JournalLine.position(line));
            }
            case "retract" -> retract(frame, JournalLine.position(line));
            case "evict" -> remove(frame);
            case "known" -> latest.put(frame, JournalLine.position(line));
            case "pending" -> defer(JournalLine.readPending(line));
            case "drop" -> pending.remove(frame);
            case "positions" ->
                JournalLine.required(line, "offsets")
                        .properties()
                        .forEach(e -> nextOffsets.put(
                                Integer.parseInt(e.getKey()), e.getValue().asLong()));
            case "sequence" -> sequence = Math.max(sequence, JournalLine.number(line, "seq"));
            case "bound" -> boundTo = JournalLine.text(line, "to");
            default -> {
                return false;
            }
        }
        return true;
    }

    /** The shortest journal that says the same. */
    List<ObjectNode> lines() {
        List<ObjectNode> lines = new ArrayList<>();
        if (boundTo != null) lines.add(JournalLine.bound(boundTo));
        lines.add(JournalLine.sequence(sequence));
        // Without the position of a frame that is not stored, an old label would return when the topic is read again.
        latest.forEach((frame, position) -> {
            if (!images.containsKey(frame) && !pending.containsKey(frame))
                lines.add(JournalLine.known(frame, position));
        });
        for (StoredImage image : images.values()) lines.add(line(image, positionOf(image.frame())));
        for (PendingLabel label : pending.values()) lines.add(JournalLine.pending(label));
        lines.add(JournalLine.positions(nextOffsets));
        return lines;
    }

    /** An upper bound of the number of {@link #lines}. */
    int maxLines() {
        return images.size() + pending.size() + latest.size() + 2;
    }

    ObjectNode line(StoredImage image, LabelPosition position) {
        return JournalLine.put(image, sizes, position);
    }

    private LabelPosition positionOf(String frame) {
        return latest.getOrDefault(frame, LabelPosition.NONE);
    }

    /** Adds an image in place of an earlier one of its frame. */
    void set(StoredImage image, LabelPosition position) {
        remove(image.frame());
        images.put(image.frame(), image);
        pending.remove(image.frame());
        if (position.partition() >= 0) latest.put(image.frame(), position);
        for (String file : image.files()) references.merge(file, 1, Integer::sum);
        sequence = Math.max(sequence, image.sequence());
    }

    /**
     * Removes the image of a frame.
     *
     * @return files that no image refers to any more
     */
    List<String> remove(String frame) {
        StoredImage image = images.remove(frame);
        if (image == null) return List.of();
        List<String> unreferenced = new ArrayList<>();
        for (String file : image.files()) {
            if (references.merge(file, -1, Integer::sum) > 0) continue;
            references.remove(file);
            unreferenced.add(file);
        }
        return unreferenced;
    }

    /** Removes image and pending label of a frame; returns files that no image refers to any more. */
    List<String> retract(String frame, LabelPosition position) {
        List<String> unreferenced = remove(frame);
        pending.remove(frame);
        latest.put(frame, position);
        return unreferenced;
    }

    void defer(PendingLabel label) {
        pending.put(label.frame(), label);
        latest.put(label.frame(), label.position());
    }

    void dropPending(String frame) {
        pending.remove(frame);
    }

    void bind(String id) {
        boundTo = id;
    }

    void advance(Map<Integer, Long> offsets) {
        nextOffsets.putAll(offsets);
    }

    void setSize(String file, long bytes) {
        sizes.put(file, bytes);
    }

    void forgetSize(String file) {
        sizes.remove(file);
    }

    /** Whether a label at this position, or a later one of the frame, was seen. */
    boolean knows(String frame, LabelPosition position) {
        return position.isNotAfter(latest.get(frame));
    }

    boolean hasLabelOf(String frame) {
        return latest.containsKey(frame);
    }

    @Nullable
    StoredImage image(String frame) {
        return images.get(frame);
    }

    Collection<StoredImage> images() {
        return images.values();
    }

    /** Every distinct image per product with its latest label, in the order in which the store received them. */
    List<StoredImage> distinctImages() {
        Map<String, StoredImage> distinct = new LinkedHashMap<>();
        for (StoredImage image : bySequence(images.values())) {
            String key = image.product() + "\n" + image.sha256();
            StoredImage other = distinct.get(key);
            // A person's label outranks a frame that only passed.
            boolean outranked =
                    other != null && other.origin() == LabelSource.PERSON && image.origin() == LabelSource.RESERVOIR;
            if (!outranked) distinct.put(key, image);
        }
        return bySequence(distinct.values());
    }

    private static List<StoredImage> bySequence(Collection<StoredImage> images) {
        return images.stream()
                .sorted(Comparator.comparingLong(StoredImage::sequence))
                .toList();
    }

    @Nullable
    PendingLabel pending(String frame) {
        return pending.get(frame);
    }

    List<PendingLabel> pending() {
        return List.copyOf(pending.values());
    }

    Map<Integer, Long> nextOffsets() {
        return Map.copyOf(nextOffsets);
    }

    @Nullable
    String boundTo() {
        return boundTo;
    }

    /** Sequence number of the newest image. */
    long sequence() {
        return sequence;
    }

    /** Files that an image refers to. */
    Set<String> files() {
        return references.keySet();
    }

    boolean refersTo(String file) {
        return references.containsKey(file);
    }

    /** How many images refer to each file. */
    Map<String, Integer> references() {
        return references;
    }

    /** Bytes of a file; 0 when it is not known. */
    long size(String file) {
        return sizes.getOrDefault(file, 0L);
    }
}
