package io.linesight.app.cli;

import io.linesight.app.cli.common.Inputs;
import io.linesight.app.cli.common.StopSignal;
import io.linesight.app.cli.common.UserError;
import io.linesight.embedded.EmbeddedPlatform;
import io.linesight.embedded.PortInUseException;
import io.linesight.mmad.io.NativeLibraries;
import io.linesight.schemas.topics.SizeLimits;
import io.linesight.schemas.topics.TopicAdmin;
import io.linesight.schemas.topics.Topics;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "broker",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Runs a Kafka broker and a schema registry on this machine until it is stopped, so that the other "
                        + "commands can be tried as separate processes. One copy of everything, loopback interface "
                        + "only: for trials, not for a plant.",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:it was stopped; the data stay in the folder",
            "1:it did not start, for instance because a port is taken; the message says why",
            "2:the command line is wrong"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight broker                        data in out/broker, kept for the next run",
            "  linesight broker --dir /var/tmp/line --port 19092 --registry-port 18081",
            "",
            "In other terminals, with the addresses that it prints:",
            "  linesight serve -b 127.0.0.1:9092 -r http://127.0.0.1:8081 --model m.onnx",
            "  linesight camera -b 127.0.0.1:9092 -r http://127.0.0.1:8081 --cameras 4",
            "  linesight label -b 127.0.0.1:9092 -r http://127.0.0.1:8081"
        })
final class BrokerCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            defaultValue = "out/broker",
            description = "Folder that keeps the data for the next run (${DEFAULT-VALUE}).")
    private Path folder;

    @Option(
            names = "--port",
            paramLabel = "PORT",
            defaultValue = "9092",
            description = "Of the broker; 0 for any free one (${DEFAULT-VALUE}).")
    private int port;

    @Option(
            names = "--registry-port",
            paramLabel = "PORT",
            defaultValue = "8081",
            description = "Of the schema registry; 0 for any free one (${DEFAULT-VALUE}).")
    private int registryPort;

    @Option(
            names = "--partitions",
            paramLabel = "N",
            description = "Partitions of topics that are created; as many instances can work (4).")
    private Integer partitions;

    @Option(
            names = "--max-frame-bytes",
            paramLabel = "N",
            description = "Largest frame record that the broker takes (8 MiB).")
    private Integer maxFrameBytes;

    @Override
    public Integer call() throws InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        NativeLibraries.prepareCompression(BrokerCommand.class.getClassLoader());
        Inputs.made(folder);
        CountDownLatch stopped = new CountDownLatch(1);
        try (StopSignal signal = new StopSignal(stopped::countDown);
                EmbeddedPlatform platform = start()) {
            describe(platform, out);
            stopped.await();
        }
        out.println("Stopped; the data stay in " + folder);
        out.flush();
        return 0;
    }

    private EmbeddedPlatform start() {
        try {
            return EmbeddedPlatform.start(folder, port, registryPort, Topics.from(topicSettings()));
        } catch (PortInUseException e) {
            throw new UserError(
                    e.getMessage() + " with " + (e.port() == port ? "--port" : "--registry-port") + "; the data in "
                            + folder + " are untouched",
                    e);
        }
    }

    private Map<String, String> topicSettings() {
        Map<String, String> settings = new HashMap<>();
        settings.put(Topics.REPLICATION_CONFIG, "1");
        if (partitions != null) settings.put(Topics.PARTITIONS_CONFIG, partitions.toString());
        if (maxFrameBytes != null) settings.put(SizeLimits.FRAME_BYTES_CONFIG, maxFrameBytes.toString());
        return settings;
    }

    private void describe(EmbeddedPlatform platform, PrintWriter out) {
        long created = platform.topics().stream()
                .filter(t -> t.state() == TopicAdmin.State.CREATED)
                .count();
        out.println("Broker    " + platform.bootstrapServers());
        out.println("Registry  " + platform.registryUrl());
        out.println("Topics    " + platform.topics().size() + ", of which " + created + " are new");
        platform.topics().stream()
                .filter(t -> t.state() == TopicAdmin.State.DIFFERS)
                .forEach(t -> out.println("          " + t.describe()));
        out.println("Data      " + folder.toAbsolutePath());
        out.println();
        out.println("Pass to other commands:  -b " + platform.bootstrapServers() + " -r " + platform.registryUrl());
        out.println("Ctrl-C stops both; the data stay.");
        out.flush();
    }
}
