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
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;

/** Changes of files that hold arrays: zip, pickle, safetensors, npy. One thread. */
final class ArrayMutations {
    private final ByteMutations bytes;
    private final TextMutations text;

    ArrayMutations(ByteMutations bytes, TextMutations text) {
        this.bytes = bytes;
        this.text = text;
    }

    /** Either a field of a header, or the content of an entry with a correct checksum. */
    byte[] zip(byte[] b) throws IOException {
        if (bytes.random.nextInt(3) == 0) return changeHeader(b);
        Map<String, byte[]> entries = readEntries(b);
        changeEntry(entries);
        return write(entries, bytes.random.nextInt(4) == 0);
    }

    private byte[] changeHeader(byte[] b) {
        List<Integer> headers = new ArrayList<>();
        for (int i = 0; i + 4 < b.length; i++) if (b[i] == 'P' && b[i + 1] == 'K' && b[i + 2] < 9) headers.add(i);
        int at = headers.get(bytes.random.nextInt(headers.size()));
        byte[] out = b.clone();
        bytes.putNumber(out, Math.min(b.length - 1, at + 4 + bytes.random.nextInt(46)));
        return out;
    }

    private static Map<String, byte[]> readEntries(byte[] b) throws IOException {
        Map<String, byte[]> entries = new LinkedHashMap<>();
        try (ZipInputStream in = new ZipInputStream(new ByteArrayInputStream(b))) {
            for (ZipEntry e = in.getNextEntry(); e != null; e = in.getNextEntry()) {
                byte[] content = in.readNBytes(ByteMutations.MAX_BYTES);
                if (content.length == ByteMutations.MAX_BYTES)
                    throw new IllegalStateException("a bomb: too large to be taken apart");
                entries.put(e.getName(), content);
            }
        }
        return entries;
    }

    private void changeEntry(Map<String, byte[]> entries) {
        List<String> names = new ArrayList<>(entries.keySet());
        String name = names.get(bytes.random.nextInt(names.size()));
        byte[] content = entries.get(name);
        switch (bytes.random.nextInt(8)) {
            case 0 -> entries.remove(name);
            case 1 -> entries.put(name + bytes.random.nextInt(9), content);
            case 2 -> entries.put(name, new byte[bytes.random.nextInt(1 << 16)]);
            default ->
                entries.put(
                        name,
                        name.endsWith(".npy")
                                ? changeArray(content)
                                : name.endsWith(".pkl") ? pickle(content) : bytes.mutate(content, List.of(content)));
        }
    }

    private static byte[] write(Map<String, byte[]> entries, boolean compress) throws IOException {
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

    /** Of an array that is damaged beyond what {@link #npy} understands, any bytes change. */
    private byte[] changeArray(byte[] content) {
        try {
            return npy(content);
        } catch (RuntimeException e) {
            return bytes.mutate(content, List.of(content));
        }
    }

    byte[] pickle(byte[] b) {
        String ops = "(0125NJKMGXTUCB}])tlbdaesuqrhjcQRi.";
        int[] more = {0x80, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8d, 0x8e, 0x93, 0x94, 0x95, 0x81, 0x82};
        int at = b.length == 0 ? 0 : bytes.random.nextInt(b.length);
        byte[] op = {
            (byte)
                    (bytes.random.nextInt(3) == 0
                            ? more[bytes.random.nextInt(more.length)]
                            : ops.charAt(bytes.random.nextInt(ops.length())))
        };
        return switch (bytes.random.nextInt(6)) {
            case 0 -> ByteMutations.replaced(b, at, 0, op);
            case 1 -> ByteMutations.replaced(b, at, 0, ByteMutations.repeated(op, 1 + bytes.random.nextInt(3000)));
            case 2 -> ByteMutations.replaced(b, at, 1, op);
            case 3 -> ByteMutations.replaced(b, at, 0, new byte[] {'h', (byte) bytes.random.nextInt(4)});
            case 4 ->
                ByteMutations.replaced(b, at, 0, "ccollections\nOrderedDict\n)R".getBytes(StandardCharsets.US_ASCII));
            default -> {
                byte[] out = b.clone();
                bytes.putNumber(out, at);
                yield out;
            }
        };
    }

    byte[] safetensors(byte[] b) {
        ByteBuffer in = ByteBuffer.wrap(b).order(ByteOrder.LITTLE_ENDIAN);
        int length = Math.toIntExact(in.getLong(0));
        if (length < 0 || length > b.length - 8) throw new IllegalStateException("no header any more");
        byte[] header = text.json(Arrays.copyOfRange(b, 8, 8 + length));
        byte[] out = ByteMutations.replaced(b, 8, length, header);
        if (bytes.random.nextInt(5) > 0)
            ByteBuffer.wrap(out).order(ByteOrder.LITTLE_ENDIAN).putLong(0, header.length);
        return out;
    }

    byte[] npy(byte[] b) {
        int length = Math.min(b.length - 10, (b[8] & 0xff) | (b[9] & 0xff) << 8);
        byte[] header = bytes.random.nextInt(4) == 0
                ? text.text(Arrays.copyOfRange(b, 10, 10 + length))
                : text.json(Arrays.copyOfRange(b, 10, 10 + length));
        byte[] out = ByteMutations.replaced(b, 10, length, header);
        if (header.length < 65536)
            ByteBuffer.wrap(out).order(ByteOrder.LITTLE_ENDIAN).putShort(8, (short) header.length);
        return out;
    }
}
