package io.linesight.trainer.learning;

import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.ImageLimits;
import io.linesight.mmad.image.RgbImage;
import io.linesight.schemas.FrameLabel;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.LabelKind;
import io.linesight.schemas.topics.FrameKeys;
import io.linesight.trainer.feedback.FetchOutcome;
import io.linesight.trainer.feedback.FetchedFrame;
import io.linesight.trainer.feedback.FrameFetcher;
import io.linesight.trainer.feedback.LabelRules;
import io.linesight.trainer.imagestore.DatasetStore;
import io.linesight.trainer.imagestore.DatasetStore.Entry;
import io.linesight.trainer.imagestore.DatasetStore.Pending;
import io.linesight.trainer.imagestore.DatasetStore.Place;
import io.linesight.trainer.imagestore.DatasetStoreException;
import io.linesight.trainer.imagestore.LabelSource;
import io.linesight.trainer.imagestore.StoredImage;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
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
import org.apache.kafka.common.serialization.Serde;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * From records of the labels topic to the store. The last label of a frame wins, by Kafka's order; a label at odds with
 * another person's is counted and said once. A record that cannot count is refused, counted and said, and never holds
 * up the others.
 */
final class LabelConsumer {
    private static final Logger LOG = LoggerFactory.getLogger(LabelConsumer.class);
    /** Product of pictures where neither label nor frame names one. */
    static final String UNNAMED = "unnamed";
    /** Decoded frames held in memory at a time. */
    private static final int BATCH = 8;

    private final DatasetStore store;
    private final FrameFetcher fetcher;
    private final Serde<FrameLabel> serde;
    private final String labelsTopic;
    private final String framesTopic;
    private final Duration lateFrames;
    private final LabelCounters counts;
    private final Clock clock;
    /**
     * What was counted of records that come again, because the attempt to store them failed; those of another partition
     * may be stored meanwhile.
     */
    private final Map<Place, Set<String>> told = new HashMap<>();

    LabelConsumer(
            DatasetStore store,
            FrameFetcher fetcher,
            Serde<FrameLabel> serde,
            String labelsTopic,
            String framesTopic,
            Duration lateFrames,
            LabelCounters counts,
            Clock clock) {
        this.store = store;
        this.fetcher = fetcher;
        this.serde = serde;
        this.labelsTopic = labelsTopic;
        this.framesTopic = framesTopic;
        this.lateFrames = lateFrames;
        this.counts = counts;
        this.clock = clock;
    }

    /**
     * A label that keeps the rules; the label is null for a record without a value, which takes back whatever was said.
     */
    private record Word(String frame, FrameLabel label, byte[] value, Place place) {
        boolean retracts() {
            return label == null || label.getLabel() == LabelKind.RETRACTED;
        }

        boolean anomalous() {
            return label.getLabel() == LabelKind.ANOMALOUS;
        }
    }

    /**
     * Takes records in. When this returns, all that they say is in the store's journal; when it throws, the same
     * records can be given again, and what was counted and said of them already is not again.
     *
     * @return labels that changed something
     */
    int take(Iterable<ConsumerRecord<String, byte[]>> records) throws IOException {
        Map<String, Word> latest = new LinkedHashMap<>();
        for (ConsumerRecord<String, byte[]> r : records) {
            Word w = read(r);
            if (w == null || store.knows(w.frame, w.place)) continue;
            // Taken out first, so that the order is that of the latest words.
            Word before = latest.remove(w.frame);
            if (before != null) {
                once(LabelCounters.SUPERSEDED, before.place);
                if (!before.retracts()) contradiction(w, before.anomalous(), before.label.getAnnotator());
            }
            latest.put(w.frame, w);
        }
        int changed = 0;
        List<Word> words = new ArrayList<>(latest.values());
        for (int from = 0; from < words.size(); from += BATCH)
            changed += store(words.subList(from, Math.min(words.size(), from + BATCH)), false);
        for (ConsumerRecord<String, byte[]> r : records) told.remove(place(r));
        return changed;
    }

    /** Counts something about a record; whether it was for the first time. */
    private boolean once(String key, Place place) {
        boolean first = told.computeIfAbsent(place, p -> new HashSet<>()).add(key);
        if (first) counts.add(key);
        return first;
    }

    /** Asks again for frames that labels wait for; returns how many labels changed something. */
    int retry() throws IOException {
        List<Pending> waiting = store.pending();
        int changed = 0;
        for (int from = 0; from < waiting.size(); from += BATCH) {
            List<Word> words = new ArrayList<>();
            for (Pending p : waiting.subList(from, Math.min(waiting.size(), from + BATCH))) {
                try {
                    words.add(new Word(
                            p.frame(), serde.deserializer().deserialize(labelsTopic, p.label()), p.label(), p.place()));
                } catch (SerializationException e) {
                    // It could be read when it came; the registry may know its schema again before its time is over.
                    LOG.debug("The waiting label of {} cannot be read now: {}", p.frame(), e.getMessage());
                }
            }
            changed += store(words, true);
            for (Word w : words) told.remove(w.place);
        }
        for (Pending p : store.pending()) {
            if (Duration.between(p.since(), clock.instant()).compareTo(lateFrames) < 0) continue;
            store.drop(p.frame());
            counts.add(LabelCounters.NEVER_CAME);
            LOG.warn("The frame {} never came; its label is given up. Label it again when it is there", p.frame());
        }
        return changed;
    }

    private static Place place(ConsumerRecord<String, byte[]> r) {
        return new Place(r.partition(), r.offset());
    }

    private Word read(ConsumerRecord<String, byte[]> r) {
        Place place = place(r);
        try {
            FrameLabel label = r.value() == null ? null : serde.deserializer().deserialize(labelsTopic, r.value());
            if (label == null) {
                FrameKeys.parse(String.valueOf(r.key()));
                return new Word(r.key(), null, null, place);
            }
            List<String> problems = new ArrayList<>(LabelRules.problems(label, framesTopic));
            String key = LabelRules.keyProblem(r.key(), label);
            if (key != null) problems.add(key);
            if (problems.isEmpty()) return new Word(r.key(), label, r.value(), place);
            refuse(r.key(), place, String.join("; ", problems));
        } catch (SerializationException | IllegalArgumentException e) {
            refuse(r.key(), place, e.getMessage());
        }
        return null;
    }

    private void refuse(String key, Place place, String why) {
        if (!once(LabelCounters.REFUSED, place)) return;
        LOG.warn(
                "Refused the label of {} ({}-{} offset {}): {}. The frame keeps what was said of it before",
                key,
                labelsTopic,
                place.partition(),
                place.offset(),
                why);
    }

    private void contradiction(Word now, boolean anomalousBefore, String before) {
        if (now.retracts()
                || now.anomalous() == anomalousBefore
                || now.label.getAnnotator().equals(before)) return;
        if (!once(LabelCounters.CONTRADICTED, now.place)) return;
        LOG.warn(
                "Frame {}: {} says {}, {} said {} before; the later word counts",
                now.frame,
                now.label.getAnnotator(),
                now.anomalous() ? "anomalous" : "normal",
                before,
                anomalousBefore ? "anomalous" : "normal");
    }

    private int store(List<Word> words, boolean again) throws IOException {
        Set<FrameRef> wanted = new LinkedHashSet<>();
        for (Word w : words) if (!w.retracts() && store.get(w.frame).isEmpty()) wanted.add(w.label.getFrameRef());
        Map<FrameRef, FetchedFrame> frames = fetcher.fetch(wanted);
        int changed = 0;
        for (Word w : words) {
            if (w.retracts()) {
                boolean was = store.get(w.frame).isPresent();
                store.retract(w.frame, w.place);
                counts.add(LabelCounters.RETRACTED);
                if (was) changed++;
                continue;
            }
            StoredImage stored = store.get(w.frame).orElse(null);
            FetchedFrame f = stored != null ? null : frames.get(w.label.getFrameRef());
            if (f != null) {
                switch (f.outcome()) {
                    case FETCHED -> changed += put(w, f.frame().getProduct(), f.file(), f.image()) ? 1 : 0;
                    case NOT_YET -> {
                        if (again) continue;
                        store.defer(new Pending(w.frame, w.value, w.place, clock.instant()));
                        counts.add(LabelCounters.WAITING);
                        LOG.info(
                                "The label of {} waits for its frame, {} s at most: {}",
                                w.frame,
                                lateFrames.toSeconds(),
                                f.reason());
                    }
                    case EXPIRED, NOT_A_FRAME -> {
                        if (once(
                                f.outcome() == FetchOutcome.EXPIRED ? LabelCounters.EXPIRED : LabelCounters.NOT_A_FRAME,
                                w.place)) {
                            LOG.warn(
                                    "The label of {} by {} cannot be used: {}",
                                    w.frame,
                                    w.label.getAnnotator(),
                                    f.reason());
                        }
                        if (again) store.drop(w.frame);
                    }
                }
            } else if (stored != null) {
                changed += putAgain(w, stored) ? 1 : 0;
            }
        }
        return changed;
    }

    private boolean putAgain(Word w, StoredImage stored) throws IOException {
        RgbImage image = null;
        if (w.label.getMaskPng() != null) {
            try {
                image = ImageCodec.decode(Files.readAllBytes(store.file(stored.sha256())), ImageLimits.defaults());
            } catch (BadImageException e) {
                throw new DatasetStoreException(
                        "the stored picture of " + w.frame + " is damaged: " + e.getMessage()
                                + "; restore the dataset store from a copy, or start with an empty one: labels are read again from "
                                + "Kafka",
                        e);
            }
        }
        if (stored.origin() == LabelSource.PERSON) contradiction(w, stored.anomalous(), stored.annotator());
        return put(w, stored.product(), null, image);
    }

    private boolean put(Word w, String frameProduct, byte[] file, RgbImage image) throws IOException {
        byte[] mask = LabelRules.mask(w.label);
        String problem = mask == null
                ? null
                : LabelRules.maskProblem(mask, image.width(), image.height(), ImageLimits.defaults());
        if (problem != null) {
            refuse(w.frame, w.place, problem);
            store.drop(w.frame);
            return false;
        }
        String product = w.label.getProduct() != null
                ? w.label.getProduct()
                : frameProduct != null && !frameProduct.isBlank() ? frameProduct : UNNAMED;
        Instant at = w.label.getAt();
        DatasetStore.Put put = store.put(new Entry(
                w.frame, product, w.anomalous(), LabelSource.PERSON, w.label.getAnnotator(), at, file, mask, w.place));
        if (put == DatasetStore.Put.UNCHANGED) return false;
        counts.add(w.anomalous() ? LabelCounters.ANOMALOUS : LabelCounters.NORMAL);
        return true;
    }
}
