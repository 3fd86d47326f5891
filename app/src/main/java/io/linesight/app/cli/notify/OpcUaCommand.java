package io.linesight.app.cli.notify;

import io.linesight.app.cli.common.Durations;
import io.linesight.app.cli.common.Kafka;
import io.linesight.app.cli.common.Service;
import io.linesight.app.cli.common.UserError;
import io.linesight.notify.opcua.OpcUaConfig;
import io.linesight.notify.opcua.OpcUaNotifier;
import io.linesight.schemas.topics.Topics;
import io.linesight.streams.alert.AlertActionWriter;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "opcua",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Shows every camera's and product's state, last result and open alerts on an OPC UA server, until it is "
                    + "stopped. Alerts are alarm conditions: who is logged in by name can acknowledge and comment them.",
            "Connections are signed and encrypted. The server's certificate is made at the first start; a client's is "
                    + "put into trusted/certs of --dir."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight notify opcua -c line.properties --users opcua.users",
            "  linesight notify opcua -c line.properties --users opcua.users --bind 0.0.0.0 --host line3.plant",
            "  linesight notify opcua -b localhost:9092 -r http://localhost:8081 --anonymous"
        })
final class OpcUaCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private Kafka kafka;

    @Option(
            names = "--users",
            paramLabel = "FILE",
            description = "Who may log in: lines NAME=PASSWORD, of at least 8 characters. One more may stand in the "
                    + "environment: " + OpcUaUsers.USER + " and " + OpcUaUsers.PASSWORD + ".")
    private @Nullable Path users;

    @Option(
            names = "--anonymous",
            description = "Let anybody who reaches the port look, without name, certificate or encryption; "
                    + "acknowledging needs a name all the same.")
    private boolean anonymous;

    @Option(
            names = "--bind",
            paramLabel = "ADDRESS",
            defaultValue = "127.0.0.1",
            description = "Address to listen on (${DEFAULT-VALUE}: this machine only; 0.0.0.0: all).")
    private String bind;

    @Option(
            names = "--host",
            paramLabel = "NAME",
            description = "Name or address that clients reach the server by; part of its certificate. Default: the "
                    + "address of --bind.")
    private @Nullable String host;

    @Option(
            names = "--port",
            paramLabel = "PORT",
            defaultValue = "4840",
            description = "Port to listen on (${DEFAULT-VALUE}); 0 for any free port.")
    private int port;

    @Option(
            names = "--dir",
            paramLabel = "FOLDER",
            defaultValue = "linesight-opcua",
            description = "Folder with certificates, made when it is missing (${DEFAULT-VALUE}).")
    private Path folder;

    @Option(
            names = "--forget-after",
            paramLabel = "TIME",
            defaultValue = "24h",
            converter = Durations.class,
            description = "A camera or product without results for so long, and without an open alert, is removed "
                    + "(${DEFAULT-VALUE}).")
    private Duration forgetAfter;

    @Option(
            names = "--max-sources",
            paramLabel = "COUNT",
            defaultValue = "2000",
            description = "Most cameras and products that are shown (${DEFAULT-VALUE}).")
    private int maxSources;

    @Option(
            names = "--max-alarms",
            paramLabel = "COUNT",
            defaultValue = "1000",
            description = "Most open alerts that are shown (${DEFAULT-VALUE}).")
    private int maxAlarms;

    @Option(
            names = "--answer-timeout",
            paramLabel = "TIME",
            defaultValue = "5s",
            converter = Durations.class,
            description = "How long an acknowledgement waits for the line's answer (${DEFAULT-VALUE}).")
    private Duration answerTimeout;

    @Option(
            names = "--metrics-port",
            paramLabel = "PORT",
            defaultValue = "-1",
            description = "Serve /metrics, /live and /ready there; 0 for any free port (off).")
    private int metricsPort;

    @Override
    public Integer call() throws Exception {
        Map<String, String> settings = kafka.clientSettings();
        Kafka.require(settings, "bootstrap.servers", "--bootstrap-servers");
        Kafka.require(settings, "schema.registry.url", "--registry");
        OpcUaConfig config = new OpcUaConfig(
                bind,
                port == 0 ? freePort() : port,
                host == null ? bind : host,
                folder,
                OpcUaUsers.read(users, System.getenv()),
                anonymous,
                forgetAfter,
                maxSources,
                maxAlarms,
                answerTimeout);
        String actions = Topics.from(settings).alertActions().name();
        try (AlertActionWriter writer = new AlertActionWriter(writing(settings), settings, actions);
                OpcUaNotifier notifier = OpcUaNotifier.start(settings, config, writer::write)) {
            spec.commandLine().getOut().println("Serving OPC UA at " + config.url() + "; Ctrl-C stops.");
            return Service.run(spec, metricsPort, new OpcUaMeters(notifier), notifier::failure);
        } catch (IllegalArgumentException | IOException | KafkaException e) {
            throw new UserError(e.getMessage() + ". Nothing was started", e);
        }
    }

    /** Endpoints name their port before it is bound. */
    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    /** Whoever acknowledged is told within seconds that it was not written; it must not be written much later. */
    private static Map<String, String> writing(Map<String, String> settings) {
        Map<String, String> writing = new HashMap<>(settings);
        writing.putIfAbsent("max.block.ms", "5000");
        writing.putIfAbsent("request.timeout.ms", "5000");
        writing.putIfAbsent("delivery.timeout.ms", "10000");
        return writing;
    }
}
