package io.linesight.schemas.topics;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;

/** Headers of every answer to a frame: result, anomaly event and dead letter. All values are UTF-8 text. */
public final class AnswerHeaders {

    /**
     * Id of the topic that the frame was read from, as Kafka prints it. A topic that was deleted and created again has
     * the same name and the same offsets, but another id. Absent in answers of versions before 0.1.0.
     */
    public static final String TOPIC_ID = "linesight.source.topic.id";

    /** What is implausible about the times of the frame; absent where nothing is. */
    public static final String TIME = "linesight.time";

    private AnswerHeaders() {}

    /** Id of the frame's topic; empty where the answer does not say, or says something that is no id. */
    public static Optional<Uuid> topicId(Headers headers) {
        return text(headers, TOPIC_ID).flatMap(AnswerHeaders::parse);
    }

    /** What is implausible about the frame's times. */
    public static Optional<String> time(Headers headers) {
        return text(headers, TIME);
    }

    /**
     * Writes the headers, replacing what is there: a dead letter carries the headers of the original.
     *
     * @param topicId null leaves it out
     * @param time null leaves it out
     */
    public static void write(Headers headers, @Nullable Uuid topicId, @Nullable String time) {
        put(headers, TOPIC_ID, topicId == null ? null : topicId.toString());
        put(headers, TIME, time);
    }

    private static void put(Headers headers, String key, @Nullable String value) {
        headers.remove(key);
        if (value != null) headers.add(key, value.getBytes(StandardCharsets.UTF_8));
    }

    private static Optional<Uuid> parse(String text) {
        try {
            return Optional.of(Uuid.fromString(text));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private static Optional<String> text(Headers headers, String key) {
        Header header = headers.lastHeader(key);
        return header == null || header.value() == null
                ? Optional.empty()
                : Optional.of(new String(header.value(), StandardCharsets.UTF_8));
    }
}
