/** Stores labelled images on the disk, so that they outlive Kafka's retention and a kill at any instant. */
@NullMarked
package io.linesight.trainer.imagestore;

import org.jspecify.annotations.NullMarked;
