package io.linesight.app.cli.notify;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Delivers alerts to those who act on them. */
@Command(
        name = "notify",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        synopsisSubcommandLabel = "COMMAND",
        description = {
            "Delivers every change of every alert to a webhook or an MQTT broker, as CloudEvents, until it is stopped; "
                    + "or shows the line's alerts and last results on an OPC UA server.",
            "At least once, in the order of each camera. While nobody answers, alerts wait in Kafka. What is refused "
                    + "for good is a dead letter. Run one for each receiver; several of one group share the work."
        },
        subcommands = {WebhookCommand.class, MqttCommand.class, OpcUaCommand.class, CommandLine.HelpCommand.class},
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:stopped in order",
            "1:it failed; the message says why and what happens next",
            "2:the command line is wrong"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight notify webhook -c line.properties https://mes.plant/alerts --secret-file hook.secret",
            "  linesight notify mqtt -c line.properties mqtts://broker.plant:8883 --user line --password-file mqtt.pw",
            "  linesight notify opcua -c line.properties --users opcua.users"
        })
public final class NotifyCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    @Override
    public void run() {
        throw new CommandLine.ParameterException(spec.commandLine(), "say whom to notify: webhook, mqtt or opcua");
    }
}
