package io.linesight.streams.alert;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.schemas.AlertActionKind;
import io.linesight.schemas.AlertChange;
import io.linesight.schemas.FrameQuality;
import io.linesight.schemas.InspectionResult;
import java.time.Duration;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random lights, scores, models and acts of people, with results that are repeated and kills at any instant: the alerts
 * about drift are those of {@link DriftModel}, each once, and the same after a replay.
 *
 * <p>Light and scores change with a window, and by far: what lies near a limit depends on how exact a digest is.
 */
class DriftModelTest {
    private static final Set<AlertChange> BESIDES = EnumSet.of(AlertChange.COUNTED, AlertChange.RENOTIFIED);

    private final Map<String, Boolean> brighter = new HashMap<>();
    private final Map<String, Boolean> higher = new HashMap<>();
    private long pixels;

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void shouldMakeTheAlertsOfThePlainRules(long seed) {
        compare(seed, 12_000);
    }

    @Test
    @Tag("full")
    void shouldMakeTheAlertsOfThePlainRulesForLong() {
        long first = new Random().nextLong();
        for (long seed = first; seed < first + 30; seed++) compare(seed, 30_000);
    }

    private void compare(long seed, int events) {
        Random random = new Random(seed);
        brighter.clear();
        higher.clear();
        DriftModel model = new DriftModel();
        Play play = new Play(
                "drift.window.ms", "10000",
                "drift.window.frames", "10",
                "drift.baseline.ms", "60000",
                "drift.baseline.frames", "50",
                "drift.open.windows", "2",
                "drift.clear.windows", "3",
                "silent.ms", "0");
        String version = "m1";
        InspectionResult before = null;
        for (int i = 0; i < events; i++) {
            int dice = random.nextInt(1_000);
            if (dice < 900) before = frame(random, play, model, version);
            else if (dice < 930 && before != null) play.frame(before);
            else if (dice < 950) act(random, play, model);
            else if (dice < 960) play.after(Duration.ofSeconds(15));
            else if (dice < 962) version = "m" + random.nextInt(3);
            else if (dice < 985) play.commit();
            else play.kill();
        }
        List<AlertModel.Line> found = play.all.stream()
                .filter(a -> !BESIDES.contains(a.getChange()))
                .map(a -> new AlertModel.Line(
                        a.getAlertId(), a.getChange().name(), a.getState().name()))
                .toList();
        for (int i = 0; i < Math.min(found.size(), model.lines.size()); i++)
            assertThat(found.get(i))
                    .as("seed %d, change %d after %s", seed, i, found.subList(Math.max(0, i - 5), i))
                    .isEqualTo(model.lines.get(i));
        assertThat(found).as("seed %d", seed).hasSameSizeAs(model.lines);
        assertThat(model.lines).as("seed %d met what it is about", seed).hasSizeGreaterThan(events / 500);
        assertThat(play.all)
                .as("seed %d: each revision once", seed)
                .extracting(a -> a.getAlertId() + "@" + a.getRevision())
                .doesNotHaveDuplicates();
    }

    private InspectionResult frame(Random random, Play play, DriftModel model, String version) {
        String product = "p" + random.nextInt(3);
        if (model.begins(product, AlertRecords.micros(play.now))) {
            brighter.put(product, random.nextInt(10) < (brighter.getOrDefault(product, false) ? 7 : 3));
            higher.put(product, random.nextInt(10) < (higher.getOrDefault(product, false) ? 7 : 3));
        }
        if (!model.knowsImages(product)) brighter.put(product, false);
        if (!model.knowsScores(product, version)) higher.put(product, false);
        float light = (float) ((brighter.get(product) ? 0.7 : 0.5) + 0.003 * random.nextGaussian());
        float score = (float) ((higher.get(product) ? 14 : 10) + 0.1 * random.nextGaussian());
        InspectionResult r = play.result(product, 0.1)
                .setRawScore(score)
                .setModelVersion(version)
                .setQuality(new FrameQuality(light, 0.2f, 0.05f, 0f, 0f, ++pixels))
                .build();
        model.frame(r.getResultId(), product, AlertRecords.micros(r.getCapturedAt()), version, score, light);
        play.frame(r);
        return r;
    }

    private static void act(Random random, Play play, DriftModel model) {
        String product = "p" + random.nextInt(3);
        String alert = model.alertOf(product);
        if (alert == null) return;
        boolean close = random.nextInt(10) == 0;
        play.act(close ? AlertActionKind.CLOSE : AlertActionKind.ACKNOWLEDGE, alert);
        if (close) model.close(product);
        else model.acknowledge(product);
    }
}
