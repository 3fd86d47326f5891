package io.linesight.trainer.learning;

import io.linesight.schemas.FrameRef;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.Verdict;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.TopicCursor;
import io.linesight.schemas.serde.SerdeFactory;
import io.linesight.schemas.topics.FrameKeys;
import io.linesight.schemas.topics.Topics;
import io.linesight.trainer.feedback.FetchOutcome;
import io.linesight.trainer.feedback.FetchedFrame;
import io.linesight.trainer.feedback.FrameFetcher;
import io.linesight.trainer.imagestore.DatasetStore;
import io.linesight.trainer.imagestore.DatasetStore.Entry;
import io.linesight.trainer.imagestore.DatasetStore.Place;
import io.linesight.trainer.imagestore.DatasetStoreException;
import io.linesight.trainer.imagestore.LabelSource;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Serde;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps, now and then, a frame that passed with confidence. Reads results from the moment it is made; on the trainer's
 * loop thread.
 */
final class ResultSampler implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ResultSampler.class);
    private final TrainerConfig.Sampling config;
    private final DatasetStore store;
    private final FrameFetcher fetcher;
    private final LabelCounters counts;
    private final TopicCursor results;
    private final Serde<InspectionResult> serde;
    private final String topic;
    private final Map<String, Long> due = new HashMap<>();
    private boolean full;

    ResultSampler(TrainerConfig config, Topics topics, DatasetStore store, FrameFetcher fetcher, LabelCounters counts) {
        this.config = config.sampling();
        this.store = store;
        this.fetcher = fetcher;
        this.counts = counts;
        topic = topics.results().name();
        Map<String, Object> configs = ClientSettings.forReader(config.kafka());
        configs.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "latest");
        serde = SerdeFactory.create(InspectionResult.class, config.kafka(), false);
        results = TopicCursor.atEnd(configs, List.of(topic));
    }

    /** Looks at the results that are there, without waiting. */
    void poll() {
        long every = (long) (3_600e9 / config.perHour());
        Map<String, InspectionResult> chosen = new HashMap<>();
        for (ConsumerRecord<byte[], byte[]> r : results.poll(Duration.ZERO)) {
            InspectionResult result;
            try {
                result = serde.deserializer().deserialize(topic, r.value());
            } catch (SerializationException e) {
                continue;
            }
            if (result == null
                    || result.getVerdict() != Verdict.PASS
                    || !(result.getScore() <= config.belowScore())
                    || result.getProduct() == null) continue;
            if (System.nanoTime() - due.getOrDefault(result.getProduct(), Long.MIN_VALUE / 2) < 0) continue;
            chosen.put(result.getProduct(), result);
        }
        for (Map.Entry<String, InspectionResult> e : chosen.entrySet()) {
            due.put(e.getKey(), System.nanoTime() + every);
            keep(e.getKey(), e.getValue());
        }
    }

    private void keep(String product, InspectionResult result) {
        FrameRef ref = result.getFrameRef();
        FetchedFrame f = fetcher.fetch(List.of(ref)).get(ref);
        if (f.outcome() != FetchOutcome.FETCHED) return;
        try {
            if (store.put(new Entry(
                            FrameKeys.of(ref),
                            product,
                            false,
                            LabelSource.RESERVOIR,
                            "",
                            Instant.now(),
                            f.file(),
                            null,
                            Place.NONE))
                    == DatasetStore.Put.ADDED) {
                counts.add(LabelCounters.SAMPLED);
                store.trimReservoir(product, config.mostPerProduct());
            }
            full = false;
        } catch (DatasetStoreException | IOException e) {
            // Nobody asked for this one; labels are what the trainer waits or stops for when there is no room.
            if (!full)
                LOG.warn("A frame that passed was not kept, nor are others until there is room: {}", e.toString());
            full = true;
        }
    }

    @Override
    public void close() {
        results.close();
        serde.close();
    }
}
