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
import java.util.concurrent.ConcurrentLinkedQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The person who answers alarms: looks at the part, which here means at the simulator's truth, and says whether the
 * alarm was right. Sees nothing but alarms, as a person would. A thread of its own until closed.
 */
final class Operator implements AutoCloseable {
    static final String NAME = "operator";
    private static final Logger LOG = LoggerFactory.getLogger(Operator.class);
    /** Between an alarm and its label. */
    private static final long LOOK_MILLIS = 1_500;

    private record Alarm(FrameRef frame, long at) {}

    private final LabelPublisher publisher;
    private final Ledger ledger;
    private final ConcurrentLinkedQueue<Alarm> alarms = new ConcurrentLinkedQueue<>();
    private final Thread thread;
    private volatile boolean onDuty;
    private volatile boolean stop;
    private volatile RuntimeException failure;
    private volatile int normal;
    private volatile int anomalous;

    /** @param publisher closed with this */
    Operator(LabelPublisher publisher, Ledger ledger) {
        this.publisher = publisher;
        this.ledger = ledger;
        thread = DaemonThreads.start("linesight-operator", this::work);
    }

    /** An alarm has been published. Any thread. */
    void alarm(FrameRef frame) {
        if (onDuty) alarms.add(new Alarm(frame, System.currentTimeMillis()));
    }

    /** Answers alarms from now on, or does no longer. */
    void onDuty(boolean on) {
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

    RuntimeException failure() {
        return failure;
    }

    private void work() {
        try {
            while (!stop) {
                List<Request> labels = new ArrayList<>();
                for (Alarm a = alarms.peek();
                        a != null && a.at + LOOK_MILLIS <= System.currentTimeMillis();
                        a = alarms.peek()) {
                    alarms.poll();
                    boolean defective =
                            ledger.truth(a.frame).map(SentFrame::anomalous).orElse(false);
                    labels.add(new Request(
                            a.frame, defective ? LabelKind.ANOMALOUS : LabelKind.NORMAL, null, null, NAME, ""));
                }
                List<String> refused = labels.isEmpty() ? List.of() : publisher.publish(labels, true);
                for (int i = 0; i < labels.size(); i++) {
                    if (refused.get(i) != null) LOG.warn("A label was refused: {}", refused.get(i));
                    else if (labels.get(i).label() == LabelKind.NORMAL) normal++;
                    else anomalous++;
                }
                Thread.sleep(300);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            failure = e;
            LOG.error("The operator stopped", e);
        }
    }

    @Override
    public void close() {
        stop = true;
        try {
            thread.join(30_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        publisher.close();
    }
}
