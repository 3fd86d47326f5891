package io.linesight.streams.exemption;

import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.Checkpoints;
import java.util.Set;

/** The labelled frames that a checkpoint has learned. */
final class LearnedFrames {
    private LearnedFrames() {}

    /** By {@link #name}; empty where the checkpoint does not say. */
    static Set<String> of(CheckpointInfo model) {
        String given = model.properties().get(Checkpoints.LEARNED_FRAMES);
        return given == null || given.isEmpty() ? Set.of() : Set.of(given.split(","));
    }

    /** What stands for a frame in the list. */
    static String name(String frameKey) {
        return Checkpoints.learnedName(frameKey);
    }
}
