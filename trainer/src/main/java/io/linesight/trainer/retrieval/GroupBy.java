package io.linesight.trainer.retrieval;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/**
 * How good images that show the same part, or were taken in the same minute, are known. Thresholds rest on images that
 * are scored without all others of their group.
 *
 * @param kind what groups go by
 * @param pattern of names, for {@link Kind#PATTERN} only
 */
public record GroupBy(Kind kind, @Nullable Pattern pattern) {
    /** What groups go by. */
    public enum Kind {
        /** Names where they tell groups apart, by product; similarity where they do not. */
        AUTO,
        /** Every image is a group of its own. */
        NONE,
        /** The file's name without its extension and its last number. */
        STEM,
        /** What looks much alike to the encoder. */
        SIMILARITY,
        /** What a regular expression finds in the image's name: its first group, or all that it matches. */
        PATTERN
    }

    private static final Pattern LAST_NUMBER = Pattern.compile("[-_. ]*\\d+$");

    public static final GroupBy AUTOMATIC = new GroupBy(Kind.AUTO, null);

    public GroupBy {
        if ((kind == Kind.PATTERN) != (pattern != null))
            throw new IllegalArgumentException("a pattern goes with " + Kind.PATTERN + " only");
    }

    /**
     * Reads {@code auto}, {@code none}, {@code stem}, {@code similarity} or a regular expression.
     *
     * @throws IllegalArgumentException when it is neither
     */
    public static GroupBy of(String text) {
        for (Kind kind : Kind.values())
            if (kind != Kind.PATTERN && kind.name().equalsIgnoreCase(text)) return new GroupBy(kind, null);
        try {
            return new GroupBy(Kind.PATTERN, Pattern.compile(text));
        } catch (PatternSyntaxException e) {
            throw new IllegalArgumentException(
                    "--group-by takes auto, none, stem, similarity or a regular expression, and '" + text
                            + "' is none: " + e.getDescription(),
                    e);
        }
    }

    /** The group that a name tells; null where the pattern finds nothing. */
    @Nullable
    String named(String name) {
        if (pattern == null)
            return LAST_NUMBER.matcher(name.replaceAll("\\.[A-Za-z]+$", "")).replaceFirst("");
        Matcher m = pattern.matcher(name);
        if (!m.find()) return null;
        return m.groupCount() > 0 ? m.group(1) : m.group();
    }
}
