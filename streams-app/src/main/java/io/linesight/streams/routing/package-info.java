/**
 * Which model decides a frame: champion, canary and shadow, the guards that watch a new model, and the channel that is
 * followed.
 */
@NullMarked
package io.linesight.streams.routing;

import org.jspecify.annotations.NullMarked;
