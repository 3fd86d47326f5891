package io.linesight.app.audit;

import io.linesight.schemas.FrameRef;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Answers of every frame, by its place in the topic: five bytes a frame, so that a day of a line fits into memory. Not
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

        Page(long begin, long end) {
            if (end - begin > Integer.MAX_VALUE - 8) {
                throw new IllegalArgumentException("there are " + (end - begin)
                        + " frames in one partition, too many to count together; choose a shorter time with --since");
            }
            this.begin = begin;
            this.end = end;
            camera = new int[(int) (end - begin)];
            answers = new byte[(int) (end - begin)];
        }
    }

    private record Tally(long[] doubled, long[] disorder) {}

    private final String topic;
    private final Map<Integer, Page> pages = new HashMap<>();
    private final Map<String, Integer> numbers = new HashMap<>();
    private final List<String> names = new ArrayList<>();
    private final Map<Integer, Tally> tallies = new HashMap<>();
    /** Offset of the newest frame of a camera that has a result, by camera and partition of the frame. */
    private final Map<Long, Long> last = new HashMap<>();

    private final Map<String, Long> versions = new TreeMap<>();
    private final Map<String, Long> codes = new TreeMap<>();
    private final Map<Integer, byte[]> events = new HashMap<>();
    private long foreign;
    private long unreadable;

    Books(String topic) {
        this.topic = topic;
    }

    /** Opens a page for the frames of a partition from {@code begin} until before {@code end}. */
    void partition(int partition, long begin, long end) {
        pages.put(partition, new Page(begin, end));
    }

    void frame(int partition, long offset, String camera) {
        Page page = pages.get(partition);
        if (page == null || offset < page.begin || offset >= page.end) return;
        page.camera[(int) (offset - page.begin)] = number(camera) + 1;
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
        return tallies.computeIfAbsent(camera, c -> new Tally(new long[1], new long[1]));
    }

    /** To be called after all frames, in the order of the topic. */
    void result(FrameRef source, String version) {
        int camera = camera(source);
        if (!answer(source, camera, SCORED)) return;
        versions.merge(version, 1L, Long::sum);
        long key = (long) source.getPartition() << 32 | camera;
        Long before = last.get(key);
        if (before != null && source.getOffset() < before) tally(camera).disorder[0]++;
        else last.put(key, source.getOffset());
    }

    /** To be called after all frames. */
    void deadLetter(FrameRef source, String code) {
        if (answer(source, camera(source), REJECTED)) codes.merge(code, 1L, Long::sum);
    }

    /** To be called after all frames. */
    void event(FrameRef source) {
        int camera = camera(source);
        if (camera < 0) {
            foreign++;
            return;
        }
        Page page = pages.get(source.getPartition());
        byte[] seen = events.computeIfAbsent(source.getPartition(), p -> new byte[page.answers.length]);
        int place = (int) (source.getOffset() - page.begin);
        if (seen[place] != 0) tally(camera).doubled[0]++;
        seen[place] = 1;
    }

    /** Books an answer; whether it is the first one to a frame of ours. */
    private boolean answer(FrameRef source, int camera, int kind) {
        if (camera < 0) {
            foreign++;
            return false;
        }
        Page page = pages.get(source.getPartition());
        int place = (int) (source.getOffset() - page.begin);
        if (page.answers[place] != 0) {
            tally(camera).doubled[0]++;
            return false;
        }
        page.answers[place] = (byte) kind;
        return true;
    }

    void unreadable() {
        unreadable++;
    }

    /** @param committed first offset of every partition that the application has not committed */
    AuditReport report(Map<Integer, Long> committed, long uncommitted) {
        long[][] counts = new long[names.size()][5];
        pages.forEach((partition, page) -> {
            long next = committed.getOrDefault(partition, Long.MIN_VALUE);
            for (int i = 0; i < page.camera.length; i++) {
                if (page.camera[i] == 0) continue;
                long[] count = counts[page.camera[i] - 1];
                count[0]++;
                if (page.answers[i] == SCORED) count[1]++;
                else if (page.answers[i] == REJECTED) count[2]++;
                else if (page.begin + i >= next) count[3]++;
                else count[4]++;
            }
        });
        List<CameraCount> cameras = new ArrayList<>();
        for (int c = 0; c < counts.length; c++) {
            long[] n = counts[c];
            Tally tally = tally(c);
            cameras.add(
                    new CameraCount(names.get(c), n[0], n[1], n[2], n[3], n[4], tally.doubled[0], tally.disorder[0]));
        }
        cameras.sort((a, b) -> natural(a.camera(), b.camera()));
        return new AuditReport(
                List.copyOf(cameras),
                new LinkedHashMap<>(versions),
                new LinkedHashMap<>(codes),
                foreign,
                unreadable,
                uncommitted);
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
