package io.linesight.app.cli.settings;

import io.linesight.app.cli.common.Kafka;
import io.linesight.app.cli.common.Table;
import io.linesight.app.cli.common.UserError;
import io.linesight.models.settings.SettingsDesk;
import io.linesight.models.settings.SettingsException;
import io.linesight.schemas.topics.Topics;
import java.util.Map;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options that name a channel's settings; opens them. */
final class DeskOptions {
    @Mixin
    private Kafka kafka;

    @Option(
            names = "--channel",
            paramLabel = "NAME",
            defaultValue = "default",
            description = "Rollout channel whose instances apply them (${DEFAULT-VALUE}).")
    private String channel;

    /** What a command works with; closed by it. */
    record Open(Map<String, String> settings, String channel, SettingsDesk desk) implements AutoCloseable {
        @Override
        public void close() {
            desk.close();
        }
    }

    Open open() {
        Map<String, String> settings = kafka.clientSettings();
        Kafka.require(settings, "bootstrap.servers", "--bootstrap-servers");
        Kafka.require(settings, "schema.registry.url", "--registry");
        String topic = Topics.from(settings).settings().name();
        return new Open(settings, channel, new SettingsDesk(channel, settings, settings, topic));
    }

    static UserError error(SettingsException e) {
        return new UserError(Table.printable(String.valueOf(e.getMessage())), e);
    }
}
