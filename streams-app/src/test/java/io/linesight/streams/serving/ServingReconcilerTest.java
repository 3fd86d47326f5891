package io.linesight.streams.serving;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.streams.support.TestModels;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the reconciler wants done, told as scripts: see {@link ReconcilerScript}. No threads, no waiting. */
class ServingReconcilerTest {

    private static final Duration START_TIMEOUT = Duration.ofSeconds(2);

    private static ReconcilerScript script(Duration stagger, Duration probation, boolean hasFile) {
        return new ReconcilerScript(
                new ModelLifecycle.Identity("line-2", "default", stagger, probation), hasFile, START_TIMEOUT);
    }

    private static void assertTrace(ReconcilerScript script, String expected) {
        assertThat(String.join("; ", script.trace())).isEqualTo(expected);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            no decision                 | true  | start; ok                       | load checkpoint file; champion file
            a champion is decided       | true  | promote v1; ok                  | load v1; champion v1
            neither champion nor file   | false | start                           | fail
            the file is bad             | true  | start; bad                      | load checkpoint file; fail
            the champion is bad         | false | promote v1; bad                 | load v1; reject v1; fail
            file in place of champion   | true  | promote v1; bad; ok             | load v1; reject v1; load checkpoint file; champion file; file stands in for v1
            the store is away for long  | false | promote v1; away; wake; away; +2s; away | load v1; await v1; after 500 ms; load v1; await v1; load v1; reject v1; fail
            the store comes back        | false | promote v1; away; wake; ok      | load v1; await v1; after 500 ms; load v1; champion v1
            no manifest                 | false | delete v1 & promote v1; publish v1; wake; ok | await v1; after 500 ms; load v1; champion v1
            a newer decision overtakes  | false | promote v1; promote v2; cancel; ok | load v1; load v2; champion v2
            a newer decision after load | false | promote v1; promote v2; ok; ok  | load v1; release v1; load v2; champion v2
            challenger after all        | false | promote v1 & promote v2; canary v1 v2; ok; ok; ok | load v2; release v2; load v1; champion v1; load v2 as challenger; challenger v2
            """)
    void shouldFindAFirstChampion(String when, boolean hasFile, String commands, String expected) {
        assertTrace(script(Duration.ZERO, Duration.ZERO, hasFile).run(commands), expected);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            the newest but one is good  | promote v1 & promote v2 & promote v3; bad; bad; ok | load v3; reject v3; load v2; reject v2; load v1; champion v1; v1 stands in for v3
            all of them are bad         | promote v1 & promote v2; bad; bad       | load v2; reject v2; load v1; reject v1; fail
            five at most                | promote v1 & promote v2 & promote v3 & promote v4 & promote v5 & promote v6 & promote v7; bad; bad; bad; bad; bad; bad | load v7; reject v7; load v6; reject v6; load v5; reject v5; load v4; reject v4; load v3; reject v3; load v2; reject v2; fail
            a stand-in is away          | promote v1 & promote v2; bad; away      | load v2; reject v2; load v1; reject v1; fail
            a stand-in has no manifest  | delete v2 & promote v1 & promote v2 & promote v3; bad; ok | load v3; reject v3; reject v2; load v1; champion v1; v1 stands in for v3
            not tried again             | promote v1 & promote v2; bad; ok; +1h   | load v2; reject v2; load v1; champion v1; v1 stands in for v2
            until a new decision        | promote v1 & promote v2; bad; ok; promote v2; ok | load v2; reject v2; load v1; champion v1; v1 stands in for v2; load v2; champion v2; release v1
            overtaken by a good one     | promote v1 & promote v2; bad; promote v3; cancel; ok | load v2; reject v2; load v1; load v3; champion v3
            """)
    void shouldStartOnAChampionBeforeWhenTheDecidedOneIsBad(String when, String commands, String expected) {
        assertTrace(script(Duration.ZERO, Duration.ZERO, false).run(commands), expected);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            promotion                      | promote v2; ok                     | load v2; champion v2; release v1
            promotion of the same          | promote v1                         | ''
            bad promotion                  | promote v2; bad; +1h               | load v2; reject v2
            bad promotion, decided again   | promote v2; bad; promote v2; ok    | load v2; reject v2; load v2; champion v2; release v1
            away, then there               | promote v2; away; wake; ok         | load v2; reject v2; after 5000 ms; load v2; champion v2; release v1
            backoff doubles                | promote v2; away; wake; away; wake; away; wake | load v2; reject v2; after 5000 ms; load v2; reject v2; after 10000 ms; load v2; reject v2; after 20000 ms; load v2
            no manifest for long           | delete v2; promote v2; wake; +8s; +1s | after 1000 ms; reject v2
            the manifest comes             | delete v2; promote v2; wake; publish v2; ok | after 1000 ms; load v2; champion v2; release v1
            overtaken while loading        | promote v2; promote v3; cancel; ok | load v2; load v3; champion v3; release v1
            overtaken at the last moment   | promote v2; promote v3; ok; ok     | load v2; release v2; load v3; champion v3; release v1
            challenger after all           | promote v2; canary v1 v2; cancel; ok | load v2; load v2 as challenger; challenger v2
            the same at the last moment    | promote v2; canary v1 v2; ok; ok   | load v2; release v2; load v2 as challenger; challenger v2
            still the challenger           | shadow v1 v2; canary v1 v2; ok     | load v2 as challenger; challenger v2
            overtaken, and bad as well     | promote v2; promote v3; bad; ok    | load v2; reject v2; load v3; champion v3; release v1
            bad under the decision before  | promote v2; canary v2 v3; bad; ok; ok | load v2; reject v2; load v2; champion v2; release v1; load v3 as challenger; challenger v3
            shadow                         | shadow v1 v2; ok                   | load v2 as challenger; challenger v2
            shadow, then canary            | shadow v1 v2; ok; canary v1 v2     | load v2 as challenger; challenger v2
            the challenger is promoted     | canary v1 v2; ok; promote v2       | load v2 as challenger; challenger v2; no challenger; champion v2; release v1
            promoted while it loads        | shadow v1 v2; promote v2; ok       | load v2 as challenger; champion v2; release v1
            the challenger is taken back   | canary v1 v2; ok; rollback v1      | load v2 as challenger; challenger v2; no challenger; release v2
            another challenger             | shadow v1 v2; ok; shadow v1 v3; ok | load v2 as challenger; challenger v2; no challenger; release v2; load v3 as challenger; challenger v3
            bad challenger                 | shadow v1 v2; bad; +1h             | load v2 as challenger; reject v2
            champion bad, challenger good  | shadow v2 v3; bad; ok              | load v2; reject v2; load v3 as challenger; challenger v3
            challenger is the champion     | shadow v1 v1                       | ''
            """)
    void shouldFollowDecisions(String when, String commands, String expected) {
        ReconcilerScript script = script(Duration.ZERO, Duration.ZERO, false).run("promote v1; ok");
        script.trace().clear();
        assertTrace(script.run(commands), expected);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            the champion before is kept    | promote v2; ok                     | load v2; champion v2
            and goes after the probation   | promote v2; ok; wake               | load v2; champion v2; after 300000 ms; release v1
            a rollback loads nothing       | promote v2; ok; rollback v1        | load v2; champion v2; champion v1; release v2
            promotion after promotion      | promote v2; ok; promote v3; ok     | load v2; champion v2; load v3; champion v3; release v1
            a challenger needs the place   | promote v2; ok; shadow v2 v3; ok   | load v2; champion v2; release v1; load v3 as challenger; challenger v3
            the one before as challenger   | promote v2; ok; shadow v2 v1       | load v2; champion v2; challenger v1
            """)
    void shouldKeepTheChampionBeforeDuringProbation(String when, String commands, String expected) {
        ReconcilerScript script =
                script(Duration.ZERO, Duration.ofMinutes(5), false).run("promote v1; ok");
        script.trace().clear();
        assertTrace(script.run(commands), expected);
    }

    @Test
    void shouldReturnToTheCheckpointFileWithoutOpeningItAgain() {
        ReconcilerScript script =
                script(Duration.ZERO, Duration.ofMinutes(5), true).run("start; ok; promote v1; ok");
        script.trace().clear();
        assertTrace(script.run("unname"), "champion file; release v1");
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            it waits for its turn          | promote v2; ok; wake               | load v2; after 800 ms; champion v2; release v1
            a slow load is its turn        | promote v2; +1s; ok                | load v2; champion v2; release v1
            a rollback does not wait       | rollback v2; ok                    | load v2; champion v2; release v1
            called off while it waits      | promote v2; ok; rollback v1; +1s   | load v2; release v2
            the challenger waits as well   | canary v2 v3; ok; wake; ok         | load v2; after 800 ms; champion v2; release v1; load v3 as challenger; challenger v3
            """)
    void shouldSwapInTurn(String when, String commands, String expected) {
        ReconcilerScript script =
                script(Duration.ofMillis(400), Duration.ZERO, false).run("promote v1; ok");
        script.trace().clear();
        assertTrace(script.run(commands), expected);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            a challenger                   | canary v1 v2; ok                  | distrust v2; distrust v2; +1h | no challenger; release v2; withdraw v2; ask WITHDRAW v2; nothing to distrust
            until a new decision           | canary v1 v2; ok                  | distrust v2; shadow v1 v2; ok | no challenger; release v2; withdraw v2; ask WITHDRAW v2; load v2 as challenger; challenger v2
            a champion with one before     | promote v2; ok                    | distrust v2; rollback v1      | champion v1; release v2; withdraw v2; ask ROLLBACK v2
            a champion alone keeps serving | promote v2; ok; +6m               | distrust v2                   | withdraw v2; ask ROLLBACK v2
            the broker is away             | promote v2; ok                    | mute; distrust v2; unmute; wake | champion v1; release v2; withdraw v2; ask ROLLBACK v2; after 5000 ms; ask ROLLBACK v2
            decided by others meanwhile    | promote v2; ok                    | mute; distrust v2; rollback v1; +1m | champion v1; release v2; withdraw v2; ask ROLLBACK v2
            the second promotion           | promote v2; ok; promote v3; ok    | distrust v3                   | champion v2; release v3; withdraw v3; ask ROLLBACK v3
            a model not in service         | promote v2; ok                    | distrust v7                   | nothing to distrust
            """)
    void shouldDoWithoutADistrustedModel(String when, String before, String commands, String expected) {
        ReconcilerScript script =
                script(Duration.ZERO, Duration.ofMinutes(5), false).run("promote v1; ok;" + before);
        script.trace().clear();
        assertTrace(script.run(commands), expected);
    }

    @Test
    void shouldNotDistrustUnderAnOlderDecision() {
        ReconcilerScript script = script(Duration.ZERO, Duration.ZERO, false).run("promote v1; ok; canary v1 v2; ok");
        ServingReconciler reconciler =
                new ServingReconciler(new ModelLifecycle.Identity("a", "default", Duration.ZERO, Duration.ZERO), false);
        assertThat(reconciler.distrust(script.state(), 1, "v2", "late")).isNull();
        assertThat(reconciler.distrust(script.state(), 2, "v2", "in time")).isNotNull();
    }

    @Test
    void shouldServeThePublishedFileWithoutLoadingItAgain() {
        ServingReconciler reconciler =
                new ServingReconciler(new ModelLifecycle.Identity("a", "default", Duration.ZERO, Duration.ZERO), true);
        TestModels models = new TestModels();
        models.publish("v1");
        Moment now = new Moment(0, Instant.EPOCH);
        ChannelView none = ChannelView.of(models);
        ServingState state = ServingState.starting(1);
        Action.Load load =
                (Action.Load) reconciler.reconcile(state, none, now).actions().get(0);
        String sha = models.versions.get("v1").getSha256();
        HeldModel same = new HeldModel(1, "v1", sha, true, "cpu", 1);
        HeldModel other = new HeldModel(1, "v1", "ff", true, "cpu", 1);
        ServingState servesSame =
                reconciler.loaded(state, load, same, none, now).state();
        ServingState servesOther =
                reconciler.loaded(state, load, other, none, now).state();
        models.promote("v1");
        ChannelView decided = ChannelView.of(models);
        assertThat(reconciler.reconcile(servesSame, decided, now).actions()).isEmpty();
        assertThat(reconciler.reconcile(servesOther, decided, now).actions())
                .last()
                .isInstanceOfSatisfying(
                        Action.Load.class, l -> assertThat(l.version()).isEqualTo("v1"));
    }

    @Test
    void shouldReportWhatHappensToAModel() {
        ServingReconciler reconciler =
                new ServingReconciler(new ModelLifecycle.Identity("a", "default", Duration.ZERO, Duration.ZERO), false);
        TestModels models = new TestModels();
        models.publish("v1");
        models.promote("v1");
        ChannelView view = ChannelView.of(models);
        Moment now = new Moment(0, Instant.EPOCH);
        Step step = reconciler.reconcile(ServingState.starting(1), view, now);
        assertThat(reports(step)).as("whoever carries the load out says so").isEmpty();
        Action.Load load = (Action.Load) step.actions().get(0);
        HeldModel model = new HeldModel(1, "v1", "00", false, "cpu", 1);
        assertThat(reports(reconciler.loaded(step.state(), load, model, view, now)))
                .containsExactly("v1 WARM CHAMPION", "v1 ACTIVE CHAMPION");
    }

    private static List<String> reports(Step step) {
        return step.actions().stream()
                .filter(Action.Report.class::isInstance)
                .map(Action.Report.class::cast)
                .map(r -> r.version() + " " + r.state() + " " + r.role())
                .toList();
    }

    @ParameterizedTest
    @CsvSource({"line-2, 2", "line-64, 0", "line-65, 1", "7, 7"})
    void shouldRankAnInstanceByTheNumberAtTheEndOfItsName(String name, int rank) {
        assertThat(ServingReconciler.rank(name)).isEqualTo(rank);
    }

    @Test
    void shouldRankANameWithoutNumberByItsHash() {
        assertThat(ServingReconciler.rank("host")).isBetween(0, 7);
    }
}
