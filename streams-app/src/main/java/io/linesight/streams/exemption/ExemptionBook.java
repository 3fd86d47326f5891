package io.linesight.streams.exemption;

import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.Checkpoints;
import io.linesight.mmad.exemption.Exemptions;
import io.linesight.mmad.exemption.FalseAlarm;
import io.linesight.schemas.Exemption;
import io.linesight.schemas.ExemptionState;
import io.linesight.schemas.topics.FrameKeys;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The exemptions of one channel, as its topic tells them. Which of them a frame meets depends on the topic up to a
 * revision and on the model alone, so every instance judges alike, and a score can be repeated.
 *
 * <p>Passed over are exemptions of another encoder; those whose frame the model has learned; those that cannot be read
 * or make no sense; and of a product the oldest beyond the limit. Thread-safe.
 */
public final class ExemptionBook {
    private static final Logger LOG = LoggerFactory.getLogger(ExemptionBook.class);
    /** Models whose exemptions are kept ready: champion, challenger, and one that just went. */
    private static final int MODELS = 3;

    /** Why exemptions do not count. */
    public enum Ignored {
        /** The record cannot be read, or makes no sense. */
        DAMAGED,
        /** The features are another encoder's than the serving model's. */
        OTHER_ENCODER,
        /** The serving model has learned the frame. */
        LEARNED,
        /** The product has more than the limit; the newest count. */
        TOO_MANY
    }

    /**
     * What a model's frames meet.
     *
     * @param revision offset behind the last record that was read; 0 before the first
     * @param byProduct the exemptions of a product; the empty name is for frames without one
     * @param ignored how many do not count, and why
     */
    public record InForce(long revision, Map<String, Exemptions> byProduct, Map<Ignored, Integer> ignored) {
        /** How many count. */
        public int size() {
            return byProduct.values().stream().mapToInt(Exemptions::size).sum();
        }
    }

    /** A record that counts, unless a model or the limit says otherwise. */
    private record Known(long offset, Exemption record, FalseAlarm alarm) {}

    private final String channel;
    private final int max;
    private final Map<String, Known> known = new HashMap<>();
    private final Set<String> damaged = new HashSet<>();
    private final Map<String, InForce> ready = new HashMap<>();
    private long revision;

    /**
     * @param channel whose exemptions count
     * @param max of a product
     */
    public ExemptionBook(String channel, int max) {
        this.channel = channel;
        this.max = max;
    }

    /**
     * Takes the next record of the topic.
     *
     * @param key of the record
     * @param record null for one that was deleted, or that cannot be read
     * @param readable false when there is a value that cannot be read: what was said before under this key no longer
     *     counts, which can only bring an alarm back
     */
    public synchronized void read(long offset, @Nullable String key, @Nullable Exemption record, boolean readable) {
        if (offset < revision) return;
        revision = offset + 1;
        notifyAll();
        ready.clear();
        if (key == null || !key.startsWith(channel + "/")) return;
        known.remove(key);
        damaged.remove(key);
        if (!readable) {
            damaged.add(key);
            LOG.warn("Exemption {} at offset {} cannot be read; it does not count", key, offset);
            return;
        }
        if (record == null || record.getState() != ExemptionState.ACTIVE) return;
        try {
            if (!ExemptionRecords.key(record).equals(key))
                throw new IllegalArgumentException("it is about " + ExemptionRecords.key(record));
            known.put(key, new Known(offset, record, ExemptionRecords.alarm(record)));
        } catch (IllegalArgumentException e) {
            damaged.add(key);
            LOG.warn("Exemption {} at offset {} makes no sense and does not count: {}", key, offset, e.getMessage());
        }
    }

    /**
     * Waits until the records before an offset have been read.
     *
     * @return false when that takes longer
     */
    public synchronized boolean awaitRevision(long wanted, Duration atMost) throws InterruptedException {
        long deadline = System.nanoTime() + atMost.toNanos();
        while (revision < wanted) {
            long left = (deadline - System.nanoTime()) / 1_000_000;
            if (left <= 0) return false;
            wait(left);
        }
        return true;
    }

    /** Whether any record of the channel is active. Cheap. */
    public synchronized boolean isEmpty() {
        return known.isEmpty();
    }

    /** The active records, oldest first. */
    public synchronized List<Exemption> active() {
        return known.values().stream()
                .sorted(Comparator.comparingLong(Known::offset))
                .map(Known::record)
                .toList();
    }

    /** The active record of a key. */
    public synchronized @Nullable Exemption get(String key) {
        Known k = known.get(key);
        return k == null ? null : k.record;
    }

    /** What frames of this model meet now. */
    public synchronized InForce inForce(CheckpointInfo model) {
        InForce now = ready.get(model.sha256());
        if (now != null) return now;
        if (ready.size() >= MODELS) ready.clear();
        now = compute(model);
        ready.put(model.sha256(), now);
        return now;
    }

    private InForce compute(CheckpointInfo model) {
        Map<Ignored, Integer> ignored = new TreeMap<>();
        if (!damaged.isEmpty()) ignored.put(Ignored.DAMAGED, damaged.size());
        Set<String> learned = LearnedFrames.of(model);
        Map<String, List<Known>> counting = new HashMap<>();
        for (Known k : known.values()) {
            if (!k.record.getEncoderSha256().equals(encoder(model))) {
                ignored.merge(Ignored.OTHER_ENCODER, 1, Integer::sum);
            } else if (learned.contains(LearnedFrames.name(FrameKeys.of(k.record.getFrameRef())))) {
                ignored.merge(Ignored.LEARNED, 1, Integer::sum);
            } else {
                counting.computeIfAbsent(k.record.getProduct(), p -> new ArrayList<>())
                        .add(k);
            }
        }
        Map<String, Exemptions> byProduct = new HashMap<>();
        counting.forEach((product, all) -> {
            all.sort(Comparator.comparingLong(Known::offset));
            int over = Math.max(0, all.size() - max);
            if (over > 0) ignored.merge(Ignored.TOO_MANY, over, Integer::sum);
            byProduct.put(
                    product,
                    new Exemptions(all.subList(over, all.size()).stream()
                            .map(Known::alarm)
                            .toList()));
        });
        return new InForce(revision, Map.copyOf(byProduct), Map.copyOf(ignored));
    }

    /** Checksum of a model's encoder; empty for a foreign model. */
    static String encoder(CheckpointInfo model) {
        return Objects.requireNonNullElse(model.properties().get(Checkpoints.ENCODER_SHA256), "");
    }
}
