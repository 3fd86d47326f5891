package io.linesight.streams.inspect;

import io.linesight.schemas.AnomalyEvent;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.serde.SerdeFactory;
import io.linesight.streams.config.InspectionConfig;
import org.apache.kafka.common.serialization.Serializer;

/** Results and anomaly events as bytes of their topics; waits for the registry. Thread-safe. */
final class EventWriter {

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
}
