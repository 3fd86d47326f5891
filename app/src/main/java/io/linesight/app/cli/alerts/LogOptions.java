package io.linesight.app.cli.alerts;

import io.linesight.app.cli.common.Kafka;
import io.linesight.app.cli.common.UserError;
import io.linesight.schemas.Alert;
import io.linesight.schemas.AlertState;
import io.linesight.schemas.topics.Topics;
import io.linesight.streams.alert.AlertLog;
import io.linesight.streams.alert.Conditions;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.KafkaException;
import picocli.CommandLine.Mixin;

/** Where the alerts are; reads them. */
final class LogOptions {
    @Mixin
    private Kafka kafka;

    /**
     * What a command works with.
     *
     * @param settings of Kafka's clients and of the serdes
     * @param changes all that the topic has, by time
     */
    record Read(Map<String, String> settings, Topics topics, List<Alert> changes) {
        /** The alerts that are not closed, the newest last. */
        List<Alert> open() {
            return AlertLog.latest(changes).stream()
                    .filter(a -> a.getState() != AlertState.CLOSED)
                    .toList();
        }

        /** The one alert whose id this is, or begins with this, as it is now. */
        Alert alert(String id) {
            List<Alert> all = AlertLog.latest(changes).stream()
                    .filter(a -> a.getAlertId().startsWith(id))
                    .toList();
            for (Alert a : all) if (a.getAlertId().equals(id)) return a;
            if (all.size() == 1) return all.get(0);
            throw new UserError((all.isEmpty() ? "there is no alert " + id : all.size() + " alerts begin with " + id)
                    + "; 'linesight alerts list' shows those that are open. Nothing was done");
        }
    }

    /** Settings with which brokers and registry are reached. */
    Map<String, String> settings() {
        Map<String, String> settings = kafka.clientSettings();
        Kafka.require(settings, "bootstrap.servers", "--bootstrap-servers");
        Kafka.require(settings, "schema.registry.url", "--registry");
        return settings;
    }

    /** Connects and reads everything. */
    Read read() {
        Map<String, String> settings = settings();
        Topics topics = Topics.from(settings);
        try (AlertLog log = new AlertLog(settings, settings, topics.alerts().name())) {
            return new Read(settings, topics, log.read());
        } catch (KafkaException e) {
            throw new UserError(
                    "the alerts cannot be read: " + e.getMessage()
                            + ". 'linesight topics' makes a topic that is missing. Nothing was done",
                    e);
        }
    }

    static boolean isMaintenance(Alert a) {
        return a.getCondition().equals(Conditions.MAINTENANCE);
    }
}
