package io.linesight.trainer.learning;

import io.linesight.schemas.FrameLabel;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.LabelKind;
import io.linesight.trainer.imagestore.LabelPosition;
import org.jspecify.annotations.Nullable;

/**
 * A valid record of the labels topic.
 *
 * @param frame key of the frame
 * @param label null for a tombstone, which retracts the frame's label
 * @param value the record's value, as {@link io.linesight.schemas.serde.RecordDecoder#toKeep}; null for a tombstone
 * @param position in the labels topic
 */
record LabelRecord(String frame, @Nullable FrameLabel label, byte @Nullable [] value, LabelPosition position) {
    boolean isRetraction() {
        return label == null || label.getLabel() == LabelKind.RETRACTED;
    }

    boolean isAnomalous() {
        return label.getLabel() == LabelKind.ANOMALOUS;
    }

    FrameRef frameRef() {
        return label.getFrameRef();
    }

    String annotator() {
        return label.getAnnotator();
    }
}
