package io.linesight.app.cli;

import io.linesight.models.storage.ModelsConfig;
import io.linesight.schemas.clients.Setting;
import io.linesight.schemas.registry.SchemaRegistryClient;
import io.linesight.schemas.serde.SerdeFactory;
import io.linesight.schemas.topics.Topics;
import io.linesight.streams.config.InspectionConfig;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "config",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Prints every setting of every command with its type, default, valid values and meaning.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight config                                   # all settings",
            "  linesight config --markdown docs/configuration.md  # writes the page"
        })
final class ConfigCommand implements Callable<Integer> {
    /** Options that every command has, or that are said once for all. */
    private static final List<String> COMMON = List.of(
            "--help",
            "--version",
            "--verbose",
            "--log-format",
            "--bootstrap-servers",
            "--registry",
            "--config",
            "--set");

    @Spec
    private CommandSpec spec;

    @Option(names = "--markdown", paramLabel = "FILE", description = "Write them as a Markdown page instead.")
    private Path markdown;

    /** A part and its settings. */
    private record Section(String title, String text, List<Setting> settings) {}

    @Override
    public Integer call() throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        if (markdown != null) {
            Files.writeString(markdown, markdown());
            out.println("Wrote " + markdown);
            return 0;
        }
        for (Section s : sections()) {
            out.println(s.title);
            out.println("  " + s.text);
            for (Setting x : s.settings) {
                out.println("  " + x.name() + " (" + x.type()
                        + (x.required() ? ", required" : ", default: " + x.defaultValue())
                        + (x.valid().isEmpty() ? "" : ", valid: " + x.valid()) + ")");
                out.println("      " + x.doc());
            }
            out.println();
        }
        return 0;
    }

    private static List<Section> sections() {
        CommandLine line = Linesight.commandLine();
        return List.of(
                new Section(
                        "Inspection (serve)",
                        "Keys of the file given with --config, or of --set KEY=VALUE. Kafka's own settings are passed "
                                + "on, with or without the prefix kafka.",
                        InspectionConfig.settings()),
                new Section(
                        "Topics",
                        "For serve, train, label, replay, topics and models.",
                        Setting.of(Topics.definition(), Map.of())),
                new Section(
                        "Schema registry",
                        "For every part. The keys have the names of Confluent's clients.",
                        Setting.of(SchemaRegistryClient.definition(), Map.of())),
                new Section("Serde", "For every part.", Setting.of(SerdeFactory.definition(), Map.of())),
                new Section(
                        "Checkpoints (models, serve, train)",
                        "For every command that publishes or fetches checkpoints.",
                        Setting.of(ModelsConfig.definition(), Map.of())),
                new Section(
                        "Trainer (train)",
                        "Options of the command; Kafka, registry, topics and checkpoints as above.",
                        options(line, "train")),
                new Section(
                        "Camera (replay)",
                        "Options of the command; Kafka, registry and topics as above.",
                        options(line, "replay")),
                new Section(
                        "Simulated cameras (camera)",
                        "Options of the command; Kafka, registry and topics as above.",
                        options(line, "camera")));
    }

    private static List<Setting> options(CommandLine line, String command) {
        List<Setting> settings = new ArrayList<>();
        for (OptionSpec o : line.getSubcommands().get(command).getCommandSpec().options()) {
            if (COMMON.contains(o.longestName())) continue;
            Class<?> type = o.typeInfo().isMultiValue() || o.typeInfo().isOptional()
                    ? o.typeInfo().getAuxiliaryTypes()[0]
                    : o.typeInfo().getType();
            String value = o.defaultValue() != null
                    ? o.defaultValue()
                    : o.typeInfo().isBoolean() ? "false" : o.required() ? "" : "none";
            String valid = o.paramLabel() == null || o.typeInfo().isBoolean() ? "" : o.paramLabel();
            String doc = String.join(" ", o.description())
                    .replace("${DEFAULT-VALUE}", value)
                    .replace("${COMPLETION-CANDIDATES}", valid)
                    .replace("%%", "%");
            settings.add(
                    new Setting(o.longestName(), type.getSimpleName().toLowerCase(Locale.ROOT), value, valid, doc));
        }
        return settings;
    }

    /** The page. */
    static String markdown() {
        StringBuilder b = new StringBuilder(
                """
                # Configuration

                `./linesight config --markdown docs/configuration.md` writes this page from the definitions that the program reads; a
                test fails when the page differs. A program with a wrong setting does not start and names all wrong settings at once.
                Secrets never appear in logs.
                """);
        Map<String, Section> all = new LinkedHashMap<>();
        sections().forEach(s -> all.put(s.title, s));
        for (Section s : all.values()) {
            b.append("\n## ")
                    .append(s.title)
                    .append("\n\n")
                    .append(s.text)
                    .append("\n\n| setting | type | default | valid | meaning |\n|---|---|---|---|---|\n");
            for (Setting x : s.settings) {
                b.append("| `")
                        .append(x.name())
                        .append("` | ")
                        .append(x.type())
                        .append(" | ")
                        .append(x.required() ? "*required*" : cell(x.defaultValue()))
                        .append(" | ")
                        .append(cell(x.valid()))
                        .append(" | ")
                        .append(cell(x.doc()))
                        .append(" |\n");
            }
        }
        return b.toString();
    }

    private static String cell(String text) {
        return text.replace("|", "\\|").replace("\n", " ");
    }
}
