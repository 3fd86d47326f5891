package io.linesight.app.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Links between the documents lead somewhere, the types that they name exist, and no package is left out. */
class DocumentedLinksTest {
    private static final Pattern LINK = Pattern.compile("\\]\\(([^)#\\s]*)(#[^)\\s]*)?\\)");
    private static final Pattern CODE = Pattern.compile("`([^`]+)`");
    private static final Pattern TYPE_NAME = Pattern.compile("([A-Z][a-z]\\w*)(\\.\\w+)?");
    private static final Pattern DECLARATION = Pattern.compile("\\b(?:class|interface|record|enum) ([A-Z]\\w*)");
    private static final Pattern AVRO_NAME = Pattern.compile("\"name\": \"([A-Z]\\w*)\"");
    /** Words in backticks that look like types of ours and are none. */
    private static final Set<String> FOREIGN = Set.of("Duration", "Runtime");

    @Test
    void shouldLinkToFilesAndHeadingsThatThereAre() throws IOException {
        List<String> broken = new ArrayList<>();
        for (Path document : Documentation.files()) {
            Matcher link = LINK.matcher(withoutBlocks(Files.readString(document)));
            while (link.find()) {
                if (link.group(1).contains(":")) continue;
                Path target = link.group(1).isEmpty() ? document : document.resolveSibling(link.group(1));
                if (!Files.exists(target)
                        || link.group(2) != null && !headings(target).contains(link.group(2)))
                    broken.add(document.getFileName() + ": " + link.group());
            }
        }
        assertThat(broken).as("links that lead nowhere").isEmpty();
    }

    @Test
    void shouldNameTypesThatThereAre() throws IOException {
        Set<String> types = types();
        assertThat(types).hasSizeGreaterThan(500);
        Set<String> missing = new TreeSet<>();
        for (String name : List.of("architecture.md", "glossary.md", "development.md")) {
            Matcher code = CODE.matcher(withoutBlocks(
                    Files.readString(Documentation.ROOT.resolve("docs").resolve(name))));
            while (code.find()) {
                Matcher type = TYPE_NAME.matcher(code.group(1));
                if (type.matches() && !types.contains(type.group(1)) && !FOREIGN.contains(type.group(1)))
                    missing.add(name + ": " + code.group(1));
            }
        }
        assertThat(missing).as("types that are not in the sources").isEmpty();
    }

    @Test
    void shouldListEveryPackage() throws IOException {
        String architecture = Files.readString(Documentation.ROOT.resolve("docs/architecture.md"));
        Set<String> packages = packages();
        assertThat(packages).hasSizeGreaterThan(40);
        assertThat(packages.stream().filter(name -> !architecture.contains("\n| `" + name + "` | ")))
                .as("packages that docs/architecture.md does not list")
                .isEmpty();
    }

    /** Packages of the program, without {@code io.linesight.} in front. */
    private static Set<String> packages() throws IOException {
        Set<String> packages = new TreeSet<>();
        try (Stream<Path> modules = Files.list(Documentation.ROOT)) {
            for (Path root : modules.map(module -> module.resolve("src/main/java/io/linesight"))
                    .filter(Files::isDirectory)
                    .toList()) {
                try (Stream<Path> files = Files.walk(root)) {
                    files.filter(file -> file.toString().endsWith(".java"))
                            .map(file ->
                                    root.relativize(file.getParent()).toString().replace('/', '.'))
                            .forEach(packages::add);
                }
            }
        }
        return packages;
    }

    private static String withoutBlocks(String markdown) {
        return markdown.replaceAll("(?s)```.*?```", "");
    }

    /** Anchors as GitHub makes them of headings. */
    private static Set<String> headings(Path document) throws IOException {
        return withoutBlocks(Files.readString(document))
                .lines()
                .filter(line -> line.matches("#+ .*"))
                .map(line -> line.replaceFirst("#+ ", "").toLowerCase(Locale.ROOT))
                .map(heading -> "#" + heading.replaceAll("[^\\w\\- ]", "").replace(' ', '-'))
                .collect(Collectors.toSet());
    }

    private static Set<String> types() throws IOException {
        Set<String> types = new TreeSet<>();
        try (Stream<Path> modules = Files.list(Documentation.ROOT)) {
            for (Path sources : modules.map(module -> module.resolve("src"))
                    .filter(Files::isDirectory)
                    .toList()) {
                try (Stream<Path> files = Files.walk(sources)) {
                    for (Path file : files.toList()) {
                        if (file.toString().endsWith(".java")) collect(DECLARATION, file, types);
                        if (file.toString().endsWith(".avsc")) collect(AVRO_NAME, file, types);
                    }
                }
            }
        }
        return types;
    }

    private static void collect(Pattern pattern, Path file, Set<String> types) throws IOException {
        Matcher found = pattern.matcher(Files.readString(file));
        while (found.find()) types.add(found.group(1));
    }
}
