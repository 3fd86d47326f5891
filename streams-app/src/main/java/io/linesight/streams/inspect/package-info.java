/** The way of a frame through Kafka Streams: read, decode, score, judge, forward in order. */
@NullMarked
package io.linesight.streams.inspect;

import org.jspecify.annotations.NullMarked;
