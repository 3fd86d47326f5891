package io.linesight.app.hostile;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Changes of JSON and of other texts. One thread. */
final class TextMutations {
    private static final String[] TOKENS = {
        "null",
        "true",
        "false",
        "0",
        "-1",
        "1",
        "2147483647",
        "2147483648",
        "-2147483648",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "1e308",
        "1e999",
        "-1e999",
        "0.5",
        "NaN",
        "\"\"",
        "\"x\"",
        "\"../../../etc/passwd\"",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "[]",
        "{}",
        "[null]",
        "{\"a\":1,\"b\":2}",
        "[[]]",
        "[-1,-1]",
        "[0,1152921504606846976]",
        "1000000",
        "1".repeat(500),
        "\"" + "9".repeat(300) + "\"",
        "\"" + "A".repeat(3000) + "\""
    };
    private static final String[] TEXTS = {
        "",
        "\0",
        "\"",
        "\"\"",
        ",",
        ",,,,",
        "\n",
        "\r\n",
        "=",
        "\\",
        "\\u12",
        "../../x",
        "/etc/passwd",
        "file:///dev/zero",
        "-1",
        "9999999999999999999",
        "NaN",
        "Infinity",
        "1e400",
        "\uFEFF",
        "é",
        "true",
        "null",
        "-----BEGIN PUBLIC KEY-----",
        "-----END PUBLIC KEY-----",
        "-----BEGIN PRIVATE KEY-----",
        " ",
        "\t",
        "'",
        "%s%n",
        "${x}",
        "http://",
        "http://[",
        "kafka.",
        "linesight.",
        "AAAA",
        "A".repeat(5000)
    };
    private static final Pattern TOKEN =
            Pattern.compile("\"[^\"\\\\]*+(?:\\\\.[^\"\\\\]*+)*+\"|-?[0-9][0-9.eE+-]*|true|false|null|True|False");

    private final ByteMutations bytes;

    TextMutations(ByteMutations bytes) {
        this.bytes = bytes;
    }

    byte[] json(byte[] b) {
        String s = new String(b, StandardCharsets.ISO_8859_1);
        List<int[]> tokens = new ArrayList<>();
        Matcher m = TOKEN.matcher(s);
        while (m.find()) tokens.add(new int[] {m.start(), m.end()});
        int[] t = tokens.isEmpty() ? new int[] {0, 0} : tokens.get(bytes.random.nextInt(tokens.size()));
        String by =
                switch (bytes.random.nextInt(12)) {
                    case 0 -> "[".repeat(1 + bytes.random.nextInt(20_000));
                    case 1 -> "{\"a\":".repeat(1 + bytes.random.nextInt(5000));
                    case 2 -> "[".repeat(900) + "]".repeat(900);
                    case 3 -> "";
                    case 4 -> s.substring(t[0], t[1]) + "," + s.substring(t[0], t[1]);
                    default -> TOKENS[bytes.random.nextInt(TOKENS.length)];
                };
        String out;
        if (bytes.random.nextInt(10) == 0) {
            // A whole value in braces or brackets.
            int open = Math.max(s.lastIndexOf('{', t[0]), s.lastIndexOf('[', t[0]));
            int close = open < 0 ? -1 : s.indexOf(s.charAt(open) == '{' ? '}' : ']', t[1]);
            out = open < 0 || close < 0 ? by : s.substring(0, open) + by + s.substring(close + 1);
        } else {
            out = s.substring(0, t[0]) + by + s.substring(t[1]);
        }
        return out.getBytes(StandardCharsets.ISO_8859_1);
    }

    byte[] text(byte[] b) {
        String s = new String(b, StandardCharsets.ISO_8859_1);
        String by = new String(
                TEXTS[bytes.random.nextInt(TEXTS.length)].getBytes(StandardCharsets.UTF_8),
                StandardCharsets.ISO_8859_1);
        int at = bytes.random.nextInt(s.length() + 1);
        String out =
                switch (bytes.random.nextInt(5)) {
                    case 0 -> s.substring(0, at) + by + s.substring(at);
                    case 1 -> {
                        int end = at;
                        while (end < s.length() && Character.isLetterOrDigit(s.charAt(end))) end++;
                        int begin = at;
                        while (begin > 0 && Character.isLetterOrDigit(s.charAt(begin - 1))) begin--;
                        yield s.substring(0, begin) + by + s.substring(end);
                    }
                    case 2 -> {
                        int begin = s.lastIndexOf('\n', Math.max(0, at - 1)) + 1;
                        int end = s.indexOf('\n', at);
                        String line = s.substring(begin, end < 0 ? s.length() : end + 1);
                        int times = 1 + bytes.random.nextInt(bytes.random.nextInt(8) == 0 ? 3000 : 3);
                        yield s.substring(0, begin)
                                + line.repeat(Math.min(times, ByteMutations.MAX_BYTES / 2 / Math.max(1, line.length())))
                                + s.substring(begin);
                    }
                    case 3 -> {
                        int eq = s.indexOf('=', at);
                        int end = eq < 0 ? -1 : s.indexOf('\n', eq);
                        yield eq < 0 ? s + by : s.substring(0, eq + 1) + by + (end < 0 ? "" : s.substring(end));
                    }
                    default ->
                        s.substring(0, at)
                                + by.repeat(Math.max(1, Math.min(200, 20_000 / Math.max(1, by.length()))))
                                + s.substring(at);
                };
        return out.getBytes(StandardCharsets.ISO_8859_1);
    }
}
