package io.linesight.app.cli.exemptions;

import io.linesight.app.cli.common.UserError;
import io.linesight.schemas.Exemption;
import io.linesight.schemas.topics.FrameKeys;
import io.linesight.streams.exemption.ExemptionRecords;
import io.linesight.streams.exemption.ExemptionRecords.Word;
import io.linesight.streams.exemption.ExemptionWriter;
import java.util.concurrent.Callable;
import org.apache.kafka.common.KafkaException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "remove",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Takes an exemption back: frames like it raise an alarm again, within seconds. The frame's label "
                + "stays as it is.",
        footerHeading = "%nExamples:%n",
        footer = "  linesight exemptions remove -b localhost:9092 -r http://localhost:8081 linesight.frames.v1-0-42 "
                + "--reason 'it was a scratch'")
final class RemoveCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private BookOptions options;

    @Mixin
    private AuthorOptions author;

    @Parameters(paramLabel = "FRAME", description = "As 'linesight exemptions list' shows it.")
    private String frame;

    @Override
    public Integer call() throws Exception {
        Word word = author.word();
        BookOptions.Read read = options.read();
        Exemption e = read.of(frame);
        try (ExemptionWriter writer = new ExemptionWriter(
                read.settings(), read.settings(), read.topics().exemptions().name())) {
            writer.write(ExemptionRecords.removed(e, word, false));
        } catch (KafkaException failed) {
            throw new UserError(failed.getMessage() + ". The exemption is still there", failed);
        }
        spec.commandLine()
                .getOut()
                .println("The exemption of frame " + FrameKeys.of(e.getFrameRef())
                        + " is taken back; frames like it raise an alarm again.");
        return 0;
    }
}
