package io.linesight.app.audit;

import io.linesight.schemas.FrameRef;
import io.linesight.schemas.topics.FrameTimes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/**
 * Answers of every frame, by its place in the topic: nine bytes a frame, so that a day of a line fits into memory. Not
 * thread safe.
 */
final class Books {
    private static final int SCORED = 1;
    private static final int REJECTED = 2;

    /** Frames of one partition. */
    private static final class Page {
        final long begin;
        final long end;
        /** Camera of the frame at an offset, plus one; 0 where there is no record. */
        final int[] camera;

        final byte[] answers;

        /** When the frame was written, in seconds since 1970. */
        final int[] seconds;

        /** Time of the newest frame whose time can be true, in milliseconds since 1970. */
        long newestMillis;

        /** Answers of this partition that are to frames of a topic of the same name that is gone. */
        long former;

        /** Answers to frames on this page. */
        long own;

        Page(long begin, long end) {
            if (end - begin > Integer.MAX_VALUE - 8) {
                throw new IllegalArgumentException("there are " + (end - begin)
                        + " frames in one partition, too many to count together; choose a shorter time with --since");
            }
            this.begin = begin;
            this.end = end;
            camera = new int[(int) (end - begin)];
            answers = new byte[(int) (end - begin)];
            seconds = new int[(int) (end - begin)];
        }
    }

    private static final class Tally {
        long doubled;
        long doubledEvents;
        long disorder;
    }

    /** Clocks of cameras and of the machine that scores may differ by as much as brokers let a record be ahead. */
    private static final long MAX_SKEW_MILLIS = Duration.ofHours(1).toMillis();

    private final String topic;
    private final @Nullable Uuid topicId;
    private final Map<Integer, Page> pages = new HashMap<>();
    private final Map<String, Integer> numbers = new HashMap<>();
    private final List<String> names = new ArrayList<>();
    private final Map<Integer, Tally> tallies = new HashMap<>();
    /** Offset of the newest frame of a camera that has a result, by camera and partition of the frame. */
    private final Map<Long, Long> last = new HashMap<>();

    private final Map<String, Long> versions = new TreeMap<>();
    private final Map<String, Long> codes = new TreeMap<>();
    private final Map<Integer, byte[]> events = new HashMap<>();
    /** Offset of the oldest frame of a camera that has a result, by camera and partition of the frame. */
    private final Map<Long, Long> first = new HashMap<>();

    private long foreign;
    private long former;
    private long unreadable;
    private long misdated;
    private @Nullable String misdatedExample;

    /** @param topicId id of the topic now; null where the broker does not say */
    Books(String topic, @Nullable Uuid topicId) {
        this.topic = topic;
        this.topicId = topicId;
    }

    /** Opens a page for the frames of a partition from {@code begin} until before {@code end}. */
    void partition(int partition, long begin, long end) {
        pages.put(partition, new Page(begin, end));
    }

    /** @param millis the record's time, since 1970 */
    void frame(int partition, long offset, String camera, long millis, long now) {
        Page page = pages.get(partition);
        if (page == null || offset < page.begin || offset >= page.end) return;
        int place = (int) (offset - page.begin);
        page.camera[place] = number(camera) + 1;
        page.seconds[place] = (int) Math.max(0, Math.min(Integer.MAX_VALUE, millis / 1000));
        boolean impossible = FrameTimes.isImpossible(millis, now);
        // A broker keeps the order in which frames came; one that is dated days before those ahead of it is wrong.
        if (impossible || millis < page.newestMillis - FrameTimes.MAX_AGE.toMillis()) misdated(camera, millis, now);
        if (!impossible) page.newestMillis = Math.max(page.newestMillis, millis);
    }

    /** A frame whose record has a time that cannot be true. */
    void misdated(String camera, long millis, long now) {
        if (misdated++ == 0)
            misdatedExample = "one of " + camera + " has " + FrameTimes.describeRecordTime(millis, now);
    }

    /** Time of the oldest frame, in milliseconds since 1970; {@link Long#MAX_VALUE} without frames. */
    long oldestMillis() {
        long oldest = Long.MAX_VALUE;
        for (Page page : pages.values())
            for (int i = 0; i < page.camera.length; i++)
                if (page.camera[i] != 0) oldest = Math.min(oldest, page.seconds[i] * 1000L);
        return oldest;
    }

    private int number(String camera) {
        return numbers.computeIfAbsent(camera, c -> {
            names.add(c);
            return names.size() - 1;
        });
    }

    /** Number of the frame's camera; -1 for a frame that is on no page. */
    private int camera(@Nullable FrameRef source) {
        Page page = source == null || !source.getTopic().equals(topic) ? null : pages.get(source.getPartition());
        if (page == null || source.getOffset() < page.begin || source.getOffset() >= page.end) return -1;
        return page.camera[(int) (source.getOffset() - page.begin)] - 1;
    }

    private Tally tally(int camera) {
        return tallies.computeIfAbsent(camera, c -> new Tally());
    }

    /** To be called after all frames, in the order of the topic. */
    void result(FrameRef source, String version, AnswerOrigin origin) {
        if (!answer(source, SCORED, origin)) return;
        versions.merge(version, 1L, Long::sum);
        int camera = camera(source);
        long key = key(source.getPartition(), camera);
        first.merge(key, source.getOffset(), Math::min);
        Long before = last.get(key);
        if (before != null && source.getOffset() < before) tally(camera).disorder++;
        else last.put(key, source.getOffset());
    }

    private static long key(int partition, int camera) {
        return (long) partition << 32 | camera;
    }

    /** To be called after all frames. */
    void deadLetter(FrameRef source, String code, AnswerOrigin origin) {
        if (answer(source, REJECTED, origin)) codes.merge(code, 1L, Long::sum);
    }

    /** To be called after all frames. */
    void event(FrameRef source, AnswerOrigin origin) {
        if (!isOurs(source, origin)) return;
        Page page = pages.get(source.getPartition());
        byte[] seen = events.computeIfAbsent(source.getPartition(), p -> new byte[page.answers.length]);
        int place = (int) (source.getOffset() - page.begin);
        if (seen[place] != 0) tally(camera(source)).doubledEvents++;
        seen[place] = 1;
    }

    /** Whether an answer is to a frame that was read; counts it where it is not. */
    private boolean isOurs(FrameRef source, AnswerOrigin origin) {
        Page page = source.getTopic().equals(topic) ? pages.get(source.getPartition()) : null;
        if (page != null && isFormer(source, page, origin)) {
            former++;
            page.former++;
            return false;
        }
        if (camera(source) >= 0) return true;
        foreign++;
        return false;
    }

    /** Whether the frame lay in a topic of this name that was deleted since. */
    private boolean isFormer(FrameRef source, Page page, AnswerOrigin origin) {
        if (topicId != null && origin.topicId() != null) return !topicId.equals(origin.topicId());
        if (camera(source) < 0) return false;
        // Without an id: nobody answers a frame before it was written.
        long written = page.seconds[(int) (source.getOffset() - page.begin)] * 1000L;
        return origin.millis() < written - MAX_SKEW_MILLIS;
    }

    /** Books an answer; whether it is the first one to a frame of ours. */
    private boolean answer(FrameRef source, int kind, AnswerOrigin origin) {
        if (!isOurs(source, origin)) return false;
        Page page = pages.get(source.getPartition());
        page.own++;
        int place = (int) (source.getOffset() - page.begin);
        if (page.answers[place] != 0) {
            tally(camera(source)).doubled++;
            return false;
        }
        page.answers[place] = (byte) kind;
        return true;
    }

    void unreadable() {
        unreadable++;
    }

    /** Whether a frame that the application has committed has no answer. */
    boolean hasUnanswered(Map<Integer, Long> committed) {
        return pages.entrySet().stream().anyMatch(e -> {
            Page page = e.getValue();
            long next = next(page, committed.get(e.getKey()));
            for (int i = 0; i < page.camera.length && page.begin + i < next; i++)
                if (page.camera[i] != 0 && page.answers[i] == 0) return true;
            return false;
        });
    }

    /** What the application has committed of the frames that are there now; a commit may be of a topic before. */
    private static long next(Page page, @Nullable Long committed) {
        boolean stale = committed != null && (committed > page.end || page.former > 0 && page.own == 0);
        return committed == null || stale ? Long.MIN_VALUE : committed;
    }

    /**
     * @param committed first offset of every partition that the application has not committed
     * @param results what the topic of results still has
     * @param letters what the topic of dead letters still has
     */
    AuditReport report(Map<Integer, Long> committed, long uncommitted, Kept results, Kept letters) {
        long[][] counts = new long[names.size()][6];
        pages.forEach((partition, page) -> {
            long next = next(page, committed.get(partition));
            for (int i = 0; i < page.camera.length; i++) {
                if (page.camera[i] == 0) continue;
                long[] count = counts[page.camera[i] - 1];
                count[0]++;
                if (page.answers[i] == SCORED) count[1]++;
                else if (page.answers[i] == REJECTED) count[2]++;
                else if (page.begin + i >= next) count[3]++;
                else if (mayHaveExpired(partition, page, i, results, letters)) count[4]++;
                else count[5]++;
            }
        });
        List<CameraCount> cameras = new ArrayList<>();
        for (int c = 0; c < counts.length; c++) {
            long[] n = counts[c];
            Tally t = tally(c);
            cameras.add(new CameraCount(
                    names.get(c), n[0], n[1], n[2], n[3], n[4], n[5], t.doubled, t.doubledEvents, t.disorder));
        }
        cameras.sort((a, b) -> natural(a.camera(), b.camera()));
        return new AuditReport(
                List.copyOf(cameras),
                new LinkedHashMap<>(versions),
                new LinkedHashMap<>(codes),
                foreign,
                former,
                unreadable,
                uncommitted,
                misdated,
                misdatedExample);
    }

    /** Whether the answer to a frame may have been there once and is not kept. */
    private boolean mayHaveExpired(int partition, Page page, int place, Kept results, Kept letters) {
        long key = key(partition, page.camera[place] - 1);
        long offset = page.begin + place;
        long millis = page.seconds[place] * 1000L;
        // A camera's results lie in one partition, in the order of its frames.
        Long oldest = first.get(key);
        if (results.truncated() && (oldest == null ? millis <= results.sinceMillis() : offset < oldest)) return true;
        Long newest = last.get(key);
        if (results.compacted() && newest != null && offset < newest) return true;
        return letters.compacted() || letters.truncated() && millis <= letters.sinceMillis();
    }

    /** cam-2 before cam-10. */
    private static int natural(String a, String b) {
        String[] left = a.split("(?<=\\D)(?=\\d)", 2);
        String[] right = b.split("(?<=\\D)(?=\\d)", 2);
        boolean numbered = left.length == 2
                && right.length == 2
                && left[0].equals(right[0])
                && Arrays.stream(new String[] {left[1], right[1]}).allMatch(s -> s.matches("\\d{1,9}"));
        return numbered ? Integer.compare(Integer.parseInt(left[1]), Integer.parseInt(right[1])) : a.compareTo(b);
    }
}
