package io.linesight.app.doctor;

import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.RangeReader;
import io.linesight.schemas.clients.RangeReader.Range;
import io.linesight.schemas.clients.TopicIds;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.serde.RecordDecoder;
import io.linesight.schemas.topics.AnswerHeaders;
import io.linesight.schemas.topics.CameraNames;
import io.linesight.schemas.topics.FrameTimes;
import io.linesight.schemas.topics.TopicSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/**
 * Looks at the newest frames and answers: times that cannot be true, a topic that was made again, offsets that are
 * gone.
 */
final class FramesLook {
    /** Frames are large, and cameras with a wrong clock are wrong in every frame. */
    private static final long FRAMES = 3;

    private static final long ANSWERS = 50;
    private static final Duration STALL_TIMEOUT = Duration.ofSeconds(5);

    private final DoctorOptions options;
    private final List<Finding> found;
    private boolean registryAnswers = true;

    private FramesLook(DoctorOptions options, List<Finding> found) {
        this.options = options;
        this.found = found;
    }

    /** Adds what is wrong. What may not be read is left out: the check of rights says it. */
    static void look(DoctorOptions options, Admin admin, List<Finding> found) throws InterruptedException {
        try {
            new FramesLook(options, found).look(admin);
        } catch (KafkaException | ExecutionException e) {
            // Not allowed, or not there.
        }
    }

    private void look(Admin admin) throws ExecutionException, InterruptedException {
        Map<String, Object> configs = ClientSettings.forReader(options.settings());
        configs.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, 5_000);
        configs.putAll(options.topics().limits().consumerConfigs());
        try (KafkaConsumer<byte[], byte[]> consumer = ClientSettings.openConsumer(configs)) {
            RangeReader reader = new RangeReader(consumer, STALL_TIMEOUT);
            TopicSpec frames = options.topics().frames();
            Map<TopicPartition, Range> ranges = reader.ranges(List.of(frames.name()));
            times(reader, ranges);
            Uuid id = TopicIds.current(admin, frames.name()).orElse(null);
            Set<Uuid> answered = answeredTopics(reader);
            if (id != null && isRecreated(id, answered))
                found.add(Finding.of(
                        Problem.FRAMES_RECREATED,
                        frames.name(),
                        "its id is " + id + ", the newest answers are to frames of "
                                + answered.iterator().next()));
            Map<TopicPartition, Long> committed = new HashMap<>();
            admin.listConsumerGroupOffsets(options.applicationId())
                    .partitionsToOffsetAndMetadata()
                    .get()
                    .forEach((p, o) -> {
                        if (o != null) committed.put(p, o.offset());
                    });
            String wrong = wrongOffsets(ranges, committed, id != null && answered.contains(id));
            if (wrong != null) found.add(Finding.of(Problem.OFFSETS_WRONG, options.applicationId(), wrong));
        }
    }

    /** Whether answers are known, and none of them is to a frame of the topic that is there. */
    static boolean isRecreated(Uuid id, Set<Uuid> answered) {
        return !answered.isEmpty() && !answered.contains(id);
    }

    private Set<Uuid> answeredTopics(RangeReader reader) {
        Set<Uuid> ids = new HashSet<>();
        Map<TopicPartition, Range> ranges =
                reader.ranges(List.of(options.topics().results().name()));
        ranges.replaceAll((p, r) -> new Range(Math.max(r.from(), r.until() - ANSWERS), r.until()));
        reader.read(ranges, r -> {
            AnswerHeaders.topicId(r.headers()).ifPresent(ids::add);
            return true;
        });
        return ids;
    }

    /**
     * Offsets of the group that do not fit the topic, for people; null when all do.
     *
     * @param inspected whether frames of this topic were inspected before
     */
    static @Nullable String wrongOffsets(
            Map<TopicPartition, Range> frames, Map<TopicPartition, Long> committed, boolean inspected) {
        List<String> wrong = new ArrayList<>();
        new TreeMap<>(byPartition(frames)).forEach((partition, place) -> {
            Range range = frames.get(place);
            Long offset = committed.get(place);
            if (offset == null && inspected && range.from() < range.until())
                wrong.add("partition " + partition + " has none");
            else if (offset != null && offset < range.from())
                wrong.add("partition " + partition + " is at " + offset + ", and its oldest frame at " + range.from());
            else if (offset != null && offset > range.until())
                wrong.add("partition " + partition + " is at " + offset + ", and its end at " + range.until());
        });
        return wrong.isEmpty() ? null : String.join("; ", wrong);
    }

    private static Map<Integer, TopicPartition> byPartition(Map<TopicPartition, Range> frames) {
        Map<Integer, TopicPartition> places = new HashMap<>();
        frames.keySet().forEach(p -> places.put(p.partition(), p));
        return places;
    }

    private void times(RangeReader reader, Map<TopicPartition, Range> ranges) {
        Map<TopicPartition, Range> newest = new HashMap<>(ranges);
        newest.replaceAll((p, r) -> new Range(Math.max(r.from(), r.until() - FRAMES), r.until()));
        Map<String, String> problems = new TreeMap<>();
        long now = System.currentTimeMillis();
        Map<String, String> settings = new HashMap<>(options.settings());
        settings.put("max.retries", "0");
        try (RecordDecoder<CameraFrame> decoder = RecordDecoder.of(CameraFrame.class, settings)) {
            reader.read(newest, r -> {
                String camera = CameraNames.shown(r.key());
                if (FrameTimes.isImpossible(r.timestamp(), now))
                    problems.putIfAbsent(
                            camera,
                            "camera " + camera + ": record time " + FrameTimes.describeRecordTime(r.timestamp(), now));
                long captured = captured(decoder, r);
                if (captured != Long.MIN_VALUE && FrameTimes.isImpossible(captured, now))
                    problems.putIfAbsent(
                            camera,
                            "camera " + camera + ": capture time " + FrameTimes.describeCaptureTime(captured, now));
                return true;
            });
        }
        problems.values()
                .forEach(problem -> found.add(Finding.of(
                        Problem.FRAMES_MISDATED, options.topics().frames().name(), problem)));
    }

    /** Milliseconds since 1970; {@link Long#MIN_VALUE} where the record cannot be read. */
    private long captured(RecordDecoder<CameraFrame> decoder, ConsumerRecord<byte[], byte[]> record) {
        if (!registryAnswers) return Long.MIN_VALUE;
        try {
            CameraFrame frame = decoder.decode(record);
            return frame == null ? Long.MIN_VALUE : frame.getCapturedAt().toEpochMilli();
        } catch (RegistryException e) {
            // The check of the registry says so; asking for every frame would only take its time.
            registryAnswers = e.kind() == RegistryException.Kind.NOT_KNOWN_YET;
            return Long.MIN_VALUE;
        } catch (RuntimeException e) {
            return Long.MIN_VALUE; // no frame
        }
    }
}
