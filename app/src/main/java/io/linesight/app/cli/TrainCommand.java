package io.linesight.app.cli;

import io.linesight.app.cli.common.Durations;
import io.linesight.app.cli.common.ImageOptions;
import io.linesight.app.cli.common.Inputs;
import io.linesight.app.cli.common.Json;
import io.linesight.app.cli.common.Kafka;
import io.linesight.app.cli.common.Logs;
import io.linesight.app.cli.common.StopSignal;
import io.linesight.app.cli.common.SummaryFile;
import io.linesight.app.cli.common.ThresholdOptions;
import io.linesight.app.cli.common.UserError;
import io.linesight.models.signing.CheckpointSigner;
import io.linesight.models.storage.CheckpointStores;
import io.linesight.models.storage.ModelsConfig;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.trainer.calibration.ThresholdMethod;
import io.linesight.trainer.folders.DatasetLayout;
import io.linesight.trainer.folders.ReadingContext;
import io.linesight.trainer.gate.GateConfig;
import io.linesight.trainer.imagestore.DatasetStore;
import io.linesight.trainer.imagestore.StoreConfig;
import io.linesight.trainer.learning.ChallengerSink;
import io.linesight.trainer.learning.ChampionSource;
import io.linesight.trainer.learning.FileChampionSource;
import io.linesight.trainer.learning.FolderChallengerSink;
import io.linesight.trainer.learning.TrainedChannel;
import io.linesight.trainer.learning.TrainerConfig;
import io.linesight.trainer.learning.TrainerConfig.Sampling;
import io.linesight.trainer.learning.TrainerConfig.Triggers;
import io.linesight.trainer.learning.TrainerEvent;
import io.linesight.trainer.learning.TrainerService;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
        name = "train",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Learns from labels until it is stopped: fine-tunes the channel's champion when a trigger fires, judges "
                    + "the challenger against it and publishes it.",
            "Of several trainers in a group one is active. A file 'train.now' in its folder starts a run, too."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight train -b localhost:9092 -r http://localhost:8081 --dir trainer --trust line.pub --key "
                    + "line.key --after-normals 50 --shadow 10",
            "  linesight train -b localhost:9092 -r http://localhost:8081 --dir trainer --champion m.onnx --out "
                    + "challengers --now --once   files only",
            "  linesight train --dir trainer --import parts      earlier images, so that they are not forgotten",
            "  linesight train --dir trainer --export labelled   what was labelled, in MVTec-AD layout"
        })
final class TrainCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private Kafka kafka;

    @Option(
            names = "--dir",
            required = true,
            paramLabel = "DIR",
            description = "Folder of the trainer: its images, its runs.")
    private Path dir;

    @Option(
            names = "--trust",
            paramLabel = "PUBLIC.PEM",
            split = ",",
            description =
                    "Public key whose champions are trained further (linesight.models.trusted.keys; none is needed "
                            + "with linesight.models.unsigned=accept).")
    private List<Path> trust = List.of();

    @Option(
            names = "--key",
            paramLabel = "PRIVATE.PEM",
            description =
                    "Sign challengers with this key; without one they are unsigned, and instances that trust keys "
                            + "reject them.")
    private Path key;

    @Option(
            names = "--store",
            paramLabel = "kafka:|file:DIR|http(s)://...",
            defaultValue = CheckpointStores.KAFKA,
            description = "Where challengers are stored (${DEFAULT-VALUE}).")
    private String storeAt;

    @Option(
            names = "--shadow",
            paramLabel = "P",
            defaultValue = "0",
            description =
                    "Percentage of the frames that a challenger scores beside the champion once it passed its gate; "
                            + "by default people decide that.")
    private double shadow;

    @Option(
            names = "--champion",
            paramLabel = "FILE",
            description = "Train this checkpoint instead of the channel's champion; with --out.")
    private Path champion;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description =
                    "Put challengers into this folder instead of publishing them; those that the gate did not pass "
                            + "go into its sub-folder not-passed.")
    private Path out;

    @Option(
            names = "--channel",
            defaultValue = "default",
            paramLabel = "NAME",
            description = "Rollout channel (${DEFAULT-VALUE}).")
    private String channel;

    @Option(
            names = "--group",
            paramLabel = "NAME",
            description = "Consumer group, of which one trainer is active (linesight-trainer-<channel>).")
    private String group;

    @Option(
            names = "--name",
            defaultValue = "trainer",
            paramLabel = "NAME",
            description = "Name of this trainer in messages and manifests (${DEFAULT-VALUE}).")
    private String name;

    @Option(
            names = "--after-normals",
            defaultValue = "0",
            paramLabel = "N",
            description = "Start a run after so many new normals.")
    private int afterNormals;

    @Option(
            names = "--every",
            paramLabel = "TIME",
            converter = Durations.class,
            description = "Start a run this long after the last one, if labels arrived; as 90s, 30m or 24h.")
    private Duration every;

    @Option(names = "--now", description = "Start a run as soon as all labels of the topic are stored.")
    private boolean now;

    @Option(names = "--once", description = "Stop after one run; exit code 0 when its challenger was handed over.")
    private boolean once;

    @Option(
            names = "--minutes",
            defaultValue = "10",
            paramLabel = "M",
            description = "Minutes of training in one run (${DEFAULT-VALUE}).")
    private double minutes;

    @Option(
            names = "--lr",
            defaultValue = "0.0005",
            paramLabel = "RATE",
            description = "Learning rate (${DEFAULT-VALUE}).")
    private double learningRate;

    @Option(
            names = "--threads",
            defaultValue = "0",
            paramLabel = "N",
            description = "CPU threads; 0 takes all processors (${DEFAULT-VALUE}).")
    private int threads;

    @Option(
            names = "--margin",
            defaultValue = "0.03",
            paramLabel = "SHARE",
            description = "How much a product's figures may fall (${DEFAULT-VALUE}).")
    private double margin;

    @Option(
            names = "--retired",
            split = ",",
            paramLabel = "A,B",
            description = "Products no longer made; a challenger may forget them.")
    private Set<String> retired = Set.of();

    @Option(
            names = "--sample",
            defaultValue = "0",
            paramLabel = "N",
            description =
                    "Store so many frames per product and hour that passed with confidence, as earlier normals (off).")
    private double sample;

    @Option(
            names = "--max-bytes",
            defaultValue = "10737418240",
            paramLabel = "N",
            description = "Maximum bytes of stored images (${DEFAULT-VALUE}).")
    private long maxBytes;

    @Option(
            names = "--metrics-port",
            paramLabel = "PORT",
            description = "Serve /metrics, /live and /ready there; 0 for any free port (linesight.metrics.port; off).")
    private Integer metricsPort;

    @Option(
            names = "--import",
            paramLabel = "DIR",
            description = "Import images, in any layout that 'fit' reads, and stop.")
    private Path importFrom;

    @Option(names = "--export", paramLabel = "DIR", description = "Export all images in MVTec-AD layout and stop.")
    private Path exportTo;

    @Mixin
    private ThresholdOptions thresholds;

    @Mixin
    private ImageOptions images;

    @Mixin
    private SummaryFile summary;

    @Override
    public Integer call() throws Exception {
        StoreConfig store = StoreConfig.in(dir.resolve("store"))
                .withMaxBytes(maxBytes)
                .withDecoding(images.settings(kafka.settings()));
        if (summary.isWanted() && importFrom == null)
            throw new ParameterException(spec.commandLine(), "--json goes with --import");
        if (importFrom != null || exportTo != null) {
            copyImages(store);
            return 0;
        }
        if ((champion == null) != (out == null))
            throw new ParameterException(
                    spec.commandLine(),
                    "--champion and --out go together; without both, the champion is the channel's and challengers "
                            + "are published");
        Map<String, String> settings = kafka.clientSettings();
        Kafka.require(settings, "bootstrap.servers", "--bootstrap-servers");
        Kafka.require(settings, "schema.registry.url", "--registry");
        if (champion != null) {
            Inputs.existing(champion, "checkpoint");
            Inputs.made(out);
            return serve(settings, store, new FileChampionSource(champion), new FolderChallengerSink(out));
        }
        if (!trust.isEmpty())
            settings.put(
                    ModelsConfig.TRUSTED_KEYS,
                    trust.stream().map(Path::toString).collect(Collectors.joining(",")));
        try (TrainedChannel trained = join(settings)) {
            return serve(settings, store, trained, trained);
        }
    }

    private void copyImages(StoreConfig config) throws IOException {
        PrintWriter o = spec.commandLine().getOut();
        if (importFrom != null) Inputs.folder(importFrom, "folder");
        summary.prepare();
        try (DatasetStore store = DatasetStore.open(config)) {
            if (importFrom != null) {
                DatasetLayout.Opened opened = DatasetLayout.open(
                        List.of(importFrom), List.of(), null, null, ReadingContext.of(config.decoding()));
                int imported = store.importFrom(opened.source(), "import");
                o.println("Imported " + imported + " images");
                opened.notes().forEach(spec.commandLine().getErr()::println);
                spec.commandLine().getErr().print(opened.files().text());
                spec.commandLine().getErr().flush();
                summary.write(Json.object().put("imported", imported), opened.files());
            }
            if (exportTo != null) o.println("Wrote " + store.export(exportTo) + " images to " + exportTo);
        }
    }

    private TrainedChannel join(Map<String, String> settings) {
        try {
            Optional<CheckpointSigner> signer = key == null
                    ? Optional.empty()
                    : Optional.of(CheckpointSigner.load(Inputs.existing(key, "private key")));
            return TrainedChannel.open(
                    settings, new TrainedChannel.Options(dir.resolve("champion"), storeAt, signer, shadow, name));
        } catch (IOException | IllegalArgumentException | KafkaException e) {
            throw new UserError(e.getMessage() + ". Nothing was started", e);
        }
    }

    private int serve(Map<String, String> settings, StoreConfig store, ChampionSource champions, ChallengerSink sink)
            throws IOException, InterruptedException {
        TrainerConfig config = config(settings, store);
        Logs.service();
        CountDownLatch stop = new CountDownLatch(1);
        AtomicReference<TrainerEvent> last = new AtomicReference<>();
        // Events are in the log; printed here too, a terminal would show them twice.
        Consumer<TrainerEvent> endAfterOneRun = event -> {
            boolean ended =
                    event.kind() == TrainerEvent.Kind.RUN_FINISHED || event.kind() == TrainerEvent.Kind.RUN_FAILED;
            if (!ended || !once) return;
            last.set(event);
            stop.countDown();
        };
        try (TrainerService service = new TrainerService(config, champions, sink, endAfterOneRun);
                StopSignal signal = new StopSignal(stop::countDown)) {
            service.start();
            if (now) service.trigger();
            try (TrainerMetrics metrics = openMetrics(settings, service)) {
                while (!signal.asked() && service.failure().isEmpty() && last.get() == null)
                    stop.await(500, TimeUnit.MILLISECONDS);
            }
            ensureNotFailed(service);
        }
        return last.get() != null && last.get().kind() == TrainerEvent.Kind.RUN_FAILED ? 1 : 0;
    }

    private @Nullable TrainerMetrics openMetrics(Map<String, String> settings, TrainerService service) {
        PrintWriter o = spec.commandLine().getOut();
        int port = metricsPort != null ? metricsPort : metricsPort(settings);
        TrainerMetrics metrics = port < 0 ? null : TrainerMetrics.serve(port, service);
        if (metrics != null) o.println("Metrics at http://localhost:" + metrics.port() + "/metrics");
        o.println("Reading labels; Ctrl-C stops, and a run in progress resumes at the next start.");
        o.flush();
        return metrics;
    }

    private static void ensureNotFailed(TrainerService service) {
        Throwable failure = service.failure().orElse(null);
        if (failure != null)
            throw new UserError(
                    "the trainer stopped: " + failure.getMessage()
                            + ". Labels it had not stored are read again at the next start",
                    failure);
    }

    private TrainerConfig config(Map<String, String> settings, StoreConfig store) {
        try {
            TrainerConfig defaults = TrainerConfig.of(settings, dir);
            GateConfig gate = GateConfig.defaults();
            return defaults.withStore(store)
                    .withChannel(channel)
                    .withGroup(group == null ? "linesight-trainer-" + channel : group)
                    .withInstance(name)
                    .withTriggers(new Triggers(afterNormals, every))
                    .withTuning(defaults.tuning()
                            .withMinutes(minutes)
                            .withLearningRate(learningRate)
                            .withThreads(threads)
                            .withThresholds(thresholds.rule(ThresholdMethod.AUTO)))
                    .withSampling(new Sampling(sample, Sampling.OFF.belowScore(), Sampling.OFF.maxPerProduct()))
                    .withGate(new GateConfig(
                            margin, gate.minNormals(), gate.minAnomalous(), gate.maxFalseAlarms(), retired));
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage());
        }
    }

    private int metricsPort(Map<String, String> settings) {
        String value = settings.getOrDefault(InspectionConfig.METRICS_PORT, "-1");
        try {
            int port = Integer.parseInt(value.trim());
            if (port >= -1 && port <= 65_535) return port;
        } catch (NumberFormatException e) {
            // reported below
        }
        throw new ParameterException(
                spec.commandLine(),
                InspectionConfig.METRICS_PORT + "=" + value
                        + ": -1 for none, 0 for any free port, or a port up to 65535");
    }
}
