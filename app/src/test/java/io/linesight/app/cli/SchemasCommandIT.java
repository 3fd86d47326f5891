package io.linesight.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.embedded.SharedPlatform;
import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.registry.SchemaRegistryClient;
import io.linesight.schemas.topics.Topics;
import io.linesight.schemas.topics.ValueSchemas;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.avro.Schema;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(300)
class SchemasCommandIT {
    private static final int SUBJECTS = ValueSchemas.of(Topics.defaults()).size();

    @TempDir
    Path folder;

    private String url;
    private SchemaRegistryClient registry;
    private String out = "";

    @BeforeAll
    void connect() {
        url = SharedPlatform.registry().url();
        registry = new SchemaRegistryClient(Map.of("schema.registry.url", url));
    }

    private int run(String... arguments) {
        StringWriter written = new StringWriter();
        CommandLine line = Linesight.commandLine();
        line.setOut(new PrintWriter(written, true));
        int code = line.execute(arguments);
        out = written.toString();
        return code;
    }

    @Test
    void shouldRegisterWhatIsMissingAndNothingTwice() {
        assertThat(run("schemas", "-r", url, "--prefix", "once", "--dry-run")).isZero();
        assertThat(out.lines()).hasSize(SUBJECTS).allMatch(l -> l.endsWith(": would be registered"));
        assertThat(registry.subjects()).noneMatch(s -> s.startsWith("once."));

        assertThat(run("schemas", "-r", url, "--prefix", "once")).isZero();
        assertThat(out.lines()).hasSize(SUBJECTS).allMatch(l -> l.contains(": registered now, id "));

        assertThat(run("schemas", "-r", url, "--prefix", "once")).isZero();
        assertThat(out.lines()).hasSize(SUBJECTS).allMatch(l -> l.contains(": registered, id "));
        assertThat(registry.versions("once.frames.v1-value")).containsExactly(1);
    }

    @Test
    void shouldAddTheNewVersionToAnOlderOne() throws Exception {
        registry.register(
                "older.frames.v1-value",
                new Schema.Parser()
                        .parse(Files.readString(
                                Path.of("../schemas/src/test/resources/schemas-released/CameraFrame/v1.avsc"))));

        assertThat(run("schemas", "-r", url, "--prefix", "older")).isZero();

        assertThat(registry.versions("older.frames.v1-value")).containsExactly(1, 2);
        assertThat(registry.latest("older.frames.v1-value").schema()).isEqualTo(CameraFrame.getClassSchema());
    }

    @Test
    void shouldRegisterTheOthersWhereOneIsRejected() {
        registry.register("foreign.frames.v1-value", FrameRef.getClassSchema());

        assertThat(run("schemas", "-r", url, "--prefix", "foreign")).isEqualTo(1);

        assertThat(out).contains("foreign.frames.v1-value: the registry rejects it");
        assertThat(out.lines().filter(l -> l.contains("registered now"))).hasSize(SUBJECTS - 1);
        assertThat(registry.versions("foreign.frames.v1-value")).containsExactly(1);
    }

    @Test
    void shouldWriteTheSchemasForSomebodyElse() throws Exception {
        Path files = folder.resolve("made/schemas");

        assertThat(run(
                        "schemas",
                        "--out",
                        files.toString(),
                        "--prefix",
                        "plant",
                        "-s",
                        "avro.remove.java.properties=true"))
                .isZero();

        assertThat(out.lines()).hasSize(SUBJECTS);
        String text = Files.readString(files.resolve("plant.frames.v1-value.avsc"));
        assertThat(text).doesNotContain("avro.java.string");
        assertThat(new Schema.Parser().parse(text).getFullName()).isEqualTo("io.linesight.schemas.CameraFrame");
    }
}
