package io.linesight.app.cli.models;

import io.linesight.models.rollouts.PublishedVersion;
import io.linesight.models.signing.Verification.Outcome;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Facts as people read them. */
final class Formats {
    private Formats() {}

    static String size(long bytes) {
        return bytes < 1 << 20
                ? String.format(Locale.ROOT, "%.1f KiB", bytes / 1024.0)
                : String.format(Locale.ROOT, "%.1f MiB", bytes / 1048576.0);
    }

    static String word(Enum<?> e) {
        return e.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    static String signature(PublishedVersion v) {
        Outcome o = v.verification().outcome();
        return switch (o) {
            case SIGNED -> "by " + v.manifest().getKeyId();
            case UNSIGNED -> v.verification().accepted() ? "unsigned" : "UNSIGNED, rejected";
            case UNKNOWN_KEY ->
                v.verification().accepted()
                        ? "by " + v.manifest().getKeyId() + ", not checked"
                        : "UNKNOWN KEY, rejected";
            case DOES_NOT_FIT -> "DOES NOT FIT, rejected";
        };
    }

    static String number(@Nullable Double value) {
        return value == null ? "-" : String.format(Locale.ROOT, "%.4f", value);
    }

    static String rate(@Nullable Double value) {
        return value == null ? "-" : String.format(Locale.ROOT, "%.1f %%", value * 100);
    }
}
