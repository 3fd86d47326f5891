package io.linesight.schemas.clients;

import org.apache.kafka.clients.consumer.ConsumerRecord;

/** What {@link RecordFetcher} finds at one place of a topic. */
public sealed interface RecordLookup {
    /** The record. */
    record Found(ConsumerRecord<byte[], byte[]> record) implements RecordLookup {}

    /**
     * Retention has deleted it.
     *
     * @param begin first offset that the partition still has
     */
    record Expired(long begin) implements RecordLookup {}

    /**
     * Nothing has been written there yet.
     *
     * @param end offset that the next record gets
     */
    record NotYet(long end) implements RecordLookup {}

    /**
     * The offset lies within the partition, but holds a transaction marker, or a record that was aborted or compacted.
     */
    record Absent() implements RecordLookup {}

    /**
     * The topic has no such partition, or the offset is negative.
     *
     * @param partitions partitions of the topic; 0 when there is no such topic
     */
    record NoSuchPlace(int partitions) implements RecordLookup {}
}
