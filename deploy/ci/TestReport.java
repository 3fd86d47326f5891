import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;

/**
 * Prints what Maven's test reports say: the ten slowest test classes, tests per module, the tests that failed, and one
 * line "N passed, N failed, N skipped". Run it with {@code java deploy/ci/TestReport.java [--slowest-only] FOLDER}.
 * Exit code 1 where no test ran or one failed.
 */
public final class TestReport {
    private record Suite(
            String module, String name, double seconds, int tests, int failed, int skipped, List<String> failures) {}

    public static void main(String[] args) throws IOException, XMLStreamException {
        boolean slowestOnly = args[0].equals("--slowest-only");
        List<Suite> suites = read(Path.of(args[args.length - 1]));
        System.out.println("Ten slowest test classes:");
        suites.stream()
                .sorted(Comparator.comparingDouble(Suite::seconds).reversed())
                .limit(10)
                .forEach(s -> System.out.printf(Locale.ROOT, "%8.1f s  %-16s %s%n", s.seconds, s.module, s.name));
        if (slowestOnly) return;

        Map<String, int[]> modules = new TreeMap<>();
        for (Suite s : suites) {
            int[] sums = modules.computeIfAbsent(s.module, m -> new int[2]);
            sums[0]++;
            sums[1] += s.tests - s.skipped;
        }
        System.out.println("Tests by module:");
        modules.forEach((m, n) -> System.out.printf("%8d tests in %3d classes  %s%n", n[1], n[0], m));
        suites.forEach(s -> s.failures.forEach(f -> System.out.println("FAILED " + s.name + "." + f)));
        int tests = suites.stream().mapToInt(Suite::tests).sum();
        int failed = suites.stream().mapToInt(Suite::failed).sum();
        int skipped = suites.stream().mapToInt(Suite::skipped).sum();
        System.out.printf("%d passed, %d failed, %d skipped%n", tests - failed - skipped, failed, skipped);
        if (tests == 0) System.err.println("no test ran");
        if (tests == 0 || failed > 0) System.exit(1);
    }

    private static List<Suite> read(Path root) throws IOException, XMLStreamException {
        List<Path> reports = new ArrayList<>();
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes attributes) {
                String name = dir.getFileName() == null ? "" : dir.getFileName().toString();
                boolean skip = name.equals(".git") || name.equals("src");
                return skip ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                boolean report = file.getFileName().toString().matches("TEST-.*\\.xml");
                if (report && file.getParent().getFileName().toString().endsWith("-reports")) {
                    reports.add(file);
                }
                return FileVisitResult.CONTINUE;
            }
        });
        List<Suite> suites = new ArrayList<>();
        for (Path report : reports) suites.add(suite(report));
        return suites;
    }

    /** Counts elements: the suite's own attributes are those of its last run alone. */
    private static Suite suite(Path report) throws IOException, XMLStreamException {
        Path target = report.toAbsolutePath().normalize().getParent().getParent();
        String module = target.getParent().getFileName().toString();
        String name = report.getFileName().toString();
        double seconds = 0;
        int tests = 0;
        int skipped = 0;
        List<String> failures = new ArrayList<>();
        String test = "";
        XMLInputFactory factory = XMLInputFactory.newInstance();
        factory.setProperty(XMLInputFactory.SUPPORT_DTD, false);
        try (InputStream in = Files.newInputStream(report)) {
            XMLStreamReader xml = factory.createXMLStreamReader(in);
            while (xml.hasNext()) {
                if (xml.next() != XMLStreamConstants.START_ELEMENT) continue;
                switch (xml.getLocalName()) {
                    case "testsuite" -> {
                        name = xml.getAttributeValue(null, "name");
                        String time = xml.getAttributeValue(null, "time");
                        seconds = time == null ? 0 : Double.parseDouble(time.replace(",", ""));
                    }
                    case "testcase" -> {
                        tests++;
                        test = xml.getAttributeValue(null, "name");
                    }
                    case "skipped" -> skipped++;
                    case "failure", "error" -> 
                        failures.add(test + ": " + firstLine(xml.getAttributeValue(null, "message")));
                    default -> {}
                }
            }
        }
        return new Suite(module, name, seconds, tests, failures.size(), skipped, failures);
    }

    private static String firstLine(String message) {
        if (message == null) return "";
        String line = message.strip().lines().findFirst().orElse("");
        return line.length() > 200 ? line.substring(0, 200) + "..." : line;
    }
}
