package io.linesight.streams.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.schemas.clients.ClientSettings;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SettingsCheckTest {
    /** As Confluent Cloud hands it out, and the same in the form that 'serve' wanted before. */
    private static final Map<String, String> CLOUD = Map.of(
            "bootstrap.servers", "pkc-1.eu.confluent.cloud:9092",
            "security.protocol", "SASL_SSL",
            "sasl.jaas.config",
                    "org.apache.kafka.common.security.plain.PlainLoginModule required username='k' password='hunter2';",
            "sasl.mechanism", "PLAIN",
            "client.dns.lookup", "use_all_dns_ips",
            "session.timeout.ms", "45000",
            "acks", "all",
            "schema.registry.url", "https://psrc-1.eu.confluent.cloud",
            "basic.auth.credentials.source", "USER_INFO",
            "basic.auth.user.info", "sr:hunter3");

    private static Map<String, String> prefixed(Map<String, String> settings) {
        Map<String, String> prefixed = new HashMap<>();
        settings.forEach((key, value) -> prefixed.put("kafka." + key, value));
        return prefixed;
    }

    private static SettingsCheck check(String... keysAndValues) {
        Map<String, String> settings = new HashMap<>();
        for (int i = 0; i < keysAndValues.length; i += 2) settings.put(keysAndValues[i], keysAndValues[i + 1]);
        return SettingsCheck.of(settings);
    }

    @Test
    void shouldTakeTheFileOfConfluentCloudAsItIs() {
        SettingsCheck check = SettingsCheck.of(CLOUD);
        assertThat(check.problems()).isEmpty();
        assertThat(check.warnings()).isEmpty();
        Properties streams = InspectionConfig.of(CLOUD).streamsProperties();
        assertThat(streams)
                .containsEntry("security.protocol", "SASL_SSL")
                .containsEntry("sasl.mechanism", "PLAIN")
                .containsEntry("sasl.jaas.config", CLOUD.get("sasl.jaas.config"))
                .containsEntry("client.dns.lookup", "use_all_dns_ips")
                .containsEntry("session.timeout.ms", "45000")
                .doesNotContainKeys("consumer.session.timeout.ms", "basic.auth.user.info");
        assertThat(InspectionConfig.of(CLOUD).serdes()).containsEntry("basic.auth.user.info", "sr:hunter3");
    }

    @Test
    void shouldMeanTheSameWithThePrefixInEveryCommand() {
        SettingsCheck plain = SettingsCheck.of(CLOUD);
        SettingsCheck prefixed = SettingsCheck.of(prefixed(CLOUD));
        assertThat(prefixed.settings()).isEqualTo(plain.settings());
        assertThat(prefixed.problems()).isEmpty();
        InspectionConfig serve = InspectionConfig.of(CLOUD);
        assertThat(InspectionConfig.of(prefixed(CLOUD)).streamsProperties()).isEqualTo(serve.streamsProperties());
        assertThat(InspectionConfig.of(prefixed(CLOUD)).serdes()).isEqualTo(serve.serdes());
        assertThat(serve.adminProperties()).isEqualTo(ClientSettings.forAdmin(plain.settings()));
        assertThat(serve.producerProperties()).containsAllEntriesOf(withoutAcks(plain.settings()));
    }

    /** Of a producer; acks and session.timeout.ms are no settings of it here. */
    private static Map<String, Object> withoutAcks(Map<String, String> settings) {
        Map<String, Object> producer = ClientSettings.forProducer(settings);
        producer.remove("acks");
        return producer;
    }

    @Test
    void shouldReportASettingWithTwoValuesAndNameBoth() {
        for (String key :
                List.of("security.protocol", "sasl.mechanism", "ssl.truststore.password", "bootstrap.servers")) {
            assertThat(check(key, "a", "kafka." + key, "b").problems())
                    .singleElement()
                    .asString()
                    .contains(key + " and kafka." + key, "keep one");
            assertThat(check(key, "a", "kafka." + key, "a").problems()).isEmpty();
        }
    }

    @Test
    void shouldNotIgnoreASecuritySettingThatNobodyKnows() {
        Map<String, String> wrong = Map.of(
                "security.protcol", "did you mean security.protocol?",
                "kafka.sasl.mechansim", "did you mean sasl.mechanism?",
                "consumer.ssl.keystore.lokation", "did you mean ssl.keystore.location?",
                "sasl.username", "sasl.jaas.config",
                "sasl.mechanisms", "sasl.mechanism",
                "ssl.ca.location", "ssl.truststore.type=PEM",
                "ssl.engine.of.ours", "write kafka.ssl.engine.of.ours");
        wrong.forEach((key, hint) -> {
            SettingsCheck check = check(key, "x");
            assertThat(check.problems()).as(key).singleElement().asString().contains("Security setting " + key, hint);
            assertThat(check.warnings()).isEmpty();
        });
        assertThat(check("kafka.ssl.engine.of.ours", "x").problems()).isEmpty();
    }

    @Test
    void shouldSuggestTheSettingThatWasMeant() {
        Map<String, String> slips = Map.of(
                "linesight.batch.mx", "linesight.batch.max",
                "bootstrap.server", "bootstrap.servers",
                "kafka.client.dns.lookups", "client.dns.lookup",
                "auto.register.schema", "auto.register.schemas",
                "linesight.topic.prefix", "linesight.topics.prefix",
                "linesight.models.patience", "linesight.models.instance");
        slips.forEach((slip, meant) -> assertThat(check(slip, "x").warnings())
                .as(slip)
                .singleElement()
                .asString()
                .contains("Unknown setting " + slip, "did you mean "));
        assertThat(check("completely.different.thing", "x").warnings())
                .containsExactly("Unknown setting completely.different.thing is ignored");
        assertThat(check("kafka.plugin.option.of.ours", "x").warnings()).isEmpty();
    }

    @Test
    void shouldSayWhatOfAClientsFileIsNotUsed() {
        assertThat(check("group.id", "mine", "acks", "1", "value.deserializer", "x", "enable.auto.commit", "true")
                        .warnings())
                .hasSize(4)
                .anyMatch(w -> w.contains("group.id") && w.contains("application.id"))
                .anyMatch(w -> w.contains("acks") && w.contains("all replicas"));
        assertThat(check("acks", "-1", "enable.auto.commit", "false", "isolation.level", "read_committed")
                        .warnings())
                .isEmpty();
    }

    @Test
    void shouldPreferTheUsersSettingForAllClientsToOurDefault() {
        Map<String, String> settings = new HashMap<>(CLOUD);
        settings.put("linger.ms", "20");
        settings.put("max.poll.records", "8");
        settings.put("consumer.fetch.max.wait.ms", "7");
        Properties streams = InspectionConfig.of(settings).streamsProperties();
        assertThat(streams)
                .containsEntry("linger.ms", "20")
                .containsEntry("max.poll.records", "8")
                .containsEntry("consumer.fetch.max.wait.ms", "7")
                .doesNotContainKeys("producer.linger.ms", "consumer.max.poll.records");
    }

    @Test
    void shouldSummariseInAFewReadableLines() {
        Map<String, String> settings = new HashMap<>(CLOUD);
        settings.put("linesight.batch.max", "8");
        settings.put("linesight.batch.linger.ms", "10");
        settings.put("linesight.models.http.authorization", "Bearer hunter4");
        InspectionConfig config = InspectionConfig.of(settings);
        assertThat(config.summary())
                .hasSizeBetween(5, 7)
                .allSatisfy(line -> assertThat(line).hasSizeLessThan(250).doesNotContain("hunter"));
        assertThat(String.join("\n", config.summary()))
                .contains(
                        "Kafka: pkc-1.eu.confluent.cloud:9092, SASL_SSL with PLAIN",
                        "application.id linesight-inspection",
                        "linesight.batch.max=8",
                        "linesight.models.http.authorization=[hidden]",
                        "sasl.jaas.config=[hidden]")
                .doesNotContain("linesight.pending.max");
    }

    @Test
    void shouldSayHowEachKindOfClientIsProtectedWhereTheyDiffer() {
        assertThat(kafkaLine("security.protocol", "SSL")).contains(", SSL, application.id");
        assertThat(kafkaLine(
                        "consumer.security.protocol", "SASL_SSL",
                        "producer.security.protocol", "SASL_SSL",
                        "admin.security.protocol", "SASL_SSL",
                        "sasl.mechanism", "SCRAM-SHA-512"))
                .contains(", SASL_SSL with SCRAM-SHA-512, application.id");
        assertThat(kafkaLine("kafka.consumer.security.protocol", "SSL", "main.consumer.security.protocol", "SASL_SSL"))
                .contains("consumers SASL_SSL with GSSAPI, producers PLAINTEXT, admin clients PLAINTEXT");
        assertThat(kafkaLine("security.protocol", "SSL", "producer.security.protocol", "PLAINTEXT"))
                .contains("consumers SSL, producers PLAINTEXT, admin clients SSL");
    }

    private static String kafkaLine(String... more) {
        Map<String, String> settings = new HashMap<>(Map.of(
                "bootstrap.servers", "kafka:9092",
                "schema.registry.url", "http://registry:8081"));
        for (int i = 0; i < more.length; i += 2) settings.put(more[i], more[i + 1]);
        return InspectionConfig.of(settings).summary().get(0);
    }

    @ParameterizedTest
    @CsvSource({"group.protocol,streams", "kafka.group.protocol,STREAMS", "consumer.group.protocol,consumer"})
    void shouldRefuseAGroupProtocolThatBypassesOurConsumer(String key, String value) {
        Map<String, String> settings = new HashMap<>(CLOUD);
        settings.put(key, value);
        assertThat(InspectionConfig.problems(SettingsCheck.of(settings)))
                .singleElement()
                .asString()
                .contains(key + "=" + value + " is not supported", "Leave it out");
        settings.put(key, "classic");
        assertThat(InspectionConfig.problems(SettingsCheck.of(settings))).isEmpty();
    }
}
