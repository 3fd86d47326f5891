package io.linesight.streams.serving;

/**
 * A model in memory, as the reconciler knows it.
 *
 * @param id different for every load, even of one version
 * @param version by which people know it
 * @param sha256 of its file
 * @param fromFile whether it is the configured checkpoint file rather than a published version
 * @param device that it runs on
 * @param loadMillis how long it took to load
 */
record HeldModel(long id, String version, String sha256, boolean fromFile, String device, long loadMillis) {}
