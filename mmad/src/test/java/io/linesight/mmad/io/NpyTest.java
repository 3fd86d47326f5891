package io.linesight.mmad.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class NpyTest {
    @TempDir
    Path dir;

    static Stream<NpyArray> arrays() {
        return Stream.of(
                new NpyArray(new int[] {2, 3}, new float[] {1, -2, Float.NaN, Float.MIN_VALUE, 1e30f, 0}),
                new NpyArray(new int[] {3}, new double[] {Math.PI, Double.NEGATIVE_INFINITY, 0}),
                new NpyArray(new int[] {2, 1, 1}, new int[] {Integer.MIN_VALUE, 7}),
                new NpyArray(new int[] {1}, new long[] {Long.MAX_VALUE}),
                new NpyArray(new int[] {4}, new byte[] {0, 1, -1, 127}),
                new NpyArray(new int[] {2}, new boolean[] {true, false}),
                new NpyArray(new int[0], new float[] {42}),
                new NpyArray(new int[] {0, 5}, new float[0]));
    }

    @ParameterizedTest
    @MethodSource("arrays")
    void shouldReadWhatItWrote(NpyArray array) throws IOException {
        Path file = dir.resolve("a.npy");
        Npy.write(file, array);
        NpyArray back = Npy.read(file);
        assertThat(back.shape()).isEqualTo(array.shape());
        assertThat(back.data()).isEqualTo(array.data());
    }

    @Test
    void shouldWriteTheBytesNumpyWrites() throws IOException {
        byte[] file = Npy.format(new NpyArray(new int[] {2}, new float[] {1f, 2f}));
        // numpy.save of np.array([1,2],'<f4'): a header padded to 128 bytes in all, then the data.
        String header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
        byte[] expected = new byte[136];
        Arrays.fill(expected, 10, 127, (byte) ' ');
        System.arraycopy(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, 118, 0}, 0, expected, 0, 10);
        System.arraycopy(header.getBytes(StandardCharsets.US_ASCII), 0, expected, 10, header.length());
        expected[127] = '\n';
        expected[130] = (byte) 0x80;
        expected[131] = 0x3f;
        expected[135] = 0x40;
        assertThat(file).isEqualTo(expected);
    }

    @Test
    void shouldSayWhatIsWrongWithAFile() throws IOException {
        byte[] good = Npy.format(new NpyArray(new int[] {2, 3}, new float[6]));
        assertThatThrownBy(() -> Npy.parse(Arrays.copyOf(good, good.length - 1), "x.npy"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("x.npy")
                .hasMessageContaining("23 bytes");
        assertThatThrownBy(() -> Npy.parse(Arrays.copyOf(good, 40), "x.npy"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("truncated");
        assertThatThrownBy(() -> Npy.parse("hello numpy world".getBytes(StandardCharsets.US_ASCII), "x.npy"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("not a NumPy array");
        assertThatThrownBy(() -> Npy.parse(patched(good, "<f4", ">f4"), "x.npy"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(">f4");
        assertThatThrownBy(() -> Npy.parse(patched(good, "False", "True "), "x.npy"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("Fortran");
        assertThatThrownBy(() -> Npy.parse(patched(good, "(2, 3)", "(2,-3)"), "x.npy"))
                .isInstanceOf(IOException.class);
        assertThatThrownBy(() -> new NpyArray(new int[] {2}, new float[3]))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void shouldWriteAndReadArchives() throws IOException {
        Path file = dir.resolve("a.npz");
        Map<String, NpyArray> arrays = new LinkedHashMap<>();
        arrays.put("b", new NpyArray(new int[] {2}, new int[] {3, 4}));
        arrays.put("w.a", new NpyArray(new int[] {1}, new float[] {5}));
        Npz.write(file, arrays);
        try (Npz npz = Npz.open(file)) {
            assertThat(npz.names()).containsExactly("b", "w.a");
            assertThat(npz.ints("b")).containsExactly(3, 4);
            assertThat(npz.floats("w.a")).containsExactly(5f);
            assertThatThrownBy(() -> npz.get("c"))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("no array 'c'")
                    .hasMessageContaining("w.a");
        }
        Files.writeString(file, "no zip");
        assertThatThrownBy(() -> Npz.open(file)).isInstanceOf(IOException.class).hasMessageContaining("a.npz");
    }

    @Test
    void shouldReadTheReferencesArchives() throws IOException {
        try (Npz npz = Npz.open(SharedFiles.require("golden/metrics.npz"))) {
            assertThat(npz.get("score").shape()).containsExactly(16, 96, 96);
            assertThat(npz.ints("image_label")).hasSize(16).containsOnly(0, 1);
        }
    }

    private static byte[] patched(byte[] file, String from, String to) {
        return new String(file, StandardCharsets.ISO_8859_1).replace(from, to).getBytes(StandardCharsets.ISO_8859_1);
    }
}
