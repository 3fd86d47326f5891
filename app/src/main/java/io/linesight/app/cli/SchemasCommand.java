package io.linesight.app.cli;

import io.linesight.app.cli.common.Kafka;
import io.linesight.schemas.registry.Compatibility;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.registry.RegistryException.Kind;
import io.linesight.schemas.registry.SchemaRegistryClient;
import io.linesight.schemas.serde.OlderVersion;
import io.linesight.schemas.serde.SerdeFactory;
import io.linesight.schemas.topics.TopicSpec;
import io.linesight.schemas.topics.Topics;
import io.linesight.schemas.topics.ValueSchemas;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.avro.Schema;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "schemas",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Registers the schemas that are missing, for registries where writers may not do it themselves "
                + "(auto.register.schemas=false). Versions that exist are never changed or deleted.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight schemas -r http://registry:8081 --dry-run     # what would be registered",
            "  linesight schemas -r http://registry:8081",
            "  linesight schemas --out schemas                         # as files, one a subject; no registry"
        })
final class SchemasCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private Kafka kafka;

    @Option(names = "--dry-run", description = "Say what would be registered; register nothing.")
    private boolean dryRun;

    @Option(
            names = "--prefix",
            paramLabel = "NAME",
            description = "First part of the topics' names. Default: linesight.")
    private String prefix;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "Write the schemas to this folder as SUBJECT.avsc instead; register nothing.")
    private Path out;

    @Override
    public Integer call() throws IOException {
        Map<String, String> settings = kafka.clientSettings();
        if (prefix != null) settings.put(Topics.PREFIX_CONFIG, prefix);
        Map<String, Schema> subjects = new LinkedHashMap<>();
        for (Map.Entry<TopicSpec, Schema> topic :
                ValueSchemas.of(Topics.from(settings)).entrySet())
            subjects.put(topic.getKey().name() + "-value", SerdeFactory.toRegister(topic.getValue(), settings));
        PrintWriter printer = spec.commandLine().getOut();
        if (out != null) {
            write(subjects, printer);
            return 0;
        }
        Kafka.require(settings, "schema.registry.url", "--registry");
        SchemaRegistryClient registry = new SchemaRegistryClient(settings);
        registry.subjects(); // whether it can be used at all
        boolean rejected = false;
        for (Map.Entry<String, Schema> subject : subjects.entrySet())
            rejected |= !register(registry, subject.getKey(), subject.getValue(), printer);
        return rejected ? 1 : 0;
    }

    private void write(Map<String, Schema> subjects, PrintWriter printer) throws IOException {
        Files.createDirectories(out);
        for (Map.Entry<String, Schema> subject : subjects.entrySet()) {
            Path file = out.resolve(subject.getKey() + ".avsc");
            Files.writeString(file, subject.getValue().toString(true) + "\n");
            printer.println(file);
        }
    }

    /** Whether the schema is registered, or could be. */
    private boolean register(SchemaRegistryClient registry, String subject, Schema schema, PrintWriter printer) {
        try {
            printer.println(subject + ": registered, id " + registry.lookup(subject, schema));
            return true;
        } catch (RegistryException e) {
            if (e.kind() != Kind.NOT_FOUND) throw e;
        }
        Compatibility compatibility = registry.check(subject, schema);
        if (!compatibility.compatible()) {
            printer.println(subject + ": the registry rejects it beside what is there: "
                    + String.join("; ", compatibility.reasons()) + older(registry, subject, schema));
            return false;
        }
        printer.println(subject
                + (dryRun ? ": would be registered" : ": registered now, id " + registry.register(subject, schema)));
        return true;
    }

    /** What writers do meanwhile. */
    private static String older(SchemaRegistryClient registry, String subject, Schema schema) {
        return OlderVersion.newest(registry, subject, schema)
                .map(version -> ". Meanwhile " + version.describe())
                .orElse("");
    }
}
