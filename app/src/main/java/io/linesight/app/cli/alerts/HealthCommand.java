package io.linesight.app.cli.alerts;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.linesight.app.cli.common.Durations;
import io.linesight.app.cli.common.Table;
import io.linesight.streams.alert.AlertHealth;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "health",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Shows whether people can follow their alarms: alarms per ten minutes, floods, chattering, "
                + "standing and stale alerts (ISA-18.2, EEMUA 191).",
        footerHeading = "%nExamples:%n",
        footer = "  linesight alerts health -b localhost:9092 -r http://localhost:8081 --last 8h")
final class HealthCommand implements Callable<Integer> {
    private static final int SHOWN_SOURCES = 10;

    @Spec
    private CommandSpec spec;

    @Mixin
    private LogOptions options;

    @Option(
            names = "--last",
            paramLabel = "TIME",
            defaultValue = "24h",
            converter = Durations.class,
            description = "The time that is looked at (${DEFAULT-VALUE}).")
    private Duration last;

    @Option(names = "--json", description = "Write JSON.")
    private boolean json;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        AlertHealth h = AlertHealth.of(options.read().changes(), Instant.now(), last);
        if (json) {
            out.println(json(h).toPrettyString());
            return 0;
        }
        out.printf(
                Locale.ROOT,
                "alarms:          %d in %s: %.1f per ten minutes, %d in the worst ten%n",
                h.alarms(),
                time(last),
                h.perTenMinutes(),
                h.peakPerTenMinutes());
        out.println("floods:          " + h.floods() + " (more than " + AlertHealth.FLOOD + " in ten minutes)");
        out.println("standing:        " + h.standing() + " active now, " + h.unacknowledged() + " wait for somebody, "
                + h.shelved() + " shelved, " + h.suppressed() + " suppressed");
        out.println("chattering:      " + h.chattering().size() + " (" + AlertHealth.CHATTER + " within a minute)");
        h.chattering().forEach(s -> out.println("                 " + Table.printable(s)));
        out.println("stale:           " + h.stale().size() + " (active for more than 24 h)");
        h.stale().forEach(s -> out.println("                 " + Table.printable(s)));
        if (h.sources().isEmpty()) return 0;
        out.println();
        Table table = new Table("SOURCE", "ALARMS");
        h.sources().stream().limit(SHOWN_SOURCES).forEach(s -> table.row(s.name(), s.alarms()));
        table.print(out);
        return 0;
    }

    private static String time(Duration d) {
        return d.toMinutes() % 60 == 0 && d.toHours() > 0
                ? d.toHours() + " h"
                : d.toSeconds() % 60 == 0 ? d.toMinutes() + " min" : d.toSeconds() + " s";
    }

    private ObjectNode json(AlertHealth h) {
        ObjectNode o = Facts.object();
        o.put("seconds", last.toSeconds());
        o.put("alarms", h.alarms());
        o.put("perTenMinutes", h.perTenMinutes());
        o.put("peakPerTenMinutes", h.peakPerTenMinutes());
        o.put("floods", h.floods());
        o.put("standing", h.standing());
        o.put("unacknowledged", h.unacknowledged());
        o.put("shelved", h.shelved());
        o.put("suppressed", h.suppressed());
        h.chattering().forEach(o.putArray("chattering")::add);
        h.stale().forEach(o.putArray("stale")::add);
        ArrayNode sources = o.putArray("sources");
        h.sources().forEach(s -> sources.addObject().put("source", s.name()).put("alarms", s.alarms()));
        return o;
    }
}
