package io.linesight.streams.serving;

import io.linesight.schemas.ModelStatus;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The one place that tells others what the models of this instance do. Never throws. */
final class StatusReporter {

    private static final Logger LOG = LoggerFactory.getLogger(StatusReporter.class);

    private final ModelLifecycle.Identity identity;
    private final StatusPublisher publisher;

    StatusReporter(ModelLifecycle.Identity identity, StatusPublisher publisher) {
        this.identity = identity;
        this.publisher = publisher;
    }

    void publish(Action.Report report, Instant at) {
        HeldModel model = report.model();
        ModelStatus status = ModelStatus.newBuilder()
                .setInstance(identity.name())
                .setChannel(identity.channel())
                .setVersion(report.version())
                .setRole(report.role())
                .setState(report.state())
                .setReason(report.reason())
                .setRolloutRevision(report.revision())
                .setLoadMillis(model == null ? 0 : model.loadMillis())
                .setSwapPauseMicros(report.pauseMicros())
                .setDevice(model == null ? "" : model.device())
                .setAt(at.truncatedTo(ChronoUnit.MICROS))
                .build();
        try {
            publisher.publish(status);
        } catch (RuntimeException e) {
            LOG.warn(
                    "The status of model {} ({}) could not be published; the model is not affected: {}",
                    report.version(),
                    report.state(),
                    e.toString());
        }
    }
}
