package io.linesight.app.audit;

import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/**
 * What tells an answer to a frame from one to another frame that lay at the same place before.
 *
 * @param topicId id of the topic that the frame was read from; null where the answer does not say
 * @param millis when the answer was given, since 1970; {@link Long#MAX_VALUE} where it does not say
 */
record AnswerOrigin(@Nullable Uuid topicId, long millis) {}
