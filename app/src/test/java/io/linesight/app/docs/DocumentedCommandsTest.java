package io.linesight.app.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.linesight.app.cli.Linesight;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * What the documents tell to execute exists, and something executes it. {@link DocumentedCommandsIT} is the one that
 * does.
 */
class DocumentedCommandsTest {
    private static final Pattern TESTS = Pattern.compile("-D(?:it\\.)?test=(\\S+)");
    private static final Pattern PROPERTIES = Pattern.compile("-D((?:linesight|fuzz)\\.[A-Za-z.]+)=");
    private static Map<String, List<String>> documented;
    private static Map<String, String> tests;
    private static JsonNode compose;

    @BeforeAll
    static void read() throws IOException {
        documented = Documentation.commands();
        tests = new TreeMap<>();
        try (Stream<Path> modules = Files.list(Documentation.ROOT)) {
            for (Path sources : modules.map(m -> m.resolve("src/test/java"))
                    .filter(Files::isDirectory)
                    .toList()) {
                try (Stream<Path> files = Files.walk(sources)) {
                    for (Path f :
                            files.filter(f -> f.toString().endsWith(".java")).toList())
                        tests.put(f.getFileName().toString().replace(".java", ""), Files.readString(f));
                }
            }
        }
        compose = new ObjectMapper(new YAMLFactory())
                .readTree(Documentation.ROOT.resolve("docker-compose.yml").toFile());
    }

    private static List<List<String>> starting(String program) {
        return documented.keySet().stream()
                .map(Documentation::words)
                .map(DocumentedCommandsTest::withoutVariables)
                .filter(w -> w.get(0).equals(program))
                .toList();
    }

    private static List<String> withoutVariables(List<String> words) {
        int first = 0;
        while (words.get(first).matches("[A-Z_]+=.*")) first++;
        return words.subList(first, words.size());
    }

    @Test
    void shouldFindEveryCommandAndReadItAsAShellDoes() {
        Map<String, List<String>> found = new LinkedHashMap<>();
        Documentation.read(
                "A.md",
                List.of(
                        "text",
                        "```sh",
                        "one  --a \\",
                        "   'b  # c'   # comment",
                        "",
                        "two",
                        "```",
                        "```",
                        "picture",
                        "```",
                        "```sh",
                        "two # again",
                        "```"),
                found);
        assertThat(found)
                .containsExactly(
                        Map.entry("one --a 'b  # c'", List.of("A.md:3")),
                        Map.entry("two", List.of("A.md:6", "A.md:12")));
        assertThat(Documentation.words("one --a 'b  # c' \"d\"e ''")).containsExactly("one", "--a", "b  # c", "de", "");
        assertThat(documented).hasSizeGreaterThan(60);
        assertThat(documented.values().stream().flatMap(List::stream).map(p -> p.substring(0, p.indexOf(':'))))
                .contains(
                        "README.md",
                        "SECURITY.md",
                        "docs/getting-started.md",
                        "docs/development.md",
                        "docs/operations.md",
                        "docs/containers.md",
                        "docs/encoder.md",
                        "docs/accuracy.md",
                        "docs/demo-model.md");
    }

    @Test
    void shouldHaveARuleForEveryCommand() {
        Map<String, Rule> rules = new LinkedHashMap<>();
        for (Rule r : Rules.all())
            assertThat(rules.put(r.command(), r))
                    .as("two rules for %s", r.command())
                    .isNull();
        List<String> without = documented.entrySet().stream()
                .filter(e -> !rules.containsKey(e.getKey()))
                .map(e -> String.join(", ", e.getValue()) + ": " + e.getKey())
                .toList();
        assertThat(without)
                .as("documented commands that no rule says how to execute: add one to Rules")
                .isEmpty();
        Map<String, Integer> kinds = new TreeMap<>();
        documented.keySet().forEach(c -> kinds.merge(rules.get(c).kind().toString(), 1, Integer::sum));
        System.out.println("DocumentedCommandsTest: " + documented.size() + " commands at "
                + documented.values().stream().mapToInt(List::size).sum() + " places: " + kinds);
    }

    @Test
    void shouldNameTestsAndScriptsThatDoIt() throws IOException {
        for (Rule r : Rules.all()) {
            if (!documented.containsKey(r.command())) continue;
            if (r.kind() == Rule.Kind.TEST)
                assertThat(tests).as("the test that executes %s", r.command()).containsKey(r.detail());
            if (r.kind() == Rule.Kind.SCRIPT)
                assertThat(Files.readString(Documentation.ROOT.resolve(r.detail())))
                        .as("%s executes %s", r.detail(), r.command())
                        .contains(r.evidence());
            if (r.kind() == Rule.Kind.CHECKED)
                assertThat(r.detail())
                        .as("why nothing executes %s", r.command())
                        .isNotBlank();
        }
    }

    @Test
    void shouldDocumentOptionsThatThereAre() {
        List<List<String>> commands = new ArrayList<>(starting("./linesight"));
        for (List<String> words : starting("docker")) {
            int inside = words.indexOf("/opt/linesight/bin/linesight");
            if (inside >= 0) commands.add(words.subList(inside + 1, words.size())); // after the service
        }
        assertThat(commands).hasSizeGreaterThan(50);
        for (List<String> words : commands) {
            assertThatCode(() -> Linesight.commandLine()
                            .parseArgs(words.subList(1, words.size()).toArray(String[]::new)))
                    .as(String.join(" ", words))
                    .doesNotThrowAnyException();
        }
    }

    @Test
    void shouldDocumentFilesThatThereAre() {
        Set<String> programs = new LinkedHashSet<>();
        for (String c : documented.keySet())
            programs.add(withoutVariables(Documentation.words(c)).get(0));
        for (String p : programs) {
            if (p.contains("/")) assertThat(Documentation.ROOT.resolve(p)).as(p).isExecutable();
            else
                assertThat(p)
                        .as("a program that is not ours; say in this test what is to be looked at")
                        .isIn("mvn", "docker", "curl", "touch");
        }
        for (String c : documented.keySet()) {
            if (c.contains("_MAVEN_OPTS=-P")) {
                String profile = c.replaceAll(".*_MAVEN_OPTS=-P(\\S+) .*", "$1");
                assertThat(Documentation.ROOT.resolve("pom.xml"))
                        .content()
                        .as("profile of %s", c)
                        .contains("<id>" + profile + "</id>");
            }
        }
        assertThat(starting("curl")).allSatisfy(words -> assertThat(words.get(words.size() - 1))
                .matches("localhost:\\d+/(live|ready|metrics)"));
        assertThat(starting("touch"))
                .allSatisfy(
                        words -> assertThat(words).hasSize(2).last().asString().endsWith("/train.now"));
    }

    @Test
    void shouldDocumentOptionsOfTheImageScript() throws IOException {
        String script = Files.readString(Documentation.ROOT.resolve("deploy/build-image.sh"));
        for (List<String> words : starting("deploy/build-image.sh")) {
            assertThat(words.stream().filter(w -> w.startsWith("-")))
                    .allSatisfy(o -> assertThat(script).contains("\n    " + o + ")"));
        }
    }

    @Test
    void shouldDocumentTestsModulesAndPropertiesThatThereAre() throws IOException {
        String pom = Files.readString(Documentation.ROOT.resolve("pom.xml"));
        String all = String.join("\n", tests.values());
        assertThat(starting("mvn")).isNotEmpty();
        for (List<String> words : starting("mvn")) {
            String command = String.join(" ", words);
            Matcher test = TESTS.matcher(command);
            while (test.find()) {
                if (!test.group(1).equals("none")) assertThat(tests).as(command).containsKey(test.group(1));
            }
            Matcher property = PROPERTIES.matcher(command);
            while (property.find())
                assertThat(all)
                        .as("%s is read by a test: %s", property.group(1), command)
                        .contains("\"" + property.group(1) + "\"");
            int module = words.indexOf("-pl");
            if (module >= 0) assertThat(pom).as(command).contains("<module>" + words.get(module + 1) + "</module>");
        }
    }

    @Test
    void shouldDocumentServicesAndProfilesThatThereAre() {
        Set<String> services = new LinkedHashSet<>();
        Set<String> profiles = new LinkedHashSet<>();
        for (Map.Entry<String, JsonNode> e : compose.get("services").properties()) {
            services.add(e.getKey());
            e.getValue().path("profiles").forEach(p -> profiles.add(p.asText()));
        }
        List<List<String>> commands = starting("docker");
        assertThat(commands).isNotEmpty().allSatisfy(words -> {
            assertThat(words.get(1)).isEqualTo("compose");
            int profile = words.indexOf("--profile");
            if (profile >= 0) assertThat(profiles).contains(words.get(profile + 1));
            for (int i = 2; i < words.size(); i++) {
                if (words.get(i - 1).equals("--scale"))
                    assertThat(services)
                            .contains(words.get(i).substring(0, words.get(i).indexOf('=')));
            }
            int entrypoint = words.indexOf("--entrypoint");
            if (entrypoint >= 0) assertThat(services).contains(words.get(entrypoint + 2));
            if (words.contains("logs")) assertThat(services).contains(words.get(words.size() - 1));
        });
    }
}
