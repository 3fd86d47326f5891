package io.linesight.demo.story;

import io.linesight.cameras.SentFrames.SentFrame;
import io.linesight.demo.line.Ledger;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.LabelKind;
import io.linesight.schemas.clients.DaemonThreads;
import io.linesight.trainer.feedback.LabelPublisher;
import io.linesight.trainer.feedback.LabelPublisher.Request;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The person who answers alarms: looks at the part, which here means at the simulator's ground truth, and labels the
 * frame. Sees alarms only, as a person would. A thread of its own until closed.
 */
final class Operator implements AutoCloseable {
    static final String NAME = "operator";
    private static final Logger LOG = LoggerFactory.getLogger(Operator.class);
    /** Time between an alarm and its label. */
    private static final long LOOK_MILLIS = 1_500;

    private static final long ROUND_MILLIS = 300;
    private static final long JOIN_MILLIS = 30_000;

    private record Alarm(FrameRef frame, long at) {}

    private final LabelPublisher publisher;
    private final Ledger ledger;
    private final ConcurrentLinkedQueue<Alarm> alarms = new ConcurrentLinkedQueue<>();
    private final Thread thread;
    private volatile boolean onDuty;
    private volatile boolean stop;
    private volatile @Nullable RuntimeException failure;
    private volatile int normal;
    private volatile int anomalous;

    /** @param publisher closed with this */
    Operator(LabelPublisher publisher, Ledger ledger) {
        this.publisher = publisher;
        this.ledger = ledger;
        thread = DaemonThreads.start("linesight-operator", this::run);
    }

    /** Takes note of an alarm, while on duty. Any thread. */
    void alarm(FrameRef frame) {
        if (onDuty) alarms.add(new Alarm(frame, System.currentTimeMillis()));
    }

    /** Whether the operator answers alarms from now on. */
    void setOnDuty(boolean on) {
        onDuty = on;
    }

    /** Parts found good. */
    int normal() {
        return normal;
    }

    /** Parts found defective. */
    int anomalous() {
        return anomalous;
    }

    /** Why the operator stopped; empty while all is well. */
    Optional<RuntimeException> failure() {
        return Optional.ofNullable(failure);
    }

    private void run() {
        try {
            while (!stop) {
                publish(answerAlarms());
                Thread.sleep(ROUND_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            failure = e;
            LOG.error("The operator stopped", e);
        }
    }

    /** Labels for the alarms that are old enough. */
    private List<Request> answerAlarms() {
        List<Request> labels = new ArrayList<>();
        long now = System.currentTimeMillis();
        for (Alarm a = alarms.peek(); a != null && a.at + LOOK_MILLIS <= now; a = alarms.peek()) {
            alarms.poll();
            boolean defective =
                    ledger.sentFrame(a.frame).map(SentFrame::anomalous).orElse(false);
            LabelKind label = defective ? LabelKind.ANOMALOUS : LabelKind.NORMAL;
            labels.add(new Request(a.frame, label, null, null, NAME, ""));
        }
        return labels;
    }

    private void publish(List<Request> labels) {
        if (labels.isEmpty()) return;
        List<String> problems = publisher.publish(labels, true);
        for (int i = 0; i < labels.size(); i++) {
            if (problems.get(i) != null) LOG.warn("Rejected a label: {}", problems.get(i));
            else if (labels.get(i).label() == LabelKind.NORMAL) normal++;
            else anomalous++;
        }
    }

    @Override
    public void close() {
        stop = true;
        try {
            thread.join(JOIN_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        publisher.close();
    }
}
