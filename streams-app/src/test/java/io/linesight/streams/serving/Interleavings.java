package io.linesight.streams.serving;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;

/**
 * Runs a few tasks under every order of their steps. Only one task runs at a time; each waits in {@link Turn#next}
 * before a step and says there what the step touches. Orders are enumerated depth first, every run replaying the
 * choices of the one before up to the last that has an alternative left. Orders that differ only by exchanging
 * neighbouring steps on different things have the same outcome; all but one are left out (sleep sets, Godefroid 1996).
 */
final class Interleavings {

    private Interleavings() {}

    /** A fresh set of tasks for one run, and what must be true afterwards. */
    interface Scenario {
        List<Runnable> tasks(Turn turn);

        void check();
    }

    interface Factory {
        Scenario create();
    }

    private static final class Worker {
        final Semaphore go = new Semaphore(0);
        volatile Runnable task;
        volatile boolean finished;
        volatile Throwable failure;
        /** What the next step touches. */
        volatile Object on;

        Thread thread;
    }

    /** A point at which somebody had to be chosen: sets of tasks as bit masks. */
    private static final class Choice {
        int ready;
        int asleep;
        int done;
        int chosen;

        int left() {
            return ready & ~asleep & ~done;
        }
    }

    /**
     * Runs every order; returns how many there were. Fails on the first run in which a task throws or a check fails,
     * naming the order.
     */
    static long runAll(Factory factory, int tasks, long limit) throws InterruptedException {
        Semaphore back = new Semaphore(0);
        Worker[] workers = new Worker[tasks];
        ThreadLocal<Worker> self = new ThreadLocal<>();
        for (int i = 0; i < tasks; i++) {
            Worker worker = new Worker();
            workers[i] = worker;
            worker.thread = new Thread(
                    () -> {
                        self.set(worker);
                        while (true) {
                            worker.go.acquireUninterruptibly();
                            if (worker.task == null) return;
                            try {
                                worker.task.run();
                            } catch (Throwable e) {
                                worker.failure = e;
                            }
                            worker.finished = true;
                            back.release();
                        }
                    },
                    "interleaved-" + i);
            worker.thread.setDaemon(true);
            worker.thread.start();
        }
        Turn turn = on -> {
            Worker worker = self.get();
            if (worker == null) return; // set-up and checks run outside the schedule
            worker.on = on;
            back.release();
            worker.go.acquireUninterruptibly();
        };
        List<Choice> choices = new ArrayList<>();
        long runs = 0;
        try {
            do {
                if (run(factory.create(), workers, back, turn, choices) && ++runs > limit)
                    throw new AssertionError("more than " + limit + " orders");
            } while (next(choices));
        } finally {
            for (Worker worker : workers) {
                worker.task = null;
                worker.go.release();
            }
        }
        return runs;
    }

    private static boolean next(List<Choice> choices) {
        while (!choices.isEmpty()) {
            Choice last = choices.get(choices.size() - 1);
            last.done |= 1 << last.chosen;
            if (last.left() != 0) {
                last.chosen = Integer.numberOfTrailingZeros(last.left());
                return true;
            }
            choices.remove(choices.size() - 1);
        }
        return false;
    }

    /** @return false when the order was one of those that have been seen in another guise */
    private static boolean run(Scenario scenario, Worker[] workers, Semaphore back, Turn turn, List<Choice> choices)
            throws InterruptedException {
        List<Runnable> tasks = scenario.tasks(turn);
        for (int i = 0; i < workers.length; i++) {
            workers[i].finished = false;
            workers[i].failure = null;
            workers[i].task = tasks.get(i);
            step(workers[i], back); // up to its first step
        }
        StringBuilder order = new StringBuilder();
        boolean fresh = true;
        int asleep = 0;
        for (int depth = 0; ; depth++) {
            int ready = 0;
            for (int i = 0; i < workers.length; i++) if (!workers[i].finished) ready |= 1 << i;
            if (ready == 0) break;
            int chosen;
            int before = 0;
            if (fresh && depth == choices.size()) {
                Choice choice = new Choice();
                choice.ready = ready;
                choice.asleep = asleep;
                if (choice.left() == 0) {
                    fresh = false;
                } else {
                    choice.chosen = Integer.numberOfTrailingZeros(choice.left());
                    choices.add(choice);
                }
            }
            if (fresh) {
                Choice choice = choices.get(depth);
                chosen = choice.chosen;
                before = choice.asleep | choice.done;
            } else {
                chosen = Integer.numberOfTrailingZeros(ready); // to its end, so that the threads are free again
            }
            asleep = 0;
            for (int i = 0; i < workers.length; i++) {
                if ((before & 1 << i) != 0 && workers[i].on != workers[chosen].on) asleep |= 1 << i;
            }
            order.append(chosen);
            step(workers[chosen], back);
        }
        for (Worker worker : workers) {
            if (worker.failure != null) throw new AssertionError("order of steps " + order, worker.failure);
        }
        try {
            scenario.check();
        } catch (AssertionError e) {
            throw new AssertionError("order of steps " + order, e);
        }
        return fresh;
    }

    private static void step(Worker worker, Semaphore back) throws InterruptedException {
        worker.go.release();
        back.acquire();
    }
}
