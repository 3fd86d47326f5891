package io.linesight.app.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.linesight.app.cli.common.Durations;
import io.linesight.app.cli.common.ImageOptions;
import io.linesight.app.cli.common.Inputs;
import io.linesight.app.cli.common.Json;
import io.linesight.app.cli.common.Kafka;
import io.linesight.app.cli.common.Logs;
import io.linesight.app.cli.common.StopSignal;
import io.linesight.app.cli.common.UserError;
import io.linesight.demo.line.LineOptions;
import io.linesight.demo.line.LocalLine;
import io.linesight.demo.line.RunSummary;
import io.linesight.schemas.topics.Topics;
import io.linesight.trainer.folders.FilesReport;
import io.linesight.trainer.folders.MvtecDataset;
import io.linesight.trainer.folders.ReadingContext;
import io.linesight.trainer.folders.Spelling;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
        name = "replay",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Sends a folder of images as the frames of cameras, one camera per product.",
            "With --bootstrap-servers they go to that cluster. Without, a line in this process scores them and the "
                    + "command prints a summary."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight replay --data parts --model m.onnx --json out.json",
            "  linesight replay --data parts -c line.properties --fps 5 --loop",
            "  linesight replay --data parts -b localhost:9092 -r http://localhost:8081"
        })
final class ReplayCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = "--data",
            required = true,
            paramLabel = "DIR",
            description = "Folder of images. In MVTec-AD layout, products and ground truth come from the paths.")
    private Path data;

    @Option(
            names = "--categories",
            split = ",",
            paramLabel = "A,B",
            description = "Only these folders of it. Default: all.")
    private List<String> categories;

    @Option(
            names = "--split",
            defaultValue = "test",
            paramLabel = "test|train|all",
            description = "Part of the layout. Default: ${DEFAULT-VALUE}.")
    private String split;

    @Option(
            names = "--product",
            paramLabel = "NAME",
            description = "Product of every image. Default: the folder's name.")
    private String product;

    @Option(
            names = "--camera",
            defaultValue = "replay",
            paramLabel = "ID",
            description = "First part of the camera ids. Default: ${DEFAULT-VALUE}.")
    private String camera;

    @Option(
            names = "--fps",
            paramLabel = "F",
            description = "Frames a second and camera. Default: as fast as Kafka takes them.")
    private Double fps;

    @Option(names = "--loop", description = "Start over after the last image, until Ctrl-C or --for.")
    private boolean loop;

    @Option(
            names = "--for",
            paramLabel = "TIME",
            converter = Durations.class,
            description = "Maximum time, such as 90s, 2m or 1h. Default: no limit.")
    private Duration duration;

    @Option(
            names = "--limit",
            defaultValue = "-1",
            paramLabel = "N",
            description = "Maximum number of frames per camera. Default: no limit.")
    private long limit;

    @Option(
            names = "--shuffle",
            paramLabel = "SEED",
            description = "Send the images in random order. Default: by name.")
    private Long shuffle;

    @Option(
            names = "--wait",
            description =
                    "With a cluster: wait for the answers and print a summary; exit code 1 when a frame was lost or "
                            + "doubled.")
    private boolean wait;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the summary as JSON; implies --wait.")
    private Path json;

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            description = "Without a cluster: folder of the line's data and log. Default: out/replay-<time>.")
    private Path folder;

    @Mixin
    private Kafka kafka;

    @Mixin
    private Model model;

    @Mixin
    private ImageOptions images;

    private final FilesReport report = new FilesReport();

    @Override
    public Integer call() throws Exception {
        if (fps != null && !(fps > 0)) throw new ParameterException(spec.commandLine(), "--fps must be above 0");
        if (!List.of("test", "train", "all").contains(split))
            throw new ParameterException(spec.commandLine(), "--split must be test, train or all");
        List<FolderCamera> cameras = cameras();
        if (json != null) Inputs.writable(json);
        PrintWriter out = spec.commandLine().getOut();
        Map<String, String> settings = kafka.clientSettings();
        if (settings.containsKey("bootstrap.servers")) {
            Kafka.require(settings, "schema.registry.url", "--registry");
            return play(new Replay(settings, Topics.from(settings), out::println), cameras, wait || json != null);
        }
        Path dir = folder != null ? Inputs.made(folder) : Inputs.runFolder("replay");
        Path checkpoint = model.resolve(dir);
        Logs.toFile(dir.resolve("linesight.log"));
        Map<String, String> app = new HashMap<>(kafka.settings());
        app.putAll(model.appSettings());
        LineOptions options = new LineOptions(dir, checkpoint, 0, 0, app);
        try (LocalLine line = LocalLine.start(options, text -> out.println("started " + text))) {
            line.awaitRunning();
            return play(new Replay(line.settings(), line.topics(), out::println), cameras, true);
        }
    }

    private int play(Replay replay, List<FolderCamera> cameras, boolean answers) throws Exception {
        PrintWriter out = spec.commandLine().getOut();
        for (FolderCamera c : cameras) out.println(c.id() + ": " + c.size() + " images");
        out.flush();
        Replay.Outcome outcome;
        try (StopSignal signal = new StopSignal(replay::stop)) {
            Replay.Pace pace = new Replay.Pace(fps == null ? Double.POSITIVE_INFINITY : fps, limit, duration);
            outcome = replay.run(cameras, pace, answers ? Duration.ofSeconds(60) : null);
        }
        out.println("Sent " + outcome.sent() + " frames"
                + (outcome.skipped() > 0 ? "; " + outcome.skipped() + " unreadable files were skipped" : ""));
        if (outcome.summary() != null) {
            out.print(outcome.summary().text());
            if (json != null) {
                ObjectNode node = outcome.summary().toJson();
                node.put("skippedFiles", outcome.skipped());
                node.set("files", Json.of(report.toMap()));
                Files.writeString(json, RunSummary.pretty(node) + "\n");
            }
        }
        out.flush();
        spec.commandLine().getErr().print(report.text());
        spec.commandLine().getErr().flush();
        if (outcome.failure() != null) throw new UserError(outcome.failure());
        if (outcome.sent() == 0) throw new UserError("no frame was sent: none of the files could be read");
        return outcome.summary() == null || outcome.summary().exact() ? 0 : 1;
    }

    private List<FolderCamera> cameras() throws IOException {
        Inputs.folder(data, "folder");
        List<Path> folders = new ArrayList<>();
        if (categories != null) {
            for (String c : categories) folders.add(category(c));
        } else if (MvtecDataset.isCategory(data)) {
            folders.add(data);
        } else {
            try (Stream<Path> list = Files.list(data)) {
                list.filter(MvtecDataset::isCategory).sorted().forEach(folders::add);
            }
            if (folders.isEmpty()) folders.add(data);
        }
        ReadingContext context = new ReadingContext(images.settings(kafka.settings()), report);
        List<FolderCamera> cameras = new ArrayList<>();
        for (Path f : folders) {
            String id = folders.size() == 1
                    ? camera
                    : camera + "-"
                            + Spelling.nfc(
                                    f.toAbsolutePath().normalize().getFileName().toString());
            try {
                FolderCamera.Options options =
                        new FolderCamera.Options(product == null ? null : Spelling.nfc(product), split, loop, shuffle);
                cameras.add(FolderCamera.open(id, f, options, context));
            } catch (IOException e) {
                throw new UserError(e.getMessage(), e);
            }
        }
        return cameras;
    }

    /** A folder of the data by its name, however the file system writes its characters. */
    private Path category(String name) throws IOException {
        try (Stream<Path> list = Files.list(data)) {
            return list.filter(f -> Files.isDirectory(f)
                            && Spelling.nfc(f.getFileName().toString()).equals(Spelling.nfc(name)))
                    .findFirst()
                    .orElseGet(() -> Inputs.folder(data.resolve(name), "category"));
        }
    }
}
