package io.linesight.schemas.topics;

import io.linesight.schemas.FrameRef;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The name of a frame, {@code <topic>-<partition>-<offset>}: a result's id, and the key of a label. */
public final class FrameKeys {
    // Topic names may hold dashes and digits; what counts are the last two numbers.
    private static final Pattern KEY = Pattern.compile("(.+)-(\\d{1,9})-(\\d{1,18})");

    private FrameKeys() {}

    public static String of(FrameRef ref) {
        return ref.getTopic() + "-" + ref.getPartition() + "-" + ref.getOffset();
    }

    /** @throws IllegalArgumentException with a message for people when the text names no frame */
    public static FrameRef parse(String key) {
        Matcher m = KEY.matcher(key.trim());
        if (!m.matches())
            throw new IllegalArgumentException(
                    "'" + key + "' names no frame: write <topic>-<partition>-<offset>, as linesight.frames.v1-0-42");
        return new FrameRef(m.group(1), Integer.parseInt(m.group(2)), Long.parseLong(m.group(3)));
    }
}
