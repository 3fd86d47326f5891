package io.linesight.mmad.statedict;

import io.linesight.mmad.architecture.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Writes state dicts byte for byte as PyTorch and safetensors do, for tests. */
public final class StateDictFiles {
    private StateDictFiles() {}

    public static Path safetensors(Path file, Map<String, Tensor> tensors) throws IOException {
        List<String> entries = new ArrayList<>(List.of("\"__metadata__\":{\"format\":\"pt\"}"));
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        for (Map.Entry<String, Tensor> e : tensors.entrySet()) {
            int begin = data.size();
            data.writeBytes(floats(e.getValue().data()));
            entries.add("\"" + e.getKey() + "\":{\"dtype\":\"F32\",\"shape\":"
                    + Arrays.toString(e.getValue().shape()) + ",\"data_offsets\":[" + begin + "," + data.size() + "]}");
        }
        return safetensors(file, "{" + String.join(",", entries) + "}", data.toByteArray());
    }

    static Path safetensors(Path file, String header, byte[] data) throws IOException {
        byte[] h = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer b = ByteBuffer.allocate(8 + h.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
        b.putLong(h.length).put(h).put(data);
        return Files.write(file, b.array());
    }

    /** {@code torch.save(state_dict, file)} since PyTorch 1.6. */
    public static Path zip(Path file, Map<String, Tensor> tensors) throws IOException {
        Map<String, byte[]> storages = new LinkedHashMap<>();
        PickleBytes p = new PickleBytes().dictionary(tensors, storages).stop();
        return zip(file, p.bytes(), storages);
    }

    /** The same with a plain dictionary, the only kind that libtorch reads outside Python. */
    public static Path zipOfPlainDictionary(Path file, Map<String, Tensor> tensors) throws IOException {
        Map<String, byte[]> storages = new LinkedHashMap<>();
        return zip(
                file, new PickleBytes().raw('}').items(tensors, storages).stop().bytes(), storages);
    }

    static Path zip(Path file, byte[] pickle, Map<String, byte[]> storages) throws IOException {
        try (OutputStream out = Files.newOutputStream(file);
                ZipOutputStream zip = new ZipOutputStream(out)) {
            stored(zip, "archive/data.pkl", pickle);
            stored(zip, "archive/byteorder", "little".getBytes(StandardCharsets.US_ASCII));
            for (Map.Entry<String, byte[]> s : storages.entrySet())
                stored(zip, "archive/data/" + s.getKey(), s.getValue());
            stored(zip, "archive/version", "3\n".getBytes(StandardCharsets.US_ASCII));
        }
        return file;
    }

    private static void stored(ZipOutputStream zip, String name, byte[] bytes) throws IOException {
        CRC32 crc = new CRC32();
        crc.update(bytes);
        ZipEntry e = new ZipEntry(name);
        e.setMethod(ZipEntry.STORED);
        e.setSize(bytes.length);
        e.setCrc(crc.getValue());
        zip.putNextEntry(e);
        zip.write(bytes);
        zip.closeEntry();
    }

    /** {@code torch.save(..., _use_new_zipfile_serialization=False)}, and every file before PyTorch 1.6. */
    public static Path legacy(Path file, Map<String, Tensor> tensors) throws IOException {
        Map<String, byte[]> storages = new LinkedHashMap<>();
        byte[] object = new PickleBytes().dictionary(tensors, storages).stop().bytes();
        return legacy(file, object, storages);
    }

    static Path legacy(Path file, byte[] object, Map<String, byte[]> storages) throws IOException {
        try (OutputStream out = Files.newOutputStream(file)) {
            out.write(new PickleBytes()
                    .raw(0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19)
                    .stop()
                    .bytes());
            out.write(new PickleBytes().integer(1001).stop().bytes());
            out.write(new PickleBytes()
                    .raw('}', '(')
                    .text("protocol_version")
                    .integer(1001)
                    .text("little_endian")
                    .raw(0x88, 'u')
                    .stop()
                    .bytes());
            out.write(object);
            PickleBytes keys = new PickleBytes().raw(']', '(');
            storages.keySet().forEach(keys::text);
            out.write(keys.raw('e').stop().bytes());
            for (byte[] s : storages.values())
                out.write(ByteBuffer.allocate(8 + s.length)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(s.length / 4)
                        .put(s)
                        .array());
        }
        return file;
    }

    static byte[] floats(float... values) {
        ByteBuffer b = ByteBuffer.allocate(values.length * 4).order(ByteOrder.LITTLE_ENDIAN);
        b.asFloatBuffer().put(values);
        return b.array();
    }

    /** A pickle of protocol 2, instruction by instruction. */
    static final class PickleBytes {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        PickleBytes() {
            raw(0x80, 2);
        }

        PickleBytes raw(int... bytes) {
            for (int b : bytes) out.write(b);
            return this;
        }

        PickleBytes text(String s) {
            byte[] b = s.getBytes(StandardCharsets.UTF_8);
            raw('X').number(b.length);
            out.writeBytes(b);
            return this;
        }

        /** A text's bytes alone. */
        PickleBytes bytes(String s) {
            out.writeBytes(s.getBytes(StandardCharsets.UTF_8));
            return this;
        }

        PickleBytes integer(long v) {
            if (v >= 0 && v < 256) return raw('K', (int) v);
            if (v == (int) v) return raw('J').number((int) v);
            raw(0x8a, 8);
            for (int i = 0; i < 8; i++) out.write((int) (v >> 8 * i));
            return this;
        }

        private PickleBytes number(int v) {
            return raw(v, v >> 8, v >> 16, v >> 24);
        }

        PickleBytes global(String module, String name) {
            out.writeBytes(("c" + module + "\n" + name + "\n").getBytes(StandardCharsets.UTF_8));
            return this;
        }

        PickleBytes tensor(String storageClass, String key, long size, long offset, long[] shape, long[] stride) {
            global("torch._utils", "_rebuild_tensor_v2")
                    .raw('(', '(')
                    .text("storage")
                    .global("torch", storageClass)
                    .text(key)
                    .text("cpu")
                    .integer(size)
                    .raw('t', 'Q')
                    .integer(offset)
                    .raw('(');
            for (long s : shape) integer(s);
            raw('t', '(');
            for (long s : stride) integer(s);
            return raw('t', 0x89).global("collections", "OrderedDict").raw(')', 'R', 't', 'R');
        }

        /** An OrderedDict of contiguous float tensors, with the metadata that modules leave. */
        PickleBytes dictionary(Map<String, Tensor> tensors, Map<String, byte[]> storages) {
            global("collections", "OrderedDict").raw(')', 'R', 'q', 0).items(tensors, storages);
            return raw('}').text("_metadata")
                    .global("collections", "OrderedDict")
                    .raw(')', 'R', 's', 'b');
        }

        private PickleBytes items(Map<String, Tensor> tensors, Map<String, byte[]> storages) {
            raw('(');
            for (Map.Entry<String, Tensor> e : tensors.entrySet()) {
                Tensor t = e.getValue();
                String key = Integer.toString(storages.size());
                storages.put(key, floats(t.data()));
                long[] shape = Arrays.stream(t.shape()).asLongStream().toArray();
                long[] stride = new long[shape.length];
                for (int i = shape.length - 1, n = 1; i >= 0; n *= (int) shape[i], i--) stride[i] = n;
                text(e.getKey()).tensor("FloatStorage", key, t.size(), 0, shape, stride);
            }
            return raw('u');
        }

        PickleBytes stop() {
            return raw('.');
        }

        byte[] bytes() {
            return out.toByteArray();
        }
    }
}
