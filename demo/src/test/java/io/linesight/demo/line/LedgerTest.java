package io.linesight.demo.line;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.linesight.cameras.SentFrames.SentFrame;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.StageTimings;
import io.linesight.schemas.Verdict;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LedgerTest {
    private static final Instant T0 = Instant.parse("2026-01-01T00:00:00Z");
    private final Ledger ledger = new Ledger();

    private static FrameRef ref(long offset) {
        return new FrameRef("frames", 1, offset);
    }

    private static InspectionResult result(long offset, float raw, float score, int batch) {
        Instant captured = T0.plusMillis(offset * 100);
        return InspectionResult.newBuilder()
                .setResultId("frames-1-" + offset)
                .setFrameRef(ref(offset))
                .setFrameId("f" + offset)
                .setCameraId("c")
                .setProduct("p")
                .setSequence(offset)
                .setScore(score)
                .setRawScore(raw)
                .setThreshold(0.5f)
                .setVerdict(score >= 0.5f ? Verdict.FAIL : Verdict.PASS)
                .setModelVersion("m")
                .setCapturedAt(captured)
                .setScoredAt(captured.plusMillis(10))
                .setTimings(StageTimings.newBuilder().setBatchSize(batch).build())
                .setRegions(List.of())
                .build();
    }

    private static long arrival(long offset, long afterMillis) {
        return T0.plusMillis(offset * 100 + afterMillis).toEpochMilli() * 1000;
    }

    private void send(long offset, Boolean anomalous) {
        ledger.sent(ref(offset), new SentFrame("c", offset, "p", anomalous, null));
    }

    @Test
    void shouldBalanceFramesResultsAndDeadLetters() {
        for (long i = 0; i < 10; i++) send(i, false);
        for (long i = 0; i < 7; i++) ledger.result(result(i, 0.1f, 0.2f, 1), arrival(i, 50));
        ledger.deadLetter(ref(7), "CORRUPT_IMAGE");
        ledger.deadLetter(ref(8), "CORRUPT_IMAGE");
        RunSummary s = RunSummary.of(ledger);
        assertThat(s.frames()).isEqualTo(10);
        assertThat(s.results() + s.deadLettered() + s.lost()).isEqualTo(10);
        assertThat(s.lost()).isEqualTo(1);
        assertThat(s.doubled()).isZero();
        assertThat(s.exact()).isFalse();
        assertThat(s.deadLetterCodes()).containsEntry("CORRUPT_IMAGE", 2);
    }

    @Test
    void shouldCountAnswersThatArriveBeforeTheFrameIsBooked() {
        ledger.result(result(3, 0.1f, 0.2f, 1), arrival(3, 50));
        ledger.deadLetter(ref(4), "EMPTY_IMAGE");
        assertThat(ledger.open()).isZero();
        send(3, false);
        send(4, null);
        assertThat(ledger.open()).isZero();
        assertThat(RunSummary.of(ledger).exact()).isTrue();
    }

    @Test
    void shouldCountOnlyAnswersToItsOwnFrames() {
        ledger.result(result(50, 0.1f, 0.9f, 1), arrival(50, 50));
        ledger.result(result(50, 0.1f, 0.9f, 1), arrival(50, 60));
        ledger.anomaly(ref(50));
        ledger.anomaly(ref(50));
        ledger.deadLetter(ref(51), "CORRUPT_IMAGE");
        ledger.deadLetter(ref(52), "CORRUPT_IMAGE");
        send(52, null);
        send(53, false);
        ledger.result(result(53, 0.1f, 0.9f, 1), arrival(53, 50));
        RunSummary s = RunSummary.of(ledger);
        assertThat(s.frames()).isEqualTo(2);
        assertThat(s.results()).isEqualTo(1);
        assertThat(s.deadLettered()).isEqualTo(1);
        assertThat(s.deadLetterCodes()).containsOnly(Map.entry("CORRUPT_IMAGE", 1));
        assertThat(s.anomalies()).isZero();
        assertThat(s.exact()).isTrue();
    }

    @Test
    void shouldCountDoublesThatCameBeforeTheFrameWasBooked() {
        ledger.result(result(1, 0.1f, 0.9f, 1), arrival(1, 50));
        ledger.deadLetter(ref(1), "INTERNAL");
        ledger.anomaly(ref(1));
        ledger.anomaly(ref(1));
        ledger.anomaly(ref(1));
        assertThat(ledger.doubled()).isZero();
        send(1, false);
        assertThat(ledger.doubled()).isEqualTo(3);
        assertThat(ledger.open()).isZero();
    }

    @Test
    void shouldTimeOnlyFramesExposedAfterTheWarmUp() {
        send(1, false);
        ledger.result(result(1, 0.1f, 0.2f, 1), arrival(1, 5_000));
        ledger.startTiming();
        assertThat(RunSummary.of(ledger).timing().latencyMillis().p50()).isNaN();
        assertThat(RunSummary.of(ledger).results()).isEqualTo(1);
        assertThat(RunSummary.of(ledger).accuracy().verdicts()).isEqualTo(new Verdicts(1, 0, 0, 0));
    }

    @Test
    void shouldCountEveryAnswerBeyondTheFirst() {
        send(1, false);
        send(2, false);
        ledger.result(result(1, 0.1f, 0.2f, 1), arrival(1, 50));
        ledger.result(result(1, 0.1f, 0.2f, 1), arrival(1, 60));
        ledger.result(result(2, 0.1f, 0.9f, 1), arrival(2, 50));
        ledger.deadLetter(ref(2), "INTERNAL");
        ledger.anomaly(ref(2));
        ledger.anomaly(ref(2));
        RunSummary s = RunSummary.of(ledger);
        assertThat(s.doubled()).isEqualTo(3);
        assertThat(s.lost()).isZero();
        assertThat(s.exact()).isFalse();
    }

    @Test
    void shouldMeasureLatencyThroughputAndBatch() {
        for (long i = 0; i < 100; i++) {
            send(i, i % 2 == 1);
            ledger.result(result(i, i % 2, i % 2, i < 50 ? 1 : 5), arrival(i, i < 95 ? 20 : 400));
        }
        RunSummary s = RunSummary.of(ledger);
        assertThat(s.timing().latencyMillis()).isEqualTo(new Percentiles(20, 20, 400));
        assertThat(s.timing().scoredMillis()).isEqualTo(new Percentiles(10, 10, 10));
        // 50 batches of one and 10 of five.
        assertThat(s.timing().meanBatch()).isCloseTo(100 / 60.0, within(1e-9));
        assertThat(s.timing().framesPerSecond()).isCloseTo(100 / 10.3, within(1e-6));
        assertThat(s.accuracy().imageAuroc()).isEqualTo(1);
        assertThat(s.accuracy().verdicts()).isEqualTo(new Verdicts(50, 0, 50, 0));
    }

    @Test
    void shouldRankByRawScoreAndLeaveOutProductsOfOneKind() {
        float[] raw = {0.1f, 0.4f, 0.35f, 0.8f};
        boolean[] bad = {false, false, true, true};
        for (int i = 0; i < 4; i++) {
            send(i, bad[i]);
            ledger.result(result(i, raw[i], 0.2f, 1), arrival(i, 50));
        }
        ledger.sent(ref(9), new SentFrame("c", 9, "other", false, null));
        ledger.result(result(9, 0.9f, 0.9f, 1), arrival(9, 50));
        RunSummary s = RunSummary.of(ledger);
        assertThat(s.accuracy().aurocByProduct()).containsOnlyKeys("p");
        assertThat(s.accuracy().imageAuroc()).isCloseTo(0.75, within(1e-9));
        assertThat(s.accuracy().verdicts()).isEqualTo(new Verdicts(3, 1, 2, 2));
    }

    @Test
    void shouldSayNullWhereNothingWasMeasured() {
        RunSummary s = RunSummary.of(ledger);
        assertThat(s.toJson().get("imageAuroc").isNull()).isTrue();
        assertThat(s.toJson().get("latencyMs").get("p95").isNull()).isTrue();
        assertThat(s.toJson().get("frames").asInt()).isZero();
        assertThat(s.text()).contains("0 lost");
    }

    @Test
    void shouldCountResultsByTheFallbackThreshold() {
        for (long i = 0; i < 4; i++) {
            send(i, false);
            InspectionResult result = result(i, 0.1f, 0.2f, 1);
            result.setCalibration(i < 3 ? "*" : "p");
            ledger.result(result, arrival(i, 50));
        }
        RunSummary s = RunSummary.of(ledger);
        assertThat(s.fallback()).isEqualTo(3);
        assertThat(s.text()).contains("3 results by the checkpoint's fallback threshold");
        assertThat(s.toJson().get("fallback").asLong()).isEqualTo(3);
    }
}
