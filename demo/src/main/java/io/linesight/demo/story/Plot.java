package io.linesight.demo.story;

import io.linesight.models.rollouts.RolloutException;
import io.linesight.schemas.Rollout;
import io.linesight.schemas.RolloutMode;
import io.linesight.simulator.Lamp;
import io.linesight.simulator.SimulatedLine;
import io.linesight.trainer.learning.TrainerEvent;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What happens in the story, chapter by chapter. Nothing is staged: each turn is decided on figures of the run. One
 * thread, except {@link #stop}.
 */
final class Plot {
    /** How much larger the share of anomalous frames may get where nothing changed. */
    private static final double MAX_INCREASE = 0.1;

    private static final Duration STATUS_INTERVAL = Duration.ofSeconds(20);
    private static final Duration TRAINING_TIMEOUT = Duration.ofMinutes(60);
    private static final Duration PROMOTION_TIMEOUT = Duration.ofSeconds(60);
    private static final long POLL_MILLIS = 100;

    private final StoryOptions options;
    private final Stage stage;
    private final Cast cast;
    private final BooleanSupplier stopped;
    private final Chapters chapters;
    private final Narrator narrator;
    private final String changedCameraId;
    private @Nullable String promoted;

    /** @param stopped asked while waiting; true ends the story */
    Plot(StoryOptions options, Stage stage, Cast cast, BooleanSupplier stopped) {
        this.options = options;
        this.stage = stage;
        this.cast = cast;
        this.stopped = stopped;
        chapters = stage.chapters();
        narrator = stage.narrator();
        changedCameraId = stage.changedCameraId();
    }

    /**
     * Tells the story to its end.
     *
     * @param first version that the line runs with
     * @throws StoryEnd when no challenger was promoted, or something failed
     */
    void tell(String first) throws StoryEnd, RolloutException, InterruptedException {
        chapters.open("before");
        watch("the line as it was set up");
        collectLabels();
        train();
        Rollout rollout = cast.engineer().current();
        String challenger = rollout.getChallenger();
        if (rollout.getMode() != RolloutMode.SHADOW || challenger == null)
            throw StoryEnd.decided("the challenger did not pass its gate; the line stays on " + first);
        shadow(first, challenger);
        canary(first, challenger);
        promoted = challenger;
        chapters.open("after");
        watch("the whole line on what was learned");
    }

    /** The version that was promoted; null when none was. */
    @Nullable
    String promoted() {
        return promoted;
    }

    private void collectLabels() throws StoryEnd, InterruptedException {
        int camera = stage.changedCamera();
        stage.line().replaceLamp(camera, cast.cameras().sent(camera) + 1, Lamp.LED);
        chapters.open("new lamp");
        narrator.say("The lamp over " + changedCameraId + " (" + SimulatedLine.productOf(camera)
                + ") failed and was replaced: whiter, brighter, not quite in the old place.");
        Operator operator = cast.operator();
        operator.setOnDuty(true);
        int labels = options.training().labels();
        await("labels: the trainer waits for " + labels + " good parts", timeoutFor(60, 20 * labels), () -> cast.event(
                        TrainerEvent.Kind.RUN_STARTED)
                .isPresent());
        operator.setOnDuty(false);
        narrator.say("operator: answered " + (operator.normal() + operator.anomalous()) + " alarms; "
                + operator.normal() + " of them were false");
    }

    private void train() throws StoryEnd, InterruptedException {
        chapters.open("training");
        await(
                "training",
                TRAINING_TIMEOUT,
                () -> cast.event(TrainerEvent.Kind.RUN_FINISHED).isPresent()
                        || cast.event(TrainerEvent.Kind.RUN_FAILED).isPresent());
        cast.trainer().close(); // one lesson is enough for a story
        if (cast.event(TrainerEvent.Kind.RUN_FINISHED).isPresent()) return;
        throw StoryEnd.decided("the trainer gave up: "
                + cast.event(TrainerEvent.Kind.RUN_FAILED).orElseThrow().message());
    }

    private void shadow(String first, String challenger) throws StoryEnd, RolloutException, InterruptedException {
        chapters.open("shadow");
        narrator.say(challenger + " scores every second frame beside " + first + ", and decides nothing.");
        int frames = options.trial().shadowFrames();
        await(
                "shadow",
                timeoutFor(120, 10 * frames),
                () -> changedInShadow(challenger).frames() >= frames
                        && othersInShadow(challenger).frames() >= frames);
        ShadowReader.Comparison changed = changedInShadow(challenger);
        ShadowReader.Comparison others = othersInShadow(challenger);
        String figures = "of " + changed.frames() + " frames of " + changedCameraId + " it calls "
                + changed.challenger() + " anomalous instead of " + changed.champion() + ", of " + others.frames()
                + " others " + others.challenger() + " instead of " + others.champion();
        narrator.say("shadow: " + figures);
        boolean better = changed.challenger() < changed.champion();
        boolean harmless = others.challenger() - others.champion() <= MAX_INCREASE * others.frames();
        if (!better || !harmless) throw withdraw(figures, first);
        cast.engineer().startCanary(challenger, changedCameraId, figures);
        narrator.say(Engineer.NAME + ": " + challenger + " decides for " + changedCameraId + " alone");
    }

    private ShadowReader.Comparison changedInShadow(String challenger) {
        return cast.shadow().compare(challenger, chapters::isChanged);
    }

    private ShadowReader.Comparison othersInShadow(String challenger) {
        return cast.shadow().compare(challenger, camera -> !chapters.isChanged(camera));
    }

    private void canary(String first, String challenger) throws StoryEnd, RolloutException, InterruptedException {
        Chapter chapter = chapters.open("canary");
        int frames = options.trial().canaryFrames();
        // The others too, which keep the champion: their partitions may be behind on a busy machine.
        await(
                "canary",
                timeoutFor(120, 10 * frames),
                () -> chapters.changedBy(challenger, chapter).frames() >= frames
                        && chapters.others(chapter).frames() >= frames);
        Side before = chapters.changed(chapters.named("new lamp"));
        Side now = chapters.changedBy(challenger, chapter);
        String figures = "false alarms of " + changedCameraId + " " + Side.percent(before.falseAlarmRate()) + " to "
                + Side.percent(now.falseAlarmRate()) + ", misses " + Side.percent(before.missRate()) + " to "
                + Side.percent(now.missRate());
        narrator.say("canary: " + figures);
        if (!(now.falseAlarmRate() < before.falseAlarmRate())) throw withdraw(figures, first);
        Rollout rollout = cast.engineer().promote(challenger, figures);
        narrator.say(
                Engineer.NAME + ": " + challenger + " is the champion now (revision " + rollout.getRevision() + ")");
        await(
                "the promotion",
                PROMOTION_TIMEOUT,
                () -> cast.local().app().modelVersion().orElse("").equals(challenger));
    }

    private StoryEnd withdraw(String figures, String first) throws RolloutException, InterruptedException {
        cast.engineer().withdraw(figures);
        return StoryEnd.decided("the challenger was withdrawn (" + figures + "); the line stays on " + first);
    }

    /** A fixed time and the time that some frames take at the cameras' rate. */
    private Duration timeoutFor(int seconds, int frames) {
        return Duration.ofSeconds(
                (long) (seconds + frames / options.simulation().fps()));
    }

    private void watch(String what) throws StoryEnd, InterruptedException {
        long until = System.nanoTime() + options.quiet().toNanos();
        await(what, options.quiet().plusSeconds(60), () -> System.nanoTime() >= until);
    }

    /** Waits for a condition and reports the figures meanwhile; ends the story when something has failed. */
    private void await(String what, Duration timeout, BooleanSupplier condition) throws StoryEnd, InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        long nextStatus = System.nanoTime() + STATUS_INTERVAL.toNanos();
        while (!condition.getAsBoolean()) {
            if (stopped.getAsBoolean()) throw StoryEnd.aborted("stopped");
            String failure = cast.failure().orElse(null);
            if (failure != null) throw StoryEnd.aborted(failure);
            if (System.nanoTime() - deadline >= 0)
                throw StoryEnd.aborted(what + " did not complete within " + timeout.toSeconds() + " s");
            if (System.nanoTime() - nextStatus >= 0) {
                nextStatus += STATUS_INTERVAL.toNanos();
                narrator.say(chapters.status());
            }
            Thread.sleep(POLL_MILLIS);
        }
        narrator.say(chapters.status());
    }
}
