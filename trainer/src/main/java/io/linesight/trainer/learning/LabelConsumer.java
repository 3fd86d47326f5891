package io.linesight.trainer.learning;

import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.RgbImage;
import io.linesight.mmad.io.Sha256;
import io.linesight.schemas.FrameRef;
import io.linesight.trainer.feedback.FetchOutcome;
import io.linesight.trainer.feedback.FetchedFrame;
import io.linesight.trainer.feedback.FrameFetcher;
import io.linesight.trainer.feedback.LabelRules;
import io.linesight.trainer.imagestore.DatasetStore;
import io.linesight.trainer.imagestore.DatasetStore.Entry;
import io.linesight.trainer.imagestore.DatasetStoreException;
import io.linesight.trainer.imagestore.LabelPosition;
import io.linesight.trainer.imagestore.LabelSource;
import io.linesight.trainer.imagestore.PendingLabel;
import io.linesight.trainer.imagestore.StoredImage;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stores labels with the images of their frames. The latest label of a frame wins, by Kafka's order; a label that
 * contradicts another person's is counted and logged once. A rejected record is counted and logged, and never holds up
 * the others. One thread.
 */
final class LabelConsumer {
    private static final Logger LOG = LoggerFactory.getLogger(LabelConsumer.class);
    /** Product of images where neither label nor frame names one. */
    static final String UNNAMED = "unnamed";
    /** Decoded frames held in memory at a time. */
    private static final int BATCH = 8;

    private final DatasetStore store;
    private final FrameFetcher fetcher;
    private final LabelDecoder decoder;
    private final Duration lateFrames;
    private final LabelCounters counters;
    private final Clock clock;
    /**
     * Counters already raised for records that are read again, because storing them failed; records of another
     * partition may be stored meanwhile.
     */
    private final Map<LabelPosition, Set<String>> counted = new HashMap<>();

    /** @param lateFrames how long a label waits for its frame */
    LabelConsumer(
            DatasetStore store,
            FrameFetcher fetcher,
            LabelDecoder decoder,
            Duration lateFrames,
            LabelCounters counters,
            Clock clock) {
        this.store = store;
        this.fetcher = fetcher;
        this.decoder = decoder;
        this.lateFrames = lateFrames;
        this.counters = counters;
        this.clock = clock;
    }

    /**
     * Stores labels. When this returns, they are in the store's journal; when it throws, the same records can be given
     * again, and nothing is counted or logged a second time.
     *
     * @return labels that changed something
     */
    int consume(Iterable<ConsumerRecord<String, byte[]>> records) throws IOException {
        int changed = 0;
        List<LabelRecord> labels = latestByFrame(records);
        for (int from = 0; from < labels.size(); from += BATCH)
            changed += store(labels.subList(from, Math.min(labels.size(), from + BATCH)), false);
        for (ConsumerRecord<String, byte[]> record : records) counted.remove(LabelDecoder.positionOf(record));
        return changed;
    }

    private List<LabelRecord> latestByFrame(Iterable<ConsumerRecord<String, byte[]>> records) {
        Map<String, LabelRecord> latest = new LinkedHashMap<>();
        for (ConsumerRecord<String, byte[]> record : records) {
            LabelRecord label = decode(record);
            if (label == null || store.knows(label.frame(), label.position())) continue;
            // Removed first, so that the order is that of the latest labels.
            LabelRecord before = latest.remove(label.frame());
            if (before != null) {
                countOnce(LabelCounters.SUPERSEDED, before.position());
                if (!before.isRetraction()) checkContradiction(label, before.isAnomalous(), before.annotator());
            }
            latest.put(label.frame(), label);
        }
        return new ArrayList<>(latest.values());
    }

    private @Nullable LabelRecord decode(ConsumerRecord<String, byte[]> record) {
        LabelDecoder.Result result = decoder.decode(record);
        if (result instanceof LabelDecoder.Result.Valid valid) return valid.label();
        reject(record.key(), LabelDecoder.positionOf(record), ((LabelDecoder.Result.Rejected) result).reason());
        return null;
    }

    /** Fetches the frames of pending labels again; returns how many labels changed something. */
    int retryPending() throws IOException {
        List<PendingLabel> pending = store.pending();
        int changed = 0;
        for (int from = 0; from < pending.size(); from += BATCH) {
            List<LabelRecord> labels = decode(pending.subList(from, Math.min(pending.size(), from + BATCH)));
            changed += store(labels, true);
            for (LabelRecord label : labels) counted.remove(label.position());
        }
        dropExpired();
        return changed;
    }

    private List<LabelRecord> decode(List<PendingLabel> pending) {
        List<LabelRecord> labels = new ArrayList<>();
        for (PendingLabel label : pending) {
            try {
                labels.add(decoder.decode(label));
            } catch (SerializationException e) {
                // It was decoded when it arrived; the registry may know its schema again before it expires.
                LOG.debug("The pending label of frame {} cannot be decoded now: {}", label.frame(), e.getMessage());
            }
        }
        return labels;
    }

    private void dropExpired() throws IOException {
        for (PendingLabel label : store.pending()) {
            if (Duration.between(label.since(), clock.instant()).compareTo(lateFrames) < 0) continue;
            store.drop(label.frame());
            counters.add(LabelCounters.NEVER_CAME);
            LOG.warn(
                    "Dropped the label of frame {}: the frame never arrived. Label it again when it is there",
                    label.frame());
        }
    }

    private int store(List<LabelRecord> labels, boolean retried) throws IOException {
        Set<FrameRef> missing = new LinkedHashSet<>();
        for (LabelRecord label : labels) if (!label.isRetraction() && needsFrame(label)) missing.add(label.frameRef());
        Map<FrameRef, FetchedFrame> frames = fetcher.fetch(missing);
        int changed = 0;
        for (LabelRecord label : labels) if (store(label, frames, retried)) changed++;
        return changed;
    }

    /** A stored image is compared with what lies there now where the label says which frame it is about. */
    private boolean needsFrame(LabelRecord label) {
        return store.get(label.frame()).isEmpty() || !label.label().getFrameId().isBlank();
    }

    private boolean store(LabelRecord label, Map<FrameRef, FetchedFrame> frames, boolean retried) throws IOException {
        if (label.isRetraction()) {
            boolean stored = store.get(label.frame()).isPresent();
            store.retract(label.frame(), label.position());
            counters.add(LabelCounters.RETRACTED);
            return stored;
        }
        StoredImage stored = store.get(label.frame()).orElse(null);
        FetchedFrame frame = frames.get(label.frameRef());
        if (stored != null && !isAnother(stored, frame)) return relabel(label, stored);
        // An earlier label of this batch may have evicted it.
        if (frame == null) frame = fetcher.fetch(List.of(label.frameRef())).get(label.frameRef());
        switch (frame.outcome()) {
            case FETCHED -> {
                return putNew(label, frame);
            }
            case NOT_YET -> {
                if (!retried) defer(label, frame.reason());
            }
            case EXPIRED, NOT_A_FRAME -> dropUnusable(label, frame, retried);
        }
        return false;
    }

    /** Whether another frame lies at the place of the stored one: the topic was made again. */
    private static boolean isAnother(StoredImage stored, @Nullable FetchedFrame frame) {
        return frame != null
                && frame.outcome() == FetchOutcome.FETCHED
                && !Sha256.hex(frame.file()).equals(stored.sha256());
    }

    private boolean putNew(LabelRecord label, FetchedFrame frame) throws IOException {
        String problem = LabelRules.frameProblem(label.label(), frame.frame());
        if (problem == null) return put(label, frame.frame().getProduct(), frame.file(), frame.image());
        reject(label.frame(), label.position(), problem);
        store.drop(label.frame());
        return false;
    }

    private void defer(LabelRecord label, String reason) throws IOException {
        store.defer(new PendingLabel(label.frame(), label.value(), label.position(), clock.instant()));
        counters.add(LabelCounters.WAITING);
        LOG.info(
                "The label of frame {} waits up to {} s for its frame: {}",
                label.frame(),
                lateFrames.toSeconds(),
                reason);
    }

    private void dropUnusable(LabelRecord label, FetchedFrame frame, boolean retried) throws IOException {
        String counter = frame.outcome() == FetchOutcome.EXPIRED ? LabelCounters.EXPIRED : LabelCounters.NOT_A_FRAME;
        if (countOnce(counter, label.position()))
            LOG.warn(
                    "The label of frame {} by {} cannot be used: {}", label.frame(), label.annotator(), frame.reason());
        if (retried) store.drop(label.frame());
    }

    private boolean relabel(LabelRecord label, StoredImage stored) throws IOException {
        RgbImage image = label.label().getMaskPng() == null ? null : read(stored);
        if (stored.origin() == LabelSource.PERSON) checkContradiction(label, stored.anomalous(), stored.annotator());
        return put(label, stored.product(), null, image);
    }

    private RgbImage read(StoredImage stored) throws IOException {
        try {
            byte[] file = Files.readAllBytes(store.file(stored.sha256()));
            return ImageCodec.decodeFile(file, store.decoding()).image();
        } catch (BadImageException e) {
            throw new DatasetStoreException(
                    "the stored image of frame " + stored.frame() + " is damaged: " + e.getMessage()
                            + "; restore the dataset store from a copy, or start with an empty one: labels are read "
                            + "again from Kafka",
                    e);
        }
    }

    /**
     * Puts a label into the store.
     *
     * @param file image file; null keeps the stored one
     * @param image its pixels; needed where the label has a mask
     */
    private boolean put(
            LabelRecord label, @Nullable String frameProduct, byte @Nullable [] file, @Nullable RgbImage image)
            throws IOException {
        byte[] mask = LabelRules.mask(label.label());
        String problem = mask == null
                ? null
                : LabelRules.maskProblem(
                        mask, image.width(), image.height(), store.decoding().limits());
        if (problem != null) {
            reject(label.frame(), label.position(), problem);
            store.drop(label.frame());
            return false;
        }
        DatasetStore.Put put = store.put(new Entry(
                label.frame(),
                productOf(label, frameProduct),
                label.isAnomalous(),
                LabelSource.PERSON,
                label.annotator(),
                label.label().getAt(),
                file,
                mask,
                label.position()));
        if (put == DatasetStore.Put.UNCHANGED) return false;
        counters.add(label.isAnomalous() ? LabelCounters.ANOMALOUS : LabelCounters.NORMAL);
        return true;
    }

    private static String productOf(LabelRecord label, @Nullable String frameProduct) {
        if (label.label().getProduct() != null) return label.label().getProduct();
        return frameProduct != null && !frameProduct.isBlank() ? frameProduct : UNNAMED;
    }

    private void reject(String key, LabelPosition position, String reason) {
        if (!countOnce(LabelCounters.REFUSED, position)) return;
        LOG.warn(
                "Rejected label for frame {} (partition {}, offset {}): {}. The frame keeps its previous label",
                key,
                position.partition(),
                position.offset(),
                reason);
    }

    private void checkContradiction(LabelRecord label, boolean anomalousBefore, String annotatorBefore) {
        if (label.isRetraction()
                || label.isAnomalous() == anomalousBefore
                || label.annotator().equals(annotatorBefore)) return;
        if (!countOnce(LabelCounters.CONTRADICTED, label.position())) return;
        LOG.warn(
                "Frame {}: {} labels it {}, {} labelled it {} before; the later label counts",
                label.frame(),
                label.annotator(),
                label.isAnomalous() ? "anomalous" : "normal",
                annotatorBefore,
                anomalousBefore ? "anomalous" : "normal");
    }

    /** Raises a counter for a record, unless it was raised for it before; returns whether it was raised. */
    private boolean countOnce(String counter, LabelPosition position) {
        boolean first = counted.computeIfAbsent(position, p -> new HashSet<>()).add(counter);
        if (first) counters.add(counter);
        return first;
    }
}
