package io.linesight.app.audit;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What an {@link Audit} found.
 *
 * @param cameras by name
 * @param versions results by the version of the model that scored them
 * @param deadLetters dead letters by reason code
 * @param foreign answers to frames that were not read: older than the first one, no longer kept, or of another topic
 * @param former answers to frames of a topic of the same name that was deleted since
 * @param unreadable answers that could not be decoded
 * @param uncommitted results of aborted transactions, which readers of committed records never see
 * @param misdated frames whose record has a time that cannot be true
 * @param misdatedExample one of them, for people; null without any
 */
public record AuditReport(
        List<CameraCount> cameras,
        Map<String, Long> versions,
        Map<String, Long> deadLetters,
        long foreign,
        long former,
        long unreadable,
        long uncommitted,
        long misdated,
        @Nullable String misdatedExample) {
    private static final String[] COLUMNS = {
        "sent", "scored", "dead letters", "waiting", "lost", "doubled", "out of order"
    };

    /** All cameras together. */
    public CameraCount total() {
        CameraCount sum = CameraCount.none("total");
        for (CameraCount c : cameras) sum = sum.plus(c, "total");
        return sum;
    }

    /** Whether nothing is lost, doubled or out of order, and everything could be read. */
    public boolean clean() {
        return unreadable == 0 && cameras.stream().allMatch(CameraCount::clean);
    }

    /** For people: a line per camera, and a sum. */
    public String table() {
        int width = Math.max(
                8, cameras.stream().mapToInt(c -> c.camera().length()).max().orElse(0));
        StringBuilder text = new StringBuilder(String.format(Locale.ROOT, "%-" + width + "s", "camera"));
        for (String column : COLUMNS)
            text.append("  ").append(String.format(Locale.ROOT, "%" + Math.max(9, column.length()) + "s", column));
        text.append('\n');
        for (CameraCount c : cameras) line(text, width, c);
        line(text, width, total());
        return text.toString();
    }

    private static void line(StringBuilder text, int width, CameraCount c) {
        long[] values = {c.sent(), c.scored(), c.rejected(), c.waiting(), c.lost(), c.doubled(), c.outOfOrder()};
        text.append(String.format(Locale.ROOT, "%-" + width + "s", c.camera()));
        for (int i = 0; i < values.length; i++)
            text.append("  ")
                    .append(String.format(Locale.ROOT, "%" + Math.max(9, COLUMNS[i].length()) + "d", values[i]));
        text.append('\n');
    }
}
