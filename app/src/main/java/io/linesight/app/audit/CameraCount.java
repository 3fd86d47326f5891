package io.linesight.app.audit;

/**
 * How the frames of one camera ended.
 *
 * @param camera key of its records; {@link io.linesight.schemas.topics.CameraNames#KEYLESS} for records without one
 * @param sent records in the topic of frames
 * @param scored of them, with a result
 * @param rejected of them, with a dead letter
 * @param waiting of them, not committed by the application yet and without an answer
 * @param expired of them, committed, and old enough that retention may have deleted the answer: nobody can tell
 * @param lost of them, committed by the application and without an answer
 * @param doubled answers, results and dead letters, beyond the first of a frame
 * @param doubledEvents anomaly events beyond the first of a frame
 * @param outOfOrder results of a frame older than that of the result before it
 */
public record CameraCount(
        String camera,
        long sent,
        long scored,
        long rejected,
        long waiting,
        long expired,
        long lost,
        long doubled,
        long doubledEvents,
        long outOfOrder) {
    /** Whether nothing is lost, doubled or out of order. */
    public boolean clean() {
        return lost == 0 && doubled == 0 && doubledEvents == 0 && outOfOrder == 0;
    }

    static CameraCount none(String camera) {
        return new CameraCount(camera, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    }

    CameraCount plus(CameraCount other, String name) {
        return new CameraCount(
                name,
                sent + other.sent,
                scored + other.scored,
                rejected + other.rejected,
                waiting + other.waiting,
                expired + other.expired,
                lost + other.lost,
                doubled + other.doubled,
                doubledEvents + other.doubledEvents,
                outOfOrder + other.outOfOrder);
    }
}
