package io.linesight.app.hostile;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Changes of Avro records and protobuf messages. One thread. */
final class RecordMutations {
    private final ByteMutations bytes;
    private final TextMutations text;

    RecordMutations(ByteMutations bytes, TextMutations text) {
        this.bytes = bytes;
        this.text = text;
    }

    /**
     * A record in Confluent's wire format: numbers, lengths and counts are varints, and nearly every byte may begin
     * one.
     */
    byte[] avro(byte[] b) {
        long v = bytes.anyNumber();
        if (bytes.random.nextInt(12) == 0) {
            byte[] out = b.clone();
            ByteBuffer.wrap(out).putInt(1, bytes.random.nextBoolean() ? bytes.random.nextInt(30) : (int) v);
            return out;
        }
        int at = 5 + bytes.random.nextInt(b.length - 5);
        int end = at;
        while (end < b.length - 1 && b[end] < 0) end++;
        byte[] varint = ByteMutations.varint(v << 1 ^ v >> 63);
        return switch (bytes.random.nextInt(3)) {
            case 0 -> ByteMutations.replaced(b, at, end - at + 1, varint);
            case 1 -> ByteMutations.replaced(b, at, 0, varint);
            default ->
                ByteMutations.replaced(b, at, end - at + 1, ByteMutations.varint((long) bytes.random.nextInt(64)));
        };
    }

    byte[] protobuf(byte[] b) {
        int at = bytes.random.nextInt(b.length);
        long v = bytes.anyNumber();
        int end = at;
        while (end < b.length - 1 && b[end] < 0) end++;
        switch (bytes.random.nextInt(6)) {
            case 0:
                return ByteMutations.replaced(b, at, end - at + 1, ByteMutations.varint(v));
            case 1:
                return ByteMutations.replaced(b, at, 0, ByteMutations.varint(v));
            case 2:
                return ByteMutations.replaced(
                        b,
                        at,
                        0,
                        ByteMutations.repeated(
                                new byte[] {(byte) (8 * (1 + bytes.random.nextInt(15)) + 3)},
                                1 + bytes.random.nextInt(20_000)));
            case 3: {
                byte[] inner = b;
                int field = new int[] {7, 1, 5, 25, 8}[bytes.random.nextInt(5)];
                for (int i = bytes.random.nextInt(200); i > 0 && inner.length < ByteMutations.MAX_BYTES / 2; i--) {
                    byte[] head = ByteMutations.concat(
                            ByteMutations.varint(field << 3 | 2), ByteMutations.varint(inner.length));
                    inner = ByteMutations.concat(head, inner);
                }
                return ByteMutations.concat(b, inner);
            }
            // Texts inside are JSON: metadata properties. The length before them is corrected where it is one or two
            // bytes.
            case 4, 5:
                return jsonInside(b);
            default:
                throw new IllegalStateException();
        }
    }

    private byte[] jsonInside(byte[] b) {
        List<Integer> starts = new ArrayList<>();
        for (int i = 2; i < b.length; i++) if (b[i] == '{') starts.add(i);
        int start = starts.get(bytes.random.nextInt(starts.size()));
        for (int width = 1; width <= 2; width++) {
            int length = width == 1 ? b[start - 1] & 0xff : (b[start - 2] & 0x7f) | (b[start - 1] & 0xff) << 7;
            if (length < 2 || start + length > b.length || b[start + length - 1] != '}') continue;
            byte[] changed = text.json(Arrays.copyOfRange(b, start, start + length));
            return ByteMutations.replaced(
                    b,
                    start - width,
                    width + length,
                    ByteMutations.concat(ByteMutations.varint(changed.length), changed));
        }
        throw new IllegalStateException("no text here");
    }
}
