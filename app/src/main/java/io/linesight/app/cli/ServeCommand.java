package io.linesight.app.cli;

import io.linesight.app.cli.common.Kafka;
import io.linesight.app.cli.common.Logs;
import io.linesight.app.cli.common.StopSignal;
import io.linesight.app.cli.common.UserError;
import io.linesight.models.rollouts.RegistryState;
import io.linesight.models.storage.ModelsConfig;
import io.linesight.streams.InspectionApp;
import io.linesight.streams.alert.AlertPolicy;
import io.linesight.streams.alert.AlertsApp;
import io.linesight.streams.alert.LiveAlertPolicies;
import io.linesight.streams.alert.ServedModels;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.routing.FollowedChannel;
import io.linesight.streams.routing.ModelControl;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "serve",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Inspects the frames on a Kafka cluster until it is stopped.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight serve -b localhost:9092 -r http://localhost:8081 -m m.onnx",
            "  linesight serve -c line.properties --trust line.pub   # follows rollouts",
            "  linesight serve -c line.properties --set linesight.batch.max=32",
            "  linesight serve --reference                           # every setting"
        })
final class ServeCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private Kafka kafka;

    @Option(
            names = {"-m", "--model"},
            paramLabel = "FILE",
            description = "Checkpoint to serve, while the channel has no champion (linesight.checkpoint).")
    private Path model;

    @Option(
            names = "--trust",
            paramLabel = "PUBLIC.PEM",
            split = ",",
            description =
                    "Public key that signed checkpoints must match; repeatable. Makes this instance follow rollouts "
                            + "(linesight.models.trusted.keys).")
    private List<Path> trust = List.of();

    @Option(
            names = "--channel",
            paramLabel = "NAME",
            description = "Rollout channel to follow (linesight.models.channel).")
    private String channel;

    @Option(
            names = "--instance",
            paramLabel = "NAME",
            description =
                    "Name of this instance, which must stay the same after a restart (linesight.models.instance). "
                            + "Default: the host name.")
    private String instance;

    @Option(
            names = "--device",
            paramLabel = "auto|cpu|cuda:N",
            description = "Where the model runs (linesight.device).")
    private String device;

    @Option(
            names = "--metrics-port",
            paramLabel = "PORT",
            description = "Serve /metrics, /live and /ready on this port (linesight.metrics.port).")
    private Integer metricsPort;

    @Option(names = "--reference", description = "Print every setting with its default and meaning, then exit.")
    private boolean reference;

    /** Opens the channel; null when the settings name no trusted keys. */
    private static @Nullable FollowedChannel follow(InspectionConfig config, Map<String, String> settings)
            throws InterruptedException {
        if (!config.models().follow()) return null;
        try {
            return FollowedChannel.open(
                    settings, config.models().channel(), config.models().instance());
        } catch (IOException | IllegalArgumentException | KafkaException e) {
            throw new UserError(e.getMessage() + ". Nothing was started", e);
        }
    }

    @Override
    public Integer call() throws Exception {
        PrintWriter out = spec.commandLine().getOut();
        if (reference) {
            out.print(InspectionConfig.reference());
            return 0;
        }
        Map<String, String> settings = settings();
        Logs.service();
        CountDownLatch stop = new CountDownLatch(1);
        InspectionConfig config = InspectionConfig.of(settings);
        try (FollowedChannel followed = follow(config, settings);
                InspectionApp app =
                        new InspectionApp(config, followed == null ? ModelControl.fixed() : followed.control(), null);
                AlertsApp alerts = new AlertsApp(
                        config,
                        new LiveAlertPolicies(AlertPolicy.of(config.alerts()), app::settings),
                        new ServedModels(app::normals, () -> registry(followed)),
                        app.meters());
                StopSignal signal = new StopSignal(stop::countDown)) {
            app.start();
            alerts.start();
            out.println(greeting(app, config, followed != null));
            out.flush();
            while (!signal.asked() && app.state() != InspectionApp.State.FAILED) stop.await(1, TimeUnit.SECONDS);
            if (!signal.asked()) throw failed(app.failure().orElse(null));
            if (!app.close(Duration.ofSeconds(60)))
                throw new UserError(
                        "the app did not stop in order within 60 s; pending frames are scored at the next start");
            out.println("Stopped; every frame that was taken has its committed result.");
            out.flush();
            return 0;
        }
    }

    private static Optional<RegistryState> registry(@Nullable FollowedChannel followed) {
        return Optional.ofNullable(followed).map(f -> f.view().state());
    }

    private static String greeting(InspectionApp app, InspectionConfig config, boolean follows) {
        return "Inspecting " + config.bootstrapServers() + " with model "
                + app.modelVersion().orElse("?")
                + (follows
                        ? ", instance " + config.models().instance() + " of channel '"
                                + config.models().channel() + "'"
                        : "; rollouts are not followed, because nothing says whose checkpoints count ("
                                + ModelsConfig.TRUSTED_KEYS + ")")
                + (config.alerts().on() ? "" : "; no alerts are made (" + InspectionConfig.ALERTS + "=off)")
                + ". Ctrl-C stops after what is pending has been committed.";
    }

    private static UserError failed(@Nullable Throwable cause) {
        return new UserError(
                "the inspection app stopped: " + (cause == null ? "see its log" : reason(cause))
                        + ". Frames not yet committed are scored at the next start",
                cause);
    }

    private Map<String, String> settings() {
        Map<String, String> settings = kafka.settings();
        if (model != null) settings.put(InspectionConfig.CHECKPOINT, model.toString());
        if (!trust.isEmpty())
            settings.put(
                    ModelsConfig.TRUSTED_KEYS,
                    trust.stream().map(Path::toString).collect(Collectors.joining(",")));
        if (channel != null) settings.put(InspectionConfig.CHANNEL, channel);
        if (instance != null) settings.put(InspectionConfig.INSTANCE, instance);
        if (device != null) settings.put(InspectionConfig.DEVICE, device);
        if (metricsPort != null) settings.put(InspectionConfig.METRICS_PORT, metricsPort.toString());
        return settings;
    }

    /** The message and its cause: that transactions could not be started does not say that a right is missing. */
    private static String reason(Throwable e) {
        Throwable last = e;
        while (last.getCause() != null) last = last.getCause();
        return last == e
                        || last.getMessage() == null
                        || String.valueOf(e.getMessage()).contains(last.getMessage())
                ? e.getMessage()
                : e.getMessage() + ": " + last.getMessage();
    }
}
