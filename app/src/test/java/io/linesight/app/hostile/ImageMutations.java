package io.linesight.app.hostile;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/** Changes of PNG and JPEG files that keep their structure. One thread. */
final class ImageMutations {
    /** Bytes of a PNG before its first chunk. */
    private static final int SIGNATURE = 8;

    private final ByteMutations bytes;

    ImageMutations(ByteMutations bytes) {
        this.bytes = bytes;
    }

    private record Chunk(String type, byte[] data) {}

    byte[] png(byte[] b) {
        List<Chunk> chunks = readChunks(b);
        change(chunks);
        return write(Arrays.copyOf(b, SIGNATURE), chunks);
    }

    private static List<Chunk> readChunks(byte[] b) {
        List<Chunk> chunks = new ArrayList<>();
        ByteBuffer in = ByteBuffer.wrap(b);
        in.position(SIGNATURE);
        while (in.remaining() >= 12) {
            int length = in.getInt();
            byte[] type = new byte[4];
            in.get(type);
            byte[] data = new byte[Math.max(0, Math.min(length, in.remaining() - 4))];
            in.get(data);
            in.getInt();
            chunks.add(new Chunk(new String(type, StandardCharsets.ISO_8859_1), data));
        }
        return chunks;
    }

    private void change(List<Chunk> chunks) {
        int at = bytes.random.nextInt(chunks.size());
        Chunk c = chunks.get(at);
        switch (bytes.random.nextInt(7)) {
            case 0 -> {
                Chunk header = chunks.get(0);
                byte[] data = header.data.clone();
                int field = bytes.random.nextInt(7);
                long v = bytes.anyNumber();
                if (field < 2) ByteBuffer.wrap(data).putInt(field * 4, (int) v);
                else data[6 + field] = (byte) (bytes.random.nextBoolean() ? v : bytes.random.nextInt(8));
                chunks.set(0, new Chunk(header.type, data));
            }
            case 1 -> chunks.remove(at);
            case 2 -> {
                int times = bytes.random.nextInt(6) == 0 ? 500 : 1;
                for (int i = 0; i < times; i++) chunks.add(at, c);
            }
            case 3 -> chunks.add(1, hostileChunk());
            case 4 -> chunks.set(at, new Chunk(c.type, bytes.mutate(c.data, List.of(c.data))));
            case 5 -> chunks.add(bytes.random.nextInt(chunks.size()), c);
            default -> chunks.set(at, new Chunk(hostileChunk().type, c.data));
        }
    }

    private static byte[] write(byte[] signature, List<Chunk> chunks) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(signature);
        for (Chunk k : chunks) {
            byte[] typed = ByteBuffer.allocate(4 + k.data.length)
                    .put(k.type.getBytes(StandardCharsets.ISO_8859_1))
                    .put(k.data)
                    .array();
            CRC32 crc = new CRC32();
            crc.update(typed);
            out.writeBytes(ByteBuffer.allocate(4).putInt(k.data.length).array());
            out.writeBytes(typed);
            out.writeBytes(ByteBuffer.allocate(4).putInt((int) crc.getValue()).array());
        }
        return out.toByteArray();
    }

    private Chunk hostileChunk() {
        String type = new String[] {
                    "acTL", "fcTL", "fdAT", "PLTE", "tRNS", "iCCP", "zTXt", "iTXt", "tEXt", "eXIf", "gAMA", "sBIT",
                    "hIST", "IDAT", "IHDR", "cICP", "mDCV", "ABCD", "abcd"
                }
                [bytes.random.nextInt(19)];
        byte[] data =
                switch (type) {
                    case "acTL" ->
                        ByteBuffer.allocate(8)
                                .putInt((int) bytes.anyNumber())
                                .putInt(bytes.random.nextInt(4))
                                .array();
                    case "fcTL" -> {
                        ByteBuffer f = ByteBuffer.allocate(26).putInt(bytes.random.nextInt(3));
                        for (int i = 0; i < 4; i++) f.putInt((int) bytes.anyNumber());
                        yield f.putShort((short) 1)
                                .putShort((short) 1)
                                .put((byte) bytes.random.nextInt(4))
                                .put((byte) bytes.random.nextInt(3))
                                .array();
                    }
                    case "iCCP", "zTXt" -> {
                        byte[] bomb = new byte[1 << 13];
                        Deflater d = new Deflater(9);
                        d.setInput(new byte[1 << 22]);
                        d.finish();
                        int n = d.deflate(bomb);
                        d.end();
                        yield ByteBuffer.allocate(3 + n)
                                .put((byte) 'a')
                                .put((byte) 0)
                                .put((byte) 0)
                                .put(bomb, 0, n)
                                .array();
                    }
                    default -> bytes.random(bytes.random.nextInt(800));
                };
        return new Chunk(type, data);
    }

    byte[] jpeg(byte[] b) {
        List<int[]> segments = new ArrayList<>(); // marker, start, end
        int at = 2;
        while (at + 4 < b.length && (b[at] & 0xff) == 0xff) {
            int marker = b[at + 1] & 0xff;
            int length = (b[at + 2] & 0xff) << 8 | b[at + 3] & 0xff;
            segments.add(new int[] {marker, at, Math.min(b.length, at + 2 + length)});
            at += 2 + length;
            if (marker == 0xda) break;
        }
        int[] s = segments.get(bytes.random.nextInt(segments.size()));
        switch (bytes.random.nextInt(7)) {
            case 0: {
                byte[] out = b.clone();
                for (int[] k : segments)
                    if (k[0] >= 0xc0 && k[0] <= 0xc2) {
                        int field = bytes.random.nextInt(6);
                        long v = bytes.anyNumber();
                        if (field < 2) ByteBuffer.wrap(out).putShort(k[1] + 5 + 2 * field, (short) v);
                        else out[Math.min(out.length - 1, k[1] + 7 + field + bytes.random.nextInt(8))] = (byte) v;
                    }
                return out;
            }
            case 1:
                return ByteMutations.replaced(b, s[1], s[2] - s[1], new byte[0]);
            case 2:
                return ByteMutations.replaced(
                        b,
                        s[1],
                        0,
                        ByteMutations.repeated(
                                Arrays.copyOfRange(b, s[1], s[2]), bytes.random.nextInt(6) == 0 ? 300 : 1));
            case 3: {
                byte[] data = bytes.random(bytes.random.nextInt(300));
                int marker = new int[] {
                            0xc0, 0xc1, 0xc2, 0xc4, 0xc9, 0xcc, 0xda, 0xdb, 0xdc, 0xdd, 0xe0, 0xe1, 0xe2, 0xee, 0xfe,
                            0xd0, 0xd9
                        }
                        [bytes.random.nextInt(17)];
                return ByteMutations.replaced(
                        b,
                        s[1],
                        0,
                        ByteBuffer.allocate(4 + data.length)
                                .put((byte) 0xff)
                                .put((byte) marker)
                                .putShort((short) (2 + data.length))
                                .put(data)
                                .array());
            }
            case 4: {
                byte[] out = b.clone();
                ByteBuffer.wrap(out).putShort(s[1] + 2, (short) bytes.anyNumber());
                return out;
            }
            case 5: {
                byte[] out = b.clone();
                int from = Math.min(s[1] + 4, b.length - 1);
                out[Math.min(b.length - 1, from + bytes.random.nextInt(Math.max(1, s[2] - from)))] =
                        (byte) bytes.random.nextInt(256);
                return out;
            }
            default: {
                byte[] out = b.clone();
                int from = Math.min(b.length - 1, segments.get(segments.size() - 1)[2]);
                for (int i = 0; i < 8; i++)
                    out[from + bytes.random.nextInt(b.length - from)] = (byte) bytes.random.nextInt(256);
                return out;
            }
        }
    }
}
