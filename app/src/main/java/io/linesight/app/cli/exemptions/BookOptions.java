package io.linesight.app.cli.exemptions;

import io.linesight.app.cli.common.Kafka;
import io.linesight.app.cli.common.UserError;
import io.linesight.schemas.Exemption;
import io.linesight.schemas.topics.FrameKeys;
import io.linesight.schemas.topics.Topics;
import io.linesight.streams.exemption.ExemptionBook;
import io.linesight.streams.exemption.ExemptionFeed;
import java.util.Map;
import org.apache.kafka.common.KafkaException;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options that name a channel's exemptions; reads them. */
final class BookOptions {
    @Mixin
    private Kafka kafka;

    @Option(
            names = "--channel",
            paramLabel = "NAME",
            defaultValue = "default",
            description = "Rollout channel whose instances apply them (${DEFAULT-VALUE}).")
    private String channel;

    /**
     * What a command works with.
     *
     * @param settings of Kafka's clients and of the serdes
     */
    record Read(Map<String, String> settings, Topics topics, String channel, ExemptionBook book) {
        /** The active exemption of a frame. */
        Exemption of(String frame) {
            String key = FrameKeys.of(frame(frame));
            return book.active().stream()
                    .filter(e -> FrameKeys.of(e.getFrameRef()).equals(key))
                    .findFirst()
                    .orElseThrow(() -> new UserError("channel '" + channel + "' has no exemption of frame " + key
                            + "; 'linesight exemptions list' shows those there are. Nothing was done"));
        }
    }

    static io.linesight.schemas.FrameRef frame(String key) {
        try {
            return FrameKeys.parse(key);
        } catch (IllegalArgumentException e) {
            throw new UserError(e.getMessage() + ". Nothing was done", e);
        }
    }

    /** Connects and reads everything. */
    Read read() {
        Map<String, String> settings = kafka.clientSettings();
        Kafka.require(settings, "bootstrap.servers", "--bootstrap-servers");
        Kafka.require(settings, "schema.registry.url", "--registry");
        Topics topics = Topics.from(settings);
        // All that there are: which of them count is the instances' to say.
        ExemptionBook book = new ExemptionBook(channel, Integer.MAX_VALUE);
        try {
            ExemptionFeed.readAll(book, settings, settings, topics.exemptions().name());
        } catch (KafkaException e) {
            throw new UserError(
                    "the exemptions cannot be read: " + e.getMessage()
                            + ". 'linesight topics' makes a topic that is missing. Nothing was done",
                    e);
        }
        return new Read(settings, topics, channel, book);
    }
}
