package io.linesight.streams.offsets;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.schemas.FrameRef;
import io.linesight.streams.offsets.OffsetRule.Correction;
import io.linesight.streams.offsets.OffsetRule.Reason;
import io.linesight.streams.offsets.OffsetRule.Topic;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OffsetRuleTest {
    private static Correction same(long begin, long end, Long committed, Long answered) {
        return OffsetRule.correct(Topic.SAME, new PartitionState(begin, end, committed, answered));
    }

    @ParameterizedTest
    @CsvSource({"0, 100, 50, 49", "0, 100, 0,", "0, 100, 100, 99", "20, 100, 20,", "0, 0, 0,", "0, 100, 50, 70"})
    void shouldLeaveAnOffsetWithinTheTopic(long begin, long end, Long committed, Long answered) {
        assertThat(same(begin, end, committed, answered)).isNull();
    }

    @Test
    void shouldLeaveTheVeryFirstStartToTheSettings() {
        assertThat(same(0, 100, null, null)).isNull();
    }

    @ParameterizedTest
    @CsvSource({"0, 100, 49, 50", "60, 100, 49, 60", "0, 40, 49, 40", "0, 100, 99, 100"})
    void shouldContinueBehindTheLastAnswerWhenTheOffsetIsGone(long begin, long end, long answered, long offset) {
        assertThat(same(begin, end, null, answered)).isEqualTo(new Correction(offset, Reason.EXPIRED));
    }

    @Test
    void shouldSayHowManyFramesRetentionDeletedBeforeTheyWereInspected() {
        assertThat(same(70, 100, 50L, 49L)).isEqualTo(new Correction(70, Reason.BEHIND, 20));
    }

    @Test
    void shouldNotBeginBehindTheEnd() {
        assertThat(same(0, 10, 50L, null)).isEqualTo(new Correction(0, Reason.BEYOND));
        assertThat(same(0, 10, 50L, 49L)).isEqualTo(new Correction(10, Reason.BEYOND));
        assertThat(same(0, 10, 50L, 4L)).isEqualTo(new Correction(5, Reason.BEYOND));
    }

    @ParameterizedTest
    @CsvSource({"0, 100, 50", "0, 100, 100", "0, 10, 500", "0, 100,", "3, 100, 50"})
    void shouldBeginANewTopicAtItsBeginning(long begin, long end, Long committed) {
        assertThat(OffsetRule.correct(Topic.RECREATED, new PartitionState(begin, end, committed, null)))
                .isEqualTo(new Correction(begin, Reason.RECREATED));
    }

    @Test
    void shouldSetNothingWhereANewTopicIsReadFromItsBeginningAlready() {
        assertThat(OffsetRule.correct(Topic.RECREATED, new PartitionState(0, 10, 0L, null)))
                .isNull();
    }

    private static final Uuid NOW = new Uuid(1, 1);
    private static final Uuid BEFORE = new Uuid(2, 2);

    private static FrameRef at(int partition, long offset) {
        return new FrameRef("frames", partition, offset);
    }

    @Test
    void shouldTellANewTopicByAnswersThatNameAnotherOnly() {
        AnsweredFrames answered = new AnsweredFrames("frames", NOW);
        assertThat(answered.topic()).isEqualTo(Topic.SAME);
        answered.add(at(0, 5), null);
        assertThat(answered.topic()).isEqualTo(Topic.SAME);
        answered.add(at(0, 5), BEFORE);
        assertThat(answered.topic()).isEqualTo(Topic.RECREATED);
        assertThat(answered.newest(0)).isNull();
        answered.add(at(1, 3), NOW);
        assertThat(answered.topic()).isEqualTo(Topic.SAME);
    }

    @Test
    void shouldTakeTheNewestAnswerOfEveryPartition() {
        AnsweredFrames answered = new AnsweredFrames("frames", NOW);
        answered.add(at(0, 7), NOW);
        answered.add(at(0, 5), NOW);
        answered.add(at(1, 2), NOW);
        answered.add(at(0, 900), BEFORE);
        answered.add(new FrameRef("other", 0, 800L), NOW);
        answered.add(null, NOW);
        assertThat(answered.newest(0)).isEqualTo(7);
        assertThat(answered.newest(1)).isEqualTo(2);
        assertThat(answered.newest(2)).isNull();
    }
}
