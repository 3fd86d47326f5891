package io.linesight.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.models.storage.ModelsConfig;
import io.linesight.schemas.clients.Setting;
import io.linesight.schemas.registry.SchemaRegistryClient;
import io.linesight.schemas.serde.SerdeFactory;
import io.linesight.schemas.topics.Topics;
import io.linesight.streams.config.InspectionConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.kafka.common.config.ConfigDef;
import org.junit.jupiter.api.Test;

class ConfigCommandTest {
    @Test
    void shouldHaveWrittenThePage() throws IOException {
        assertThat(Files.readString(Path.of("..", "docs", "configuration.md")))
                .as("run: ./linesight config --markdown docs/configuration.md")
                .isEqualTo(ConfigCommand.markdown());
    }

    @Test
    void shouldDocumentEverySettingOfEveryPart() {
        String page = ConfigCommand.markdown();
        for (ConfigDef d : List.of(
                Topics.definition(),
                SchemaRegistryClient.definition(),
                SerdeFactory.definition(),
                ModelsConfig.definition())) {
            for (String name : d.names()) assertThat(page).contains("| `" + name + "` |");
        }
        for (String name : InspectionConfig.keys()) assertThat(page).contains("| `" + name + "` |");
        assertThat(page)
                .contains(
                        "`--after-normals`",
                        "`--metrics-port`",
                        "`--fps`",
                        "| `bootstrap.servers` | string | *required* |")
                .doesNotContain("/tmp/", "${", "Optional[");
    }

    /** The inspection app reads some settings of the parts that it is built on. */
    @Test
    void shouldSayTheSameOfASettingWhereverItIsRead() {
        Map<String, Setting> parts = new HashMap<>();
        Stream.of(Topics.definition(), SerdeFactory.definition(), ModelsConfig.definition())
                .flatMap(d -> Setting.of(d, Map.of()).stream())
                .forEach(s -> parts.put(s.name(), s));
        List<Setting> shared = InspectionConfig.settings().stream()
                .filter(s -> parts.containsKey(s.name()))
                .toList();
        assertThat(shared).hasSizeGreaterThan(6).allSatisfy(s -> {
            assertThat(s.defaultValue())
                    .as(s.name())
                    .isEqualTo(parts.get(s.name()).defaultValue());
            assertThat(s.type()).as(s.name()).isEqualTo(parts.get(s.name()).type());
            assertThat(s.doc()).as(s.name()).isEqualTo(parts.get(s.name()).doc());
        });
    }
}
