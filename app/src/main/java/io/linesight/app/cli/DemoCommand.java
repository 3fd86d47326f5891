package io.linesight.app.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.linesight.app.cli.common.Durations;
import io.linesight.app.cli.common.Inputs;
import io.linesight.app.cli.common.Logs;
import io.linesight.app.cli.common.StopSignal;
import io.linesight.demo.Demo;
import io.linesight.demo.DemoOptions;
import io.linesight.demo.Simulation;
import io.linesight.demo.line.LineOptions;
import io.linesight.demo.line.RunSummary;
import io.linesight.demo.story.LearningStory;
import io.linesight.demo.story.StoryOptions;
import io.linesight.streams.config.InspectionConfig;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
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
                "Runs a whole line in this process: broker, registry, simulated cameras, inspection, live results.",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:every frame has exactly one answer, and with --learn, a challenger was promoted",
            "1:something did not start, a frame was lost or answered twice, or no challenger was good enough",
            "2:the command line is wrong"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight demo                        # until Ctrl-C",
            "  linesight demo --for 2m --json out.json",
            "  linesight demo --learn                # the line learns a new lamp",
            "  linesight demo --cameras 8 --fps 3 --model m.onnx --device cuda:0"
        })
final class DemoCommand implements Callable<Integer> {
    private static final int HOSTILE_SECONDS = 5;
    private static final double LEARN_FPS = 1.5;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--for",
            paramLabel = "TIME",
            converter = Durations.class,
            description = "How long the cameras run, such as 90s, 2m or 1h. Default: until Ctrl-C.")
    private @Nullable Duration duration;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the summary as JSON.")
    private @Nullable Path json;

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            description = "Folder of the run: log, heatmaps, the broker's data. Default: out/demo-<time>.")
    private @Nullable Path folder;

    @Option(
            names = "--cameras",
            paramLabel = "N",
            defaultValue = "4",
            description = "Number of simulated cameras; each sees the next product. Default: ${DEFAULT-VALUE}.")
    private int cameras;

    @Option(
            names = "--fps",
            paramLabel = "F",
            description = {
                "Frames a second and camera. Default: 70 %% of what the machine bears, found in a warm-up of some "
                        + "seconds;",
                "1.5 with --learn."
            })
    private @Nullable Double fps;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "42",
            description = "Seed of the parts. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(
            names = "--defects",
            paramLabel = "SHARE",
            defaultValue = "0.2",
            description = "Share of defective parts, 0 to 1. Default: ${DEFAULT-VALUE}.")
    private double defects;

    @Option(
            names = "--hostile",
            negatable = true,
            defaultValue = "true",
            fallbackValue = "true",
            description = "Send a broken frame every few seconds; it must become a dead letter. Default: on.")
    private boolean hostile;

    @Option(
            names = "--heatmaps",
            paramLabel = "N",
            defaultValue = "24",
            description = "Maximum number of heatmap images; 0 for none. Default: ${DEFAULT-VALUE}.")
    private int maxImages;

    @Option(
            names = "--port",
            paramLabel = "PORT",
            defaultValue = "0",
            description = "Port of the broker. Default: any free port.")
    private int port;

    @Option(
            names = "--registry-port",
            paramLabel = "PORT",
            defaultValue = "0",
            description = "Port of the schema registry. Default: any free port.")
    private int registryPort;

    @Option(names = "--metrics-port", paramLabel = "PORT", description = "Serve /metrics and /health on this port.")
    private @Nullable Integer metricsPort;

    @Option(
            names = {"-s", "--set"},
            paramLabel = "KEY=VALUE",
            description = "Setting of the inspection app ('linesight serve --reference' lists them). Repeatable.")
    private Map<String, String> set = new HashMap<>();

    @Option(
            names = "--learn",
            description = {
                "Let the line learn: the lamp over the second camera is replaced, an operator answers the false "
                        + "alarms,",
                "a trainer learns from the answers, and the new model goes through shadow and canary to the "
                        + "whole line.",
                "Takes about ten minutes."
            })
    private boolean learn;

    @Option(
            names = "--epochs",
            paramLabel = "N",
            defaultValue = "3",
            description = "With --learn: passes of the trainer over its images. Default: ${DEFAULT-VALUE}.")
    private int epochs;

    @Mixin
    private Model model;

    @Override
    public Integer call() throws Exception {
        checkOptions();
        if (json != null) Inputs.writable(json);
        Path dir = folder != null ? Inputs.made(folder) : Inputs.runFolder("demo");
        LineOptions line = new LineOptions(dir, model.resolve(dir), port, registryPort, appSettings());
        Logs.toFile(dir.resolve("linesight.log"));
        return learn ? learn(line) : show(line);
    }

    private void checkOptions() {
        require(!learn || duration == null, "--for cannot be used with --learn: the story ends by itself");
        require(!learn || cameras >= 2, "--learn needs at least 2 cameras");
        require(epochs >= 1, "--epochs must be at least 1");
        require(cameras >= 1, "--cameras must be at least 1");
        require(fps == null || fps > 0, "--fps must be above 0");
        require(defects >= 0 && defects <= 1, "--defects must be 0 to 1");
        require(maxImages >= 0, "--heatmaps must not be negative");
    }

    private void require(boolean valid, String message) {
        if (!valid) throw new ParameterException(spec.commandLine(), message);
    }

    private Map<String, String> appSettings() {
        Map<String, String> app = new HashMap<>(set);
        app.putAll(model.appSettings());
        if (metricsPort != null) app.put(InspectionConfig.METRICS_PORT, metricsPort.toString());
        return app;
    }

    private int show(LineOptions line) throws Exception {
        PrintWriter out = spec.commandLine().getOut();
        DemoOptions options = new DemoOptions(
                line,
                new Simulation(cameras, fps, seed, defects),
                duration,
                hostile ? HOSTILE_SECONDS : 0,
                maxImages,
                Terminal.present());
        Demo demo = new Demo(options, out);
        // Ctrl-C ends the cameras, not the process: the summary still comes.
        try (StopSignal signal = new StopSignal(demo::stop)) {
            Demo.Outcome outcome = demo.run();
            RunReport.print(out, outcome, line.folder());
            writeJson(RunReport.json(outcome));
            if (outcome.failure() != null) printFailure(outcome.failure(), line.folder());
            boolean ran = outcome.summary().frames() > 0 || signal.asked();
            return outcome.summary().exact() && outcome.failure() == null && ran ? 0 : 1;
        }
    }

    private int learn(LineOptions line) throws Exception {
        PrintWriter out = spec.commandLine().getOut();
        StoryOptions options = new StoryOptions(
                line,
                new Simulation(cameras, fps == null ? LEARN_FPS : fps, seed, defects),
                Duration.ofSeconds(60),
                new StoryOptions.Training(120, 100, epochs),
                new StoryOptions.Trial(40, 60));
        LearningStory story = new LearningStory(options, out);
        try (StopSignal signal = new StopSignal(story::stop)) {
            LearningStory.Outcome outcome = story.run();
            RunReport.print(out, outcome);
            writeJson(RunReport.json(outcome));
            if (!outcome.complete() && !signal.asked()) printFailure(outcome.end(), line.folder());
            return outcome.summary().exact() && (signal.asked() || outcome.learned() != null) ? 0 : 1;
        }
    }

    private void writeJson(ObjectNode node) throws IOException {
        if (json == null) return;
        node.put("seed", seed).put("cameras", cameras);
        Files.writeString(json, RunSummary.pretty(node) + "\n");
        spec.commandLine().getOut().print(new RunSummary.Row("JSON", json.toString()).text());
    }

    private void printFailure(String what, Path dir) {
        spec.commandLine().getOut().flush();
        spec.commandLine().getErr().println("linesight: " + what + "; the log is " + dir.resolve("linesight.log"));
    }
}
