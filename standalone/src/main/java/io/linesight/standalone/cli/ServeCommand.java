package io.linesight.standalone.cli;

import io.linesight.streams.InspectionApp;
import io.linesight.streams.InspectionConfig;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(name = "serve", mixinStandardHelpOptions = true, sortOptions = false,
        description = "Inspects the frames of a Kafka cluster until it is stopped.",
        footerHeading = "%nExamples:%n",
        footer = {"  linesight serve -b localhost:9092 -r http://localhost:8081 --model m.onnx",
            "  linesight serve --config line.properties --set linesight.batch.max=32",
            "  linesight serve --reference                        every setting with its meaning"})
final class ServeCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private Kafka kafka;

    @Option(names = {"-m", "--model"}, paramLabel = "FILE", description = "Checkpoint (linesight.checkpoint).")
    private Path model;

    @Option(names = "--device", paramLabel = "auto|cpu|cuda:N", description = "Where the model runs (linesight.device).")
    private String device;

    @Option(names = "--metrics-port", paramLabel = "PORT", description = "Serve /metrics and /health there (linesight.metrics.port).")
    private Integer metricsPort;

    @Option(names = "--reference", description = "Print every setting with its default and meaning, and stop.")
    private boolean reference;

    @Override
    public Integer call() throws Exception {
        PrintWriter out = spec.commandLine().getOut();
        if (reference) {
            out.print(InspectionConfig.reference());
            return 0;
        }
        Map<String, String> settings = kafka.settings();
        if (model != null) settings.put(InspectionConfig.CHECKPOINT, model.toString());
        if (device != null) settings.put(InspectionConfig.DEVICE, device);
        if (metricsPort != null) settings.put(InspectionConfig.METRICS_PORT, metricsPort.toString());
        Logs.service();
        CountDownLatch stop = new CountDownLatch(1);
        try (InspectionApp app = new InspectionApp(InspectionConfig.of(settings)); StopSignal signal = new StopSignal(stop::countDown)) {
            app.start();
            out.println("Inspecting " + settings.get(InspectionConfig.BOOTSTRAP_SERVERS) + "; Ctrl-C stops after what is pending has been committed.");
            out.flush();
            while (!signal.asked() && app.state() != InspectionApp.State.FAILED) stop.await(1, TimeUnit.SECONDS);
            if (signal.asked()) {
                if (!app.close(Duration.ofSeconds(60))) throw new UserError("the app did not end in order within 60 s; what was pending is scored at the next start");
                return 0;
            }
            Throwable why = app.failure().orElse(null);
            throw new UserError("the inspection app stopped: " + (why == null ? "see its log" : why.getMessage()) + ". Frames not yet committed are scored at the next start", why);
        }
    }
}
