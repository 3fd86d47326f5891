package io.linesight.app.cli.exemptions;

import io.linesight.app.cli.common.ChampionFile;
import io.linesight.app.cli.common.UserError;
import io.linesight.mmad.checkpoint.VerdictRule;
import io.linesight.mmad.exemption.BatchFeatures;
import io.linesight.mmad.image.DecodeSettings;
import io.linesight.mmad.io.Scratch;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.mmad.score.FeaturedScores;
import io.linesight.mmad.score.OrtScorer;
import io.linesight.mmad.score.Scorer;
import io.linesight.models.settings.SettingsFeed;
import io.linesight.models.settings.SettingsState;
import io.linesight.schemas.Exemption;
import io.linesight.schemas.topics.FrameKeys;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.config.ReviewSettings;
import io.linesight.streams.decision.DecisionRules;
import io.linesight.streams.decision.LiveRules;
import io.linesight.streams.exemption.ExemptionDesk;
import io.linesight.streams.exemption.ExemptionRecords.Word;
import io.linesight.streams.exemption.ExemptionWriter;
import io.linesight.streams.exemption.LineFrames;
import io.linesight.streams.exemption.SeenFrame;
import io.linesight.streams.exemption.SeenFrame.NotSeenException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "add",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Makes an exemption from a frame that was not passed, without a label: nothing is learned from it.",
            "It scores the frame here, with the channel's champion or a checkpoint file. It is rejected when a frame "
                    + "that was labelled anomalous would pass with it."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight exemptions add -b localhost:9092 -r http://localhost:8081 --trust line.pub "
                    + "linesight.frames.v1-0-42 --reason glare",
            "  linesight exemptions add -c line.properties --model m.onnx linesight.frames.v1-0-42"
        })
final class AddCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private BookOptions options;

    @Mixin
    private AuthorOptions author;

    @Parameters(paramLabel = "FRAME", description = "A result's resultId, <topic>-<partition>-<offset>.")
    private String frame;

    @Mixin
    private ChampionFile model;

    @Override
    public Integer call() throws Exception {
        Word word = author.word();
        BookOptions.Read read = options.read();
        Path folder = Files.createTempDirectory("linesight-exemption");
        DecisionRules rules;
        try {
            rules = rules(read);
        } catch (KafkaException e) {
            throw new UserError(
                    "the live settings cannot be read: " + e.getMessage()
                            + ". 'linesight topics' makes a topic that is missing. Nothing was done",
                    e);
        }
        try (Scorer scorer = OrtScorer.open(
                        model.get(read.settings(), read.channel(), "exemptions add", folder)
                                .file(),
                        ScorerOptions.defaults().withFeatures(true));
                LineFrames frames = new LineFrames(
                        read.settings(),
                        read.settings(),
                        read.topics(),
                        DecodeSettings.of(read.settings(), DecodeSettings.defaults()));
                ExemptionWriter writer = new ExemptionWriter(
                        read.settings(),
                        read.settings(),
                        read.topics().exemptions().name())) {
            ExemptionDesk desk = new ExemptionDesk(
                    read.channel(), read.book(), frames, (planar, product) -> look(scorer, rules, planar, product));
            Exemption e = desk.forgive(BookOptions.frame(frame), word);
            writer.write(e);
            spec.commandLine()
                    .getOut()
                    .println("Frame " + FrameKeys.of(e.getFrameRef()) + " is exempted on channel '" + read.channel()
                            + "': frames that look like it at its "
                            + e.getCells().size()
                            + " hottest cells pass from now on.");
            return 0;
        } catch (ExemptionDesk.RejectedException | KafkaException e) {
            throw new UserError(e.getMessage() + ". Nothing was done", e);
        } finally {
            Scratch.delete(folder);
        }
    }

    /** As 'serve' decides with the same settings. */
    private static DecisionRules rules(BookOptions.Read read) {
        ReviewSettings review = ReviewSettings.of(read.settings());
        if (read.settings().getOrDefault(InspectionConfig.SETTINGS, "").equals("off"))
            return DecisionRules.fixed(review.low(), review.high());
        SettingsState state = SettingsFeed.readAll(
                read.channel(),
                read.settings(),
                read.settings(),
                read.topics().settings().name());
        return new LiveRules(new VerdictRule(review.low(), review.high()), () -> state);
    }

    private static SeenFrame look(Scorer scorer, DecisionRules rules, byte[] planar, @Nullable String product)
            throws NotSeenException {
        if (scorer.views().of(product) != null)
            throw new NotSeenException("checkpoint " + scorer.info().version() + " looks at regions or tiles of '"
                    + product + "', and exemptions know whole frames only; label the frame as normal and train again");
        FeaturedScores answer = scorer.scoreWithFeatures(List.of(planar));
        BatchFeatures features = answer.features();
        if (features == null)
            throw new NotSeenException("checkpoint " + scorer.info().version()
                    + " does not say where its encoder ends, so nothing can be exempted with it");
        float raw = answer.scores().raw()[0];
        if (!Float.isFinite(raw)) throw new NotSeenException("the model gives no finite answer for it");
        return SeenFrame.of(
                scorer.info(),
                raw,
                answer.scores().map(0),
                features.frame(0),
                product,
                rules.of(scorer.info(), product));
    }
}
