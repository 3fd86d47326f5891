package io.linesight.app.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.linesight.app.cli.common.Durations;
import io.linesight.app.cli.common.Inputs;
import io.linesight.demo.Demo;
import io.linesight.demo.DemoOptions;
import io.linesight.demo.line.RunSummary;
import io.linesight.demo.story.LearningStory;
import io.linesight.demo.story.StoryOptions;
import io.linesight.streams.config.InspectionConfig;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.HashMap;
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
        name = "demo",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "A whole line on this machine: broker, registry, simulated cameras, inspection, and what comes out of it.",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:every frame has exactly one answer, and with --learn, a challenger was promoted",
            "1:something did not start, a frame was lost or answered twice, or no challenger was good enough",
            "2:the command line is wrong"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight demo                                     until Ctrl-C",
            "  linesight demo --for 2m --json out.json",
            "  linesight demo --learn                             the line learns a new lamp",
            "  linesight demo --cameras 8 --fps 3 --model m.onnx --device cuda:0"
        })
final class DemoCommand implements Callable<Integer> {
    private static final int HOSTILE_EVERY_SECONDS = 5;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--for",
            paramLabel = "TIME",
            converter = Durations.class,
            description = "How long the cameras run, as 90s, 2m or 1h; until Ctrl-C by default.")
    private Duration duration;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the summary as JSON.")
    private Path json;

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            description = "Folder of the run: log, heatmaps, the broker's data (./out/demo-<time>).")
    private Path folder;

    @Option(
            names = "--cameras",
            paramLabel = "N",
            defaultValue = "4",
            description = "Simulated cameras; each sees the next product (${DEFAULT-VALUE}).")
    private int cameras;

    @Option(
            names = "--fps",
            paramLabel = "F",
            description = "Frames a second and camera; by default what the machine can score is found out.")
    private Double fps;

    @Option(names = "--seed", defaultValue = "42", description = "Of the simulated line (${DEFAULT-VALUE}).")
    private long seed;

    @Option(
            names = "--defects",
            paramLabel = "FRACTION",
            defaultValue = "0.2",
            description = "Defective parts, 0..1 (${DEFAULT-VALUE}).")
    private double defects;

    @Option(
            names = "--hostile",
            negatable = true,
            defaultValue = "true",
            fallbackValue = "true",
            description = "Throw in broken frames now and then, which must end as dead letters (on).")
    private boolean hostile;

    @Option(
            names = "--heatmaps",
            paramLabel = "N",
            defaultValue = "24",
            description = "Most heatmap pictures; 0 for none (${DEFAULT-VALUE}).")
    private int pictures;

    @Option(
            names = "--port",
            paramLabel = "PORT",
            defaultValue = "0",
            description = "Of the broker; any free one by default.")
    private int port;

    @Option(
            names = "--registry-port",
            paramLabel = "PORT",
            defaultValue = "0",
            description = "Of the schema registry; any free one by default.")
    private int registryPort;

    @Option(names = "--metrics-port", paramLabel = "PORT", description = "Serve /metrics and /health there.")
    private Integer metricsPort;

    @Option(
            names = {"-s", "--set"},
            paramLabel = "KEY=VALUE",
            description =
                    "A setting of the inspection app ('linesight serve --reference' lists them); may be repeated.")
    private Map<String, String> set = new HashMap<>();

    @Option(
            names = "--learn",
            description =
                    "Tell another story: the lamp over the second camera is replaced, an operator answers the false alarms, a trainer learns from the answers, and the challenger goes through shadow and canary to the whole line. Takes about ten minutes; --fps is 1.5 then.")
    private boolean learn;

    @Option(
            names = "--epochs",
            paramLabel = "N",
            defaultValue = "3",
            description = "With --learn: how often the trainer goes through its pictures (${DEFAULT-VALUE}).")
    private int epochs;

    @Mixin
    private Model model;

    @Override
    public Integer call() throws Exception {
        if (learn && duration != null)
            throw new ParameterException(
                    spec.commandLine(), "--for does not go with --learn: the story ends by itself");
        if (learn && cameras < 2) throw new ParameterException(spec.commandLine(), "--learn needs at least 2 cameras");
        if (epochs < 1) throw new ParameterException(spec.commandLine(), "--epochs must be at least 1");
        if (cameras < 1) throw new ParameterException(spec.commandLine(), "--cameras must be at least 1");
        if (fps != null && !(fps > 0)) throw new ParameterException(spec.commandLine(), "--fps must be above 0");
        if (!(defects >= 0 && defects <= 1)) throw new ParameterException(spec.commandLine(), "--defects must be 0..1");
        if (pictures < 0) throw new ParameterException(spec.commandLine(), "--heatmaps must not be negative");
        if (json != null) Inputs.writable(json);
        Path dir = Inputs.made(
                folder != null
                        ? folder
                        : Path.of(
                                "out",
                                "demo-" + LocalDateTime.now().format(DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss"))));
        Path checkpoint = model.resolve(dir);
        Logs.toFile(dir.resolve("linesight.log"));
        Map<String, String> app = new HashMap<>(set);
        app.put(InspectionConfig.DEVICE, model.device);
        app.put(InspectionConfig.SCORER_THREADS, Integer.toString(model.threads));
        app.put(InspectionConfig.SCAN, model.scan.name().toLowerCase(java.util.Locale.ROOT));
        if (metricsPort != null) app.put(InspectionConfig.METRICS_PORT, metricsPort.toString());
        PrintWriter out = spec.commandLine().getOut();
        if (learn) return learn(dir, checkpoint, app, out);
        Demo demo = new Demo(
                new DemoOptions(
                        dir,
                        checkpoint,
                        duration,
                        cameras,
                        fps,
                        seed,
                        defects,
                        hostile ? HOSTILE_EVERY_SECONDS : 0,
                        pictures,
                        port,
                        registryPort,
                        Terminal.present(),
                        app),
                out);
        // Ctrl-C ends the cameras, not the process: the summary still comes.
        try (StopSignal signal = new StopSignal(demo::stop)) {
            Demo.Outcome outcome = demo.run();
            return report(outcome, dir, out, signal.asked());
        }
    }

    private int learn(Path dir, Path checkpoint, Map<String, String> app, PrintWriter out) throws Exception {
        LearningStory story = new LearningStory(
                new StoryOptions(
                        dir,
                        checkpoint,
                        cameras,
                        fps == null ? 1.5 : fps,
                        seed,
                        defects,
                        Duration.ofSeconds(60),
                        120,
                        100,
                        epochs,
                        40,
                        60,
                        port,
                        registryPort,
                        app),
                out);
        try (StopSignal signal = new StopSignal(story::stop)) {
            LearningStory.Outcome outcome = story.run();
            return report(outcome, dir, out, signal.asked());
        }
    }

    private int report(LearningStory.Outcome outcome, Path dir, PrintWriter out, boolean stopped) throws IOException {
        out.println();
        out.printf("%-10s %6s   %-52s   %-52s%n", "", "", "camera under the new lamp", "other cameras");
        out.printf(
                "%-10s %6s   %9s %20s %19s   %9s %20s %19s%n",
                "chapter", "s", "anomalous", "false alarms", "missed", "anomalous", "false alarms", "missed");
        ObjectNode node = outcome.summary().toJson();
        ArrayNode list = node.putArray("chapters");
        for (LearningStory.Figures f : outcome.chapters()) {
            out.printf(
                    Locale.ROOT,
                    "%-10s %6.0f   %s   %s%n",
                    f.chapter(),
                    f.seconds(),
                    row(f.changed()),
                    row(f.others()));
            ObjectNode n = list.addObject().put("chapter", f.chapter()).put("seconds", f.seconds());
            json(n.putObject("newLamp"), f.changed());
            json(n.putObject("others"), f.others());
        }
        out.println();
        out.print(outcome.summary().text());
        out.printf("  %-13s %s%n", "end", outcome.end());
        node.put("first", outcome.first())
                .put("learned", outcome.learned())
                .put("end", outcome.end())
                .put("seed", seed)
                .put("cameras", cameras);
        if (json != null) {
            Files.writeString(json, RunSummary.pretty(node) + "\n");
            out.printf("  %-13s %s%n", "JSON", json);
        }
        out.flush();
        if (!outcome.complete() && !stopped)
            spec.commandLine()
                    .getErr()
                    .println("linesight: " + outcome.end() + "; the log is " + dir.resolve("linesight.log"));
        return outcome.summary().exact() && (stopped || outcome.learned() != null) ? 0 : 1;
    }

    private static String row(LearningStory.Side s) {
        return String.format(
                Locale.ROOT,
                "%9s %20s %19s",
                share(s.anomalyRate()),
                s.falseAlarms() + " of " + s.good() + " (" + share((double) s.falseAlarms() / s.good()) + ")",
                s.missed() + " of " + s.defective() + " (" + share((double) s.missed() / s.defective()) + ")");
    }

    private static String share(double v) {
        return Double.isFinite(v) ? String.format(Locale.ROOT, "%.1f %%", 100 * v) : "-";
    }

    private static void json(ObjectNode node, LearningStory.Side s) {
        node.put("frames", s.frames())
                .put("good", s.good())
                .put("falseAlarms", s.falseAlarms())
                .put("defective", s.defective())
                .put("missed", s.missed());
        ArrayNode models = node.putArray("models");
        s.models().forEach(models::add);
    }

    private int report(Demo.Outcome outcome, Path dir, PrintWriter out, boolean stopped) throws Exception {
        RunSummary summary = outcome.summary();
        out.println("Summary");
        out.print(summary.text());
        ObjectNode node = summary.toJson();
        node.put("model", outcome.modelVersion()).put("seed", seed).put("cameras", cameras);
        if (outcome.peaks() != null) {
            node.put("peaksOnDefect", outcome.peaks().onDefect())
                    .put("peaksMeasured", outcome.peaks().measured());
            out.printf(
                    "  %-13s %d of %d found defects have their highest peak on the defect%n",
                    "peaks", outcome.peaks().onDefect(), outcome.peaks().measured());
            out.printf("  %-13s %s%n", "pictures", dir.resolve("heatmaps").resolve("index.html"));
        }
        if (json != null) {
            Files.writeString(json, RunSummary.pretty(node) + "\n");
            out.printf("  %-13s %s%n", "JSON", json);
        }
        if (outcome.failure() != null)
            spec.commandLine()
                    .getErr()
                    .println("linesight: " + outcome.failure() + "; the log is " + dir.resolve("linesight.log"));
        out.flush();
        return summary.exact() && outcome.failure() == null && (summary.frames() > 0 || stopped) ? 0 : 1;
    }
}
