package io.linesight.streams.drift;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.linesight.mmad.checkpoint.ScoreQuantiles;
import io.linesight.streams.config.DriftSettings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class DriftMonitorTest {
    private static final long SECOND = 1_000_000;
    private static final String KEY = "5:cam-1bolt";

    /** Windows of a minute, a first day of ten; two drifted windows in a row count, two that are back end it. */
    private static final DriftSettings SETTINGS =
            new DriftSettings(Duration.ofMinutes(1), 40, Duration.ofMinutes(10), 400, 0.5, 1, 2, 2, false);

    private final Map<String, byte[]> entries = new HashMap<>();
    private final DriftStore store = new DriftStore() {
        @Override
        public byte @Nullable [] get(String key) {
            return entries.get(key);
        }

        @Override
        public void put(String key, byte[] value) {
            entries.put(key, value);
        }

        @Override
        public void delete(String key) {
            entries.remove(key);
        }
    };
    private final List<DriftReport> reports = new ArrayList<>();
    private DriftMonitor monitor = new DriftMonitor(SETTINGS, NormalScores.UNKNOWN);
    private Random random = new Random(7);
    private long now = 1_700_000_000 * SECOND;
    private String model = "m1";

    private void add(double score, double brightness) {
        now += SECOND;
        Sample s = new Sample(now, model, (float) score, (float) brightness, 0.2f, 0.05f);
        monitor.add(store, KEY, "bolt", s).ifPresent(reports::add);
    }

    /** A frame a second; the score is about {@code score}, give or take 1. */
    private void frames(int count, double score, double brightness) {
        for (int i = 0; i < count; i++) add(score + random.nextGaussian(), brightness + 0.02 * random.nextGaussian());
    }

    private void firstDay() {
        frames(660, 10, 0.5);
        assertThat(reports).hasSize(10);
        assertThat(reports).as("nothing is compared on the first day").allSatisfy(r -> assertThat(r.shifts())
                .isEmpty());
        reports.clear();
    }

    private DriftReport last() {
        return reports.get(reports.size() - 1);
    }

    private Shift shift(Measure measure) {
        return last().shifts().stream()
                .filter(s -> s.measure() == measure && !s.normals())
                .findFirst()
                .orElseThrow();
    }

    @Test
    void shouldFindNoDriftWhereNothingChanges() {
        firstDay();
        frames(6_000, 10, 0.5);
        assertThat(reports).hasSize(100).allSatisfy(r -> {
            assertThat(r.drifted()).isFalse();
            assertThat(r.shifts()).hasSize(4);
            assertThat(r.shifts()).allSatisfy(s -> assertThat(s.effect()).isLessThan(0.3));
        });
    }

    @Test
    void shouldCallAShiftOfAllScoresDriftOnceItLasts() {
        firstDay();
        frames(60, 13, 0.5);
        frames(120, 10, 0.5);
        assertThat(reports).as("one window is no drift").noneMatch(DriftReport::drifted);
        frames(180, 13, 0.5);
        assertThat(last().drifted()).isTrue();
        assertThat(shift(Measure.SCORE).drifted()).isTrue();
        assertThat(shift(Measure.SCORE).effect()).as("3 of 2.56 deviations").isCloseTo(1.17, within(0.2));
        assertThat(shift(Measure.SCORE).before().get(2)).isCloseTo(10, within(0.2));
        assertThat(shift(Measure.SCORE).now().get(2)).isCloseTo(13, within(0.5));
        assertThat(shift(Measure.BRIGHTNESS).drifted()).isFalse();
    }

    @Test
    void shouldCallAShiftOfTheTailDefects() {
        firstDay();
        for (int i = 0; i < 600; i++) add((i % 5 == 0 ? 40 : 10) + random.nextGaussian(), 0.5);
        assertThat(reports).hasSizeGreaterThan(8).noneMatch(DriftReport::drifted);
        assertThat(shift(Measure.SCORE).tailOnly()).isTrue();
        assertThat(shift(Measure.SCORE).effect()).isGreaterThan(1);
        assertThat(shift(Measure.SCORE).now().get(4)).isGreaterThan(38);
    }

    @Test
    void shouldKeepADriftUntilWindowsAreWellBack() {
        firstDay();
        frames(240, 10, 0.6);
        assertThat(last().drifted()).isTrue();
        frames(300, 10, 0.522); // nearer than the limit of 0.5, not nearer than 0.6 of it
        assertThat(shift(Measure.BRIGHTNESS).effect()).isBetween(0.3, 0.5);
        assertThat(last().drifted()).isTrue();
        frames(70, 10, 0.5);
        assertThat(last().drifted()).as("one window is not enough").isTrue();
        frames(70, 10, 0.5);
        assertThat(last().drifted()).isFalse();
    }

    @Test
    void shouldBeginAFirstDayOfScoresWithEachModelAndKeepThatOfImages() {
        firstDay();
        frames(240, 13, 0.5);
        assertThat(last().drifted()).isTrue();
        model = "m2";
        add(3, 0.5);
        assertThat(last()).returns(true, DriftReport::modelChanged).returns(false, DriftReport::drifted);
        frames(300, 3, 0.5);
        assertThat(last().shifts())
                .extracting(Shift::measure)
                .doesNotContain(Measure.SCORE)
                .hasSize(3);
        frames(600, 3, 0.6);
        assertThat(shift(Measure.BRIGHTNESS).drifted()).isTrue();
        frames(180, 3, 0.6);
        assertThat(shift(Measure.SCORE).before().get(2)).isCloseTo(3, within(0.2));
        model = "m1";
        frames(180, 10, 0.6);
        assertThat(shift(Measure.SCORE).before().get(2))
                .as("rolled back: its own first day")
                .isCloseTo(10, within(0.2));
        assertThat(shift(Measure.SCORE).effect()).isLessThan(0.3);
    }

    @Test
    void shouldCompareScoresWithTheNormalsOfTheCheckpoint() {
        ScoreQuantiles quantiles = ScoreQuantiles.of(rate -> 10 + 4 * (0.5 - rate));
        monitor =
                new DriftMonitor(SETTINGS, (m, product) -> m.equals("m1") ? Optional.of(quantiles) : Optional.empty());
        frames(200, 10, 0.5);
        assertThat(last().shifts()).singleElement().satisfies(s -> {
            assertThat(s.normals()).isTrue();
            assertThat(s.effect()).isLessThan(0.5);
        });
        frames(300, 16, 0.5);
        assertThat(last().shifts()).singleElement().returns(true, Shift::drifted);
        assertThat(last().drifted()).isTrue();
    }

    @Test
    void shouldWaitForEnoughFramesAndNotForEver() {
        for (int i = 0; i < 39; i++) {
            now += 9 * SECOND;
            add(10, 0.5);
        }
        assertThat(reports).isEmpty();
        now += Duration.ofMinutes(71).toSeconds() * SECOND;
        add(10, 0.5);
        now += 60 * SECOND;
        frames(38, 10, 0.5);
        assertThat(reports)
                .as("the frames before the pause are too old to be compared")
                .isEmpty();
        frames(10, 10, 0.5);
        assertThat(reports).hasSize(1);
        assertThat(last().frames()).isEqualTo(40);
    }

    @Test
    void shouldGoOnWhereTheCameraSetsItsClock() {
        firstDay();
        now -= Duration.ofDays(4_000).toSeconds() * SECOND;
        frames(240, 10, 0.6);
        assertThat(last().drifted()).isTrue();
        now += Duration.ofDays(40_000).toSeconds() * SECOND;
        frames(240, 10, 0.5);
        now -= Duration.ofDays(36_000).toSeconds() * SECOND;
        frames(240, 10, 0.5);
        assertThat(last().drifted()).isFalse();
        for (long at : new long[] {Long.MIN_VALUE, Long.MAX_VALUE, 0, -1}) {
            now = at - SECOND;
            add(10, 0.5);
        }
    }

    @Test
    void shouldSurviveWhatIsNotMeasured() {
        float[] odd = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.MAX_VALUE, 0, -1};
        for (int i = 0; i < 3_000; i++) {
            now += SECOND;
            float value = odd[random.nextInt(odd.length)];
            Sample s = new Sample(now, random.nextInt(50) == 0 ? "m".repeat(70_000) : "m1", value, value, 0, value);
            monitor.add(store, KEY, null, s).ifPresent(reports::add);
        }
        assertThat(reports).isNotEmpty();
        entries.clear();
        reports.clear();
        frames(1_000, Double.NaN, Double.NaN);
        assertThat(last().shifts()).extracting(Shift::measure).containsExactly(Measure.CONTRAST, Measure.SHARPNESS);
        assertThat(last().drifted()).isFalse();
    }

    @Test
    void shouldStartOverWithBytesThatCannotBeRead() {
        firstDay();
        for (byte[] bytes : List.of(new byte[0], new byte[] {1, 2, 3}, new byte[200], new byte[] {9})) {
            entries.replaceAll((key, value) -> bytes);
            frames(130, 10, 0.5);
            assertThat(last().shifts()).isEmpty();
        }
    }

    @Test
    void shouldKeepTheSameBytesForTheSameFrames() {
        for (int i = 0; i < 3_000; i++) add(random.nextInt(20), random.nextInt(5) / 5.0);
        Map<String, byte[]> first = Map.copyOf(entries);
        DriftMonitor.forget(store, KEY);
        assertThat(entries).isEmpty();
        random = new Random(7);
        now = 1_700_000_000 * SECOND;
        for (int i = 0; i < 3_000; i++) add(random.nextInt(20), random.nextInt(5) / 5.0);
        assertThat(entries.keySet()).isEqualTo(first.keySet());
        assertThat(entries).allSatisfy((key, bytes) -> assertThat(bytes).isEqualTo(first.get(key)));
    }

    @Test
    void shouldStayWithinItsBytes() {
        model = "m".repeat(20);
        monitor = new DriftMonitor(
                new DriftSettings(Duration.ofHours(10), 40, Duration.ofHours(10), 400, 0.5, 1, 2, 2, false),
                NormalScores.UNKNOWN);
        int most = 0;
        for (int i = 0; i < 150_000; i++) {
            if (i == 100_000) model = "n".repeat(20);
            add(random.nextGaussian() * 1e6, random.nextDouble());
            most = Math.max(
                    most, entries.values().stream().mapToInt(b -> b.length).sum());
        }
        assertThat(most).isLessThan(6_000);
    }

    @Test
    void shouldDoNothingWhereItIsSwitchedOff() {
        monitor = new DriftMonitor(
                new DriftSettings(Duration.ZERO, 40, Duration.ofMinutes(10), 400, 0.5, 1, 2, 2, false),
                NormalScores.UNKNOWN);
        frames(1_000, 10, 0.5);
        assertThat(reports).isEmpty();
        assertThat(entries).isEmpty();
    }
}
