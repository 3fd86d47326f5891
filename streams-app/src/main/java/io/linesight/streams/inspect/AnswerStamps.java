package io.linesight.streams.inspect;

import io.linesight.schemas.topics.AnswerHeaders;
import io.linesight.schemas.topics.FrameTimes;
import io.linesight.streams.monitoring.InspectionMetrics;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Time and headers of answers. An answer has the time of its frame's record, so that a search by time finds both; but
 * the present where that time cannot be true, or retention would delete the answer within seconds. Such frames are
 * counted, their answers carry a header, and the log names the camera once. Thread-safe.
 */
final class AnswerStamps {

    private static final Logger LOG = LoggerFactory.getLogger(AnswerStamps.class);
    /** Cameras remembered for the one log line about their clock; camera ids are not ours to bound. */
    private static final int REMEMBERED_CAMERAS = 1_000;

    private final @Nullable Uuid topicId;
    private final InspectionMetrics metrics;
    private final LongSupplier clock;
    private final Set<String> logged = ConcurrentHashMap.newKeySet();

    /**
     * @param topicId of the topic that frames are read from; null where it is not known
     * @param clock milliseconds since 1970
     */
    AnswerStamps(@Nullable Uuid topicId, InspectionMetrics metrics, LongSupplier clock) {
        this.topicId = topicId;
        this.metrics = metrics;
        this.clock = clock;
    }

    /**
     * What an answer carries.
     *
     * @param millis time of its record, since 1970
     * @param problem what is wrong with the frame's times; null where nothing is
     */
    record Stamp(long millis, @Nullable String problem, @Nullable Uuid topicId) {
        void writeTo(Headers headers) {
            AnswerHeaders.write(headers, topicId, problem);
        }
    }

    /**
     * The stamp of the answers to one frame; counts a time that cannot be true.
     *
     * @param camera id, or whatever names the source of a record that cannot be read
     * @param recordMillis time of the frame's record
     * @param capturedAt null where the record cannot be read
     */
    Stamp of(String camera, long recordMillis, @Nullable Instant capturedAt) {
        long now = clock.getAsLong();
        boolean recorded = FrameTimes.isPlausible(recordMillis, now);
        boolean captured = capturedAt == null || FrameTimes.isPlausible(millis(capturedAt), now);
        // A broker rejects what is too far ahead, and the frame would fail for ever.
        long millis = recorded ? Math.min(recordMillis, now) : now;
        if (recorded && captured) return new Stamp(millis, null, topicId);
        List<String> problems = new ArrayList<>(2);
        if (!recorded) problems.add("record time " + FrameTimes.describeRecordTime(recordMillis, now));
        if (!captured) problems.add("capture time " + FrameTimes.describeCaptureTime(millis(capturedAt), now));
        metrics.implausibleTime(!recorded, !captured);
        String problem = String.join("; ", problems);
        report(camera, problem, recorded);
        return new Stamp(millis, problem, topicId);
    }

    private void report(String camera, String problem, boolean recorded) {
        if (logged.size() >= REMEMBERED_CAMERAS || !logged.add(camera)) return;
        LOG.warn(
                "Camera {} sends frames with a time that cannot be true: {}. They are inspected{}, and header {} of "
                        + "the answers says so. Set the clock of the camera's machine, or the unit of its times",
                camera,
                problem,
                recorded ? "" : ", their answers carry the present time so that retention does not delete them at once",
                AnswerHeaders.TIME);
    }

    private static long millis(Instant time) {
        try {
            return time.toEpochMilli();
        } catch (ArithmeticException e) {
            return time.getEpochSecond() < 0 ? Long.MIN_VALUE : Long.MAX_VALUE;
        }
    }
}
