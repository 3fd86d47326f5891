package io.linesight.trainer.learning;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.schemas.TrainingStage;
import io.linesight.schemas.TrainingStatus;
import io.linesight.trainer.learning.TrainerEvent.Kind;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainingViewTest {
    @TempDir
    Path dir;

    private final AtomicReference<Instant> now = new AtomicReference<>(Instant.parse("2026-01-01T00:00:00Z"));
    private TrainingView view;
    private RunFolder run;

    @BeforeEach
    void make() throws Exception {
        TrainerConfig base = TrainerConfig.of(
                Map.of("bootstrap.servers", "none:9092", "schema.registry.url", "http://none"), dir.resolve("work"));
        TrainerConfig config =
                base.withChannel("press").withTuning(base.tuning().withMinutes(10));
        Clock clock = new Clock() {
            @Override
            public ZoneOffset getZone() {
                return ZoneOffset.UTC;
            }

            @Override
            public Clock withZone(java.time.ZoneId zone) {
                return this;
            }

            @Override
            public Instant instant() {
                return now.get();
            }
        };
        view = new TrainingView(config, clock, () -> Map.of("labels.normal", 7L), () -> 3);
        run = RunFolder.create(dir, "20260101-000000-000");
    }

    @Test
    void shouldSayWhatItWaitsForBetweenRuns() {
        view.see(new TrainerEvent(Kind.LABELS, "", "stored 7 labels"));
        TrainingStatus s = view.status();
        assertThat(s.getStage()).isEqualTo(TrainingStage.IDLE);
        assertThat(s.getRun()).isEmpty();
        assertThat(s.getNewNormals()).isEqualTo(3);
        assertThat(s.getLabels()).isEqualTo(Map.of("labels.normal", 7L));
        assertThat(view.isBusy()).isFalse();
    }

    @Test
    void shouldTellHowFarTheTrainingIs() throws Exception {
        begin();
        assertThat(view.status().getStage()).isEqualTo(TrainingStage.CHOOSING);
        run.done(Stage.FETCH, RunFolder.facts().put("champion", "v1"));
        assertThat(view.status().getFraction()).isZero();
        Files.writeString(
                run.file(TrainingRun.METRICS),
                IntStream.rangeClosed(1, 1000)
                        .mapToObj(i -> "{\"step\":" + i + ",\"loss\":" + 1000.0 / i + "}\n")
                        .collect(Collectors.joining()));
        now.set(now.get().plus(Duration.ofMinutes(4)));
        TrainingStatus s = view.status();
        assertThat(s.getStage()).isEqualTo(TrainingStage.TRAINING);
        assertThat(s.getChampion()).isEqualTo("v1");
        assertThat(s.getTrigger()).isEqualTo("3 new normals");
        assertThat(s.getFraction()).isEqualTo(0.4f);
        assertThat(s.getSecondsLeft()).isEqualTo(360);
        assertThat(s.getStep()).isEqualTo(1000);
        assertThat(s.getLoss()).isEqualTo(1.0);
        assertThat(s.getLosses()).hasSize(200).startsWith(1000f).endsWith(1f);
        assertThat(view.isBusy()).isTrue();
    }

    @Test
    void shouldSayHowARunEnded() throws Exception {
        begin();
        view.see(new TrainerEvent(Kind.RUN_FAILED, run.id, "there is nothing to train on"));
        TrainingStatus s = view.status();
        assertThat(s.getStage()).isEqualTo(TrainingStage.FAILED);
        assertThat(s.getMessage()).contains("nothing to train on");
        assertThat(s.getRun()).isEqualTo(run.id);
        view.see(new TrainerEvent(Kind.LABELS, "", "stored 1 labels"));
        assertThat(view.status().getStage()).isEqualTo(TrainingStage.IDLE);
    }

    @Test
    void shouldSayThatItWaits() {
        begin();
        view.see(new TrainerEvent(Kind.WAITING, run.id, "no room"));
        assertThat(view.status().getWaiting()).isTrue();
        view.see(new TrainerEvent(Kind.STAGE_DONE, run.id, "trained"));
        assertThat(view.status().getWaiting()).isFalse();
    }

    private void begin() {
        view.follow(run);
        view.see(new TrainerEvent(Kind.RUN_STARTED, run.id, "3 new normals"));
    }
}
