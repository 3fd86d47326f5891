/**
 * Drain before commit: the one place that uses Kafka Streams' internal API.
 *
 * <p>Why it is needed. The inspection processor keeps records while the shared batcher scores them. Kafka Streams
 * counts a record as consumed as soon as {@code process()} returns, so a commit while records are pending would move
 * the offsets past frames whose results were never written, and a crash right after would lose them. There is no public
 * hook before a commit: {@code StateStore.commit} and {@code flush} run after the offsets went out, punctuators run
 * before or after as it happens, {@code Processor.close()} cannot write any more. What does run first is the flush of
 * store caches ({@code StreamTask.prepareCommit}, then {@code ProcessorStateManager.flushCache}, then
 * {@code RecordCollector.flush}, then the commit), because caches forward records downstream and have the same problem.
 * {@link io.linesight.streams.drain.DrainStore} is a store that holds nothing and whose cache flush calls back the
 * processor; {@link io.linesight.streams.drain.DeferredContext} restores the position in the topology for late
 * forwards, as the caching layer does.
 *
 * <p>The internals are those of the Kafka version in the root POM's version table. Changing it means running
 * {@code CrashIT}, which halts instances at random and checks that every frame has exactly one result, in order; it
 * fails when the hook no longer runs before the commit.
 */
@NullMarked
package io.linesight.streams.drain;

import org.jspecify.annotations.NullMarked;
