package io.linesight.streams;

import io.linesight.schemas.ModelStatus;
import io.linesight.schemas.ShadowDifference;
import io.linesight.schemas.serde.SerdeFactory;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.routing.ShadowPublisher;
import io.linesight.streams.serving.StatusPublisher;
import java.time.Duration;

/**
 * Where an app reports what its models do: the model-status and the shadow topic. An app that follows no channel
 * reports to nobody and needs neither topic.
 */
final class ModelReports implements AutoCloseable {

    private final StatusPublisher statuses;
    private final ShadowPublisher differences;
    private final Runnable close;

    private ModelReports(StatusPublisher statuses, ShadowPublisher differences, Runnable close) {
        this.statuses = statuses;
        this.differences = differences;
        this.close = close;
    }

    static ModelReports none() {
        return new ModelReports(status -> {}, difference -> {}, () -> {});
    }

    static ModelReports toTopics(InspectionConfig config) {
        TopicPublisher<ModelStatus> statuses = openStatuses(config);
        try {
            TopicPublisher<ShadowDifference> differences = openDifferences(config);
            return new ModelReports(statuses::publish, differences::publish, () -> {
                statuses.close();
                differences.close();
            });
        } catch (RuntimeException e) {
            statuses.close();
            throw e;
        }
    }

    private static TopicPublisher<ModelStatus> openStatuses(InspectionConfig config) {
        return new TopicPublisher<>(
                config.topics().modelStatus().name(),
                config.producerProperties(),
                SerdeFactory.create(ModelStatus.class, config.serdes(), false).serializer(),
                status -> status.getInstance() + "/" + status.getVersion(),
                Duration.ofSeconds(5));
    }

    private static TopicPublisher<ShadowDifference> openDifferences(InspectionConfig config) {
        return new TopicPublisher<>(
                config.topics().shadow().name(),
                config.producerProperties(),
                SerdeFactory.create(ShadowDifference.class, config.serdes(), false)
                        .serializer(),
                ShadowDifference::getCameraId,
                Duration.ofSeconds(1));
    }

    /** Takes every change of a model's state. */
    StatusPublisher statuses() {
        return statuses;
    }

    /** Takes what champion and challenger make of one frame. */
    ShadowPublisher differences() {
        return differences;
    }

    @Override
    public void close() {
        close.run();
    }
}
