package io.linesight.streams.config;

import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** Hides secrets among settings, so that they may be logged. */
final class Redaction {

    private static final Pattern SECRET = Pattern.compile(
            "password|secret|token|user\\.info|jaas|credential|private|authorization|\\.key$|ssl\\..*\\.pem",
            Pattern.CASE_INSENSITIVE);
    private static final String HIDDEN = "[hidden]";

    private Redaction() {}

    /** A sorted copy fit for a log. */
    static Map<String, String> of(Map<String, String> settings) {
        Map<String, String> shown = new TreeMap<>();
        settings.forEach((key, value) -> shown.put(key, SECRET.matcher(key).find() ? HIDDEN : withoutUserInfo(value)));
        return shown;
    }

    /** An address may carry its password: {@code http://user:password@host}. */
    private static String withoutUserInfo(String value) {
        return value.replaceAll("://[^/@,]*@", "://" + HIDDEN + "@");
    }
}
