package io.linesight.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The list of what ships, as the build has just written it. */
class BillOfMaterialsIT {
    private static final Path FILE = Path.of("target/linesight-bom.json");

    private final JsonNode bom;

    BillOfMaterialsIT() throws Exception {
        bom = new ObjectMapper().readTree(FILE.toFile());
    }

    private List<JsonNode> components() {
        List<JsonNode> all = new ArrayList<>();
        bom.path("components").forEach(all::add);
        return all;
    }

    @Test
    void shouldNameALicenceForEveryComponent() {
        assertThat(bom.path("bomFormat").asText()).isEqualTo("CycloneDX");
        assertThat(bom.path("specVersion").asText()).isEqualTo("1.6");
        assertThat(components()).hasSizeGreaterThan(40);
        assertThat(components()).allSatisfy(c -> {
            assertThat(c.path("licenses").size())
                    .as("licences of " + c.path("purl").asText())
                    .isPositive();
            assertThat(c.path("licenses").toString())
                    .as("licences of " + c.path("purl").asText())
                    .containsAnyOf("\"id\"", "\"name\"", "\"expression\"");
        });
    }

    @Test
    void shouldListExactlyWhatIsOnTheClassPath() throws Exception {
        // The launcher's own class path, so this is what runs.
        Set<String> files = Stream.of(Files.readString(Path.of("target/classpath.txt"))
                        .strip()
                        .split(File.pathSeparator))
                .map(f -> Path.of(f).getFileName().toString())
                .filter(f -> f.endsWith(".jar") && !f.startsWith("linesight-"))
                .collect(Collectors.toCollection(TreeSet::new));
        Set<String> listed = components().stream()
                .filter(c -> !c.path("group").asText().equals("io.linesight"))
                .map(BillOfMaterialsIT::file)
                .collect(Collectors.toCollection(TreeSet::new));
        assertThat(listed).isEqualTo(files);
    }

    @Test
    void shouldSayTheSameForTheSameInput() {
        assertThat(bom.has("serialNumber")).isFalse();
        assertThat(bom.path("metadata").path("timestamp").asText())
                .as("the build's fixed time, or none")
                .isIn("", "2026-01-01T00:00:00Z");
    }

    private static String file(JsonNode c) {
        String purl = c.path("purl").asText();
        int at = purl.indexOf("classifier=");
        String classifier =
                at < 0 ? "" : "-" + purl.substring(at + "classifier=".length()).split("&")[0];
        return c.path("name").asText() + "-" + c.path("version").asText() + classifier + ".jar";
    }
}
