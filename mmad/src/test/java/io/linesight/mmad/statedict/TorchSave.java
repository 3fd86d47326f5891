package io.linesight.mmad.statedict;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;

/**
 * State dicts byte for byte as Python's pickler and PyTorch's archive writer put them on the disk, where
 * {@link StateDictFiles} has the same content in a plainer form: every object memoised and referred to again, entries
 * streamed with their sizes behind them and aligned to 64 bytes, a zip64 end.
 */
final class TorchSave {
    private static final int ALIGNMENT = 64;

    /**
     * A tensor over a storage that others may lie in too.
     *
     * @param type of the storage, as in {@code torch.HalfStorage}
     */
    record Entry(String name, String type, String storage, long size, long offset, long[] shape, long[] stride) {}

    private final List<Entry> entries = new ArrayList<>();
    private final Map<String, byte[]> storages = new LinkedHashMap<>();

    TorchSave storage(String key, byte[] bytes) {
        storages.put(key, bytes);
        return this;
    }

    /** @param stride null = contiguous */
    TorchSave tensor(
            String name, String type, String storage, int elementBytes, long offset, long[] shape, long[] stride) {
        long[] contiguous = new long[shape.length];
        long n = 1;
        for (int i = shape.length - 1; i >= 0; n *= shape[i], i--) contiguous[i] = n;
        entries.add(new Entry(
                name,
                type,
                storage,
                storages.get(storage).length / elementBytes,
                offset,
                shape,
                stride == null ? contiguous : stride));
        return this;
    }

    /** {@code torch.save(model.state_dict(), prefix + ".pth")} of PyTorch 2.7 and newer. */
    byte[] now(String prefix) {
        Archive a = new Archive(prefix)
                .add("data.pkl", pickle(false))
                .add(".format_version", ascii("1"))
                .add(".storage_alignment", ascii("64"))
                .add("byteorder", ascii("little"));
        storages.forEach((key, bytes) -> a.add("data/" + key, bytes));
        return a.add("version", ascii("3\n"))
                .add(".data/serialization_id", ascii("1158734464480640226800000094667015283231"))
                .end();
    }

    /** The same of PyTorch 1.6, the first with an archive; torchvision's files from 2020 on are so. */
    byte[] in16() {
        Archive a = new Archive("archive").add("data.pkl", pickle(false));
        storages.forEach((key, bytes) -> a.add("data/" + key, bytes));
        return a.add("version", ascii("3\n")).end();
    }

    /** The same before 1.6, as torchvision's oldest files are ({@code resnet34-333f7ec4.pth}). */
    byte[] before16(Map<String, Integer> elementBytes) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(new Pickler()
                .raw(0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19)
                .end());
        out.writeBytes(new Pickler().integer(1001).end());
        Pickler machine = new Pickler()
                .raw('}')
                .memo()
                .raw('(')
                .text("protocol_version")
                .integer(1001)
                .text("little_endian")
                .raw(0x88)
                .text("type_sizes")
                .raw('}')
                .memo()
                .raw('(');
        machine.text("short")
                .integer(2)
                .text("int")
                .integer(4)
                .text("long")
                .integer(4)
                .raw('u', 'u');
        out.writeBytes(machine.end());
        out.writeBytes(pickle(true));
        Pickler keys = new Pickler().raw(']').memo().raw('(');
        storages.keySet().stream().sorted().forEach(keys::text);
        out.writeBytes(keys.raw('e').end());
        storages.keySet().stream().sorted().forEach(key -> {
            byte[] s = storages.get(key);
            out.writeBytes(ByteBuffer.allocate(8)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(s.length / elementBytes.get(key))
                    .array());
            out.writeBytes(s);
        });
        return out.toByteArray();
    }

    private byte[] pickle(boolean legacy) {
        Pickler p = new Pickler().emptyOrderedDict().raw('(');
        for (Entry e : entries) {
            p.text(e.name()).global("torch._utils", "_rebuild_tensor_v2").raw('(');
            p.raw('(')
                    .text("storage")
                    .global("torch", e.type())
                    .text(e.storage())
                    .text("cpu")
                    .integer(e.size());
            if (legacy) p.raw('N');
            p.raw('t')
                    .memo()
                    .raw('Q')
                    .integer(e.offset())
                    .tuple(e.shape())
                    .tuple(e.stride())
                    .raw(0x89)
                    .emptyOrderedDict()
                    .raw('t')
                    .memo()
                    .raw('R')
                    .memo();
        }
        p.raw('u', '}').memo().text("_metadata").emptyOrderedDict().raw('(');
        for (String module : List.of("", "conv1", "bn1"))
            p.text(module)
                    .raw('}')
                    .memo()
                    .text("version")
                    .integer(module.isEmpty() ? 1 : 2)
                    .raw('s');
        return p.raw('u', 's', 'b').end();
    }

    private static byte[] ascii(String s) {
        return s.getBytes(StandardCharsets.US_ASCII);
    }

    /** Protocol 2 as Python's pickler writes it. */
    private static final class Pickler {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();
        private final Map<String, Integer> known = new HashMap<>();
        private int memos;

        Pickler() {
            raw(0x80, 2);
        }

        Pickler raw(int... bytes) {
            for (int b : bytes) out.write(b);
            return this;
        }

        private void number(long v, int bytes) {
            for (int i = 0; i < bytes; i++) out.write((int) (v >> 8 * i));
        }

        Pickler memo() {
            if (memos < 256) raw('q', memos);
            else {
                raw('r');
                number(memos, 4);
            }
            memos++;
            return this;
        }

        /** @return whether it was there already and is referred to */
        private boolean again(String what) {
            Integer at = known.get(what);
            if (at == null) {
                known.put(what, memos);
                return false;
            }
            if (at < 256) raw('h', at);
            else {
                raw('j');
                number(at, 4);
            }
            return true;
        }

        Pickler text(String s) {
            if (again("text " + s)) return this;
            byte[] b = s.getBytes(StandardCharsets.UTF_8);
            raw('X');
            number(b.length, 4);
            out.writeBytes(b);
            return memo();
        }

        Pickler global(String module, String name) {
            if (again("global " + module + "." + name)) return this;
            out.writeBytes(ascii("c" + module + "\n" + name + "\n"));
            return memo();
        }

        Pickler integer(long v) {
            if (v < 256) return raw('K', (int) v);
            raw(v < 65536 ? 'M' : 'J');
            number(v, v < 65536 ? 2 : 4);
            return this;
        }

        Pickler tuple(long[] values) {
            if (values.length == 0) return raw(')');
            if (values.length > 3) raw('(');
            for (long v : values) integer(v);
            return raw(values.length > 3 ? 't' : 0x84 + values.length).memo();
        }

        Pickler emptyOrderedDict() {
            return global("collections", "OrderedDict").raw(')', 'R').memo();
        }

        byte[] end() {
            return raw('.').out.toByteArray();
        }
    }

    /** An archive as PyTorch's {@code PyTorchStreamWriter} writes it. */
    private static final class Archive {
        private final String prefix;
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();
        private final ByteArrayOutputStream central = new ByteArrayOutputStream();
        private int count;

        Archive(String prefix) {
            this.prefix = prefix;
        }

        private static ByteBuffer buffer(int bytes) {
            return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        }

        Archive add(String name, byte[] bytes) {
            byte[] n = ascii(prefix + "/" + name);
            CRC32 crc = new CRC32();
            crc.update(bytes);
            int at = out.size();
            // Flags: sizes behind the data, names in UTF-8. An extra field 'FB' full of Z takes the data to the next
            // multiple of 64.
            int start = at + 30 + n.length + 4;
            byte[] padding = new byte[(ALIGNMENT - start % ALIGNMENT) % ALIGNMENT];
            Arrays.fill(padding, (byte) 'Z');
            out.writeBytes(buffer(30)
                    .putInt(0x04034b50)
                    .putShort((short) 0)
                    .putShort((short) 0x0808)
                    .putShort((short) 0)
                    .putInt(0)
                    .putInt(0)
                    .putInt(0)
                    .putInt(0)
                    .putShort((short) n.length)
                    .putShort((short) (4 + padding.length))
                    .array());
            out.writeBytes(n);
            out.writeBytes(buffer(4)
                    .put((byte) 'F')
                    .put((byte) 'B')
                    .putShort((short) padding.length)
                    .array());
            out.writeBytes(padding);
            out.writeBytes(bytes);
            out.writeBytes(buffer(16)
                    .putInt(0x08074b50)
                    .putInt((int) crc.getValue())
                    .putInt(bytes.length)
                    .putInt(bytes.length)
                    .array());
            central.writeBytes(buffer(46)
                    .putInt(0x02014b50)
                    .putInt(0)
                    .putShort((short) 0x0808)
                    .putShort((short) 0)
                    .putInt(0)
                    .putInt((int) crc.getValue())
                    .putInt(bytes.length)
                    .putInt(bytes.length)
                    .putShort((short) n.length)
                    .putInt(0)
                    .putInt(0)
                    .putInt(0)
                    .putInt(at)
                    .array());
            central.writeBytes(n);
            count++;
            return this;
        }

        byte[] end() {
            int at = out.size();
            int size = central.size();
            out.writeBytes(central.toByteArray());
            int end = out.size();
            out.writeBytes(buffer(56)
                    .putInt(0x06064b50)
                    .putLong(44)
                    .putShort((short) 0x31e)
                    .putShort((short) 45)
                    .putInt(0)
                    .putInt(0)
                    .putLong(count)
                    .putLong(count)
                    .putLong(size)
                    .putLong(at)
                    .array());
            out.writeBytes(buffer(20)
                    .putInt(0x07064b50)
                    .putInt(0)
                    .putLong(end)
                    .putInt(1)
                    .array());
            out.writeBytes(buffer(22)
                    .putInt(0x06054b50)
                    .putInt(0)
                    .putShort((short) count)
                    .putShort((short) count)
                    .putInt(size)
                    .putInt(at)
                    .putShort((short) 0)
                    .array());
            return out.toByteArray();
        }
    }
}
