package io.linesight.trainer.learning;

import io.linesight.schemas.FrameLabel;
import io.linesight.schemas.serde.RecordDecoder;
import io.linesight.schemas.topics.AnswerHeaders;
import io.linesight.schemas.topics.FrameKeys;
import io.linesight.trainer.feedback.LabelRules;
import io.linesight.trainer.imagestore.LabelPosition;
import io.linesight.trainer.imagestore.PendingLabel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.SerializationException;

/**
 * Decodes and checks records of the labels topic. A registry that does not answer, or does not know a schema yet, is an
 * exception, not a verdict.
 */
final class LabelDecoder {
    private final RecordDecoder<FrameLabel> decoder;
    private final String labelsTopic;
    private final String framesTopic;
    private final Supplier<Optional<Uuid>> framesId;

    /** @param framesId id of the topic of frames now; empty where it is not known */
    LabelDecoder(
            RecordDecoder<FrameLabel> decoder,
            String labelsTopic,
            String framesTopic,
            Supplier<Optional<Uuid>> framesId) {
        this.framesId = framesId;
        this.decoder = decoder;
        this.labelsTopic = labelsTopic;
        this.framesTopic = framesTopic;
    }

    /** What a record is. */
    sealed interface Result {
        /** A label that counts. */
        record Valid(LabelRecord label) implements Result {}

        /** A record that does not count, and why. */
        record Rejected(String reason) implements Result {}
    }

    Result decode(ConsumerRecord<String, byte[]> record) {
        LabelPosition position = positionOf(record);
        try {
            FrameLabel label = decoder.decode(record);
            if (label == null) {
                FrameKeys.parse(String.valueOf(record.key()));
                return new Result.Valid(new LabelRecord(record.key(), null, null, position));
            }
            List<String> problems = new ArrayList<>(LabelRules.problems(label, framesTopic));
            String keyProblem = LabelRules.keyProblem(record.key(), label);
            if (keyProblem != null) problems.add(keyProblem);
            if (isOfEarlierTopic(record))
                problems.add("it was given to a frame of a topic that was deleted; another frame may lie there now");
            return problems.isEmpty()
                    ? new Result.Valid(new LabelRecord(record.key(), label, RecordDecoder.toKeep(record), position))
                    : new Result.Rejected(String.join("; ", problems));
        } catch (SerializationException | IllegalArgumentException e) {
            return new Result.Rejected(e.getMessage());
        }
    }

    private boolean isOfEarlierTopic(ConsumerRecord<String, byte[]> record) {
        Optional<Uuid> labelled = AnswerHeaders.topicId(record.headers());
        if (labelled.isEmpty()) return false;
        Optional<Uuid> now = framesId.get();
        return now.isPresent() && !now.equals(labelled);
    }

    /** @throws SerializationException when the label cannot be decoded now, though it could when it was deferred */
    LabelRecord decode(PendingLabel pending) {
        return new LabelRecord(
                pending.frame(), decoder.decodeKept(labelsTopic, pending.label()), pending.label(), pending.position());
    }

    static LabelPosition positionOf(ConsumerRecord<String, byte[]> record) {
        return new LabelPosition(record.partition(), record.offset());
    }
}
