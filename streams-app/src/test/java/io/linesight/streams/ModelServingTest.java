package io.linesight.streams;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.decision.DecisionRules;
import io.linesight.streams.monitoring.InspectionMetrics;
import io.linesight.streams.routing.ModelControl;
import io.linesight.streams.support.FakeScorer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ModelServingTest {

    /** A registry in which no batcher can register its queue. */
    private static final class RegistryWithoutQueue extends SimpleMeterRegistry {
        @Override
        protected <T> Gauge newGauge(Meter.Id id, T of, ToDoubleFunction<T> value) {
            if (id.getName().equals(InspectionMetrics.BATCH_QUEUE)) throw new IllegalStateException("no room");
            return super.newGauge(id, of, value);
        }
    }

    @Test
    void shouldCloseTheModelWhenItsBatcherCannotBeOpened() {
        InspectionConfig config = InspectionConfig.of(
                Map.of("bootstrap.servers", "localhost:9092", "schema.registry.url", "http://localhost:8081"));
        InspectionMetrics metrics = new InspectionMetrics(new RegistryWithoutQueue());
        FakeScorer scorer = new FakeScorer();
        ModelControl control = ModelControl.fixed().withScorer(() -> scorer);

        assertThatThrownBy(
                        () -> new ModelServing(config, control, () -> false, DecisionRules.fixed(null, null), metrics))
                .hasMessage("no room");

        assertThat(scorer.closed).isTrue();
    }
}
