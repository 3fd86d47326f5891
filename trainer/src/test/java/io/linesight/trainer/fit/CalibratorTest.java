package io.linesight.trainer.fit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.checkpoint.ProductCalibration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CalibratorTest {
    @Test
    void shouldRejectAboutOneNormalInAHundred() {
        Random r = new Random(4);
        int rejected = 0;
        for (int trial = 0; trial < 4000; trial++) {
            List<Double> scores = new ArrayList<>();
            for (int i = 0; i < 10; i++) scores.add(0.3 + 0.02 * r.nextGaussian());
            if (0.3 + 0.02 * r.nextGaussian() > Calibrator.of(scores).threshold()) rejected++;
        }
        assertThat(rejected / 4000.0).isBetween(0.003, 0.015);
    }

    @Test
    void shouldNeverRejectASeenNormal() {
        ProductCalibration c = Calibrator.of(List.of(0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.5));
        assertThat(c.threshold()).isGreaterThanOrEqualTo(0.5);
    }

    @Test
    void shouldSurviveFewOrEqualScores() {
        assertThat(Calibrator.of(List.of(0.4)).threshold()).isGreaterThan(0.4);
        assertThat(Calibrator.of(List.of(0.4, 0.4)).scale()).isPositive();
        Calibration c = Calibrator.calibrate(Map.of("a", List.of(0.1, 0.12, 0.11), "b", List.of(0.4, 0.41)));
        assertThat(c.knows("a")).isTrue();
        assertThat(c.forProduct("b").threshold()).isGreaterThan(0.41);
        assertThat(c.forProduct("unknown").threshold()).isGreaterThan(0.41);
    }

    private static final List<Double> NORMALS = List.of(0.10, 0.11, 0.12, 0.12, 0.13, 0.13, 0.14, 0.14, 0.15, 0.16);

    private static List<Double> repeated(int n, double from) {
        List<Double> s = new ArrayList<>();
        for (int i = 0; i < n; i++) s.add(from + 0.0001 * i);
        return s;
    }

    @Test
    void shouldKeepTheBoundWhereAnomalousScoresAreAboveIt() {
        ProductCalibration bound = Calibrator.of(NORMALS);
        assertThat(Calibrator.of(NORMALS, List.of())).isEqualTo(bound);
        assertThat(Calibrator.of(NORMALS, List.of(0.9, 0.8, 0.95))).as("easy defects do not raise it").isEqualTo(bound);
    }

    @Test
    void shouldLowerTheThresholdTowardsMissedAnomaliesAsFarAsTheirNumberAllows() {
        double bound = Calibrator.of(NORMALS).threshold();
        assertThat(bound).isGreaterThan(0.17);
        double few = Calibrator.of(NORMALS, List.of(0.165, 0.9)).threshold();
        double many = Calibrator.of(NORMALS, repeated(90, 0.165)).threshold();
        assertThat(few).isLessThan(bound).isGreaterThan(bound - 0.3 * (bound - 0.165));
        assertThat(many).isLessThan(few).isCloseTo(0.165, within(0.002));
    }

    @Test
    void shouldNeverRejectMoreThanOneNormalInTwentyForTheSakeOfAnomalies() {
        // Anomalous scores right among the normals, and many of them: F1 alone would reject everything.
        double ten = Calibrator.of(NORMALS, repeated(500, 0.11)).threshold();
        assertThat(NORMALS.stream().filter(s -> s >= ten)).isEmpty();
        List<Double> forty = new ArrayList<>();
        for (int i = 0; i < 4; i++) forty.addAll(NORMALS);
        double t = Calibrator.of(forty, repeated(500, 0.11)).threshold();
        assertThat(forty.stream().filter(s -> s >= t).count()).isLessThanOrEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource({"3,4.541", "5,3.365", "9,2.821", "30,2.457"})
    void shouldKnowStudentsQuantiles(int freedom, double expected) {
        assertThat(Calibrator.student(freedom)).isCloseTo(expected, within(0.02));
    }
}
