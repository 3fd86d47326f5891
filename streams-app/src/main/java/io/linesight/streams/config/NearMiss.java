package io.linesight.streams.config;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/** Finds the key a person probably meant. */
final class NearMiss {

    private NearMiss() {}

    /** The known key most like {@code unknown}, if it is like enough to be a slip. */
    public static Optional<String> of(String unknown, Collection<String> known) {
        int tolerance = Math.max(2, unknown.length() / 4);
        return known.stream()
                .filter(key -> distance(unknown, key) <= tolerance || key.endsWith("." + unknown))
                .min(Comparator.<String>comparingInt(key -> key.endsWith("." + unknown) ? 0 : distance(unknown, key))
                        .thenComparing(key -> key));
    }

    /** Levenshtein distance. */
    static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) row[j] = j;
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int substitute = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(substitute, 1 + Math.min(row[j], row[j - 1]));
            }
        }
        return row[b.length()];
    }
}
