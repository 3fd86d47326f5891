package io.linesight.app.cli.notify;

import io.linesight.app.cli.common.Durations;
import io.linesight.app.cli.common.Inputs;
import io.linesight.app.cli.common.Kafka;
import io.linesight.app.cli.common.Service;
import io.linesight.app.cli.common.UserError;
import io.linesight.notify.AlertFilter;
import io.linesight.notify.Notifier;
import io.linesight.notify.Sink;
import io.linesight.schemas.AlertKind;
import io.linesight.schemas.AlertSeverity;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Options of every receiver: which alerts it gets, and from where on; delivers them. */
final class DeliveryOptions {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Mixin
    private Kafka kafka;

    @Option(
            names = "--group",
            paramLabel = "NAME",
            description = "Consumer group: where this receiver stands is kept under it. Default: linesight-notify- and "
                    + "the kind of receiver.")
    private @Nullable String group;

    @Option(
            names = "--kinds",
            split = ",",
            paramLabel = "DEFECT,CAMERA,DRIFT,MODEL",
            description = "Only alerts of these kinds. Default: all.")
    private List<AlertKind> kinds = List.of();

    @Option(
            names = "--min-severity",
            paramLabel = "LOW|MEDIUM|HIGH|CRITICAL",
            defaultValue = "LOW",
            description = "Only alerts that are at least so severe (${DEFAULT-VALUE}).")
    private AlertSeverity minSeverity;

    @Option(
            names = "--from-beginning",
            description = "A group that is new begins with the oldest alerts that are kept, not with the next.")
    private boolean fromBeginning;

    @Option(
            names = "--give-up-after",
            paramLabel = "TIME",
            defaultValue = "24h",
            converter = Durations.class,
            description = "How long a notification is tried before it becomes a dead letter (${DEFAULT-VALUE}).")
    private Duration giveUpAfter;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            defaultValue = "10s",
            converter = Durations.class,
            description = "How long one delivery may take (${DEFAULT-VALUE}).")
    private Duration timeout;

    @Option(
            names = "--metrics-port",
            paramLabel = "PORT",
            defaultValue = "-1",
            description = "Serve /metrics, /live and /ready there; 0 for any free port (off).")
    private int metricsPort;

    Duration timeout() {
        return timeout;
    }

    /** What a file holds, without the line end that editors add. */
    static byte @Nullable [] secret(@Nullable Path file, String what) throws IOException {
        if (file == null) return null;
        String text = Files.readString(Inputs.existing(file, what), StandardCharsets.UTF_8)
                .strip();
        if (text.isEmpty()) throw new UserError("the " + what + " " + file + " is empty; nothing was started");
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Delivers until it is stopped. */
    int deliver(String kind, Sink sink) throws InterruptedException {
        Map<String, String> settings = kafka.clientSettings();
        Kafka.require(settings, "bootstrap.servers", "--bootstrap-servers");
        Kafka.require(settings, "schema.registry.url", "--registry");
        Notifier.Options options = new Notifier.Options(
                new AlertFilter(Set.copyOf(kinds), minSeverity),
                group == null ? "linesight-notify-" + kind : group,
                fromBeginning,
                giveUpAfter);
        try (Notifier notifier = Notifier.start(settings, sink, options)) {
            spec.commandLine().getOut().println("Delivering alerts to " + sink.name() + "; Ctrl-C stops.");
            return Service.run(spec, metricsPort, new NotifyMeters(notifier), notifier::failure);
        } catch (KafkaException e) {
            sink.close();
            throw new UserError(e.getMessage() + ". Nothing was started", e);
        }
    }
}
