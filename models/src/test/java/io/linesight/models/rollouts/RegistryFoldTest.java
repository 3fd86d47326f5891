package io.linesight.models.rollouts;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.models.Manifests;
import io.linesight.models.signing.TrustedKeys;
import io.linesight.schemas.GateOutcome;
import io.linesight.schemas.ModelRole;
import io.linesight.schemas.ModelState;
import io.linesight.schemas.ModelStatus;
import io.linesight.schemas.Rollout;
import io.linesight.schemas.RolloutAction;
import io.linesight.schemas.RolloutMode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class RegistryFoldTest {
    private final RegistryFold fold = new RegistryFold(TrustedKeys.unsignedAllowed());

    private static Rollout rollout(long basedOn, String champion, String by) {
        return Rollout.newBuilder()
                .setChannel("line")
                .setBasedOn(basedOn)
                .setRevision(basedOn + 1)
                .setAction(RolloutAction.PROMOTE)
                .setMode(RolloutMode.ACTIVE)
                .setChampion(champion)
                .setBy(by)
                .setAt(Instant.EPOCH)
                .build();
    }

    @Test
    void shouldLetTheFirstOfTwoWinAndSayWhyTheOtherDidNot() {
        fold.rollout(0, "line", rollout(0, "a", "x"));
        fold.rollout(1, "line", rollout(1, "b", "y"));
        fold.rollout(2, "line", rollout(1, "c", "z"));
        fold.rollout(3, "line", rollout(2, "d", "x"));
        ChannelState s = fold.snapshot().channel("line");
        assertThat(s.inForce().orElseThrow().getChampion()).isEqualTo("d");
        assertThat(s.revision()).isEqualTo(3);
        assertThat(s.history()).extracting(HistoryEntry::counted).containsExactly(true, true, false, true);
        assertThat(s.history().get(2).rejection()).contains("based on revision 1", "2 was in force", "faster");
    }

    @Test
    void shouldRejectWhatDoesNotContinueTheHistory() {
        fold.rollout(0, "line", rollout(5, "a", "x"));
        Rollout jump = rollout(0, "a", "x");
        jump.setRevision(7);
        fold.rollout(1, "line", jump);
        fold.rollout(2, "press", rollout(0, "a", "x"));
        fold.unreadableRollout(3, "line", "no Avro");
        assertThat(fold.snapshot().channel("line").inForce()).isEmpty();
        assertThat(fold.snapshot().channel("line").history())
                .extracting(HistoryEntry::rejection)
                .satisfiesExactly(
                        r -> assertThat(r).contains("never in force"),
                        r -> assertThat(r).contains("after 0 comes 1"),
                        r -> assertThat(r).contains("cannot be read: no Avro"));
        assertThat(fold.snapshot().channel("press").history().get(0).rejection())
                .contains("under the key 'press'");
    }

    @Test
    void shouldRejectAutomaticChangeOfPinnedChannel() {
        Rollout pinned = rollout(0, "a", "x");
        pinned.setPinned(true);
        fold.rollout(0, "line", pinned);
        Rollout automatic = rollout(1, "b", "guard");
        automatic.setAutomatic(true);
        fold.rollout(1, "line", automatic);
        assertThat(fold.snapshot().channel("line").inForce().orElseThrow().getChampion())
                .isEqualTo("a");
    }

    /** Writers that see the state late, at random; the log's order is the only truth. */
    @RepeatedTest(200)
    void shouldHaveOneWinnerPerRevisionWhateverTheOrder(RepetitionInfo repetition) {
        Random random = new Random(repetition.getCurrentRepetition());
        List<Rollout> log = new ArrayList<>();
        RegistryFold[] writers = {
            new RegistryFold(TrustedKeys.unsignedAllowed()),
            new RegistryFold(TrustedKeys.unsignedAllowed()),
            new RegistryFold(TrustedKeys.unsignedAllowed())
        };
        int[] read = new int[writers.length];
        for (int step = 0; step < 60; step++) {
            int w = random.nextInt(writers.length);
            if (random.nextBoolean()) {
                int upTo = read[w] + random.nextInt(log.size() - read[w] + 1);
                while (read[w] < upTo) writers[w].rollout(read[w], "line", log.get(read[w]++));
            } else {
                long seen = writers[w].snapshot().channel("line").revision();
                log.add(rollout(seen, "v" + random.nextInt(3), "w" + w));
            }
        }
        for (int w = 0; w < writers.length; w++) {
            while (read[w] < log.size()) writers[w].rollout(read[w], "line", log.get(read[w]++));
        }
        ChannelState truth = writers[0].snapshot().channel("line");
        for (RegistryFold w : writers) assertThat(w.snapshot().channel("line")).isEqualTo(truth);
        List<Rollout> decisions = truth.decisions();
        for (int i = 0; i < decisions.size(); i++) {
            long revision = i + 1;
            assertThat(decisions.get(i).getRevision()).isEqualTo(revision);
            // The winner is the first of all that were written for this revision after the one before it came into
            // force.
            assertThat(log.stream().filter(r -> r.getRevision() == revision).findFirst())
                    .contains(decisions.get(i));
        }
        assertThat(truth.history()).hasSize(log.size());
    }

    @Test
    void shouldObjectWithoutTouchingTheHistory() {
        fold.version("a", Manifests.with("a", GateOutcome.PASSED));
        fold.rollout(0, "line", rollout(0, "a", "x"));
        Rollout gone = rollout(1, "gone", "x");
        fold.rollout(1, "line", gone);
        RegistryState s = fold.snapshot();
        assertThat(s.channel("line").inForce()).contains(gone);
        assertThat(s.objection(gone).orElseThrow()).contains("champion gone is not in the registry");
        fold.version("gone", Manifests.with("gone", GateOutcome.PASSED));
        assertThat(fold.snapshot().objection(gone)).isEmpty();
        Rollout future = rollout(2, "a", "x");
        future.setMode(RolloutMode.UNKNOWN);
        fold.rollout(2, "line", future);
        assertThat(fold.snapshot().channel("line").revision()).isEqualTo(3);
        assertThat(fold.snapshot().objection(future).orElseThrow()).contains("update this one");
    }

    @Test
    void shouldKnowAliasesAndStatuses() {
        fold.rollout(0, "line", rollout(0, "a", "x"));
        Rollout second = rollout(1, "b", "x");
        second.setPrevious("a");
        fold.rollout(1, "line", second);
        assertThat(fold.snapshot().aliases("a")).containsExactly("line: previous");
        assertThat(fold.snapshot().aliases("b")).containsExactly("line: champion");
        ModelStatus early = status("i1", "a", ModelState.ACTIVE, 1);
        ModelStatus late = status("i1", "b", ModelState.LOADING, 2);
        fold.status("i1/b", late);
        fold.status("i1/a", early);
        assertThat(fold.snapshot().latestStatus()).containsEntry("i1", late);
        fold.status("i1/b", null);
        assertThat(fold.snapshot().statuses()).containsExactly(early);
        assertThat(fold.snapshot()).isSameAs(fold.snapshot());
    }

    private static ModelStatus status(String instance, String version, ModelState state, long second) {
        return ModelStatus.newBuilder()
                .setInstance(instance)
                .setChannel("line")
                .setVersion(version)
                .setRole(ModelRole.CHAMPION)
                .setState(state)
                .setAt(Instant.ofEpochSecond(second))
                .build();
    }

    @Test
    void shouldIgnoreAManifestUnderAnotherVersionsKey() {
        fold.version("a", Manifests.with("b", GateOutcome.PASSED));
        assertThat(fold.snapshot().versions()).isEmpty();
    }
}
