package io.linesight.app.cli;

import io.linesight.app.cli.common.Inputs;
import io.linesight.app.cli.common.Kafka;
import io.linesight.app.cli.common.UserError;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.LabelKind;
import io.linesight.schemas.topics.FrameKeys;
import io.linesight.schemas.topics.Topics;
import io.linesight.trainer.feedback.LabelPublisher;
import io.linesight.trainer.feedback.LabelPublisher.Request;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
        name = "label",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Labels frames as normal or anomalous; the trainer learns from it.",
            "The latest label of a frame wins; 'retracted' removes it. Without --csv or --frame it asks about the "
                    + "latest doubtful results."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight label -b localhost:9092 -r http://localhost:8081",
            "  linesight label -b localhost:9092 -r http://localhost:8081 --frame linesight.frames.v1-0-42 --label "
                    + "normal",
            "  linesight label -b localhost:9092 -r http://localhost:8081 --csv labels.csv",
            "",
            "A CSV file has a header line: frame (or topic,partition,offset), label (normal, anomalous, retracted), "
                    + "and where wanted annotator, product, mask (a PNG beside the file), note."
        })
final class LabelCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private Kafka kafka;

    @Option(names = "--csv", paramLabel = "FILE", description = "Labels from a file.")
    private Path csv;

    @Option(
            names = "--frame",
            paramLabel = "KEY",
            description = "One frame: a result's resultId, <topic>-<partition>-<offset>.")
    private String frame;

    @Option(names = "--label", paramLabel = "normal|anomalous|retracted", description = "What it is.")
    private String label;

    @Option(
            names = "--mask",
            paramLabel = "FILE",
            description = "Where the defect is: grey PNG of the frame's size, 0 is good.")
    private Path mask;

    @Option(
            names = "--product",
            paramLabel = "NAME",
            description = "Product, where the frame names the wrong one or none.")
    private String product;

    @Option(
            names = "--note",
            defaultValue = "",
            paramLabel = "TEXT",
            description = "Free text that goes with the label.")
    private String note;

    @Option(names = "--annotator", paramLabel = "NAME", description = "Who labels; the user's name by default.")
    private String annotator = System.getProperty("user.name", "");

    @Option(
            names = "--latest",
            defaultValue = "20",
            paramLabel = "N",
            description = "Results to ask about (${DEFAULT-VALUE}).")
    private int latest;

    @Option(
            names = "--no-check",
            description = "Do not check frames and masks first; the trainer rejects later what does not fit.")
    private boolean noCheck;

    private record Line(String name, Request request, String problem) {}

    @Override
    public Integer call() throws Exception {
        if (csv != null && frame != null)
            throw new ParameterException(spec.commandLine(), "--csv and --frame exclude each other");
        if ((frame == null) != (label == null))
            throw new ParameterException(spec.commandLine(), "--frame and --label go together");
        if (mask != null && frame == null) throw new ParameterException(spec.commandLine(), "--mask goes with --frame");
        if (latest < 1) throw new ParameterException(spec.commandLine(), "--latest must be at least 1");
        if (annotator.isBlank()) throw new ParameterException(spec.commandLine(), "say who labels: --annotator NAME");
        Map<String, String> settings = kafka.clientSettings();
        Kafka.require(settings, "bootstrap.servers", "--bootstrap-servers");
        Kafka.require(settings, "schema.registry.url", "--registry");
        Topics topics = Topics.from(settings);
        List<Line> lines = csv != null ? fromCsv() : frame != null ? List.of(single()) : null;
        try (LabelPublisher publisher = new LabelPublisher(settings, topics)) {
            return lines == null ? ask(settings, topics, publisher) : give(lines, publisher);
        }
    }

    private int give(List<Line> lines, LabelPublisher publisher) {
        PrintWriter err = spec.commandLine().getErr();
        List<String> problems = publisher.publish(
                lines.stream().filter(l -> l.request != null).map(Line::request).toList(), !noCheck);
        int rejected = 0;
        int next = 0;
        for (Line line : lines) {
            String problem = line.request == null ? line.problem : problems.get(next++);
            if (problem == null) continue;
            rejected++;
            err.println(line.name + ": rejected, " + problem);
        }
        return summarize(lines.size() - rejected, rejected);
    }

    private Line single() {
        FrameRef ref;
        try {
            ref = FrameKeys.parse(frame);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage());
        }
        LabelKind kind = kind(label);
        if (kind == null)
            throw new ParameterException(spec.commandLine(), "--label must be normal, anomalous or retracted");
        try {
            return new Line(
                    frame,
                    new Request(
                            ref,
                            kind,
                            product,
                            mask == null ? null : Files.readAllBytes(Inputs.existing(mask, "mask")),
                            annotator,
                            note),
                    null);
        } catch (IOException e) {
            throw new UserError(
                    "the mask " + mask + " cannot be read: " + e.getMessage() + "; nothing was labelled", e);
        }
    }

    private List<Line> fromCsv() throws IOException {
        List<Line> lines = new ArrayList<>();
        for (LabelCsv.Row row : LabelCsv.read(Inputs.existing(csv, "file"))) {
            String name = "line " + row.number();
            try {
                lines.add(new Line(name, request(row), null));
            } catch (IllegalArgumentException | IOException e) {
                lines.add(new Line(
                        name,
                        null,
                        e instanceof java.nio.file.NoSuchFileException
                                ? "there is no mask " + e.getMessage()
                                : e.getMessage()));
            }
        }
        return lines;
    }

    private Request request(LabelCsv.Row row) throws IOException {
        FrameRef ref;
        if (row.get("frame") != null) {
            ref = FrameKeys.parse(row.get("frame"));
        } else if (row.get("topic") != null && row.get("partition") != null && row.get("offset") != null) {
            ref = FrameKeys.parse(row.get("topic") + "-" + row.get("partition") + "-" + row.get("offset"));
        } else {
            throw new IllegalArgumentException("it names no frame");
        }
        LabelKind kind = kind(row.get("label"));
        if (kind == null)
            throw new IllegalArgumentException(
                    "its label is " + (row.get("label") == null ? "missing" : "'" + row.get("label") + "'")
                            + "; normal, anomalous and retracted are known");
        String who = row.get("annotator") == null ? annotator : row.get("annotator");
        byte[] pixels = row.get("mask") == null
                ? null
                : Files.readAllBytes(csv.toAbsolutePath().getParent().resolve(row.get("mask")));
        return new Request(
                ref,
                kind,
                row.get("product") == null ? product : row.get("product"),
                pixels,
                who,
                row.get("note") == null ? note : row.get("note"));
    }

    private static LabelKind kind(String text) {
        return switch (text == null ? "" : text.toLowerCase(Locale.ROOT)) {
            case "normal" -> LabelKind.NORMAL;
            case "anomalous" -> LabelKind.ANOMALOUS;
            case "retracted" -> LabelKind.RETRACTED;
            default -> null;
        };
    }

    private int ask(Map<String, String> settings, Topics topics, LabelPublisher publisher) throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        List<InspectionResult> results = LatestResults.doubtful(settings, topics, latest);
        if (results.isEmpty()) {
            out.println("None of the latest results is FAIL or REVIEW; there is nothing to ask.");
            return 0;
        }
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, Charset.defaultCharset()));
        int given = 0;
        int rejected = 0;
        for (int i = 0; i < results.size(); i++) {
            out.printf("%d/%d  %s%n", i + 1, results.size(), describe(results.get(i)));
            LabelKind kind = answer(in, out);
            if (kind == null) break;
            if (kind == LabelKind.UNKNOWN) continue;
            if (publish(results.get(i), kind, publisher)) given++;
            else rejected++;
        }
        return summarize(given, rejected);
    }

    private static String describe(InspectionResult r) {
        return String.format(
                Locale.ROOT,
                "%s  camera %s  product %s  %s %.2f  captured %s",
                r.getResultId(),
                r.getCameraId(),
                r.getProduct() == null ? "-" : r.getProduct(),
                r.getVerdict(),
                r.getScore(),
                r.getCapturedAt());
    }

    /** Publishes one label; prints why when it is rejected. */
    private boolean publish(InspectionResult result, LabelKind kind, LabelPublisher publisher) {
        Request request = new Request(result.getFrameRef(), kind, product, null, annotator, note);
        String problem = publisher.publish(List.of(request), !noCheck).get(0);
        if (problem == null) return true;
        spec.commandLine().getErr().println(result.getResultId() + ": rejected, " + problem);
        return false;
    }

    private int summarize(int given, int rejected) {
        spec.commandLine()
                .getOut()
                .println("Gave " + given + " labels" + (rejected > 0 ? ", " + rejected + " were rejected" : ""));
        return rejected > 0 ? 1 : 0;
    }

    /** NORMAL or ANOMALOUS; UNKNOWN to skip, null to end. */
    private static LabelKind answer(BufferedReader in, PrintWriter out) throws IOException {
        while (true) {
            out.print("  (n)ormal, (a)nomalous, (s)kip, (q)uit? ");
            out.flush();
            String line = in.readLine();
            if (line == null) return null;
            switch (line.trim().toLowerCase(Locale.ROOT)) {
                case "n", "normal" -> {
                    return LabelKind.NORMAL;
                }
                case "a", "anomalous" -> {
                    return LabelKind.ANOMALOUS;
                }
                case "s", "skip", "" -> {
                    return LabelKind.UNKNOWN;
                }
                case "q", "quit" -> {
                    return null;
                }
                default -> {}
            }
        }
    }
}
