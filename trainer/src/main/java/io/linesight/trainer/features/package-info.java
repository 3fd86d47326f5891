/** Encoder features on disk, found by checksum. */
package io.linesight.trainer.features;
