package io.linesight.app.hostile;

import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.schemas.DeadLetterReason;
import io.linesight.schemas.topics.DeadLetterHeaders;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.apache.kafka.common.header.internals.RecordHeaders;

/** Readers of bytes that are neither records nor files. One thread. */
final class ByteTargets {
    private ByteTargets() {}

    static String image(byte[] input) throws BadImageException {
        // All three readers of files, told apart by something that a mutation changes.
        switch (input.length % 3) {
            case 0 -> ImageCodec.decodeGray(input, Targets.LIMITS);
            case 1 -> ImageCodec.decodeMask(input, Targets.LIMITS);
            default -> ImageCodec.decode(input, Targets.LIMITS);
        }
        return null;
    }

    /** One byte for the encoding, width, height, pixels. */
    static String rawPixels(byte[] input) throws BadImageException {
        ByteBuffer in = ByteBuffer.wrap(input);
        String[] names = {"GRAY8", "RGB8", "BGR8", null, "YUV"};
        String encoding = names[in.hasRemaining() ? Math.floorMod(in.get(), names.length) : 0];
        int width = in.remaining() >= 4 ? in.getInt() : 0;
        int height = in.remaining() >= 4 ? in.getInt() : 0;
        byte[] pixels = new byte[in.remaining()];
        in.get(pixels);
        ImageCodec.raw(encoding, width, height, pixels, Targets.LIMITS);
        return null;
    }

    /** Pairs of name and value: which of the five headers in one byte, length in one byte, text. */
    static String deadLetter(byte[] input) {
        String[] names = {
            DeadLetterHeaders.CODE,
            DeadLetterHeaders.MESSAGE,
            DeadLetterHeaders.SOURCE_TOPIC,
            DeadLetterHeaders.SOURCE_PARTITION,
            DeadLetterHeaders.SOURCE_OFFSET
        };
        RecordHeaders headers = new RecordHeaders();
        ByteBuffer in = ByteBuffer.wrap(input);
        while (in.remaining() >= 2) {
            String name = names[Math.floorMod(in.get(), names.length)];
            int length = in.get() & 0xff;
            byte[] value = length == 255 ? null : new byte[Math.min(length, in.remaining())];
            if (value != null) in.get(value);
            headers.add(name, value);
        }
        Optional<DeadLetterReason> reason = DeadLetterHeaders.read(headers);
        if (reason.isEmpty()) return "headers that are not ours";
        if (reason.get().getCode() == null
                || reason.get().getMessage() == null
                || reason.get().getSource() == null) throw new AssertionError("a reason with holes");
        return null;
    }
}
