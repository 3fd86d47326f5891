package io.linesight.mmad.statedict;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.statedict.StateDictFiles.PickleBytes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StateDictsTest {
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();

    @TempDir
    Path dir;

    private Path file;

    @BeforeEach
    void fill() {
        file = dir.resolve("w");
        tensors.put("conv1.weight", new Tensor(new float[] {1, -2, 3.5f, 4, 5, 6}, 3, 2));
        tensors.put("bias", new Tensor(new float[] {0.25f, 1e-30f}, 2));
        tensors.put("scale", new Tensor(new float[] {7}));
    }

    private Path write(String format, Map<String, Tensor> t) throws IOException {
        return switch (format) {
            case "safetensors" -> StateDictFiles.safetensors(file, t);
            case "zip" -> StateDictFiles.zip(file, t);
            default -> StateDictFiles.legacy(file, t);
        };
    }

    private void refused(String... words) {
        assertThatThrownBy(() -> StateDicts.read(file))
                .isInstanceOf(StateDictException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContainingAll(words);
    }

    @ParameterizedTest
    @ValueSource(strings = {"safetensors", "zip", "legacy"})
    void shouldReadWhatWasWritten(String format) throws IOException {
        StateDict d = StateDicts.read(write(format, tensors));
        assertThat(d.weights().names()).containsExactlyElementsOf(tensors.keySet());
        assertThat(d.others()).isEmpty();
        tensors.forEach((name, t) -> {
            assertThat(d.weights().get(name).data()).containsExactly(t.data());
            assertThat(d.weights().get(name).shape()).containsExactly(t.shape());
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"safetensors", "zip", "legacy"})
    void shouldDropThePrefixOfParallelTraining(String format) throws IOException {
        Map<String, Tensor> parallel = new LinkedHashMap<>();
        tensors.forEach((n, t) -> parallel.put("module." + n, t));
        assertThat(StateDicts.read(write(format, parallel)).weights().names())
                .containsExactlyElementsOf(tensors.keySet());
    }

    @ParameterizedTest
    @ValueSource(strings = {"safetensors", "zip", "legacy"})
    void shouldSayThatAFileIsTruncatedWhereverItEnds(String format) throws IOException {
        byte[] whole = Files.readAllBytes(write(format, tensors));
        for (int n = 0; n < whole.length; n += n < 40 || n > whole.length - 40 ? 1 : 7) {
            Files.write(file, Arrays.copyOf(whole, n));
            assertThatThrownBy(() -> StateDicts.read(file))
                    .as("%d bytes", whole.length)
                    .isInstanceOf(StateDictException.class)
                    .hasMessageContaining("truncated");
        }
    }

    /** Whatever is in a file, the answer is weights or a message: never another exception. */
    @ParameterizedTest
    @ValueSource(strings = {"safetensors", "zip", "legacy"})
    void shouldSurviveAnyDamagedByte(String format) throws IOException {
        byte[] whole = Files.readAllBytes(write(format, tensors));
        int refused = 0;
        for (int i = 0; i < whole.length; i++) {
            byte[] damaged = whole.clone();
            damaged[i] ^= (byte) (i % 3 == 0 ? 0x01 : i % 3 == 1 ? 0x80 : 0xff);
            Files.write(file, damaged);
            try {
                StateDicts.read(file);
            } catch (StateDictException e) {
                refused++;
            }
        }
        assertThat(refused).isGreaterThan(whole.length / 3);
    }

    @Test
    void shouldFindWeightsInACheckpoint() throws IOException {
        for (String wrapper : new String[] {"state_dict", "model"}) {
            Map<String, byte[]> storages = new LinkedHashMap<>();
            PickleBytes p = new PickleBytes()
                    .raw('}', '(')
                    .text("epoch")
                    .integer(300)
                    .text("best")
                    .raw('G', 0x3f, 0xe0, 0, 0, 0, 0, 0, 0)
                    .text("arch")
                    .text("resnet34")
                    .text("optimizer")
                    .raw('}')
                    .text("groups")
                    .raw(']', 'K', 1, 'a', 's')
                    .text(wrapper)
                    .dictionary(tensors, storages)
                    .raw('u')
                    .stop();
            StateDictFiles.zip(file, p.bytes(), storages);
            assertThat(StateDicts.read(file).weights().get("conv1.weight").data())
                    .containsExactly(tensors.get("conv1.weight").data());
            StateDictFiles.legacy(file, p.bytes(), storages);
            assertThat(StateDicts.read(file).weights().get("scale").data()).containsExactly(7);
        }
    }

    @Test
    void shouldHonourStridesOffsetsAndSharedStorages() throws IOException {
        Map<String, byte[]> storages = Map.of("0", StateDictFiles.floats(0, 1, 2, 3, 4, 5, 6, 7));
        StateDictFiles.zip(
                file,
                new PickleBytes()
                        .raw('}', '(')
                        .text("transposed")
                        .tensor("FloatStorage", "0", 8, 1, new long[] {2, 3}, new long[] {1, 2})
                        .text("row")
                        .tensor("FloatStorage", "0", 8, 6, new long[] {2}, new long[] {1})
                        .raw('u')
                        .stop()
                        .bytes(),
                storages);
        StateDict d = StateDicts.read(file);
        assertThat(d.weights().get("transposed").data()).containsExactly(1, 3, 5, 2, 4, 6);
        assertThat(d.weights().get("row").data()).containsExactly(6, 7);
    }

    @Test
    void shouldReadParametersOfEveryAge() throws IOException {
        Map<String, byte[]> storages = Map.of("0", StateDictFiles.floats(1, 2));
        long[] two = {2};
        long[] one = {1};
        StateDictFiles.zip(
                file,
                new PickleBytes()
                        .raw('}', '(')
                        .text("a")
                        .global("torch._utils", "_rebuild_parameter")
                        .raw('(')
                        .tensor("FloatStorage", "0", 2, 0, two, one)
                        .raw(0x88)
                        .global("collections", "OrderedDict")
                        .raw(')', 'R', 't', 'R')
                        .text("b")
                        .global("torch.nn.parameter", "Parameter")
                        .tensor("FloatStorage", "0", 2, 0, one, one)
                        .raw(0x85, 'R', '(', 0x88, 0x88, 't', 'b')
                        .raw('u')
                        .stop()
                        .bytes(),
                storages);
        assertThat(StateDicts.read(file).weights().get("a").data()).containsExactly(1, 2);
        assertThat(StateDicts.read(file).weights().get("b").data()).containsExactly(1);
    }

    /** Frames, short texts, implicit memo numbers and globals from the stack, as protocol 4 has them. */
    @Test
    void shouldReadLaterPickleProtocols() throws IOException {
        byte[] p = new PickleBytes()
                .raw(0x80, 4, 0x95, 1, 0, 0, 0, 0, 0, 0, 0, '}', 0x94, 0x8c, 1, 'w', 0x94)
                .text("torch._utils")
                .text("_rebuild_tensor_v2")
                .raw(0x93, '(', '(', 0x8c, 7)
                .bytes("storage")
                .raw(0x94)
                .text("torch")
                .text("FloatStorage")
                .raw(0x93, 0x94, 0x8c, 1, '0', 0x8c, 3)
                .bytes("cpu")
                .raw('K', 2, 't', 'Q', 'K', 0, 'K', 2, 0x85, 'K', 1, 0x85, 0x89, '}', 't', 'R', 's', 'h', 0, 0x86)
                .bytes();
        StateDictFiles.zip(file, Arrays.copyOf(p, p.length - 3), Map.of("0", StateDictFiles.floats(8, 9)));
        refused("truncated");
        p[p.length - 3] = '.';
        StateDictFiles.zip(file, p, Map.of("0", StateDictFiles.floats(8, 9)));
        assertThat(StateDicts.read(file).weights().get("w").data()).containsExactly(8, 9);
    }

    @ParameterizedTest
    @CsvSource({"HalfStorage,2", "BFloat16Storage,2", "DoubleStorage,8"})
    void shouldTurnOtherFloatsIntoFloat32(String storage, int bytes) throws IOException {
        ByteBuffer b = ByteBuffer.allocate(4 * bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (float v : new float[] {1.5f, -2, 0.15625f, 0}) {
            if (bytes == 8) b.putDouble(v);
            else b.putShort(storage.startsWith("Half") ? half(v) : (short) (Float.floatToIntBits(v) >>> 16));
        }
        StateDictFiles.zip(
                file,
                new PickleBytes()
                        .raw('}')
                        .text("t")
                        .tensor(storage, "0", 4, 0, new long[] {4}, new long[] {1})
                        .raw('s')
                        .stop()
                        .bytes(),
                Map.of("0", b.array()));
        assertThat(StateDicts.read(file).weights().get("t").data()).containsExactly(1.5f, -2, 0.15625f, 0);
    }

    /** Of numbers that half can hold exactly. */
    private static short half(float v) {
        int bits = Float.floatToIntBits(v);
        return (short) (v == 0 ? 0 : bits >>> 16 & 0x8000 | (bits >>> 23 & 0xff) - 112 << 10 | bits >>> 13 & 0x3ff);
    }

    @Test
    void shouldReadHalfsThatAreSubnormalOrNotFinite() throws IOException {
        ByteBuffer b = ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putShort((short) 1)
                .putShort((short) 0x83ff)
                .putShort((short) 0x7c00)
                .putShort((short) 0x7e00);
        StateDictFiles.safetensors(file, "{\"t\":{\"dtype\":\"F16\",\"shape\":[4],\"data_offsets\":[0,8]}}", b.array());
        float[] t = StateDicts.read(file).weights().get("t").data();
        assertThat(t[0]).isEqualTo(0x1p-24f);
        assertThat(t[1]).isEqualTo(-1023 * 0x1p-24f);
        assertThat(t[2]).isInfinite();
        assertThat(t[3]).isNaN();
    }

    @Test
    void shouldLeaveIntegersAside() throws IOException {
        Map<String, byte[]> storages = new LinkedHashMap<>(Map.of("0", StateDictFiles.floats(1)));
        storages.put("1", new byte[8]);
        StateDictFiles.zip(
                file,
                new PickleBytes()
                        .raw('}', '(')
                        .text("w")
                        .tensor("FloatStorage", "0", 1, 0, new long[] {1}, new long[] {1})
                        .text("n")
                        .tensor("LongStorage", "1", 1, 0, new long[0], new long[0])
                        .raw('u')
                        .stop()
                        .bytes(),
                storages);
        assertThat(StateDicts.read(file).others()).containsExactly(Map.entry("n", "int64[]"));
    }

    @ParameterizedTest
    @CsvSource({
        "posix,system",
        "builtins,eval",
        "__builtin__,exec",
        "torch.nn.modules.conv,Conv2d",
        "numpy.core.multiarray,scalar",
        "torch,load",
        "collections,defaultdict"
    })
    void shouldRejectEveryOtherGlobalByName(String module, String name) throws IOException {
        PickleBytes evil = new PickleBytes()
                .global(module, name)
                .text("touch " + dir.resolve("owned"))
                .raw(0x85, 'R')
                .stop();
        StateDictFiles.zip(file, evil.bytes(), Map.of());
        refused("'" + module + "." + name + "'", "not executed", ".safetensors");
        StateDictFiles.legacy(file, evil.bytes(), Map.of());
        refused("'" + module + "." + name + "'", "not executed");
        // As STACK_GLOBAL and as INST too, and where a text pickle pretends to be weights.
        StateDictFiles.zip(
                file, new PickleBytes().text(module).text(name).raw(0x93).stop().bytes(), Map.of());
        refused("'" + module + "." + name + "'");
        Files.writeString(file, "c" + module + "\n" + name + "\n(S'touch owned'\ntR.");
        refused("'" + module + "." + name + "'");
        Files.writeString(file, "(S'touch owned'\ni" + module + "\n" + name + "\n.");
        refused(file.getFileName().toString());
        assertThat(dir.resolve("owned")).doesNotExist();
    }

    @Test
    void shouldKeepControlCharactersOfAFileFromTheTerminal() throws IOException {
        StateDictFiles.zip(
                file, new PickleBytes().global("a\u001b[2Jb", "c").stop().bytes(), Map.of());
        assertThatThrownBy(() -> StateDicts.read(file)).hasMessageContaining("'a [2Jb.c'");
    }

    @Test
    void shouldRejectTensorsThatReachBeyondTheirStorage() throws IOException {
        Map<String, byte[]> storages = Map.of("0", StateDictFiles.floats(1, 2, 3, 4));
        Object[][] views = {
            {4L, 1L, new long[] {4}, new long[] {1}},
            {4L, 0L, new long[] {2, 2}, new long[] {3, 1}},
            {4L, 0L, new long[] {1L << 40}, new long[] {0}},
            {4L, 0L, new long[] {1L << 40, 1L << 40}, new long[] {0, 0}},
            {4L, -1L, new long[] {1}, new long[] {1}},
            {4L, 0L, new long[] {2}, new long[] {-1}},
            {4L, 0L, new long[] {5}, new long[] {0}},
            {1L << 40, 1L << 30, new long[] {4}, new long[] {1}},
            {4L, 0L, new long[] {2}, new long[] {Long.MAX_VALUE}},
            {5L, 0L, new long[] {5}, new long[] {1}}
        };
        for (Object[] v : views) {
            PickleBytes p = new PickleBytes()
                    .raw('}')
                    .text("t")
                    .tensor("FloatStorage", "0", (Long) v[0], (Long) v[1], (long[]) v[2], (long[]) v[3])
                    .raw('s')
                    .stop();
            StateDictFiles.zip(file, p.bytes(), storages);
            refused("damaged or hostile");
            StateDictFiles.legacy(file, p.bytes(), storages);
            refused("damaged or hostile");
        }
    }

    @Test
    void shouldRejectTensorsThatMakeALotOfALittle() throws IOException {
        float[] storage = new float[10_000];
        PickleBytes p = new PickleBytes().raw('}', '(');
        for (int i = 0; i < 50; i++)
            p.text("t" + i).tensor("FloatStorage", "0", storage.length, 0, new long[] {storage.length}, new long[] {1});
        StateDictFiles.zip(file, p.raw('u').stop().bytes(), Map.of("0", StateDictFiles.floats(storage)));
        refused("more bytes than the whole file");
    }

    @Test
    void shouldRejectPicklesWithoutEnd() throws IOException {
        byte[] lists = new byte[5_000_000];
        Arrays.fill(lists, (byte) ']');
        lists[0] = (byte) 0x80;
        lists[1] = 2;
        StateDictFiles.zip(file, lists, Map.of());
        refused("instructions");
    }

    @Test
    void shouldSayWhatAFileIsInstead() throws IOException {
        assertThatThrownBy(() -> StateDicts.read(dir.resolve("none"))).isInstanceOf(NoSuchFileException.class);
        assertThatThrownBy(() -> StateDicts.read(dir)).hasMessageContaining("folder");
        Files.writeString(file, "<!DOCTYPE html><html>Not Found</html>");
        refused("web page");
        Files.write(file, new byte[100]);
        refused("neither");
        StateDictFiles.zip(file, new PickleBytes().raw(']').stop().bytes(), Map.of());
        refused("a list, not a dictionary");
        StateDictFiles.zip(
                file,
                new PickleBytes()
                        .raw('}')
                        .text("epoch")
                        .integer(3)
                        .raw('s')
                        .stop()
                        .bytes(),
                Map.of());
        refused("no weights", "epoch");
        Files.write(
                file,
                new PickleBytes()
                        .raw('}', 'q', 0, '(')
                        .text("a")
                        .integer(1)
                        .raw('u')
                        .stop()
                        .bytes());
        refused("not one that torch.save wrote");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}|overlaps",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}|hole",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}|more than its header",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}|truncated",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,12]}}|12 bytes for the shape",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[-3],\"data_offsets\":[0,12]}}|not made of sizes",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,12]}}|absurd",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[12,0]}}|data_offsets",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,99999999999999999999]}}|data_offsets",
                "{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[12],\"data_offsets\":[0,12]}}|F8_E4M3",
                "{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]},\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,12]}}|Duplicate",
                "{\"a\":{\"dtype\":\"F32\"|header",
                "{}|12 bytes more"
            })
    void shouldRejectSafetensorsThatLie(String header, String word) throws IOException {
        StateDictFiles.safetensors(file, header, new byte[12]);
        refused(word);
    }

    @Test
    void shouldRejectAHeaderLongerThanItsFile() throws IOException {
        Files.write(
                file,
                ByteBuffer.allocate(100)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(9_000_000)
                        .put("{\"a\":1}".getBytes(StandardCharsets.UTF_8))
                        .array());
        refused("truncated");
        Files.write(
                file,
                ByteBuffer.allocate(100)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(-1)
                        .put("{\"a\":1}".getBytes(StandardCharsets.UTF_8))
                        .array());
        refused("header");
    }
}
