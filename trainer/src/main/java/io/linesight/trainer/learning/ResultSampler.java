package io.linesight.trainer.learning;

import io.linesight.mmad.checkpoint.ProductName;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.Verdict;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.TopicCursor;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.serde.RecordDecoder;
import io.linesight.schemas.topics.AnswerHeaders;
import io.linesight.schemas.topics.FrameKeys;
import io.linesight.schemas.topics.Topics;
import io.linesight.trainer.feedback.FetchOutcome;
import io.linesight.trainer.feedback.FetchedFrame;
import io.linesight.trainer.feedback.FrameFetcher;
import io.linesight.trainer.imagestore.DatasetStore;
import io.linesight.trainer.imagestore.DatasetStore.Entry;
import io.linesight.trainer.imagestore.DatasetStoreException;
import io.linesight.trainer.imagestore.LabelPosition;
import io.linesight.trainer.imagestore.LabelSource;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.SerializationException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stores a sample of the frames that passed with confidence, as reservoir images. Reads results from the moment it is
 * made; on the trainer's loop thread.
 */
final class ResultSampler implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ResultSampler.class);
    private final TrainerConfig.Sampling config;
    private final DatasetStore store;
    private final FrameFetcher fetcher;
    private final LabelCounters counters;
    private final TopicCursor results;
    private final RecordDecoder<InspectionResult> decoder;
    private final Map<String, Long> due = new HashMap<>();
    private boolean full;

    ResultSampler(
            TrainerConfig config, Topics topics, DatasetStore store, FrameFetcher fetcher, LabelCounters counters) {
        this.config = config.sampling();
        this.store = store;
        this.fetcher = fetcher;
        this.counters = counters;
        String topic = topics.results().name();
        Map<String, Object> configs = ClientSettings.forReader(config.kafka());
        configs.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "latest");
        decoder = RecordDecoder.of(InspectionResult.class, config.kafka());
        results = TopicCursor.atEnd(configs, List.of(topic));
    }

    /** Samples the results that have arrived, without waiting. */
    void poll() {
        Map<String, InspectionResult> chosen = new HashMap<>();
        for (ConsumerRecord<byte[], byte[]> record : results.poll(Duration.ZERO)) {
            InspectionResult result = decode(record);
            if (result == null || !isConfidentPass(result)) continue;
            String product = ProductName.normalized(result.getProduct());
            if (isDue(product) && !isOfEarlierTopic(record)) chosen.put(product, result);
        }
        long interval = (long) (3_600e9 / config.perHour());
        chosen.forEach((product, result) -> {
            due.put(product, System.nanoTime() + interval);
            store(product, result.getFrameRef());
        });
    }

    /** Samples are optional: neither a bad result nor an unavailable registry holds up labels for them. */
    private @Nullable InspectionResult decode(ConsumerRecord<byte[], byte[]> record) {
        try {
            return decoder.decode(record);
        } catch (SerializationException | RegistryException e) {
            return null;
        }
    }

    private boolean isConfidentPass(InspectionResult result) {
        return result.getVerdict() == Verdict.PASS
                && result.getScore() <= config.belowScore()
                && result.getProduct() != null;
    }

    private boolean isDue(String product) {
        Long at = due.get(product);
        return at == null || System.nanoTime() - at >= 0;
    }

    private void store(String product, FrameRef ref) {
        FetchedFrame frame = fetch(ref);
        if (frame == null || frame.outcome() != FetchOutcome.FETCHED) return;
        Entry entry = new Entry(
                FrameKeys.of(ref),
                product,
                false,
                LabelSource.RESERVOIR,
                "",
                Instant.now(),
                frame.file(),
                null,
                LabelPosition.NONE);
        try {
            if (store.put(entry) == DatasetStore.Put.ADDED) {
                counters.add(LabelCounters.SAMPLED);
                store.trimReservoir(product, config.maxPerProduct());
            }
            full = false;
        } catch (DatasetStoreException | IOException e) {
            // Samples are optional: only labels make the trainer wait for space.
            if (!full) LOG.warn("Cannot store sampled frames; sampling resumes when there is space: {}", e.toString());
            full = true;
        }
    }

    private @Nullable FetchedFrame fetch(FrameRef ref) {
        try {
            return fetcher.fetch(List.of(ref)).get(ref);
        } catch (RegistryException e) {
            return null;
        }
    }

    /** Where the topic of frames was made again, another frame lies at the place of the one that was inspected. */
    private boolean isOfEarlierTopic(ConsumerRecord<byte[], byte[]> record) {
        Optional<Uuid> inspected = AnswerHeaders.topicId(record.headers());
        if (inspected.isEmpty()) return false;
        Optional<Uuid> now = fetcher.topicId();
        return now.isPresent() && !now.equals(inspected);
    }

    @Override
    public void close() {
        results.close();
        decoder.close();
    }
}
