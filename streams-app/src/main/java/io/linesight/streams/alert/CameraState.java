package io.linesight.streams.alert;

import io.linesight.schemas.AlertKind;
import io.linesight.schemas.AlertSeverity;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What is remembered of one camera: the value of the state store, as JSON (see {@link StateCodec}). Fields that an
 * older version does not know are passed over, fields that it did not write have their defaults. Times are microseconds
 * since 1970. A plain structure; {@link AlertRules} alone changes it.
 */
final class CameraState {

    /** Where alerts about models are kept, which belong to no camera. */
    static final String NO_CAMERA = "";

    String camera = NO_CAMERA;
    String line = "";
    /** Of the last frame of each partition of frames, so that a repeated result does not count. */
    Map<String, Position> positions = new LinkedHashMap<>();
    /** When a frame was last seen here, by this machine's clock; 0 for never. */
    long seenAt;

    long frames;
    /** Mean time between frames; 0 while it is not known. */
    double interval;

    @Nullable
    Seen last;
    /** Result after which the camera was last called silent: it is not again before the next frame. */
    @Nullable
    String silentAfter;

    @Nullable
    Long pixels;
    /** How many frames in a row have had these pixels. */
    int samePixels;

    Map<String, Run> runs = new TreeMap<>();
    Map<String, ProductState> products = new TreeMap<>();
    List<LiveAlert> alerts = new ArrayList<>();

    /** Where alerts about models are kept. */
    @Nullable
    ModelWatch models;

    @Nullable
    Maintenance maintenance;
    /** Ids of the last actions. */
    List<String> actions = new ArrayList<>();
    /** The last alerts that were closed, so that an action on one says what happened. */
    List<Closed> closed = new ArrayList<>();

    /** @param capturedAt of the frame, by the camera's clock */
    record Position(long offset, long capturedAt) {}

    /** A frame, as an alert refers to it. */
    record Seen(
            String resultId,
            String topic,
            int partition,
            long offset,
            String frameId,
            long capturedAt,
            float score,
            float rawScore,
            float threshold) {}

    /** Images in a row that showed a condition, or did not. */
    static final class Run {
        int bad;
        int good;

        @Nullable
        Seen first;
    }

    /** A frame that counts towards an alert which is not open. */
    record Candidate(long number, long at, Seen frame, AlertSeverity severity, Map<String, String> attributes) {}

    /** A product at this camera. */
    static final class ProductState {
        long seenAt;
        long frames;
        List<Candidate> candidates = new ArrayList<>();
        double sharpness;
        long sharpnessFrames;
    }

    /** What is known of a channel's decisions and instances. */
    static final class ModelWatch {
        /** Of the last decision that was looked at. */
        long revision;
        /** By instance. */
        Map<String, Behind> behind = new TreeMap<>();
    }

    /** An instance that does not serve what was decided. */
    static final class Behind {
        /** By this machine's clock. */
        long since;

        long revision;
        /** Whether people know. */
        boolean alarmed;
    }

    record Note(String by, long at, String text) {}

    record Maintenance(String id, long since, long until, String by, String note, long revision) {}

    record Closed(String id, long at, String how) {}

    /** An alert that is not closed. */
    static final class LiveAlert {
        String id = "";
        AlertKind kind = AlertKind.UNKNOWN;
        String condition = "";

        @Nullable
        String product;

        long revision;
        long stateRevision;
        /** What the state revision was for, in words. */
        String lastChange = "";

        boolean active;
        boolean acknowledged;
        String acknowledgedBy = "";
        /** Whether people were ever alarmed: one that opened suppressed was not. */
        boolean announced;

        AlertSeverity severity = AlertSeverity.MEDIUM;
        long openedAt;
        long lastAt;
        long clearedAt;
        long shelvedUntil;

        @Nullable
        String suppressedBy;

        long anomalous;
        long frames;
        int goodRun;

        @Nullable
        Seen first;

        @Nullable
        Seen worst;

        @Nullable
        Seen last;

        Map<String, String> attributes = new TreeMap<>();

        @Nullable
        String model;

        @Nullable
        Long policyRevision;

        Map<String, String> details = new TreeMap<>();
        List<Note> notes = new ArrayList<>();
        /** When people were last told, by this machine's clock. */
        long notifiedAt;
        /** When the last record was written. */
        long writtenAt;
        /** Whether counts are newer than the last record. */
        boolean newerCounts;
    }
}
