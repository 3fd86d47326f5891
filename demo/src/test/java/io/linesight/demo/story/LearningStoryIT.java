package io.linesight.demo.story;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.demo.Simulation;
import io.linesight.demo.line.LineOptions;
import io.linesight.mmad.architecture.FeatureNorm;
import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.ParameterSpecs;
import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.checkpoint.Checkpoints;
import io.linesight.mmad.checkpoint.MmadModel;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.encoder.FilterBankEncoder;
import io.linesight.trainer.network.Initializer;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The whole loop with an untrained tiny network that calls everything anomalous: labels, trainer, gate, publication,
 * shadow, canary, promotion. How well it learns is not the point; that every step leads to the next is.
 */
@Tag("full")
@Timeout(600)
class LearningStoryIT {
    @TempDir
    Path dir;

    private Path checkpoint() throws IOException {
        Encoder encoder = FilterBankEncoder.create();
        MmadConfig config = MmadConfig.tiny(encoder.channels()).withFeatureNorm(FeatureNorm.NONE);
        Path file = dir.resolve("alarmed.onnx");
        ProductCalibration everything = new ProductCalibration(-1, 0.1);
        Checkpoints.write(
                file,
                new MmadModel(config, Initializer.fresh(ParameterSpecs.of(config), 1), encoder),
                new Calibration(everything, Map.of("flange", everything, "board", everything)),
                Map.of());
        return file;
    }

    @Test
    void shouldLearnFromAlarmsToPromotionWhileFramesKeepComing() throws Exception {
        StringWriter text = new StringWriter();
        PrintWriter both = new PrintWriter(text, true) {
            @Override
            public void write(String s, int from, int length) {
                super.write(s, from, length);
                System.out.print(s.substring(from, from + length));
            }
        };
        // Few enough defective parts on file that the gate judges false alarms alone: what an untrained network misses
        // is chance.
        LearningStory story = new LearningStory(
                new StoryOptions(
                        new LineOptions(dir.resolve("run"), checkpoint(), 0, 0, Map.of("linesight.device", "cpu")),
                        new Simulation(2, 3.0, 7, 0.1),
                        Duration.ofSeconds(3),
                        new StoryOptions.Training(6, 34, 1),
                        new StoryOptions.Trial(4, 6)),
                both);
        LearningStory.Outcome outcome = story.run();
        assertThat(outcome.complete()).as(outcome.end()).isTrue();
        assertThat(outcome.summary().exact()).as(outcome.summary().text()).isTrue();
        assertThat(outcome.summary().frames())
                .isEqualTo(outcome.summary().results())
                .isGreaterThan(60);
        assertThat(outcome.learned()).as(outcome.end()).isNotNull().isNotEqualTo(outcome.first());
        assertThat(outcome.chapters())
                .extracting(LearningStory.Figures::chapter)
                .containsExactly("before", "new lamp", "training", "shadow", "canary", "after");
        LearningStory.Figures before = outcome.chapters().get(0);
        LearningStory.Figures canary = outcome.chapters().get(4);
        LearningStory.Figures after = outcome.chapters().get(5);
        assertThat(before.changed().falseAlarms())
                .isEqualTo(before.changed().good())
                .isPositive();
        assertThat(after.changed().falseAlarms()).isLessThan(after.changed().good());
        assertThat(before.changed().models())
                .isEqualTo(before.others().models())
                .containsExactly(outcome.first());
        assertThat(canary.changed().models()).as("the canary's camera").contains(outcome.learned());
        assertThat(canary.others().models())
                .as("the others keep the champion, until the canary ends")
                .contains(outcome.first());
        assertThat(after.changed().models()).isEqualTo(after.others().models()).isEqualTo(List.of(outcome.learned()));
        assertThat(text.toString())
                .contains(
                        "The lamp over camera-2 (board)",
                        "operator: answered",
                        "trainer: PASSED",
                        "shadow: of",
                        "canary: false alarms of camera-2 100.0 % to");
    }
}
