package io.linesight.app.hostile;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;

/** Damages files. The same seed gives the same damage. One thread. */
final class Mutator {
    private static final long[] NUMBERS = {
        0,
        1,
        2,
        3,
        4,
        7,
        8,
        15,
        16,
        17,
        31,
        32,
        63,
        64,
        127,
        128,
        129,
        255,
        256,
        257,
        1000,
        4095,
        4096,
        32767,
        32768,
        65535,
        65536,
        16_000_000,
        0x7fffffffL - 8,
        0x7fffffffL,
        0x80000000L,
        0xffffffffL,
        0x100000000L,
        Long.MAX_VALUE,
        Long.MIN_VALUE,
        -1,
        -2,
        -128,
        -32768,
        Integer.MIN_VALUE,
        Long.MAX_VALUE - 1,
        1L << 40,
        1L << 62
    };
    private static final String[] TOKENS = {
        "null",
        "true",
        "false",
        "0",
        "-1",
        "1",
        "2147483647",
        "2147483648",
        "-2147483648",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "1e308",
        "1e999",
        "-1e999",
        "0.5",
        "NaN",
        "\"\"",
        "\"x\"",
        "\"../../../etc/passwd\"",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "[]",
        "{}",
        "[null]",
        "{\"a\":1,\"b\":2}",
        "[[]]",
        "[-1,-1]",
        "[0,1152921504606846976]",
        "1000000",
        "1".repeat(500),
        "\"" + "9".repeat(300) + "\"",
        "\"" + "A".repeat(3000) + "\""
    };
    private static final String[] TEXTS = {
        "",
        "\0",
        "\"",
        "\"\"",
        ",",
        ",,,,",
        "\n",
        "\r\n",
        "=",
        "\\",
        "\\u12",
        "../../x",
        "/etc/passwd",
        "file:///dev/zero",
        "-1",
        "9999999999999999999",
        "NaN",
        "Infinity",
        "1e400",
        "\uFEFF",
        "é",
        "true",
        "null",
        "-----BEGIN PUBLIC KEY-----",
        "-----END PUBLIC KEY-----",
        "-----BEGIN PRIVATE KEY-----",
        " ",
        "\t",
        "'",
        "%s%n",
        "${x}",
        "http://",
        "http://[",
        "kafka.",
        "linesight.",
        "AAAA",
        "A".repeat(5000)
    };
    private static final Pattern TOKEN =
            Pattern.compile("\"[^\"\\\\]*+(?:\\\\.[^\"\\\\]*+)*+\"|-?[0-9][0-9.eE+-]*|true|false|null|True|False");
    private static final int LARGEST = 1 << 17;

    private final Random random;

    Mutator(long seed) {
        random = new Random(seed);
    }

    /** One to four changes; about half of them know the format. */
    byte[] mutate(byte[] seed, List<byte[]> others, Format format) {
        byte[] b = seed;
        for (int i = 1 + random.nextInt(4); i > 0; i--) {
            byte[] next = random.nextInt(5) < 3 ? structured(b, format) : bytes(b, others);
            if (next.length <= LARGEST) b = next;
        }
        return b;
    }

    // --- whatever the format

    private byte[] bytes(byte[] b, List<byte[]> others) {
        if (b.length == 0) return random(1 + random.nextInt(64));
        int at = random.nextInt(b.length);
        int length =
                Math.min(b.length - at, 1 + (random.nextInt(4) == 0 ? random.nextInt(b.length) : random.nextInt(16)));
        switch (random.nextInt(12)) {
            case 0: {
                byte[] out = b.clone();
                out[at] ^= (byte) (1 << random.nextInt(8));
                return out;
            }
            case 1: {
                byte[] out = b.clone();
                out[at] = (byte) NUMBERS[random.nextInt(NUMBERS.length)];
                return out;
            }
            case 2, 3: {
                byte[] out = b.clone();
                number(out, at);
                return out;
            }
            case 4:
                return Arrays.copyOf(b, at);
            case 5:
                return replaced(b, at, length, new byte[0]);
            case 6:
                return replaced(
                        b,
                        at,
                        0,
                        repeated(
                                Arrays.copyOfRange(b, at, at + length),
                                1 + random.nextInt(random.nextInt(8) == 0 ? 2000 : 3)));
            case 7:
                return replaced(b, at, 0, random(length));
            case 8: {
                byte[] other = others.get(random.nextInt(others.size()));
                int from = other.length == 0 ? 0 : random.nextInt(other.length);
                return replaced(b, at, b.length - at, Arrays.copyOfRange(other, from, other.length));
            }
            case 9: {
                byte[] other = others.get(random.nextInt(others.size()));
                int from = other.length == 0 ? 0 : random.nextInt(other.length);
                return replaced(
                        b,
                        at,
                        Math.min(length, b.length - at),
                        Arrays.copyOfRange(other, from, Math.min(other.length, from + length)));
            }
            case 10: {
                byte[] out = b.clone();
                Arrays.fill(out, at, at + length, (byte) NUMBERS[random.nextInt(NUMBERS.length)]);
                return out;
            }
            default:
                return replaced(b, at, length, random(length));
        }
    }

    private void number(byte[] out, int at) {
        long v = NUMBERS[random.nextInt(NUMBERS.length)];
        int width = 1 << random.nextInt(4);
        boolean big = random.nextBoolean();
        for (int i = 0; i < width && at + i < out.length; i++)
            out[at + i] = (byte) (v >>> 8 * (big ? width - 1 - i : i));
    }

    private byte[] random(int length) {
        byte[] b = new byte[length];
        random.nextBytes(b);
        return b;
    }

    private static byte[] repeated(byte[] b, int times) {
        int n = Math.max(1, Math.min(times, LARGEST / Math.max(1, b.length)));
        byte[] out = new byte[b.length * n];
        for (int i = 0; i < n; i++) System.arraycopy(b, 0, out, i * b.length, b.length);
        return out;
    }

    private static byte[] replaced(byte[] b, int at, int length, byte[] by) {
        byte[] out = new byte[b.length - length + by.length];
        System.arraycopy(b, 0, out, 0, at);
        System.arraycopy(by, 0, out, at, by.length);
        System.arraycopy(b, at + length, out, at + by.length, b.length - at - length);
        return out;
    }

    // --- with the format

    private byte[] structured(byte[] b, Format format) {
        try {
            return switch (format) {
                case PNG -> png(b);
                case JPEG -> jpeg(b);
                case AVRO -> avro(b);
                case PROTOBUF -> protobuf(b);
                case ZIP -> zip(b);
                case PICKLE -> pickle(b);
                case SAFETENSORS -> safetensors(b);
                case NPY -> npy(b);
                case JSON -> json(b);
                case TEXT -> text(b);
                case BYTES -> bytes(b, List.of(b));
            };
        } catch (RuntimeException | IOException e) {
            return bytes(b, List.of(b)); // damaged beyond what this understands
        }
    }

    private record Chunk(String type, byte[] data) {}

    private byte[] png(byte[] b) {
        List<Chunk> chunks = new ArrayList<>();
        ByteBuffer in = ByteBuffer.wrap(b);
        in.position(8);
        while (in.remaining() >= 12) {
            int length = in.getInt();
            byte[] type = new byte[4];
            in.get(type);
            byte[] data = new byte[Math.max(0, Math.min(length, in.remaining() - 4))];
            in.get(data);
            in.getInt();
            chunks.add(new Chunk(new String(type, StandardCharsets.ISO_8859_1), data));
        }
        int at = random.nextInt(chunks.size());
        Chunk c = chunks.get(at);
        switch (random.nextInt(7)) {
            case 0 -> {
                Chunk header = chunks.get(0);
                byte[] data = header.data.clone();
                int field = random.nextInt(7);
                long v = NUMBERS[random.nextInt(NUMBERS.length)];
                if (field < 2) ByteBuffer.wrap(data).putInt(field * 4, (int) v);
                else data[6 + field] = (byte) (random.nextBoolean() ? v : random.nextInt(8));
                chunks.set(0, new Chunk(header.type, data));
            }
            case 1 -> chunks.remove(at);
            case 2 -> {
                int times = random.nextInt(6) == 0 ? 500 : 1;
                for (int i = 0; i < times; i++) chunks.add(at, c);
            }
            case 3 -> chunks.add(1, hostileChunk());
            case 4 -> chunks.set(at, new Chunk(c.type, bytes(c.data, List.of(c.data))));
            case 5 -> chunks.add(random.nextInt(chunks.size()), c);
            default -> chunks.set(at, new Chunk(hostileChunk().type, c.data));
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(b, 0, 8);
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
                [random.nextInt(19)];
        byte[] data =
                switch (type) {
                    case "acTL" ->
                        ByteBuffer.allocate(8)
                                .putInt((int) NUMBERS[random.nextInt(NUMBERS.length)])
                                .putInt(random.nextInt(4))
                                .array();
                    case "fcTL" -> {
                        ByteBuffer f = ByteBuffer.allocate(26).putInt(random.nextInt(3));
                        for (int i = 0; i < 4; i++) f.putInt((int) NUMBERS[random.nextInt(NUMBERS.length)]);
                        yield f.putShort((short) 1)
                                .putShort((short) 1)
                                .put((byte) random.nextInt(4))
                                .put((byte) random.nextInt(3))
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
                    default -> random(random.nextInt(800));
                };
        return new Chunk(type, data);
    }

    private byte[] jpeg(byte[] b) {
        List<int[]> segments = new ArrayList<>(); // marker, start, end
        int at = 2;
        while (at + 4 < b.length && (b[at] & 0xff) == 0xff) {
            int marker = b[at + 1] & 0xff;
            int length = (b[at + 2] & 0xff) << 8 | b[at + 3] & 0xff;
            segments.add(new int[] {marker, at, Math.min(b.length, at + 2 + length)});
            at += 2 + length;
            if (marker == 0xda) break;
        }
        int[] s = segments.get(random.nextInt(segments.size()));
        switch (random.nextInt(7)) {
            case 0: {
                byte[] out = b.clone();
                for (int[] k : segments)
                    if (k[0] >= 0xc0 && k[0] <= 0xc2) {
                        int field = random.nextInt(6);
                        long v = NUMBERS[random.nextInt(NUMBERS.length)];
                        if (field < 2) ByteBuffer.wrap(out).putShort(k[1] + 5 + 2 * field, (short) v);
                        else out[Math.min(out.length - 1, k[1] + 7 + field + random.nextInt(8))] = (byte) v;
                    }
                return out;
            }
            case 1:
                return replaced(b, s[1], s[2] - s[1], new byte[0]);
            case 2:
                return replaced(
                        b, s[1], 0, repeated(Arrays.copyOfRange(b, s[1], s[2]), random.nextInt(6) == 0 ? 300 : 1));
            case 3: {
                byte[] data = random(random.nextInt(300));
                int marker = new int[] {
                            0xc0, 0xc1, 0xc2, 0xc4, 0xc9, 0xcc, 0xda, 0xdb, 0xdc, 0xdd, 0xe0, 0xe1, 0xe2, 0xee, 0xfe,
                            0xd0, 0xd9
                        }
                        [random.nextInt(17)];
                return replaced(
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
                ByteBuffer.wrap(out).putShort(s[1] + 2, (short) NUMBERS[random.nextInt(NUMBERS.length)]);
                return out;
            }
            case 5: {
                byte[] out = b.clone();
                int from = Math.min(s[1] + 4, b.length - 1);
                out[Math.min(b.length - 1, from + random.nextInt(Math.max(1, s[2] - from)))] =
                        (byte) random.nextInt(256);
                return out;
            }
            default: {
                byte[] out = b.clone();
                int from = Math.min(b.length - 1, segments.get(segments.size() - 1)[2]);
                for (int i = 0; i < 8; i++) out[from + random.nextInt(b.length - from)] = (byte) random.nextInt(256);
                return out;
            }
        }
    }

    private static byte[] varint(long v) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        while ((v & ~0x7fL) != 0) {
            out.write((int) (v & 0x7f | 0x80));
            v >>>= 7;
        }
        out.write((int) v);
        return out.toByteArray();
    }

    /**
     * A record in Confluent's wire format: numbers, lengths and counts are varints, and nearly every byte may begin
     * one.
     */
    private byte[] avro(byte[] b) {
        long v = NUMBERS[random.nextInt(NUMBERS.length)];
        if (random.nextInt(12) == 0) {
            byte[] out = b.clone();
            ByteBuffer.wrap(out).putInt(1, random.nextBoolean() ? random.nextInt(30) : (int) v);
            return out;
        }
        int at = 5 + random.nextInt(b.length - 5);
        int end = at;
        while (end < b.length - 1 && b[end] < 0) end++;
        byte[] varint = varint(v << 1 ^ v >> 63);
        return switch (random.nextInt(3)) {
            case 0 -> replaced(b, at, end - at + 1, varint);
            case 1 -> replaced(b, at, 0, varint);
            default -> replaced(b, at, end - at + 1, varint((long) random.nextInt(64)));
        };
    }

    private byte[] protobuf(byte[] b) {
        int at = random.nextInt(b.length);
        long v = NUMBERS[random.nextInt(NUMBERS.length)];
        int end = at;
        while (end < b.length - 1 && b[end] < 0) end++;
        switch (random.nextInt(6)) {
            case 0:
                return replaced(b, at, end - at + 1, varint(v));
            case 1:
                return replaced(b, at, 0, varint(v));
            case 2:
                return replaced(
                        b,
                        at,
                        0,
                        repeated(new byte[] {(byte) (8 * (1 + random.nextInt(15)) + 3)}, 1 + random.nextInt(20_000)));
            case 3: {
                byte[] inner = b;
                int field = new int[] {7, 1, 5, 25, 8}[random.nextInt(5)];
                for (int i = random.nextInt(200); i > 0 && inner.length < LARGEST / 2; i--) {
                    byte[] head = concat(varint(field << 3 | 2), varint(inner.length));
                    inner = concat(head, inner);
                }
                return concat(b, inner);
            }
            // Texts inside are JSON: metadata properties. The length before them is mended where it is one or two
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
        int start = starts.get(random.nextInt(starts.size()));
        for (int width = 1; width <= 2; width++) {
            int length = width == 1 ? b[start - 1] & 0xff : (b[start - 2] & 0x7f) | (b[start - 1] & 0xff) << 7;
            if (length < 2 || start + length > b.length || b[start + length - 1] != '}') continue;
            byte[] changed = json(Arrays.copyOfRange(b, start, start + length));
            return replaced(b, start - width, width + length, concat(varint(changed.length), changed));
        }
        throw new IllegalStateException("no text here");
    }

    private static byte[] concat(byte[] a, byte[] b) {
        byte[] out = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, out, a.length, b.length);
        return out;
    }

    /** Either a field of a header, or the content of an entry with its checksum mended. */
    private byte[] zip(byte[] b) throws IOException {
        if (random.nextInt(3) == 0) {
            List<Integer> headers = new ArrayList<>();
            for (int i = 0; i + 4 < b.length; i++) if (b[i] == 'P' && b[i + 1] == 'K' && b[i + 2] < 9) headers.add(i);
            int at = headers.get(random.nextInt(headers.size()));
            byte[] out = b.clone();
            number(out, Math.min(b.length - 1, at + 4 + random.nextInt(46)));
            return out;
        }
        Map<String, byte[]> entries = new LinkedHashMap<>();
        try (ZipInputStream in = new ZipInputStream(new ByteArrayInputStream(b))) {
            for (ZipEntry e = in.getNextEntry(); e != null; e = in.getNextEntry()) {
                byte[] content = in.readNBytes(LARGEST);
                if (content.length == LARGEST) throw new IllegalStateException("a bomb: too large to be taken apart");
                entries.put(e.getName(), content);
            }
        }
        List<String> names = new ArrayList<>(entries.keySet());
        String name = names.get(random.nextInt(names.size()));
        byte[] content = entries.get(name);
        switch (random.nextInt(8)) {
            case 0 -> entries.remove(name);
            case 1 -> entries.put(name + random.nextInt(9), content);
            case 2 -> entries.put(name, new byte[random.nextInt(1 << 16)]);
            default ->
                entries.put(
                        name,
                        name.endsWith(".npy")
                                ? structured(content, Format.NPY)
                                : name.endsWith(".pkl") ? pickle(content) : bytes(content, List.of(content)));
        }
        boolean compress = random.nextInt(4) == 0;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(out)) {
            for (Map.Entry<String, byte[]> e : entries.entrySet()) {
                ZipEntry entry = new ZipEntry(e.getKey());
                entry.setTime(0);
                if (!compress) {
                    CRC32 crc = new CRC32();
                    crc.update(e.getValue());
                    entry.setMethod(ZipEntry.STORED);
                    entry.setSize(e.getValue().length);
                    entry.setCrc(crc.getValue());
                }
                zip.putNextEntry(entry);
                zip.write(e.getValue());
                zip.closeEntry();
            }
        }
        return out.toByteArray();
    }

    private byte[] pickle(byte[] b) {
        String ops = "(0125NJKMGXTUCB}])tlbdaesuqrhjcQRi.";
        int[] more = {0x80, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8d, 0x8e, 0x93, 0x94, 0x95, 0x81, 0x82};
        int at = b.length == 0 ? 0 : random.nextInt(b.length);
        byte[] op = {
            (byte)
                    (random.nextInt(3) == 0
                            ? more[random.nextInt(more.length)]
                            : ops.charAt(random.nextInt(ops.length())))
        };
        return switch (random.nextInt(6)) {
            case 0 -> replaced(b, at, 0, op);
            case 1 -> replaced(b, at, 0, repeated(op, 1 + random.nextInt(3000)));
            case 2 -> replaced(b, at, 1, op);
            case 3 -> replaced(b, at, 0, new byte[] {'h', (byte) random.nextInt(4)});
            case 4 -> replaced(b, at, 0, "ccollections\nOrderedDict\n)R".getBytes(StandardCharsets.US_ASCII));
            default -> {
                byte[] out = b.clone();
                number(out, at);
                yield out;
            }
        };
    }

    private byte[] safetensors(byte[] b) {
        ByteBuffer in = ByteBuffer.wrap(b).order(ByteOrder.LITTLE_ENDIAN);
        int length = Math.toIntExact(in.getLong(0));
        if (length < 0 || length > b.length - 8) throw new IllegalStateException("no header any more");
        byte[] header = json(Arrays.copyOfRange(b, 8, 8 + length));
        byte[] out = replaced(b, 8, length, header);
        if (random.nextInt(5) > 0)
            ByteBuffer.wrap(out).order(ByteOrder.LITTLE_ENDIAN).putLong(0, header.length);
        return out;
    }

    private byte[] npy(byte[] b) {
        int length = Math.min(b.length - 10, (b[8] & 0xff) | (b[9] & 0xff) << 8);
        byte[] header = random.nextInt(4) == 0
                ? text(Arrays.copyOfRange(b, 10, 10 + length))
                : json(Arrays.copyOfRange(b, 10, 10 + length));
        byte[] out = replaced(b, 10, length, header);
        if (header.length < 65536)
            ByteBuffer.wrap(out).order(ByteOrder.LITTLE_ENDIAN).putShort(8, (short) header.length);
        return out;
    }

    private byte[] json(byte[] b) {
        String s = new String(b, StandardCharsets.ISO_8859_1);
        List<int[]> tokens = new ArrayList<>();
        Matcher m = TOKEN.matcher(s);
        while (m.find()) tokens.add(new int[] {m.start(), m.end()});
        int[] t = tokens.isEmpty() ? new int[] {0, 0} : tokens.get(random.nextInt(tokens.size()));
        String by =
                switch (random.nextInt(12)) {
                    case 0 -> "[".repeat(1 + random.nextInt(20_000));
                    case 1 -> "{\"a\":".repeat(1 + random.nextInt(5000));
                    case 2 -> "[".repeat(900) + "]".repeat(900);
                    case 3 -> "";
                    case 4 -> s.substring(t[0], t[1]) + "," + s.substring(t[0], t[1]);
                    default -> TOKENS[random.nextInt(TOKENS.length)];
                };
        String out;
        if (random.nextInt(10) == 0) {
            // A whole value in braces or brackets.
            int open = Math.max(s.lastIndexOf('{', t[0]), s.lastIndexOf('[', t[0]));
            int close = open < 0 ? -1 : s.indexOf(s.charAt(open) == '{' ? '}' : ']', t[1]);
            out = open < 0 || close < 0 ? by : s.substring(0, open) + by + s.substring(close + 1);
        } else {
            out = s.substring(0, t[0]) + by + s.substring(t[1]);
        }
        return out.getBytes(StandardCharsets.ISO_8859_1);
    }

    private byte[] text(byte[] b) {
        String s = new String(b, StandardCharsets.ISO_8859_1);
        String by = new String(
                TEXTS[random.nextInt(TEXTS.length)].getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
        int at = random.nextInt(s.length() + 1);
        String out =
                switch (random.nextInt(5)) {
                    case 0 -> s.substring(0, at) + by + s.substring(at);
                    case 1 -> {
                        int end = at;
                        while (end < s.length() && Character.isLetterOrDigit(s.charAt(end))) end++;
                        int begin = at;
                        while (begin > 0 && Character.isLetterOrDigit(s.charAt(begin - 1))) begin--;
                        yield s.substring(0, begin) + by + s.substring(end);
                    }
                    case 2 -> {
                        int begin = s.lastIndexOf('\n', Math.max(0, at - 1)) + 1;
                        int end = s.indexOf('\n', at);
                        String line = s.substring(begin, end < 0 ? s.length() : end + 1);
                        int times = 1 + random.nextInt(random.nextInt(8) == 0 ? 3000 : 3);
                        yield s.substring(0, begin)
                                + line.repeat(Math.min(times, LARGEST / 2 / Math.max(1, line.length())))
                                + s.substring(begin);
                    }
                    case 3 -> {
                        int eq = s.indexOf('=', at);
                        int end = eq < 0 ? -1 : s.indexOf('\n', eq);
                        yield eq < 0 ? s + by : s.substring(0, eq + 1) + by + (end < 0 ? "" : s.substring(end));
                    }
                    default ->
                        s.substring(0, at)
                                + by.repeat(Math.max(1, Math.min(200, 20_000 / Math.max(1, by.length()))))
                                + s.substring(at);
                };
        return out.getBytes(StandardCharsets.ISO_8859_1);
    }
}
