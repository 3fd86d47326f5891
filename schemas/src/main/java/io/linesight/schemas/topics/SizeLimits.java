package io.linesight.schemas.topics;

import java.util.Map;

/**
 * The size of the largest frame record, and every Kafka limit that follows from it.
 *
 * <p>Kafka checks the size of a record in four places (topic, producer, consumer, broker). Raising only some of them
 * makes large frames fail far from the cause, so all are derived from this one number.
 *
 * @param frameBytes largest serialised frame record in bytes (Avro, image included), 64 KiB to 512 MiB
 */
public record SizeLimits(int frameBytes) {

    /** Config key under which applications accept {@link #frameBytes()}. */
    public static final String FRAME_BYTES_CONFIG = "linesight.max.frame.bytes";

    /** 8 MiB: an uncompressed 1920x1080 RGB frame with room to spare. */
    public static final int DEFAULT_FRAME_BYTES = 8 << 20;

    private static final int KIB = 1 << 10;
    private static final int MIB = 1 << 20;
    static final int MIN_FRAME_BYTES = 64 * KIB;
    static final int MAX_FRAME_BYTES = 512 * MIB;

    /** Room for key, headers and batch framing around a value. */
    private static final int ENVELOPE = 64 * KIB;

    /** Kafka's own defaults; a derived limit never goes below them. */
    private static final int DEFAULT_TOPIC = MIB + 12;

    private static final int DEFAULT_REQUEST = MIB;
    private static final int DEFAULT_BUFFER = 32 * MIB;
    private static final int DEFAULT_PARTITION_FETCH = MIB;
    private static final int DEFAULT_FETCH = 50 * MIB;
    private static final int DEFAULT_SOCKET_REQUEST = 100 * MIB;

    public SizeLimits {
        if (frameBytes < MIN_FRAME_BYTES || frameBytes > MAX_FRAME_BYTES) {
            throw new IllegalArgumentException(FRAME_BYTES_CONFIG + "=" + frameBytes
                    + " is outside 65536 (64 KiB) to 536870912 (512 MiB); set it to the size of the largest "
                    + "frame record");
        }
    }

    public static SizeLimits defaults() {
        return new SizeLimits(DEFAULT_FRAME_BYTES);
    }

    /** {@code max.message.bytes} of the frames topic. */
    public int frameTopicBytes() {
        return Math.max(DEFAULT_TOPIC, frameBytes + ENVELOPE);
    }

    /** {@code max.message.bytes} of the dead-letter topic: a frame of full size plus the headers that say why. */
    public int deadLetterTopicBytes() {
        return frameTopicBytes() + ENVELOPE;
    }

    /** {@code max.message.bytes} of topics without pixels. */
    public int smallTopicBytes() {
        return DEFAULT_TOPIC;
    }

    /** Settings of a producer that may write frames or dead letters. */
    public Map<String, Object> producerConfigs() {
        int request = Math.max(DEFAULT_REQUEST, deadLetterTopicBytes());
        return Map.of("max.request.size", request, "buffer.memory", Math.max((long) DEFAULT_BUFFER, 4L * request));
    }

    /** Settings of a consumer that may read frames or dead letters. */
    public Map<String, Object> consumerConfigs() {
        return Map.of(
                "max.partition.fetch.bytes", Math.max(DEFAULT_PARTITION_FETCH, deadLetterTopicBytes()),
                "fetch.max.bytes", Math.max(DEFAULT_FETCH, deadLetterTopicBytes()));
    }

    /** Settings of the broker; a cluster that others run needs the same. */
    public Map<String, Object> brokerConfigs() {
        return Map.of(
                "message.max.bytes", deadLetterTopicBytes(),
                "replica.fetch.max.bytes", deadLetterTopicBytes(),
                // A produce request carries one batch per partition, so leave room for several.
                "socket.request.max.bytes", Math.max(DEFAULT_SOCKET_REQUEST, 2 * deadLetterTopicBytes()));
    }
}
