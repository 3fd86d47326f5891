package io.linesight.app.cli.notify;

import io.linesight.app.cli.common.UserError;
import io.linesight.notify.MqttSink;
import io.linesight.notify.Sink;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "mqtt",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Publishes alerts to an MQTT 5 broker with QoS 1, as CloudEvents in JSON. An alert is taken once "
                + "the broker has acknowledged it.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight notify mqtt -b localhost:9092 -r http://localhost:8081 mqtt://localhost",
            "  linesight notify mqtt -c line.properties mqtts://broker.plant:8883 --ca plant-ca.pem --user line "
                    + "--password-file mqtt.pw --retain"
        })
final class MqttCommand implements Callable<Integer> {
    @Mixin
    private DeliveryOptions options;

    @Parameters(paramLabel = "URL", description = "The broker: mqtt://HOST[:PORT], or mqtts:// for TLS.")
    private String url;

    @Option(
            names = "--topic",
            paramLabel = "TOPIC",
            defaultValue = MqttSink.DEFAULT_TOPIC,
            description = "Topic; {line}, {camera}, {product}, {kind} and {id} are filled in (${DEFAULT-VALUE}).")
    private String topic;

    @Option(names = "--user", paramLabel = "NAME", description = "User name.")
    private @Nullable String user;

    @Option(names = "--password-file", paramLabel = "FILE", description = "File with the user's password.")
    private @Nullable Path passwordFile;

    @Option(
            names = "--ca",
            paramLabel = "FILE.PEM",
            description = "Authorities that sign the broker's certificate. Default: those that Java trusts.")
    private @Nullable Path authorities;

    @Option(
            names = "--retain",
            description = "Let the broker keep the last alert of each topic for those who subscribe later.")
    private boolean retain;

    @Override
    public Integer call() throws Exception {
        Sink sink;
        try {
            sink = MqttSink.of(new MqttSink.Options(
                    url,
                    topic,
                    user,
                    DeliveryOptions.secret(passwordFile, "password"),
                    authorities,
                    retain,
                    options.timeout()));
        } catch (IllegalArgumentException | IOException e) {
            throw new UserError(e.getMessage() + "; nothing was started", e);
        }
        return options.deliver("mqtt", sink);
    }
}
