package io.linesight.app.cli.alerts;

import io.linesight.app.cli.common.Durations;
import io.linesight.app.cli.common.Person;
import io.linesight.app.cli.common.Table;
import io.linesight.app.cli.common.UserError;
import io.linesight.schemas.Alert;
import io.linesight.schemas.AlertAction;
import io.linesight.schemas.AlertActionKind;
import io.linesight.schemas.AlertChange;
import io.linesight.schemas.AlertState;
import io.linesight.schemas.topics.Topics;
import io.linesight.streams.alert.AlertActionWriter;
import io.linesight.streams.alert.AlertLog;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Who does something about alerts, why, and how long the line may take to answer. */
final class ActOptions {
    @Mixin
    private LogOptions log;

    @Option(names = "--by", paramLabel = "NAME", description = "Who does it; the user of this system by default.")
    private @Nullable String by;

    @Option(
            names = {"--note", "--reason"},
            paramLabel = "TEXT",
            defaultValue = "",
            description = "Why, for the record.")
    private String note;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            defaultValue = "15s",
            converter = Durations.class,
            description = "How long to wait for the line's answer (${DEFAULT-VALUE}).")
    private Duration timeout;

    @Option(names = "--json", description = "Write the answer as JSON.")
    private boolean json;

    /** Does something about an alert as it is now; whoever was faster wins. */
    int act(PrintWriter out, AlertActionKind kind, String alertId, @Nullable Instant until)
            throws InterruptedException {
        return act(out, kind, alertId, until, note);
    }

    int act(PrintWriter out, AlertActionKind kind, String alertId, @Nullable Instant until, String why)
            throws InterruptedException {
        String person = Person.named(by);
        LogOptions.Read read = log.read();
        Alert a = read.alert(alertId);
        if (a.getState() == AlertState.CLOSED)
            throw new UserError("alert " + a.getAlertId() + " is closed, since " + Table.time(a.getAt())
                    + (a.getReason().isEmpty() ? "" : " (" + a.getReason() + ")") + ". Nothing was done");
        if (LogOptions.isMaintenance(a))
            throw new UserError(a.getAlertId() + " is a maintenance; end it with 'linesight alerts maintenance --end "
                    + a.getCameraId() + "'. Nothing was done");
        return send(
                out,
                read.settings(),
                action(kind, person, why)
                        .setCameraId(a.getCameraId())
                        .setAlertId(a.getAlertId())
                        .setBasedOn(a.getRevision())
                        .setUntil(until)
                        .build());
    }

    /** Begins or ends the maintenance of a camera. */
    int maintain(PrintWriter out, AlertActionKind kind, String camera, @Nullable Instant until)
            throws InterruptedException {
        String person = Person.named(by);
        return send(
                out,
                log.settings(),
                action(kind, person, note).setCameraId(camera).setUntil(until).build());
    }

    private static AlertAction.Builder action(AlertActionKind kind, String person, String why) {
        return AlertAction.newBuilder()
                .setActionId(UUID.randomUUID().toString())
                .setAction(kind)
                .setBy(person)
                .setNote(why)
                .setAt(Instant.now().truncatedTo(ChronoUnit.MICROS));
    }

    private int send(PrintWriter out, Map<String, String> settings, AlertAction action) throws InterruptedException {
        Topics topics = Topics.from(settings);
        try (AlertLog alerts = new AlertLog(settings, settings, topics.alerts().name());
                AlertLog.Answers answers = alerts.answers();
                AlertActionWriter writer = new AlertActionWriter(
                        settings, settings, topics.alertActions().name())) {
            writer.write(action);
            Alert answer = answers.await(action.getActionId(), timeout)
                    .orElseThrow(() -> new UserError("the line has not answered within " + timeout.toSeconds()
                            + " s. The action is written and takes effect as soon as an instance of 'linesight serve' "
                            + "makes alerts; 'linesight alerts history' shows its answer"));
            return report(out, answer);
        } catch (KafkaException e) {
            throw new UserError(e.getMessage() + ". 'linesight alerts list' shows whether anything was done", e);
        }
    }

    private int report(PrintWriter out, Alert answer) {
        boolean refused = answer.getChange() == AlertChange.REFUSED;
        if (json) {
            out.println(Facts.of(answer).toPrettyString());
            return refused ? 1 : 0;
        }
        if (refused) throw new UserError("refused: " + Table.printable(answer.getReason()) + ". Nothing was changed");
        boolean untilThen = answer.getShelvedUntil() != null
                && (answer.getChange() == AlertChange.SHELVED || answer.getChange() == AlertChange.MAINTENANCE_STARTED);
        out.println(Table.printable(answer.getAlertId()) + ": " + Facts.word(answer.getChange()) + " by "
                + Table.printable(answer.getBy())
                + (untilThen ? ", until " + Table.time(answer.getShelvedUntil()) : "")
                + ". It is " + Facts.state(answer) + " now.");
        return 0;
    }
}
