package io.linesight.streams.inspect;

import io.linesight.schemas.AnomalyEvent;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.StageTimings;
import io.linesight.schemas.Verdict;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.serde.SerdeFactory;
import io.linesight.streams.config.InspectionConfig;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Serializer;

/** Results and anomaly events as bytes of their topics; waits for the registry. Thread-safe. */
final class EventWriter {

    private static final InspectionResult SAMPLE = sample();

    private final Serializer<InspectionResult> results;
    private final String resultsTopic;
    private final Serializer<AnomalyEvent> anomalies;
    private final String anomaliesTopic;
    private final RegistryRetry registry;

    EventWriter(InspectionConfig config, RegistryRetry registry) {
        this.results = SerdeFactory.create(InspectionResult.class, config.serdes(), false)
                .serializer();
        this.resultsTopic = config.topics().results().name();
        this.anomalies =
                SerdeFactory.create(AnomalyEvent.class, config.serdes(), false).serializer();
        this.anomaliesTopic = config.topics().anomalies().name();
        this.registry = registry;
    }

    /** @throws org.apache.kafka.common.errors.SerializationException when it can never be written */
    byte[] write(InspectionResult result) {
        return registry.call(() -> results.serialize(resultsTopic, result));
    }

    /** @throws org.apache.kafka.common.errors.SerializationException when it can never be written */
    byte[] write(AnomalyEvent anomaly) {
        return registry.call(() -> anomalies.serialize(anomaliesTopic, anomaly));
    }

    /**
     * Writes a record of each kind to nowhere, which registers or finds their schemas.
     *
     * @throws org.apache.kafka.common.KafkaException when one can never be written
     */
    void prime() {
        List<String> problems = new ArrayList<>();
        tryWrite(() -> write(SAMPLE), problems);
        tryWrite(() -> write(new AnomalyEvent(SAMPLE, ByteBuffer.allocate(0), 0f, 1f, null)), problems);
        if (!problems.isEmpty()) throw new KafkaException(String.join("; ", problems));
    }

    private static void tryWrite(Runnable write, List<String> problems) {
        try {
            write.run();
        } catch (RegistryException | SerializationException e) {
            problems.add(e.getMessage());
        }
    }

    private static InspectionResult sample() {
        return InspectionResult.newBuilder()
                .setResultId("")
                .setFrameRef(new FrameRef("", 0, 0L))
                .setFrameId("")
                .setCameraId("")
                .setScore(0)
                .setRawScore(0)
                .setThreshold(0)
                .setVerdict(Verdict.PASS)
                .setModelVersion("")
                .setCapturedAt(Instant.EPOCH)
                .setScoredAt(Instant.EPOCH)
                .setTimings(new StageTimings(0L, 0L, 0L, 1))
                .setRegions(List.of())
                .build();
    }
}
