package io.linesight.demo;

import io.linesight.cameras.CameraShot;
import io.linesight.cameras.FramePublisher;
import io.linesight.schemas.FrameEncoding;
import io.linesight.schemas.FrameRef;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.zip.CRC32;

/** A camera gone wrong: every kind of frame that a line must survive, one after another. */
final class HostileCamera {
    static final String ID = "intruder";
    private final FramePublisher publisher;
    private final byte[] goodJpeg;
    private int next;

    /** @param goodJpeg any intact image, to be damaged */
    HostileCamera(FramePublisher publisher, byte[] goodJpeg) {
        this.publisher = publisher;
        this.goodJpeg = goodJpeg;
    }

    /** Number of kinds. */
    static final int KINDS = 7;

    /** Sends the next kind of bad frame; completes with its place. */
    CompletableFuture<FrameRef> send() {
        return switch (next++ % KINDS) {
            case 0 -> frame(FrameEncoding.JPEG, Arrays.copyOf(goodJpeg, goodJpeg.length / 3), "flange", 0, 0);
            case 1 -> frame(FrameEncoding.PNG, bomb(), "flange", 0, 0);
            case 2 -> frame(FrameEncoding.JPEG, new byte[0], "flange", 0, 0);
            case 3 -> publisher.sendRaw(ID, "this is no Avro record".getBytes(StandardCharsets.UTF_8));
            case 4 -> frame(FrameEncoding.UNKNOWN, goodJpeg, "flange", 0, 0);
            case 5 -> frame(FrameEncoding.RGB8, new byte[1000], "flange", 640, 480);
            default -> publisher.sendRaw(ID, new byte[] {0, 0, 0, (byte) 0xFF, 7, 1, 2, 3});
        };
    }

    private CompletableFuture<FrameRef> frame(
            FrameEncoding encoding, byte[] image, String product, int width, int height) {
        return publisher.send(ID, new CameraShot(product, Instant.now(), encoding, width, height, image, Map.of()));
    }

    /** A PNG of about a hundred bytes whose header says 30,000 x 30,000 pixels. */
    private static byte[] bomb() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(new byte[] {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'});
        ByteArrayOutputStream header = new ByteArrayOutputStream();
        try (DataOutputStream data = new DataOutputStream(header)) {
            data.writeInt(30_000);
            data.writeInt(30_000);
            data.write(new byte[] {8, 2, 0, 0, 0});
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        chunk(out, "IHDR", header.toByteArray());
        chunk(out, "IDAT", new byte[] {0x78, (byte) 0x9C, 0x63, 0, 0, 0, 1, 0, 1});
        chunk(out, "IEND", new byte[0]);
        return out.toByteArray();
    }

    private static void chunk(ByteArrayOutputStream out, String type, byte[] data) {
        byte[] name = type.getBytes(StandardCharsets.US_ASCII);
        CRC32 crc = new CRC32();
        crc.update(name);
        crc.update(data);
        try (DataOutputStream d = new DataOutputStream(out)) {
            d.writeInt(data.length);
            d.write(name);
            d.write(data);
            d.writeInt((int) crc.getValue());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
