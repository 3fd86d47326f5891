package io.linesight.streams.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.score.Scorer;
import io.linesight.mmad.score.Scores;
import io.linesight.streams.support.FakeScorer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Every order of the steps of acquire, score, release, swap, clear and close: no batch is ever scored with a closed
 * model, every model is closed exactly once, and none is left open. A step is an access to state that threads share;
 * orders that differ only in steps on different things count as one.
 */
@Timeout(300)
class ModelSlotExhaustiveTest {

    private static final long LIMIT = 200_000;

    /** Counts what must not happen. One thread runs at a time, so plain fields do. */
    private static final class Probe implements Scorer {
        private final Turn turn;
        private final CheckpointInfo info;
        private int closes;
        private int scored;
        private int scoring;

        private Probe(Turn turn, String version) {
            this.turn = turn;
            this.info =
                    new CheckpointInfo(version, "00", new FakeScorer().info().calibration(), java.util.Map.of());
        }

        @Override
        public CheckpointInfo info() {
            return info;
        }

        @Override
        public String device() {
            return "cpu";
        }

        @Override
        public Scores score(List<byte[]> frames) {
            if (closes > 0) throw new AssertionError("scored with closed model " + info.version());
            scoring++;
            turn.next(this);
            if (closes > 0) throw new AssertionError("model " + info.version() + " was closed while it scored");
            scoring--;
            scored++;
            return null;
        }

        @Override
        public void close() {
            if (scoring > 0) throw new AssertionError("closed while scoring: " + info.version());
            closes++;
        }
    }

    /** Models a, b, c with the first in the slot; the loader's own references are given up by the tasks. */
    private static final class Scene implements Interleavings.Scenario {
        private final BiFunction<Scene, Turn, List<Runnable>> script;
        private final boolean closesSlot;
        private final List<Probe> probes = new ArrayList<>();
        private ModelSlot slot;
        private ModelSlot other;

        private Scene(boolean closesSlot, BiFunction<Scene, Turn, List<Runnable>> script) {
            this.script = script;
            this.closesSlot = closesSlot;
        }

        private LoadedModel model(Turn turn, String version) {
            Probe probe = new Probe(turn, version);
            probes.add(probe);
            return new LoadedModel(probe, probe.info, 0, Runnable::run, turn);
        }

        @Override
        public List<Runnable> tasks(Turn turn) {
            slot = new ModelSlot(turn);
            other = new ModelSlot(turn);
            return script.apply(this, turn);
        }

        /** Puts a model into a slot and gives up the reference it was loaded with. */
        private void put(ModelSlot into, LoadedModel model) {
            into.swap(model);
            model.release();
        }

        private void batch() {
            ServingModel.Lease lease = slot.tryAcquire();
            if (lease == null) return;
            try (lease) {
                // Past the lock around a scorer, which would stop the schedule while its owner waits for a turn.
                CheckpointInfo info = lease.scorer().info();
                probes.stream()
                        .filter(p -> p.info == info)
                        .findFirst()
                        .orElseThrow()
                        .score(List.of());
            }
        }

        @Override
        public void check() {
            if (!closesSlot) {
                // What is in the slot must still be usable.
                int before = scored();
                if (slot.version().isPresent()) {
                    batch();
                    assertThat(scored()).isEqualTo(before + 1);
                }
                slot.close();
                other.close();
            }
            for (Probe probe : probes)
                assertThat(probe.closes)
                        .as("closes of %s", probe.info.version())
                        .isEqualTo(1);
            assertThat(slot.tryAcquire()).isNull();
            assertThat(slot.version()).isEmpty();
        }

        private int scored() {
            return probes.stream().mapToInt(p -> p.scored).sum();
        }
    }

    private static void all(String name, int tasks, boolean closesSlot, BiFunction<Scene, Turn, List<Runnable>> script)
            throws Exception {
        long start = System.nanoTime();
        long orders = Interleavings.runAll(() -> new Scene(closesSlot, script), tasks, LIMIT);
        System.out.printf(
                "ModelSlotExhaustiveTest: %s: %,d orders in %.1f s%n", name, orders, (System.nanoTime() - start) / 1e9);
        assertThat(orders).isGreaterThan(1);
    }

    @Test
    void shouldHoldForABatchAgainstTwoSwaps() throws Exception {
        all("batch, swap, swap", 3, false, (s, turn) -> {
            s.put(s.slot, s.model(turn, "a"));
            LoadedModel b = s.model(turn, "b");
            LoadedModel c = s.model(turn, "c");
            return List.of(s::batch, () -> s.put(s.slot, b), () -> s.put(s.slot, c));
        });
    }

    @Test
    void shouldHoldForTwoBatchesAgainstASwapAndAClose() throws Exception {
        all("batch, swap, close", 3, true, (s, turn) -> {
            s.put(s.slot, s.model(turn, "a"));
            LoadedModel b = s.model(turn, "b");
            return List.of(s::batch, () -> s.put(s.slot, b), s.slot::close);
        });
        all("two batches at once, then close", 2, true, (s, turn) -> {
            s.put(s.slot, s.model(turn, "a"));
            return List.of(s::batch, () -> {
                s.batch();
                s.slot.close();
            });
        });
        all("batch after batch, swap then close", 2, true, (s, turn) -> {
            s.put(s.slot, s.model(turn, "a"));
            LoadedModel b = s.model(turn, "b");
            return List.of(
                    () -> {
                        s.batch();
                        s.batch();
                        s.batch();
                    },
                    () -> {
                        s.put(s.slot, b);
                        s.slot.close();
                    });
        });
    }

    @Test
    void shouldHoldWhenAChallengerBecomesChampionWhileItScores() throws Exception {
        // "other" is the challenger's slot: one model in two slots for a moment, then out of the first.
        all("promotion", 2, false, (s, turn) -> {
            s.put(s.slot, s.model(turn, "a"));
            LoadedModel b = s.model(turn, "b");
            s.other.swap(b);
            ServingModel challenger = s.other.orElse(s.slot);
            return List.of(
                    () -> {
                        for (int i = 0; i < 2; i++) {
                            try (ServingModel.Lease lease = challenger.acquire()) {
                                lease.scorer().score(List.of());
                            }
                        }
                    },
                    () -> {
                        s.slot.swap(b);
                        s.other.clear();
                        b.release();
                    });
        });
    }

    @Test
    void shouldHoldForClearAgainstSwapAndBatch() throws Exception {
        all("batch, clear, swap", 3, false, (s, turn) -> {
            s.put(s.slot, s.model(turn, "a"));
            LoadedModel b = s.model(turn, "b");
            return List.of(s::batch, s.slot::clear, () -> s.put(s.slot, b));
        });
    }

    @Test
    void shouldFindAMistakeIfThereWereOne() {
        // The scheduler itself: a slot that reads and then counts without looking again would score with a closed model
        // in some order.
        assertThatThrownBy(() -> all("broken", 2, true, (s, turn) -> {
                    LoadedModel a = s.model(turn, "a");
                    return List.of(
                            () -> {
                                turn.next(s.probes.get(0));
                                a.lent().score(List.of());
                            },
                            a::release);
                }))
                .isInstanceOf(AssertionError.class)
                .hasStackTraceContaining("closed while");
    }

    @Test
    void shouldRejectALeaseThatWasGivenBack() {
        ModelSlot slot = new ModelSlot();
        Probe probe = new Probe(Turn.NONE, "a");
        LoadedModel model = model(probe);
        assertThatThrownBy(slot::acquire).isInstanceOf(IllegalStateException.class);
        slot.swap(model);
        ServingModel.Lease lease = slot.acquire();
        assertThatThrownBy(() -> lease.scorer().close()).isInstanceOf(UnsupportedOperationException.class);
        lease.close();
        lease.close();
        assertThatThrownBy(lease::scorer).isInstanceOf(IllegalStateException.class);
        slot.clear();
        assertThat(probe.closes).isZero();
        model.release();
        assertThat(probe.closes).isEqualTo(1);
        assertThat(model.closed()).isCompleted();
        assertThatThrownBy(() -> slot.swap(model)).isInstanceOf(IllegalStateException.class);
        slot.close();
        LoadedModel late = model(new Probe(Turn.NONE, "b"));
        assertThat(slot.swap(late)).isFalse();
        late.release();
        assertThat(late.closed()).isCompleted();
    }

    private static LoadedModel model(Probe probe) {
        return new LoadedModel(probe, probe.info, 0, Runnable::run);
    }
}
