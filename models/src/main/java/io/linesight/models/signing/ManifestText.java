package io.linesight.models.signing;

import io.linesight.schemas.DatasetSummary;
import io.linesight.schemas.GateVerdict;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.ProductMetrics;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * The text that a signature covers: every field of the manifest but {@code keyId} and {@code signature}, one
 * {@code name=value} line each, in UTF-8, every line ended by a line feed. It is written out by hand and begins with
 * the version of its own layout, so a field that the Avro schema gets later leaves old signatures as they are: a layout
 * that covers it gets a line {@value #LAYOUT} of its own.
 *
 * <pre>
 * linesight-model-manifest-1
 * version="20260101-120000-1a2b3c4d"       text in double quotes; backslash, quote and control characters as \\uXXXX
 * channel="line" sha256 location           likewise
 * bytes=1234 chunks=1 chunkBytes=921600    whole numbers
 * createdAt=1767268800000000               microseconds since 1970
 * createdBy="..." parent=null              null where there is none
 * dataset.fingerprint, dataset.normals, dataset.anomalous
 * gate.outcome="PASSED" gate.reason gate.margin gate.against
 * note
 * products=2                               then per product, in the order of the record:
 * product="..." threshold scale normals anomalous imageAuroc falseAlarmRate missRate parentImageAuroc parentFalseAlarmRate parentMissRate
 * </pre>
 *
 * Floating-point numbers are Java's hexadecimal notation ({@link Double#toHexString}): exact, and the same on every
 * version of Java.
 */
final class ManifestText {
    private static final String LAYOUT = "linesight-model-manifest-1";

    private final StringBuilder out = new StringBuilder(1024);

    private ManifestText() {}

    static byte[] of(ModelVersion m) {
        ManifestText t = new ManifestText();
        t.out.append(LAYOUT).append('\n');
        t.text("version", m.getVersion());
        t.text("channel", m.getChannel());
        t.text("sha256", m.getSha256());
        t.number("bytes", m.getBytes());
        t.text("location", m.getLocation());
        t.number("chunks", m.getChunks());
        t.number("chunkBytes", m.getChunkBytes());
        t.number("createdAt", micros(m.getCreatedAt()));
        t.text("createdBy", m.getCreatedBy());
        t.text("parent", m.getParent());
        DatasetSummary d = m.getDataset();
        t.text("dataset.fingerprint", d.getFingerprint());
        t.number("dataset.normals", d.getNormals());
        t.number("dataset.anomalous", d.getAnomalous());
        GateVerdict g = m.getGate();
        t.text("gate.outcome", g.getOutcome().name());
        t.text("gate.reason", g.getReason());
        t.real("gate.margin", g.getMargin());
        t.text("gate.against", g.getAgainst());
        t.text("note", m.getNote());
        t.number("products", m.getProducts().size());
        for (ProductMetrics p : m.getProducts()) {
            t.text("product", p.getProduct());
            t.real("threshold", p.getThreshold());
            t.real("scale", p.getScale());
            t.number("normals", p.getNormals());
            t.number("anomalous", p.getAnomalous());
            t.real("imageAuroc", p.getImageAuroc());
            t.real("falseAlarmRate", p.getFalseAlarmRate());
            t.real("missRate", p.getMissRate());
            t.real("parentImageAuroc", p.getParentImageAuroc());
            t.real("parentFalseAlarmRate", p.getParentFalseAlarmRate());
            t.real("parentMissRate", p.getParentMissRate());
        }
        return t.out.toString().getBytes(StandardCharsets.UTF_8);
    }

    /**
     * Any instant that a record can hold; {@link java.time.temporal.ChronoUnit#between} overflows for the earliest of
     * them.
     */
    private static long micros(Instant t) {
        return t.getEpochSecond() * 1_000_000
                + t.getNano() / 1000; // what overflows on the way comes back: the sum fits
    }

    private void text(String name, @Nullable String value) {
        out.append(name).append('=');
        if (value == null) {
            out.append("null");
        } else {
            out.append('"');
            for (int i = 0; i < value.length(); i++) {
                char c = value.charAt(i);
                // Lone surrogates would all become one replacement character in UTF-8.
                if (c < 0x20 || c == 0x7f || c == '"' || c == '\\' || Character.isSurrogate(c))
                    out.append(String.format("\\u%04x", (int) c));
                else out.append(c);
            }
            out.append('"');
        }
        out.append('\n');
    }

    private void number(String name, long value) {
        out.append(name).append('=').append(value).append('\n');
    }

    private void real(String name, @Nullable Double value) {
        out.append(name)
                .append('=')
                .append(value == null ? "null" : Double.toHexString(value))
                .append('\n');
    }
}
