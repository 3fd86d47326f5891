package io.linesight.demo.line;

import io.linesight.schemas.AnomalyEvent;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.InspectionResult;
import org.jspecify.annotations.Nullable;

/** Books everything that comes back. Frames of other senders are booked too; only a ledger's own frames are counted. */
public class LedgerListener implements TopicReader.Listener {
    private final Ledger ledger;

    /** @param ledger stays the caller's */
    public LedgerListener(Ledger ledger) {
        this.ledger = ledger;
    }

    @Override
    public void result(InspectionResult result, long arrivedMicros) {
        ledger.result(result, arrivedMicros);
    }

    @Override
    public void anomaly(AnomalyEvent event) {
        ledger.anomaly(event.getResult().getFrameRef());
    }

    @Override
    public void deadLetter(@Nullable FrameRef source, String code) {
        if (source != null) ledger.deadLetter(source, code);
    }
}
