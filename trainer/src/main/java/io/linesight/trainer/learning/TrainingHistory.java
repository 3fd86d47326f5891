package io.linesight.trainer.learning;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;

/**
 * How far runs have got.
 *
 * @param trainedThrough sequence number of the newest image of the last finished run: later ones are new to the network
 * @param triggeredThrough sequence number of the newest image when the last run ended, however it ended: triggers count
 *     from there, or a run that was given up would start again at once
 * @param lastRun when the last run ended
 */
record TrainingHistory(long trainedThrough, long triggeredThrough, Instant lastRun) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String FILE = "state.json";

    /** Reads the history of a trainer's folder; nothing was trained where there is none. */
    static TrainingHistory read(Path folder, Instant now) throws IOException {
        Path file = folder.resolve(FILE);
        if (!Files.isRegularFile(file)) return new TrainingHistory(0, 0, now);
        JsonNode state = JSON.readTree(file.toFile());
        return new TrainingHistory(
                state.path("trainedThrough").asLong(),
                state.path("triggeredThrough").asLong(),
                Instant.parse(state.path("lastRun").asText()));
    }

    void write(Path folder) throws IOException {
        RunFolder.write(
                folder.resolve(FILE),
                JSON.writeValueAsBytes(RunFolder.facts()
                        .put("trainedThrough", trainedThrough)
                        .put("triggeredThrough", triggeredThrough)
                        .put("lastRun", lastRun.toString())));
    }

    /** After a run that trained on images up to this sequence number. */
    TrainingHistory afterFinished(long through, Instant now) {
        return new TrainingHistory(Math.max(trainedThrough, through), Math.max(triggeredThrough, through), now);
    }

    /** After a run that was given up while the store's newest image had this sequence number. */
    TrainingHistory afterGivenUp(long newest, Instant now) {
        return new TrainingHistory(trainedThrough, newest, now);
    }
}
