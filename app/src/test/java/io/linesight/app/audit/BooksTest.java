package io.linesight.app.audit;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.schemas.FrameRef;
import java.time.Instant;
import java.util.Map;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BooksTest {
    private static final String TOPIC = "frames";
    private static final long NOW = Instant.parse("2026-05-01T12:00:00Z").toEpochMilli();
    private static final Uuid TOPIC_ID = new Uuid(1, 1);
    private static final Uuid BEFORE = new Uuid(2, 2);
    private static final long HOUR = 3_600_000;

    private final Books books = new Books(TOPIC, TOPIC_ID);

    /** Ten frames, one a second, written in the last ten seconds. */
    @BeforeEach
    void frames() {
        books.partition(0, 100, 110);
        for (int i = 0; i < 10; i++) books.frame(0, 100 + i, "cam", NOW - 10_000 + 1_000 * i, NOW);
    }

    private static FrameRef at(long offset) {
        return new FrameRef(TOPIC, 0, offset);
    }

    private static AnswerOrigin now() {
        return new AnswerOrigin(TOPIC_ID, NOW);
    }

    private void results(long from, long until, AnswerOrigin origin) {
        for (long offset = from; offset < until; offset++) books.result(at(offset), "v1", origin);
    }

    private CameraCount count(long committed, Kept results, Kept letters) {
        return books.report(Map.of(0, committed), 0, results, letters).total();
    }

    private CameraCount count(long committed) {
        return count(committed, Kept.ALL, Kept.ALL);
    }

    private static Kept since(long millis) {
        return new Kept(true, false, millis);
    }

    @Test
    void shouldCountEventsApartFromAnswers() {
        results(100, 110, now());
        for (long offset = 100; offset < 110; offset++) books.event(at(offset), now());
        assertThat(count(110)).isEqualTo(new CameraCount("total", 10, 10, 0, 0, 0, 0, 0, 0, 0));
        assertThat(count(110).clean()).isTrue();
        books.event(at(103), now());
        assertThat(count(110).doubled()).isZero();
        assertThat(count(110).doubledEvents()).isOne();
        assertThat(count(110).clean()).isFalse();
    }

    @Test
    void shouldCountADeadLetterBesideAResultAsDoubled() {
        results(100, 105, now());
        for (long offset = 105; offset < 110; offset++) books.deadLetter(at(offset), "CORRUPT_IMAGE", now());
        assertThat(count(110).clean()).isTrue();
        books.deadLetter(at(100), "CORRUPT_IMAGE", now());
        assertThat(count(110).doubled()).isOne();
        assertThat(count(110).rejected()).isEqualTo(5);
    }

    @Test
    void shouldCountNoAnswerOfAnEarlierTopicWithTheSameOffsets() {
        results(100, 110, new AnswerOrigin(BEFORE, NOW));
        books.event(at(100), new AnswerOrigin(BEFORE, NOW));
        books.deadLetter(at(101), "CORRUPT_IMAGE", new AnswerOrigin(BEFORE, Long.MAX_VALUE));
        results(100, 110, now());
        books.event(at(100), now());
        CameraCount count = count(110);
        assertThat(count.clean()).isTrue();
        assertThat(count.scored()).isEqualTo(10);
        assertThat(books.report(Map.of(0, 110L), 0, Kept.ALL, Kept.ALL).former())
                .isEqualTo(12);
    }

    @Test
    void shouldCountNoAnswerThatIsOlderThanItsFrame() {
        results(100, 110, new AnswerOrigin(null, NOW - 2 * HOUR));
        results(100, 110, new AnswerOrigin(null, NOW));
        assertThat(count(110).doubled()).isZero();
        assertThat(count(110).scored()).isEqualTo(10);
    }

    @ParameterizedTest
    @ValueSource(longs = {-30 * 60_000, 0, 30 * 60_000})
    void shouldBearClocksThatDiffer(long skew) {
        results(100, 110, new AnswerOrigin(null, NOW + skew));
        assertThat(count(110).scored()).isEqualTo(10);
    }

    @Test
    void shouldNotTakeACommitOfAnEarlierTopicForLoss() {
        assertThat(count(500).lost()).isZero();
        assertThat(count(500).waiting()).isEqualTo(10);
        results(100, 105, new AnswerOrigin(BEFORE, NOW));
        assertThat(count(105).lost()).isZero();
        assertThat(count(105).waiting()).isEqualTo(10);
    }

    @Test
    void shouldCallFramesInFlightWaiting() {
        results(100, 104, now());
        assertThat(count(104)).isEqualTo(new CameraCount("total", 10, 4, 0, 6, 0, 0, 0, 0, 0));
        assertThat(count(106).lost()).isEqualTo(2);
    }

    @Test
    void shouldNotCallLostWhatRetentionHasTakenAtTheBeginning() {
        results(104, 106, now());
        results(107, 110, now());
        assertThat(count(110).lost()).isEqualTo(5);
        CameraCount count = count(110, since(NOW - 6_000), Kept.ALL);
        assertThat(count.expired()).isEqualTo(4);
        assertThat(count.lost()).isOne();
    }

    @Test
    void shouldJudgeACameraWithoutAnyResultByTime() {
        assertThat(count(110, since(NOW - 7_000), Kept.ALL).expired()).isEqualTo(4);
        assertThat(count(110, since(NOW - 7_000), Kept.ALL).lost()).isEqualTo(6);
    }

    @Test
    void shouldNotCallLostWhatMayHaveBeenADeadLetter() {
        results(103, 110, now());
        assertThat(count(110, Kept.ALL, since(NOW - 9_000)).expired()).isEqualTo(2);
        assertThat(count(110, Kept.ALL, since(NOW - 9_000)).lost()).isOne();
        assertThat(count(110, Kept.ALL, since(NOW - 14 * 24 * HOUR)).lost()).isEqualTo(3);
    }

    @Test
    void shouldNotCallLostWhatCompactionHasTaken() {
        results(108, 109, now());
        CameraCount count = count(110, new Kept(false, true, 0), Kept.ALL);
        assertThat(count.expired()).isEqualTo(8);
        assertThat(count.lost()).isOne();
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1_777_636_800L, 1_777_636_800_000_000L, 1_777_644_000_000L, 1_650_000_000_000L})
    void shouldCountFramesWithATimeThatCannotBeTrue(long millis) {
        books.frame(0, 104, "odd", millis, NOW);
        AuditReport report = books.report(Map.of(), 0, Kept.ALL, Kept.ALL);
        assertThat(report.misdated()).isOne();
        assertThat(report.misdatedExample()).startsWith("one of odd has ");
    }

    @Test
    void shouldSayWhichFramesAreTheOldest() {
        assertThat(books.oldestMillis()).isEqualTo(NOW - 10_000);
        assertThat(new Books(TOPIC, null).oldestMillis()).isEqualTo(Long.MAX_VALUE);
    }
}
