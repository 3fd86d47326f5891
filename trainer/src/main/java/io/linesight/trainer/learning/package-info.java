/**
 * Learns from labels: stores them, fine-tunes the champion when a trigger fires, judges the challenger and hands it
 * over.
 */
@NullMarked
package io.linesight.trainer.learning;

import org.jspecify.annotations.NullMarked;
