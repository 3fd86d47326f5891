package io.linesight.trainer.learning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.trainer.calibration.CalibrationRule;
import io.linesight.trainer.gate.GateConfig;
import io.linesight.trainer.learning.TrainerConfig.Sampling;
import io.linesight.trainer.learning.TrainerConfig.Triggers;
import io.linesight.trainer.learning.TrainerConfig.Tuning;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TrainerConfigTest {
    @Test
    void shouldHaveUsableDefaults() {
        TrainerConfig c =
                TrainerConfig.of(Map.of("bootstrap.servers", "b:1", "schema.registry.url", "http://r"), Path.of("t"));
        assertThat(c.sampling().perHour()).as("off unless asked for").isZero();
        assertThat(c.triggers().afterNormals()).isZero();
        assertThat(c.triggers().every()).isNull();
        assertThat(c.store().folder()).isEqualTo(Path.of("t", "store"));
    }

    @Test
    void shouldNameEveryProblemAtOnce() {
        assertThatThrownBy(() -> new TrainerConfig(
                        Map.of("linesight.topics.partitions", "many"),
                        " ",
                        "",
                        "",
                        null,
                        null,
                        new Triggers(-1, Duration.ZERO),
                        new Tuning(0, 0, 0, 99, -1, 0, 0, 0, 1, CalibrationRule.defaults()),
                        new Sampling(-1, 0.9, 0),
                        GateConfig.defaults(),
                        Duration.ofSeconds(-1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("bootstrap.servers")
                .hasMessageContaining("schema.registry.url")
                .hasMessageContaining("linesight.topics.partitions")
                .hasMessageContaining("channel")
                .hasMessageContaining("group")
                .hasMessageContaining("instance")
                .hasMessageContaining("folder")
                .hasMessageContaining("store")
                .hasMessageContaining("afterNormals")
                .hasMessageContaining("every")
                .hasMessageContaining("minutes or epochs")
                .hasMessageContaining("learningRate")
                .hasMessageContaining("batch")
                .hasMessageContaining("threads")
                .hasMessageContaining("newPerProduct")
                .hasMessageContaining("perHour")
                .hasMessageContaining("belowScore")
                .hasMessageContaining("maxPerProduct")
                .hasMessageContaining("lateFrames")
                .hasMessageContaining("Nothing was started");
    }
}
