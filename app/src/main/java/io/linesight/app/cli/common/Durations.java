package io.linesight.app.cli.common;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** 90s, 2m, 1h, or several of them together. */
public final class Durations implements ITypeConverter<Duration> {
    private static final Pattern PART = Pattern.compile("(\\d+)(h|m|s)");

    @Override
    public Duration convert(String text) {
        Matcher m = PART.matcher(text);
        Duration sum = Duration.ZERO;
        int end = 0;
        while (m.lookingAt()) {
            long n = Long.parseLong(m.group(1));
            sum = sum.plus(
                    switch (m.group(2)) {
                        case "h" -> Duration.ofHours(n);
                        case "m" -> Duration.ofMinutes(n);
                        default -> Duration.ofSeconds(n);
                    });
            end = m.end();
            m.region(end, text.length());
        }
        if (end != text.length() || sum.isZero())
            throw new TypeConversionException("'" + text + "' is no length of time: write 90s, 2m or 1h30m");
        return sum;
    }
}
