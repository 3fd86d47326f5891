package io.linesight.streams.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

class InspectionConfigTest {

    private static Map<String, String> minimal(String... more) {
        Map<String, String> settings = new HashMap<>(
                Map.of("bootstrap.servers", "localhost:9092", "schema.registry.url", "http://localhost:8081"));
        for (int i = 0; i < more.length; i += 2) settings.put(more[i], more[i + 1]);
        return settings;
    }

    @Test
    void shouldHaveDefaultsForAllButBrokerAndRegistry() {
        InspectionConfig config = InspectionConfig.of(minimal());
        assertThat(config.applicationId()).isEqualTo("linesight-inspection");
        assertThat(config.batching().maxBatch()).isEqualTo(16);
        assertThat(config.batching().decodeThreads()).isPositive();
        assertThat(config.streams().guarantee()).isEqualTo("exactly_once_v2");
        assertThat(config.topics().frames().name()).isEqualTo("linesight.frames.v1");
        assertThat(config.checkpoint()).isNull();
        assertThat(config.metricsServerPort()).isEmpty();
        assertThat(config.registryUrl()).isEqualTo("http://localhost:8081");
    }

    @Test
    void shouldReportEveryProblemAtOnce() {
        InvalidConfigException e = catchThrowableOfType(
                InvalidConfigException.class,
                () -> InspectionConfig.of(Map.of(
                        "linesight.batch.max",
                        "many",
                        "linesight.review.low",
                        "0.7",
                        "linesight.device",
                        "tpu",
                        "linesight.map.range",
                        "1,0",
                        "processing.guarantee",
                        "maybe",
                        "linesight.max.frame.bytes",
                        "3",
                        "kafka.transaction.timeout.ms",
                        "1")));
        assertThat(e.problems()).hasSize(9);
        assertThat(e.getMessage())
                .contains(
                        "bootstrap.servers",
                        "schema.registry.url",
                        "linesight.batch.max",
                        "linesight.review.low",
                        "linesight.device",
                        "linesight.map.range",
                        "processing.guarantee",
                        "linesight.max.frame.bytes",
                        "kafka.transaction.timeout.ms");
    }

    @Test
    void shouldRejectContradictoryTimeouts() {
        assertThatThrownBy(() -> InspectionConfig.of(
                        minimal("transaction.timeout.ms", "20000", "max.poll.interval.ms", "15000")))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageContaining("linesight.drain.timeout.ms=25000 must be below transaction.timeout.ms=20000")
                .hasMessageContaining("transaction.timeout.ms=20000 must be below max.poll.interval.ms=15000");
    }

    @Test
    void shouldHideSecrets() {
        String text = InspectionConfig.of(minimal(
                        "schema.registry.url",
                        "http://bob:hunter2@registry:8081",
                        "basic.auth.user.info",
                        "bob:hunter3",
                        "kafka.sasl.jaas.config",
                        "password=hunter4",
                        "kafka.ssl.keystore.password",
                        "hunter5",
                        "kafka.client.id",
                        "visible"))
                .toString();
        assertThat(text)
                .doesNotContain("hunter")
                .contains("[hidden]")
                .contains("visible")
                .contains("registry:8081");
    }

    @Test
    void shouldWarnOfUnknownKeysAndSuggestTheOneMeant() {
        Logger logger = (Logger) LoggerFactory.getLogger(InspectionConfig.class);
        ListAppender<ILoggingEvent> appender = new ListAppender<>();
        appender.start();
        logger.addAppender(appender);
        try {
            InspectionConfig.of(
                    minimal("linesight.batch.mx", "3", "checkpoint", "x.onnx", "auto.register.schemas", "false"));
        } finally {
            logger.detachAppender(appender);
        }
        List<String> warnings =
                appender.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
        assertThat(warnings).hasSize(2);
        assertThat(warnings)
                .anyMatch(w -> w.contains("linesight.batch.mx") && w.contains("did you mean linesight.batch.max?"));
        assertThat(warnings).anyMatch(w -> w.contains("did you mean linesight.checkpoint?"));
    }

    @Test
    void shouldPassSettingsThroughToKafkaAndTheSerdes() {
        InspectionConfig config = InspectionConfig.of(minimal(
                "kafka.security.protocol",
                "SASL_SSL",
                "kafka.poll.ms",
                "50",
                "kafka.admin.retries",
                "7",
                "basic.auth.user.info",
                "a:b",
                "auto.register.schemas",
                "false"));
        Properties streams = config.streamsProperties();
        assertThat(streams)
                .containsEntry("security.protocol", "SASL_SSL")
                .containsEntry("poll.ms", "50")
                .containsEntry("bootstrap.servers", "localhost:9092")
                .containsEntry("producer.transaction.timeout.ms", "30000");
        assertThat(config.adminProperties())
                .containsEntry("security.protocol", "SASL_SSL")
                .containsEntry("retries", "7")
                .doesNotContainKey("poll.ms");
        assertThat(config.serdes())
                .containsEntry("basic.auth.user.info", "a:b")
                .containsEntry("auto.register.schemas", "false")
                .containsEntry("schema.registry.url", "http://localhost:8081");
    }

    @Test
    void shouldRaiseProducerAndConsumerLimitsWithTheFrameSize() {
        Properties streams = InspectionConfig.of(minimal("linesight.max.frame.bytes", "20000000"))
                .streamsProperties();
        assertThat(Integer.parseInt((String) streams.get("producer.max.request.size")))
                .isGreaterThan(20_000_000);
        assertThat(Integer.parseInt((String) streams.get("consumer.max.partition.fetch.bytes")))
                .isGreaterThan(20_000_000);
    }

    @Test
    void shouldNotSendATransactionTimeoutWithoutTransactions() {
        assertThat(InspectionConfig.of(minimal("processing.guarantee", "at_least_once"))
                        .streamsProperties())
                .doesNotContainKey("producer.transaction.timeout.ms");
    }

    @Test
    void shouldReadAPropertiesFile(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(
                folder.resolve("app.properties"),
                "bootstrap.servers=k:9092\nschema.registry.url=http://r\nlinesight.checkpoint=model.onnx\n"
                        + "linesight.batch.linger.ms=7\n");
        InspectionConfig config = InspectionConfig.ofFile(file);
        assertThat(config.checkpoint()).isEqualTo(Path.of("model.onnx"));
        assertThat(config.batching().linger()).isEqualTo(Duration.ofMillis(7));
        assertThatThrownBy(() -> InspectionConfig.ofFile(folder.resolve("missing.properties")))
                .isInstanceOf(InvalidConfigException.class)
                .hasMessageContaining("missing.properties");
    }

    @Test
    void shouldDocumentEveryKey() {
        String reference = InspectionConfig.reference();
        assertThat(InspectionConfig.keys()).hasSizeGreaterThan(30).allSatisfy(key -> assertThat(reference)
                .contains(key + " ("));
        assertThat(reference)
                .contains("bootstrap.servers (string, required)")
                .contains("linesight.batch.max (int, default: 16");
    }

    @Test
    void shouldReadMapRanges() {
        assertThat(MapRange.parse("AUTO").auto()).isTrue();
        assertThat(MapRange.parse(" 0, 0.5 ")).isEqualTo(new MapRange(false, 0, 0.5f));
        for (String bad : List.of("", "1", "1,1", "2,1", "NaN,1", "0,Infinity", "a,b", "0,1,2")) {
            assertThatThrownBy(() -> MapRange.parse(bad)).as(bad).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void shouldSuggestOnlyKeysThatAreNear() {
        assertThat(NearMiss.of("num.streams.threads", InspectionConfig.keys())).contains("num.stream.threads");
        assertThat(NearMiss.of("device", InspectionConfig.keys())).contains("linesight.device");
        assertThat(NearMiss.of("something.else.entirely", InspectionConfig.keys()))
                .isEmpty();
    }

    @Test
    void shouldReadWhatConcernsRollouts() {
        RolloutSettings models = InspectionConfig.of(minimal(
                        "linesight.models.instance",
                        "line-3",
                        "linesight.models.trusted.keys",
                        "a.pub, b.pub",
                        "linesight.rollout.stagger.ms",
                        "5000",
                        "linesight.guard.anomaly.jump",
                        "0.1"))
                .models();
        assertThat(models.channel()).isEqualTo("default");
        assertThat(models.instance()).isEqualTo("line-3");
        assertThat(models.follow()).isTrue();
        assertThat(models.stagger()).isEqualTo(Duration.ofSeconds(5));
        assertThat(models.guard().anomalyJump()).isEqualTo(0.1);
        assertThat(models.guard().probation()).isEqualTo(Duration.ofMinutes(10));
        assertThat(InspectionConfig.of(minimal()).models().instance()).isNotBlank();
        assertThat(InspectionConfig.of(minimal()).models().follow()).isFalse();
        assertThat(InspectionConfig.of(minimal("linesight.models.unsigned", "accept"))
                        .models()
                        .follow())
                .isTrue();
    }

    @Test
    void shouldReportProblemsWithRolloutSettingsTogether() {
        InvalidConfigException e = catchThrowableOfType(
                InvalidConfigException.class,
                () -> InspectionConfig.of(minimal(
                        "linesight.models.unsigned",
                        "maybe",
                        "linesight.guard.min.frames",
                        "900",
                        "linesight.shadow.queue",
                        "0",
                        "linesight.guard.error.rate",
                        "2")));
        assertThat(e.problems()).hasSize(4);
        assertThat(e.getMessage())
                .contains("linesight.guard.min.frames=900 must not be above linesight.guard.window.frames=500");
    }

    @Test
    void shouldGiveProducersBesideTheStreamWhatIsSaidForAll() {
        assertThat(InspectionConfig.of(minimal(
                                "kafka.security.protocol",
                                "SASL_SSL",
                                "kafka.producer.compression.type",
                                "lz4",
                                "kafka.poll.ms",
                                "5",
                                "kafka.consumer.fetch.max.wait.ms",
                                "7"))
                        .producerProperties())
                .containsEntry("security.protocol", "SASL_SSL")
                .containsEntry("compression.type", "lz4")
                .containsEntry("bootstrap.servers", "localhost:9092")
                .doesNotContainKeys("poll.ms", "fetch.max.wait.ms");
    }
}
