package io.linesight.schemas.clients;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ClientSettingsTest {
    private final Map<String, String> settings = Map.of(
            "bootstrap.servers", "broker:9092",
            "schema.registry.url", "http://registry:8081",
            "security.protocol", "SSL",
            "group.id", "line",
            "transactional.id", "line-1",
            "max.poll.records", "7",
            "linger.ms", "3");

    @Test
    void shouldGiveEachClientOnlyWhatItKnows() {
        assertThat(ClientSettings.forConsumer(settings))
                .containsOnlyKeys("bootstrap.servers", "security.protocol", "group.id", "max.poll.records");
        assertThat(ClientSettings.forProducer(settings))
                .containsOnlyKeys("bootstrap.servers", "security.protocol", "transactional.id", "linger.ms");
        assertThat(ClientSettings.forAdmin(settings)).containsOnlyKeys("bootstrap.servers", "security.protocol");
    }

    @Test
    void shouldReadCommittedRecordsOutsideAnyGroup() {
        assertThat(ClientSettings.forReader(settings))
                .doesNotContainKeys("group.id", "schema.registry.url")
                .containsEntry("isolation.level", "read_committed")
                .containsEntry("enable.auto.commit", false)
                .containsEntry("default.api.timeout.ms", 15_000)
                .containsEntry("max.poll.records", "7");
    }

    @Test
    void shouldKeepUsersTimeoutButNotUsersIsolation() {
        assertThat(ClientSettings.forReader(
                        Map.of("default.api.timeout.ms", "99", "isolation.level", "read_uncommitted")))
                .containsEntry("default.api.timeout.ms", "99")
                .containsEntry("isolation.level", "read_committed");
    }

    @Test
    void shouldWriteIdempotentlyOutsideTransactions() {
        assertThat(ClientSettings.forWriter(new HashMap<>(Map.of("acks", "0", "transactional.id", "t"))))
                .isEqualTo(Map.of("acks", "all", "enable.idempotence", true));
    }

    @Test
    void shouldReturnMapThatMayBeChanged() {
        Map<String, Object> configs = ClientSettings.forReader(settings);
        configs.put("max.poll.records", 1);
        assertThat(configs).containsEntry("max.poll.records", 1);
        assertThat(settings).containsEntry("max.poll.records", "7");
    }

    @Test
    void shouldPreferWhatHasTheClientsPrefix() {
        Map<String, String> given = Map.of(
                "security.protocol", "SSL",
                "producer.security.protocol", "SASL_SSL",
                "consumer.max.poll.records", "9",
                "admin.retries", "2",
                "max.poll.records", "7");
        assertThat(ClientSettings.forProducer(given)).isEqualTo(Map.of("security.protocol", "SASL_SSL"));
        assertThat(ClientSettings.forConsumer(given))
                .isEqualTo(Map.of("security.protocol", "SSL", "max.poll.records", "9"));
        assertThat(ClientSettings.forAdmin(given)).isEqualTo(Map.of("security.protocol", "SSL", "retries", "2"));
    }

    @Test
    void shouldNeverLeaveOutSecuritySettings() {
        Map<String, String> given =
                Map.of("ssl.plugin.option", "a", "sasl.plugin.option", "b", "security.providers", "c", "poll.ms", "1");
        for (Map<String, Object> configs : List.of(
                ClientSettings.forConsumer(given), ClientSettings.forProducer(given), ClientSettings.forAdmin(given)))
            assertThat(configs).containsOnlyKeys("ssl.plugin.option", "sasl.plugin.option", "security.providers");
    }
}
