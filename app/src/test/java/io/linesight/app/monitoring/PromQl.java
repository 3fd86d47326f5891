package io.linesight.app.monitoring;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Enough of PromQL and of the text format to say whether an expression asks for something that nobody exports. */
final class PromQl {
    /** What Prometheus itself adds to every sample, and its own series. */
    private static final Set<String> TARGET_LABELS = Set.of("job", "instance");

    private static final Set<String> OWN_SERIES = Set.of("up", "ALERTS");
    private static final Set<String> WORDS = Set.of("and", "or", "unless", "bool", "offset", "inf", "nan");
    private static final Pattern SELECTOR = Pattern.compile("(?<![\\w.:])([a-zA-Z_:][a-zA-Z0-9_:]*)\\s*(\\{[^}]*})?");
    private static final Pattern MATCHER = Pattern.compile("([a-zA-Z_][a-zA-Z0-9_]*)\\s*(=~|!~|!=|=)\\s*\"([^\"]*)\"");
    private static final Pattern GROUPING =
            Pattern.compile("\\b(by|without|on|ignoring|group_left|group_right)\\s*\\(([^)]*)\\)");
    private static final Pattern SAMPLE = Pattern.compile("([a-zA-Z_:][a-zA-Z0-9_:]*)(\\{(.*)})? \\S+.*");
    private static final Pattern LABEL = Pattern.compile("([a-zA-Z_][a-zA-Z0-9_]*)=\"((?:[^\"\\\\]|\\\\.)*)\"");

    private PromQl() {}

    /** Samples of a scrape: the label sets of every name. */
    static Map<String, List<Map<String, String>>> samples(String scrape) {
        Map<String, List<Map<String, String>>> samples = new HashMap<>();
        for (String line : scrape.split("\n")) {
            Matcher m = SAMPLE.matcher(line);
            if (line.startsWith("#") || !m.matches()) continue;
            Map<String, String> labels = new LinkedHashMap<>();
            Matcher l = LABEL.matcher(m.group(3) == null ? "" : m.group(3));
            while (l.find()) labels.put(l.group(1), l.group(2));
            samples.computeIfAbsent(m.group(1), n -> new ArrayList<>()).add(labels);
        }
        return samples;
    }

    /** What is wrong with the expression against these samples; empty when nothing is. */
    static List<String> problems(String expression, Map<String, List<Map<String, String>>> samples) {
        List<String> problems = new ArrayList<>();
        Set<String> known = new HashSet<>(TARGET_LABELS);
        Set<String> grouped = new HashSet<>();
        Matcher g = GROUPING.matcher(expression);
        while (g.find()) for (String label : g.group(2).split(",")) if (!label.isBlank()) grouped.add(label.trim());
        String rest = GROUPING.matcher(expression).replaceAll(" ").replaceAll("\\[(\\$\\w+|[0-9][0-9a-z:]*)]", " ");
        Matcher m = SELECTOR.matcher(rest);
        int metrics = 0;
        while (m.find()) {
            String name = m.group(1);
            boolean function = m.group(2) == null && rest.substring(m.end()).startsWith("(");
            if (function || WORDS.contains(name.toLowerCase(Locale.ROOT))) continue;
            metrics++;
            if (OWN_SERIES.contains(name)) continue;
            List<Map<String, String>> found = samples.get(name);
            if (found == null) {
                problems.add("nobody exports " + name);
                continue;
            }
            found.forEach(labels -> known.addAll(labels.keySet()));
            Matcher l = MATCHER.matcher(m.group(2) == null ? "" : m.group(2));
            while (l.find()) {
                String label = l.group(1);
                String value = l.group(3);
                if (TARGET_LABELS.contains(label)) continue;
                if (found.stream().noneMatch(s -> s.containsKey(label))) problems.add(name + " has no label " + label);
                else if (l.group(2).equals("=") && found.stream().noneMatch(s -> value.equals(s.get(label))))
                    problems.add(name + " has no " + label + "=" + value);
                else if (l.group(2).equals("=~")
                        && found.stream()
                                .noneMatch(s -> s.getOrDefault(label, "").matches(value)))
                    problems.add(name + " has no " + label + " like " + value);
            }
        }
        if (metrics == 0) problems.add("the expression asks for nothing");
        for (String label : grouped) if (!known.contains(label)) problems.add("no metric in it has the label " + label);
        return problems;
    }
}
