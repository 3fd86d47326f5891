package io.linesight.app.audit;

/**
 * What a topic of answers still has.
 *
 * @param truncated whether its oldest records were deleted
 * @param compacted whether only the last record of a key stays
 * @param sinceMillis everything written from then on is there, in milliseconds since 1970; means something only where
 *     it is truncated
 */
record Kept(boolean truncated, boolean compacted, long sinceMillis) {
    static final Kept ALL = new Kept(false, false, Long.MIN_VALUE);
}
