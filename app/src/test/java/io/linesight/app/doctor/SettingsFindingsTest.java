package io.linesight.app.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.schemas.topics.Topics;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.config.SettingsCheck;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SettingsFindingsTest {
    private static List<Finding> findings(Part part, Map<String, String> settings) {
        SettingsCheck check = SettingsCheck.of(settings);
        List<Finding> found = new ArrayList<>();
        new SettingsFindings(new DoctorOptions(
                        check,
                        Topics.from(Map.of()),
                        part,
                        false,
                        "inspection",
                        "trainer",
                        "auto",
                        Map.of(),
                        false,
                        Duration.ofSeconds(5)))
                .run(found);
        return found;
    }

    @Test
    void shouldSayWhatServeSays() {
        Map<String, String> settings = Map.of(
                "bootstrap.servers", "broker:9092",
                "schema.registry.url", "http://registry",
                "linesight.batch.max", "many",
                "kafka.security.protocol", "SSL",
                "security.protocol", "PLAINTEXT",
                "sasl.username", "bob",
                "linesight.batch.lingr.ms", "4",
                "transaction.timeout.ms", "20000");
        SettingsCheck check = SettingsCheck.of(settings);
        List<Finding> found = findings(Part.SERVE, settings);
        assertThat(found)
                .filteredOn(f -> f.problem() == Problem.CONFIG_WRONG)
                .extracting(Finding::message)
                .containsExactlyElementsOf(InspectionConfig.problems(check))
                .hasSize(4);
        assertThat(found)
                .filteredOn(f -> f.problem() == Problem.CONFIG_IGNORED)
                .extracting(Finding::message)
                .containsExactlyElementsOf(check.warnings())
                .hasSize(1);
        assertThat(found).extracting(Finding::subject).contains("sasl.username", "linesight.batch.lingr.ms");
    }

    @Test
    void shouldNotHoldACameraToTheSettingsOfServe() {
        Map<String, String> settings = Map.of("bootstrap.servers", "b:9092", "linesight.batch.max", "many");
        assertThat(findings(Part.CAMERA, settings)).isEmpty();
        assertThat(findings(Part.CAMERA, Map.of("sasl.username", "bob")))
                .extracting(Finding::problem)
                .containsExactly(Problem.CONFIG_WRONG);
    }

    @ParameterizedTest
    @EnumSource(Part.class)
    void shouldReportEveryTopicSettingThatCannotBeUsed(Part part) {
        Map<String, String> settings = Map.of(
                "bootstrap.servers", "b:9092",
                "schema.registry.url", "http://r:8081",
                "linesight.topics.partitions", "four",
                "linesight.topics.prefix", "line 2",
                "linesight.max.frame.bytes", "12",
                "linesight.topics.replication.factor", "3");

        assertThat(findings(part, settings))
                .filteredOn(f -> f.problem() == Problem.CONFIG_WRONG)
                .extracting(Finding::message)
                .anySatisfy(m -> assertThat(m).contains("linesight.topics.partitions", "four"))
                .anySatisfy(m -> assertThat(m).contains("line 2"))
                .anySatisfy(m -> assertThat(m).contains("linesight.max.frame.bytes"))
                .noneSatisfy(m -> assertThat(m).contains("replication"));
    }

    @Test
    void shouldLeaveMissingAddressesToTheChecksThatNeedThem() {
        assertThat(findings(Part.ALL, Map.of())).isEmpty();
    }
}
