package io.linesight.schemas.topics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TopicsTest {

    @Test
    void shouldNameTheTopicsOfTheCatalogue() {
        assertThat(Topics.defaults().all())
                .extracting(TopicSpec::name)
                .containsExactly(
                        "linesight.frames.v1",
                        "linesight.results.v1",
                        "linesight.anomalies.v1",
                        "linesight.dead-letter.v1",
                        "linesight.labels.v1",
                        "linesight.models.v1",
                        "linesight.model-chunks.v1",
                        "linesight.rollouts.v1",
                        "linesight.model-status.v1",
                        "linesight.shadow.v1",
                        "linesight.exemptions.v1",
                        "linesight.settings.v1",
                        "linesight.training.v1",
                        "linesight.alerts.v1",
                        "linesight.alert-actions.v1");
        assertThat(Topics.from(Map.of("linesight.topics.prefix", "plant7"))
                        .frames()
                        .name())
                .isEqualTo("plant7.frames.v1");
    }

    @Test
    void shouldReadItsSettingsFromConfiguration() {
        Topics topics = Topics.from(Map.of(
                "linesight.topics.partitions",
                "12",
                "linesight.topics.replication.factor",
                3,
                "linesight.max.frame.bytes",
                "4194304"));

        assertThat(topics.all())
                .allSatisfy(t -> assertThat(t.replicationFactor()).isEqualTo((short) 3));
        assertThat(List.of(
                        topics.frames(),
                        topics.results(),
                        topics.anomalies(),
                        topics.deadLetter(),
                        topics.labels(),
                        topics.shadow(),
                        topics.alerts(),
                        topics.alertActions()))
                .extracting(TopicSpec::partitions)
                .containsOnly(12);
        assertThat(List.of(topics.models(), topics.modelChunks(), topics.rollouts(), topics.modelStatus()))
                .as("read whole by everyone, in one order")
                .extracting(TopicSpec::partitions)
                .containsOnly(1);
        assertThat(topics.limits().frameBytes()).isEqualTo(4 << 20);
        assertThat(topics.byName("linesight.results.v1")).contains(topics.results());
        assertThat(topics.byName("linesight.other.v1")).isEmpty();
    }

    @Test
    void shouldNameTheKeyOfAnUnusableSetting() {
        assertThatThrownBy(() -> Topics.from(Map.of("linesight.topics.partitions", "many")))
                .hasMessageContaining("linesight.topics.partitions=many");
        assertThatThrownBy(() -> Topics.from(Map.of("linesight.topics.replication.factor", "100000")))
                .hasMessageContaining("linesight.topics.replication.factor");
        assertThatThrownBy(() -> Topics.from(Map.of("linesight.topics.partitions", "0")))
                .hasMessageContaining("partitions=0");
        assertThatThrownBy(() -> Topics.from(Map.of("linesight.topics.prefix", "a b")))
                .hasMessageContaining("a b");
        assertThatThrownBy(() -> Topics.from(Map.of("linesight.topics.prefix", " ")))
                .hasMessageContaining("linesight.topics.prefix");
        assertThatThrownBy(() -> Topics.from(Map.of("linesight.max.frame.bytes", "12")))
                .hasMessageContaining("linesight.max.frame.bytes=12");
    }

    @Test
    void shouldKeepARetentionOnlyWhereRecordsAreDeleted() {
        TopicSpec deleted = Topics.defaults().frames().withRetention(Duration.ofMinutes(5));
        TopicSpec compacted = new TopicSpec(
                "a", 1, TopicSpec.BROKER_DEFAULT, TopicSpec.Cleanup.COMPACT, Duration.ofDays(1), 1000, "");

        assertThat(deleted.configs()).containsEntry("retention.ms", "300000").containsEntry("cleanup.policy", "delete");
        assertThat(compacted.configs()).doesNotContainKey("retention.ms").containsEntry("cleanup.policy", "compact");
        assertThat(Topics.defaults().alerts().configs())
                .as("a log for days, and the present state for a year")
                .containsEntry("cleanup.policy", "compact,delete")
                .containsEntry("retention.ms", "31536000000")
                .containsEntry("min.compaction.lag.ms", "1209600000");
        assertThat(deleted.toNewTopic().replicationFactor())
                .as("-1 means the broker's default")
                .isEqualTo((short) -1);
    }

    @ParameterizedTest
    @ValueSource(ints = {64 << 10, 1 << 20, 8 << 20, 64 << 20, 512 << 20})
    void shouldDeriveLimitsThatLetTheLargestFramePassEverywhere(int frameBytes) {
        SizeLimits limits = new SizeLimits(frameBytes);
        Topics topics = Topics.of("t", 1, TopicSpec.BROKER_DEFAULT, limits);
        int envelope = 10_000;

        assertThat(topics.frames().maxMessageBytes()).isGreaterThanOrEqualTo(frameBytes + envelope);
        assertThat(topics.deadLetter().maxMessageBytes())
                .isGreaterThanOrEqualTo(topics.frames().maxMessageBytes() + envelope);
        int largest = topics.deadLetter().maxMessageBytes();
        assertThat((int) limits.producerConfigs().get("max.request.size")).isGreaterThanOrEqualTo(largest);
        assertThat((long) limits.producerConfigs().get("buffer.memory")).isGreaterThanOrEqualTo(2L * largest);
        assertThat((int) limits.consumerConfigs().get("max.partition.fetch.bytes"))
                .isGreaterThanOrEqualTo(largest);
        assertThat((int) limits.consumerConfigs().get("fetch.max.bytes")).isGreaterThanOrEqualTo(largest);
        assertThat((int) limits.brokerConfigs().get("message.max.bytes")).isGreaterThanOrEqualTo(largest);
        assertThat((int) limits.brokerConfigs().get("replica.fetch.max.bytes")).isGreaterThanOrEqualTo(largest);
        assertThat((int) limits.brokerConfigs().get("socket.request.max.bytes")).isGreaterThan(largest);
    }
}
