package io.linesight.app.cli;

import io.linesight.app.cli.common.Durations;
import io.linesight.app.cli.common.Inputs;
import io.linesight.app.cli.common.Kafka;
import io.linesight.app.cli.common.StopSignal;
import io.linesight.app.cli.common.UserError;
import io.linesight.cameras.Camera;
import io.linesight.demo.line.RunSummary;
import io.linesight.demo.line.SimulatedCamera;
import io.linesight.schemas.topics.Topics;
import io.linesight.simulator.SimulatedLine;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
        name = "camera",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Runs simulated cameras that send frames to a Kafka cluster until they are stopped.",
            "Camera n sees product n of flange, board, fabric and blister, then the list repeats. The bundled "
                    + "checkpoint knows these products."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight camera -b localhost:9092 -r http://localhost:8081 --fps 2",
            "  linesight camera -c line.properties --limit 20 --defects 0.5 --json out.json"
        })
final class CameraCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private Kafka kafka;

    @Option(
            names = "--cameras",
            defaultValue = "4",
            paramLabel = "N",
            description = "Number of cameras. Default: ${DEFAULT-VALUE}.")
    private int cameras;

    @Option(
            names = "--first",
            defaultValue = "1",
            paramLabel = "N",
            description = "Number of the first camera; give each process its own range of numbers. Default: "
                    + "${DEFAULT-VALUE}.")
    private int first;

    @Option(
            names = "--fps",
            defaultValue = "1",
            paramLabel = "F",
            description = "Frames a second and camera. Default: ${DEFAULT-VALUE}.")
    private double fps;

    @Option(
            names = "--defects",
            defaultValue = "0.05",
            paramLabel = "SHARE",
            description = "Share of defective parts, 0 to 1. Default: ${DEFAULT-VALUE}.")
    private double defects;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Seed of the parts. Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(
            names = "--limit",
            defaultValue = "-1",
            paramLabel = "N",
            description = "Maximum number of frames per camera. Default: no limit.")
    private long limit;

    @Option(
            names = "--for",
            paramLabel = "TIME",
            converter = Durations.class,
            description = "Maximum time, such as 90s, 2m or 1h. Default: no limit.")
    private Duration duration;

    @Option(
            names = "--wait",
            description = "Wait for the answers and print a summary; exit code 1 when a frame was lost or doubled.")
    private boolean wait;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the summary as JSON; implies --wait.")
    private Path json;

    @Override
    public Integer call() throws Exception {
        if (cameras < 1 || first < 1)
            throw new ParameterException(spec.commandLine(), "--cameras and --first must be at least 1");
        if (!(fps > 0)) throw new ParameterException(spec.commandLine(), "--fps must be above 0");
        if (!(defects >= 0 && defects <= 1))
            throw new ParameterException(spec.commandLine(), "--defects must be 0 to 1");
        if (json != null) Inputs.writable(json);
        Map<String, String> settings = kafka.clientSettings();
        Kafka.require(settings, "bootstrap.servers", "--bootstrap-servers");
        Kafka.require(settings, "schema.registry.url", "--registry");
        PrintWriter out = spec.commandLine().getOut();
        SimulatedLine line = new SimulatedLine(seed, defects);
        List<Camera> all = new ArrayList<>();
        for (int i = 0; i < cameras; i++) all.add(new SimulatedCamera(line, first - 1 + i));
        for (int i = 0; i < cameras; i++) out.println(all.get(i).id() + ": " + SimulatedLine.productOf(first - 1 + i));
        out.flush();
        Replay replay = new Replay(settings, Topics.from(settings), text -> {
            out.println(text);
            out.flush();
        });
        Replay.Outcome outcome;
        try (StopSignal signal = new StopSignal(replay::stop)) {
            Duration answerTimeout = wait || json != null ? Duration.ofSeconds(60) : null;
            outcome = replay.run(all, new Replay.Pace(fps, limit, duration), answerTimeout);
        }
        out.println("Sent " + outcome.sent() + " frames");
        if (outcome.summary() != null) {
            out.print(outcome.summary().text());
            if (json != null)
                Files.writeString(json, RunSummary.pretty(outcome.summary().toJson()) + "\n");
        }
        if (outcome.failure() != null) throw new UserError(outcome.failure());
        return outcome.summary() == null || outcome.summary().exact() ? 0 : 1;
    }
}
