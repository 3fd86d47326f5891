package io.linesight.trainer.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.encoder.EncoderSession;
import io.linesight.mmad.encoder.FilterBankEncoder;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.trainer.torch.Torch;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FeatureCacheTest {
    private static Encoder encoder;
    private static EncoderSession session;

    @TempDir
    Path dir;

    @BeforeAll
    static void open() {
        Torch.start(1);
        encoder = FilterBankEncoder.create();
        session = EncoderSession.open(
                encoder, ScorerOptions.defaults().withDevice("cpu").withThreads(1));
    }

    @AfterAll
    static void close() {
        session.close();
    }

    private static List<byte[]> frames(int from, int to) {
        List<byte[]> frames = new ArrayList<>();
        for (int i = from; i < to; i++) {
            byte[] f = new byte[3 * 256 * 256];
            new SplittableRandom(i).nextBytes(f);
            frames.add(f);
        }
        return frames;
    }

    private FeatureCache cache(long maxBytes) throws IOException {
        return FeatureCache.open(dir, encoder, FeatureType.FLOAT32, maxBytes).orElseThrow();
    }

    private Path file(String extension) {
        return dir.resolve(encoder.sha256().substring(0, 16) + extension);
    }

    private static List<float[]> values(FeatureStore store) {
        List<float[]> values = new ArrayList<>();
        try (PointerScope scope = new PointerScope()) {
            for (int i = 0; i < store.size(); i++)
                for (Tensor t : store.batch(new int[] {i})) values.add(Torch.values(t));
        }
        for (int i = 0; i < 3; i++) {
            values.add(store.mean(i));
            values.add(store.deviation(i));
        }
        return values;
    }

    private List<float[]> uncached(List<byte[]> frames) throws IOException {
        try (FeatureStore store = FeatureStore.create(dir, encoder, FeatureType.FLOAT32, frames.size())) {
            store.add(session, frames);
            return values(store);
        }
    }

    private static void same(List<float[]> actual, List<float[]> expected) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < expected.size(); i++) assertThat(actual.get(i)).isEqualTo(expected.get(i));
    }

    @Test
    void shouldGiveWhatTheEncoderGaveAndNotAskItAgain() throws IOException {
        List<byte[]> frames = new ArrayList<>(frames(0, 3));
        frames.add(frames.get(1));
        List<float[]> expected = uncached(frames);
        for (int run = 0; run < 2; run++) {
            try (FeatureCache cache = cache(Long.MAX_VALUE);
                    FeatureStore store = FeatureStore.over(cache, encoder)) {
                store.add(session, frames.subList(0, 2));
                store.add(session, frames.subList(2, 4));
                assertThat(store.encoded()).isEqualTo(run == 0 ? 3 : 0);
                same(values(store), expected);
            }
        }
    }

    @Test
    void shouldDropATornTailAndEncodeDamagedRecordsAgain() throws IOException {
        List<byte[]> frames = frames(0, 3);
        List<float[]> expected = uncached(frames);
        try (FeatureCache cache = cache(Long.MAX_VALUE);
                FeatureStore store = FeatureStore.over(cache, encoder)) {
            store.add(session, frames);
        }
        try (FileChannel index = FileChannel.open(file(".index"), StandardOpenOption.WRITE);
                FileChannel data = FileChannel.open(file(".f32"), StandardOpenOption.WRITE)) {
            // A kill in the middle of writing the last entry, and a bad sector in the first record.
            index.truncate(index.size() - 7);
            data.write(ByteBuffer.wrap(new byte[] {1, 2, 3, 4}), 4000);
        }
        try (FeatureCache cache = cache(Long.MAX_VALUE)) {
            assertThat(cache.size()).isEqualTo(2);
            assertThat(Files.size(file(".f32"))).isEqualTo(2L * cache.imageBytes());
            try (FeatureStore store = FeatureStore.over(cache, encoder)) {
                store.add(session, frames);
                assertThat(store.encoded()).isEqualTo(2);
                same(values(store), expected);
            }
        }
        // Data that ends early, as when it was the index that reached the disk.
        try (FileChannel data = FileChannel.open(file(".f32"), StandardOpenOption.WRITE)) {
            data.truncate(data.size() - 1);
        }
        try (FeatureCache cache = cache(Long.MAX_VALUE);
                FeatureStore store = FeatureStore.over(cache, encoder)) {
            store.add(session, frames);
            assertThat(store.encoded()).isEqualTo(1);
            same(values(store), expected);
        }
    }

    @Test
    void shouldBelongToOneRunAtATime() throws IOException {
        try (FeatureCache first = cache(Long.MAX_VALUE)) {
            assertThat(FeatureCache.open(dir, encoder, FeatureType.FLOAT32, Long.MAX_VALUE))
                    .isEmpty();
        }
        try (FeatureCache second = cache(Long.MAX_VALUE)) {
            assertThat(second.size()).isZero();
        }
    }

    @Test
    void shouldKeepToItsSize() throws IOException {
        List<byte[]> frames = frames(0, 6);
        List<float[]> expected = uncached(frames.subList(2, 6));
        long maxBytes;
        try (FeatureCache cache = cache(Long.MAX_VALUE);
                FeatureStore store = FeatureStore.over(cache, encoder)) {
            store.add(session, frames.subList(0, 4));
            maxBytes = 4L * cache.imageBytes();
        }
        Path other = dir.resolve("0123456789abcdef.f32");
        Files.write(other, new byte[100]);
        try (FeatureCache cache = cache(maxBytes)) {
            assertThat(cache.makeRoom(frames.stream().map(FeatureStore::key).toList()))
                    .contains("the cache may take");
            assertThat(cache.makeRoom(
                            frames.subList(2, 6).stream().map(FeatureStore::key).toList()))
                    .isNull();
            assertThat(other).as("another encoder's, unused").doesNotExist();
            assertThat(cache.size()).isEqualTo(2);
            try (FeatureStore store = FeatureStore.over(cache, encoder)) {
                store.add(session, frames.subList(2, 6));
                assertThat(store.encoded()).isEqualTo(2);
                same(values(store), expected);
            }
            assertThat(Files.size(file(".f32"))).isEqualTo(maxBytes);
        }
        try (FeatureCache cache = cache(maxBytes)) {
            assertThat(cache.size()).isEqualTo(4);
        }
    }

    @Test
    void shouldKeepHalfTheBytesToHalfPrecisionAndNeverMixThemUp() throws IOException {
        List<byte[]> frames = frames(0, 3);
        List<float[]> exact = uncached(frames);
        try (FeatureCache cache = cache(Long.MAX_VALUE);
                FeatureStore store = FeatureStore.over(cache, encoder)) {
            store.add(session, frames);
        }
        List<float[]> first = null;
        for (int run = 0; run < 2; run++) {
            try (FeatureCache cache = FeatureCache.open(dir, encoder, FeatureType.FLOAT16, Long.MAX_VALUE)
                            .orElseThrow();
                    FeatureStore store = FeatureStore.over(cache, encoder)) {
                store.add(session, frames);
                assertThat(store.encoded())
                        .as("nothing of the others' is found, but all of its own")
                        .isEqualTo(run == 0 ? 3 : 0);
                List<float[]> halves = values(store);
                for (int i = 0; i < 9; i++) {
                    assertThat(halves.get(i)).isNotEqualTo(exact.get(i));
                    for (int k = 0; k < exact.get(i).length; k++)
                        assertThat(Math.abs(halves.get(i)[k] - exact.get(i)[k]))
                                .isLessThanOrEqualTo(Math.max(0x1p-11f * Math.abs(exact.get(i)[k]), 0x1p-25f));
                }
                if (first != null) same(halves, first);
                first = halves;
                assertThat(2L * cache.imageBytes()).isEqualTo(FeatureStore.imageBytes(encoder, FeatureType.FLOAT32));
                assertThat(cache.imageBytes()).isEqualTo((int) FeatureStore.imageBytes(encoder, FeatureType.FLOAT16));
                assertThat(Files.size(dir.resolve(encoder.sha256().substring(0, 16) + "-16.f16")))
                        .isEqualTo(3L * cache.imageBytes());
            }
        }
        try (FeatureCache cache = cache(Long.MAX_VALUE);
                FeatureStore store = FeatureStore.over(cache, encoder)) {
            store.add(session, frames);
            assertThat(store.encoded()).isZero();
            same(values(store), exact);
        }
        // When room is scarce, the other type's goes like another encoder's.
        try (FeatureCache cache = FeatureCache.open(
                        dir, encoder, FeatureType.FLOAT16, 4L * FeatureStore.imageBytes(encoder, FeatureType.FLOAT16))
                .orElseThrow()) {
            assertThat(cache.makeRoom(frames.stream().map(FeatureStore::key).toList()))
                    .isNull();
            assertThat(cache.size()).isEqualTo(3);
            assertThat(file(".f32")).doesNotExist();
        }
    }

    @Test
    void shouldRoundToTheNearestHalf() {
        for (int bits = 0; bits < 65536; bits++) {
            float v = FeatureType.value((short) bits);
            if (Float.isFinite(v)) assertThat(FeatureType.half(v)).isEqualTo((short) bits);
        }
        SplittableRandom random = new SplittableRandom(1);
        try (PointerScope scope = new PointerScope()) {
            float[] values = new float[100_000];
            for (int i = 0; i < values.length; i++)
                values[i] = (float) ((random.nextDouble() - 0.5) * Math.pow(2, random.nextInt(-30, 17)));
            values[0] = 1 + 0x1p-11f; // as near to one as to the next: the even one
            values[1] = 1 + 0x3p-11f;
            values[2] = 65_519;
            float[] theirs = Torch.values(
                    Torch.of(values, values.length).to(torch.ScalarType.Half).to(torch.ScalarType.Float));
            for (int i = 0; i < values.length; i++)
                assertThat(FeatureType.value(FeatureType.half(values[i])))
                        .as("%s", values[i])
                        .isEqualTo(theirs[i]);
        }
        assertThat(FeatureType.value(FeatureType.half(Float.NaN))).isNaN();
        assertThatThrownBy(() -> FeatureType.half(65_520))
                .isInstanceOf(ArithmeticException.class)
                .hasMessageContaining("65504");
        assertThatThrownBy(() -> FeatureType.half(Float.NEGATIVE_INFINITY)).isInstanceOf(ArithmeticException.class);
    }

    @Test
    void shouldSayWhenThereIsNoRoomOnTheDisk() throws IOException {
        assertThatThrownBy(() -> FeatureStore.create(dir, encoder, FeatureType.FLOAT32, Integer.MAX_VALUE))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("MiB free");
        try (var files = Files.list(dir)) {
            assertThat(files).isEmpty();
        }
    }
}
