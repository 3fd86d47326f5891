package io.linesight.notify.opcua;

import io.linesight.schemas.Alert;
import io.linesight.schemas.InspectionResult;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * What a result or an alert is about. Names are whatever cameras send, so ids of nodes are made of them by escaping,
 * without two names ever sharing one.
 *
 * @param camera empty for the line
 * @param product empty for the camera itself
 */
record Source(String camera, String product) {
    static final Source LINE = new Source("", "");
    private static final int MAX_ID = 600;
    private static final int MAX_NAME = 200;

    static Source of(Alert alert) {
        return of(alert.getCameraId(), alert.getProduct());
    }

    static Source of(InspectionResult result) {
        return of(result.getCameraId(), result.getProduct());
    }

    private static Source of(String camera, @Nullable String product) {
        return camera.isEmpty() ? LINE : new Source(camera, product == null ? "" : product);
    }

    /** What it is a part of; the line is a part of itself. */
    Source parent() {
        return product.isEmpty() ? LINE : new Source(camera, "");
    }

    /** Id of its node: text without control characters, of bounded length, another one for every source. */
    String id() {
        if (camera.isEmpty()) return "line";
        return "camera=" + escaped(camera) + (product.isEmpty() ? "" : "/product=" + escaped(product));
    }

    /** For people; not unique. */
    String name() {
        return camera.isEmpty() ? "Line" : readable(product.isEmpty() ? camera : product);
    }

    /** Camera and product, for people. */
    String path() {
        return camera.isEmpty() ? "Line" : readable(camera) + (product.isEmpty() ? "" : " " + readable(product));
    }

    /** Letters, digits and a few marks as they are, all else as %XX of UTF-8; what is too long ends in a checksum. */
    static String escaped(String name) {
        StringBuilder out = new StringBuilder();
        for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xFF);
            if (c < 128 && (Character.isLetterOrDigit(c) || "-_.".indexOf(c) >= 0)) out.append(c);
            else out.append('%').append(HexFormat.of().withUpperCase().toHexDigits(b));
        }
        // '~' is never left as it is, so a shortened name is never a whole one.
        return out.length() <= MAX_ID ? out.toString() : out.substring(0, MAX_ID) + "~" + checksum(name);
    }

    static String readable(String name) {
        String clean = name.replaceAll("[\\p{Cntrl}\\p{Cf}\\p{Cs}]", "\uFFFD");
        return clean.length() <= MAX_NAME ? clean : clean.substring(0, MAX_NAME) + "...";
    }

    private static String checksum(String name) {
        return HexFormat.of().formatHex(sha256(name));
    }

    static byte[] sha256(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
