package io.linesight.mmad.statedict;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The forms that torchvision's files have. */
class TorchSaveTest {
    /** Tensors of batch norms: with them the memo has more than 256 objects, where its instructions change. */
    private static final int LAYERS = 60;

    @TempDir
    Path dir;

    private Path file;

    @BeforeEach
    void fill() {
        file = dir.resolve("resnet18-f37072fd.pth");
    }

    /** A model as parallel training leaves it: counters beside the weights, halves, and two tensors in one storage. */
    private static TorchSave model(Map<String, Integer> elementBytes) {
        TorchSave t = new TorchSave();
        t.storage("0", StateDictFiles.floats(1, -2, 3.5f, 4, 5, 6))
                .tensor("module.conv1.weight", "FloatStorage", "0", 4, 0, new long[] {3, 2, 1, 1}, null);
        t.storage("1", shorts(0x3e00, 0xc000, 0x3100))
                .tensor("module.half", "HalfStorage", "1", 2, 0, new long[] {3}, null);
        t.storage("2", shorts(0x3fc0, 0xc000))
                .tensor("module.brain", "BFloat16Storage", "2", 2, 0, new long[] {2}, null);
        t.storage("3", StateDictFiles.floats(0, 1, 2, 3, 4, 5))
                .tensor("module.fc.weight", "FloatStorage", "3", 4, 0, new long[] {2, 2}, null)
                .tensor("module.fc.tied", "FloatStorage", "3", 4, 0, new long[] {2, 2}, new long[] {1, 2})
                .tensor("module.fc.bias", "FloatStorage", "3", 4, 4, new long[] {2}, null);
        for (String k : List.of("0", "3")) elementBytes.put(k, 4);
        for (String k : List.of("1", "2")) elementBytes.put(k, 2);
        for (int i = 0; i < LAYERS; i++) {
            String weight = Integer.toString(4 + 2 * i);
            String counter = Integer.toString(5 + 2 * i);
            t.storage(weight, StateDictFiles.floats(i, i + 0.5f))
                    .tensor("module.bn" + i + ".weight", "FloatStorage", weight, 4, 0, new long[] {2}, null);
            t.storage(counter, new byte[] {1, 2, 0, 0, 0, 0, 0, 0})
                    .tensor("module.bn" + i + ".num_batches_tracked", "LongStorage", counter, 8, 0, new long[0], null);
            elementBytes.put(weight, 4);
            elementBytes.put(counter, 8);
        }
        return t;
    }

    private static byte[] shorts(int... values) {
        ByteBuffer b = ByteBuffer.allocate(2 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (int v : values) b.putShort((short) v);
        return b.array();
    }

    private static byte[] saved(String by) {
        Map<String, Integer> elementBytes = new HashMap<>();
        TorchSave t = model(elementBytes);
        return switch (by) {
            case "2.x" -> t.now("resnet18-f37072fd");
            case "1.6" -> t.in16();
            default -> t.before16(elementBytes);
        };
    }

    @ParameterizedTest
    @ValueSource(strings = {"2.x", "1.6", "1.5"})
    void shouldReadWhatEveryPyTorchSaves(String version) throws IOException {
        Files.write(file, saved(version));
        StateDict d = StateDicts.read(file);
        assertThat(d.weights().names())
                .hasSize(6 + LAYERS)
                .startsWith("conv1.weight", "half", "brain", "fc.weight", "fc.tied", "fc.bias", "bn0.weight");
        assertThat(d.weights().get("conv1.weight").shape()).containsExactly(3, 2, 1, 1);
        assertThat(d.weights().get("conv1.weight").data()).containsExactly(1, -2, 3.5f, 4, 5, 6);
        assertThat(d.weights().get("half").data()).containsExactly(1.5f, -2, 0.15625f);
        assertThat(d.weights().get("brain").data()).containsExactly(1.5f, -2);
        assertThat(d.weights().get("fc.weight").data()).containsExactly(0, 1, 2, 3);
        assertThat(d.weights().get("fc.tied").data())
                .as("the same storage, transposed")
                .containsExactly(0, 2, 1, 3);
        assertThat(d.weights().get("fc.bias").data()).as("the rest of it").containsExactly(4, 5);
        for (int i = 0; i < LAYERS; i++)
            assertThat(d.weights().get("bn" + i + ".weight").data()).containsExactly(i, i + 0.5f);
        assertThat(d.others()).hasSize(LAYERS).containsEntry("bn7.num_batches_tracked", "int64[]");
    }

    /** That the files above are what they are meant to be. */
    @Test
    void shouldHaveEveryEntryOnABoundaryOf64Bytes() {
        byte[] bytes = saved("2.x");
        int entries = 0;
        ByteBuffer b = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at + 30 < bytes.length && b.getInt(at) == 0x04034b50; entries++) {
            int data = at + 30 + b.getShort(at + 26) + b.getShort(at + 28);
            assertThat(data % 64).isZero();
            assertThat(b.getInt(at + 18)).as("the size comes behind").isZero();
            at = data;
            while (b.getInt(at) != 0x08074b50) at++;
            at += 16;
        }
        assertThat(entries).isEqualTo(6 + 4 + 2 * LAYERS);
    }

    @ParameterizedTest
    @ValueSource(strings = {"2.x", "1.6", "1.5"})
    void shouldSayThatADownloadWasCutOff(String version) throws IOException {
        byte[] whole = saved(version);
        for (int n : new int[] {100, 600, whole.length / 2, whole.length - 30, whole.length - 1}) {
            Files.write(file, Arrays.copyOf(whole, n));
            assertThatThrownBy(() -> StateDicts.read(file))
                    .as("%d of %d bytes", n, whole.length)
                    .isInstanceOf(StateDictException.class)
                    .hasMessageContaining("truncated");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ustar\u000000", "ustar  \u0000"})
    void shouldRejectTheArchivesBeforeAllOthers(String signature) throws IOException {
        byte[] evil = "cposix\nsystem\n(S'touch owned'\ntR.".getBytes(StandardCharsets.US_ASCII);
        ByteArrayOutputStream tar = new ByteArrayOutputStream();
        for (String member : List.of("sys_info", "pickle", "tensors", "storages")) {
            ByteBuffer header = ByteBuffer.allocate(512);
            header.put(member.getBytes(StandardCharsets.US_ASCII));
            header.position(124).put(String.format("%011o", evil.length).getBytes(StandardCharsets.US_ASCII));
            header.position(257).put(signature.getBytes(StandardCharsets.US_ASCII));
            tar.writeBytes(header.array());
            tar.writeBytes(Arrays.copyOf(evil, 512));
        }
        tar.writeBytes(new byte[1024]);
        Files.write(file, tar.toByteArray());
        assertThatThrownBy(() -> StateDicts.read(file))
                .isInstanceOf(StateDictException.class)
                .hasMessageContainingAll(
                        file.toString(),
                        "tar archive",
                        "before 0.1.10",
                        "nothing in it was read or executed",
                        "save it again",
                        ".safetensors");
    }
}
