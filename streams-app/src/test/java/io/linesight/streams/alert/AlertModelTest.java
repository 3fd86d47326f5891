package io.linesight.streams.alert;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.schemas.Alert;
import io.linesight.schemas.AlertActionKind;
import io.linesight.schemas.AlertChange;
import io.linesight.schemas.InspectionResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random results, actions and times, with results that are repeated and kills at any instant: the alerts are those of
 * {@link AlertModel}, each once, and the same after a replay.
 *
 * <p>A kill takes the state back to the last commit together with the records written since, as Kafka's transactions
 * do, and the events since come again.
 */
class AlertModelTest {

    private static final List<AlertActionKind> KINDS = List.of(
            AlertActionKind.ACKNOWLEDGE,
            AlertActionKind.ACKNOWLEDGE,
            AlertActionKind.SHELVE,
            AlertActionKind.UNSHELVE,
            AlertActionKind.CLOSE);
    private static final Set<AlertChange> BESIDES =
            EnumSet.of(AlertChange.COUNTED, AlertChange.RENOTIFIED, AlertChange.NOTED);

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void shouldMakeTheAlertsOfThePlainRules(long seed) {
        compare(seed, 5_000);
    }

    @Test
    @Tag("full")
    void shouldMakeTheAlertsOfThePlainRulesForLong() {
        long first = new Random().nextLong();
        for (long seed = first; seed < first + 200; seed++) compare(seed, 20_000);
    }

    private static void compare(long seed, int events) {
        Random random = new Random(seed);
        AlertModel model = new AlertModel();
        Play play = new Play("clear.count", "4", "silent.ms", "0", "high.score", "1");
        InspectionResult before = null;
        List<String> known = new ArrayList<>(List.of("DEFECT-ANOMALOUS-frames-0-77777"));
        for (int i = 0; i < events; i++) {
            int dice = random.nextInt(100);
            if (dice < 80) {
                String product = "p" + random.nextInt(3);
                before = play.result(product, score(random)).build();
                model.frame(before.getResultId(), product, before.getScore());
                play.frame(before);
            } else if (dice < 84 && before != null) {
                play.frame(before);
            } else if (dice < 90) {
                act(random, play, model, known);
            } else if (dice < 96) {
                play.after(Duration.ofSeconds(20));
                model.time(AlertRecords.micros(play.now));
            } else if (dice < 98) {
                play.commit();
            } else {
                play.kill();
            }
            known.addAll(model.ids());
            if (known.size() > 50) known.subList(1, known.size() - 10).clear();
        }
        List<AlertModel.Line> found = lines(play.all);
        for (int i = 0; i < Math.min(found.size(), model.lines.size()); i++)
            assertThat(found.get(i))
                    .as("seed %d, change %d after %s", seed, i, found.subList(Math.max(0, i - 5), i))
                    .isEqualTo(model.lines.get(i));
        assertThat(found).as("seed %d", seed).hasSameSizeAs(model.lines);
        assertThat(model.lines).as("seed %d met what it is about", seed).hasSizeGreaterThan(events / 50);
        assertThat(play.all)
                .as("seed %d: each revision once", seed)
                .extracting(a -> a.getAlertId() + "@" + a.getRevision())
                .doesNotHaveDuplicates();
    }

    private static double score(Random random) {
        double mood = random.nextInt(10) < 6 ? 0.2 : 0.7;
        return Math.max(0, Math.min(0.99, mood + random.nextGaussian() * 0.2));
    }

    private static void act(Random random, Play play, AlertModel model, List<String> known) {
        AlertActionKind kind = KINDS.get(random.nextInt(KINDS.size()));
        String alert = known.get(random.nextInt(known.size()));
        var builder = play.action(kind, alert);
        if (kind == AlertActionKind.SHELVE && random.nextInt(5) > 0)
            builder.setUntil(play.now.plusSeconds(random.nextInt(200) - 20));
        var action = builder.build();
        Long until = action.getUntil() == null ? null : AlertRecords.micros(action.getUntil());
        model.act(action.getActionId(), kind, alert, until, AlertRecords.micros(play.now));
        play.act(action);
    }

    private static List<AlertModel.Line> lines(List<Alert> alerts) {
        return alerts.stream()
                .filter(a -> !BESIDES.contains(a.getChange()))
                .map(a -> new AlertModel.Line(
                        a.getAlertId(), a.getChange().name(), a.getState().name()))
                .toList();
    }
}
