package io.linesight.trainer.imagestore;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.Map;

/**
 * The lines of a dataset store's journal: one operation each, in {@code op}. Reading a field throws
 * {@link IllegalArgumentException} with a clause that says what is wrong with it.
 */
final class JournalLine {
    private static final ObjectMapper JSON = new ObjectMapper();

    private JournalLine() {}

    static ObjectNode put(StoredImage image, Map<String, Long> sizes, LabelPosition position) {
        ObjectNode line = line("put")
                .put("frame", image.frame())
                .put("product", image.product())
                .put("anomalous", image.anomalous())
                .put("origin", image.origin().name())
                .put("annotator", image.annotator())
                .put("at", micros(image.labelledAt()))
                .put("sha", image.sha256())
                .put("bytes", sizes.get(image.sha256()))
                .put("side", image.split().name())
                .put("seq", image.sequence());
        if (image.mask() != null) line.put("mask", image.mask()).put("maskBytes", sizes.get(image.mask()));
        return at(position, line);
    }

    static ObjectNode pending(PendingLabel label) {
        ObjectNode line = line("pending")
                .put("frame", label.frame())
                .put("label", Base64.getEncoder().encodeToString(label.label()))
                .put("at", micros(label.since()));
        return at(label.position(), line);
    }

    static ObjectNode retract(String frame, LabelPosition position) {
        return at(position, line("retract").put("frame", frame));
    }

    /** The position of the latest label of a frame that is not stored. */
    static ObjectNode known(String frame, LabelPosition position) {
        return at(position, line("known").put("frame", frame));
    }

    static ObjectNode evict(String frame) {
        return line("evict").put("frame", frame);
    }

    static ObjectNode drop(String frame) {
        return line("drop").put("frame", frame);
    }

    static ObjectNode positions(Map<Integer, Long> nextOffsets) {
        ObjectNode line = line("positions");
        ObjectNode offsets = line.putObject("offsets");
        nextOffsets.forEach((partition, offset) -> offsets.put(partition.toString(), offset));
        return line;
    }

    static ObjectNode sequence(long sequence) {
        return line("sequence").put("seq", sequence);
    }

    static ObjectNode bound(String id) {
        return line("bound").put("to", id);
    }

    private static ObjectNode line(String op) {
        return JSON.createObjectNode().put("op", op);
    }

    private static ObjectNode at(LabelPosition position, ObjectNode line) {
        return position.partition() < 0
                ? line
                : line.put("lp", position.partition()).put("lo", position.offset());
    }

    static StoredImage readImage(JsonNode line) {
        return new StoredImage(
                frame(line),
                text(line, "product"),
                required(line, "anomalous").asBoolean(),
                LabelSource.valueOf(text(line, "origin")),
                text(line, "annotator"),
                instant(number(line, "at")),
                sha256(line, "sha"),
                line.hasNonNull("mask") ? sha256(line, "mask") : null,
                Split.valueOf(text(line, "side")),
                number(line, "seq"));
    }

    static PendingLabel readPending(JsonNode line) {
        return new PendingLabel(
                frame(line),
                Base64.getDecoder().decode(text(line, "label")),
                position(line),
                instant(number(line, "at")));
    }

    static String frame(JsonNode line) {
        return line.path("frame").asText();
    }

    static LabelPosition position(JsonNode line) {
        return new LabelPosition(line.path("lp").asInt(-1), line.path("lo").asLong(-1));
    }

    static JsonNode required(JsonNode line, String name) {
        if (!line.hasNonNull(name)) throw new IllegalArgumentException("it has no '" + name + "'");
        return line.get(name);
    }

    static String text(JsonNode line, String name) {
        if (!required(line, name).isTextual()) throw new IllegalArgumentException("its '" + name + "' is no text");
        return line.get(name).asText();
    }

    static long number(JsonNode line, String name) {
        if (!required(line, name).isIntegralNumber() || !line.get(name).canConvertToLong())
            throw new IllegalArgumentException("its '" + name + "' is no whole number");
        return line.get(name).asLong();
    }

    /** Checked, because it becomes the name of a file. */
    private static String sha256(JsonNode line, String name) {
        String sha256 = text(line, name);
        if (!sha256.matches("[0-9a-f]{64}")) throw new IllegalArgumentException("its '" + name + "' is no SHA-256");
        return sha256;
    }

    private static long micros(Instant time) {
        return ChronoUnit.MICROS.between(Instant.EPOCH, time);
    }

    private static Instant instant(long micros) {
        return Instant.EPOCH.plus(micros, ChronoUnit.MICROS);
    }
}
