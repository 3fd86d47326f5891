package io.linesight.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SimulatedLineTest {
    private static final int N = SimulatedLine.SIZE;

    static List<String[]> everyDefect() {
        return SimulatedLine.products().stream()
                .flatMap(p -> SimulatedLine.defects(p).stream().map(d -> new String[] {p, d}))
                .toList();
    }

    @Test
    void shouldGiveTheSameFrameInAnyOrderAndFromAnyThread() throws Exception {
        SimulatedLine line = new SimulatedLine(7, 0.5);
        SimulatedFrame first = line.frame(1, 40);
        line.frame(2, 3);
        SimulatedFrame[] other = new SimulatedFrame[1];
        Thread thread = new Thread(() -> other[0] = new SimulatedLine(7, 0.5).frame(1, 40));
        thread.start();
        thread.join();
        assertThat(other[0].image().rgb()).isEqualTo(first.image().rgb());
        assertThat(other[0].mask()).isEqualTo(first.mask());
        assertThat(other[0].defect()).isEqualTo(first.defect());
    }

    @Test
    void shouldChangeWithSeedCameraAndSequence() {
        Set<Long> sums = new HashSet<>();
        for (long seed = 1; seed < 3; seed++) {
            for (int camera = 0; camera < 8; camera++) {
                for (long sequence = 0; sequence < 3; sequence++)
                    sums.add(sum(new SimulatedLine(seed, 0).frame(camera, sequence)));
            }
        }
        assertThat(sums).hasSize(2 * 8 * 3);
    }

    @Test
    void shouldKeepTrainingPartsApartFromTheRunningLine() {
        SimulatedLine line = new SimulatedLine(7, 0);
        Set<Long> running = new HashSet<>();
        for (long s = 0; s < 20; s++) running.add(sum(line.frame(0, s)));
        for (SimulatedFrame f : line.normals("flange", 20, 0)) {
            assertThat(f.anomalous()).isFalse();
            assertThat(running).doesNotContain(sum(f));
        }
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("everyDefect")
    void shouldChangePixelsOnlyWhereTheMaskSaysSoAndVisiblyThere(String product, String defect) {
        SimulatedLine line = new SimulatedLine(3, 0);
        for (int i = 0; i < 6; i++) {
            SimulatedFrame bad = line.part(product, defect, 9, i);
            SimulatedFrame good = line.part(product, SimulatedFrame.GOOD, 9, i);
            boolean[] near = grown(bad.mask(), 5);
            int masked = 0;
            int far = 0;
            int visible = 0;
            for (int p = 0; p < N * N; p++) {
                int d = 0;
                for (int c = 0; c < 3; c++)
                    d += Math.abs(
                            (bad.image().rgb()[3 * p + c] & 255) - (good.image().rgb()[3 * p + c] & 255));
                if (bad.mask()[p] != 0) masked++;
                if (bad.mask()[p] != 0 && d > 30) visible++;
                if (!near[p] && d > 12) far++;
            }
            assertThat(masked).as("masked pixels").isBetween(30, N * N / 10);
            assertThat(visible).as("visibly different pixels inside the mask").isGreaterThanOrEqualTo(25);
            assertThat(far).as("different pixels away from the mask").isZero();
        }
    }

    @Test
    void shouldHaveTheAskedShareOfDefectsAndNoMaskOnGoodParts() {
        SimulatedLine line = new SimulatedLine(11, 0.25);
        int bad = 0;
        for (int i = 0; i < 200; i++) {
            SimulatedFrame f = line.frame(i % 4, i);
            boolean any = false;
            for (byte m : f.mask()) any |= m != 0;
            assertThat(any).isEqualTo(f.anomalous());
            if (f.anomalous()) bad++;
        }
        assertThat(bad).isBetween(30, 72);
    }

    @Test
    void shouldLetTheLightDrift() {
        assertThat(brightestToDarkest(new SimulatedLine(5, 0))).isBetween(1.02, 1.4);
    }

    @Test
    void shouldLetTheLightDriftAsSlowlyAsAsked() {
        SimulatedLine still = new SimulatedLine(5, 0, Lamp.TUBE, 0);
        SimulatedLine slow = new SimulatedLine(5, 0, Lamp.TUBE, 0.05);
        double parts = brightestToDarkest(still);
        assertThat(brightestToDarkest(slow))
                .as("parts and noise differ, and little else")
                .isBetween(parts - 0.02, parts + 0.02)
                .isLessThan(brightestToDarkest(new SimulatedLine(5, 0)) - 0.02);
        assertThat(new SimulatedLine(5, 0, Lamp.TUBE, 1).frame(0, 900).image().rgb())
                .as("as it always was")
                .isEqualTo(new SimulatedLine(5, 0).frame(0, 900).image().rgb());
        assertThatThrownBy(() -> new SimulatedLine(5, 0, Lamp.TUBE, -1)).hasMessageContaining("the drift must be 0..1");
    }

    private static double brightestToDarkest(SimulatedLine line) {
        double low = 1e9;
        double high = 0;
        for (long s = 0; s < 1600; s += 100) {
            SimulatedFrame f = line.frame(0, s);
            double sum = 0;
            for (byte b : f.image().rgb()) sum += b & 255;
            low = Math.min(low, sum);
            high = Math.max(high, sum);
        }
        return high / low;
    }

    @Test
    void shouldExportMvtecLayoutReproducibly(@TempDir Path dir) throws IOException {
        int n = SimulatedDataset.export(dir.resolve("a"), List.of("board"), 3, 16, 5, Lamp.TUBE);
        SimulatedDataset.export(dir.resolve("b"), List.of("board"), 3, 16, 5, Lamp.TUBE);
        assertThat(n).isEqualTo(19);
        assertThat(dir.resolve("a/board/train/good/002.jpg")).exists();
        assertThat(dir.resolve("a/board/test/good/007.jpg")).exists();
        assertThat(dir.resolve("a/board/test/missing_part/001.jpg")).exists();
        assertThat(dir.resolve("a/board/ground_truth/missing_part/001_mask.png"))
                .exists();
        assertThat(Files.readAllBytes(dir.resolve("a/board/test/scratch/000.jpg")))
                .isEqualTo(Files.readAllBytes(dir.resolve("b/board/test/scratch/000.jpg")));
        assertThatThrownBy(() -> SimulatedDataset.export(dir.resolve("a"), List.of("board"), 1, 1, 5, Lamp.TUBE))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("not empty");
    }

    @Test
    void shouldShowATrayWithOneSmallDefect() {
        Tray tray = new Tray(1000, 8, 16);
        SimulatedLine line = new SimulatedLine(3, 0);
        for (String defect : tray.defects("flange")) {
            SimulatedFrame f = line.tray("flange", defect, tray, 1, 7);
            assertThat(f.image().width()).isEqualTo(1000);
            int left = 1000;
            int right = -1;
            int upper = 1000;
            int lower = -1;
            for (int i = 0; i < f.mask().length; i++) {
                if (f.mask()[i] == 0) continue;
                left = Math.min(left, i % 1000);
                right = Math.max(right, i % 1000);
                upper = Math.min(upper, i / 1000);
                lower = Math.max(lower, i / 1000);
            }
            assertThat(Math.max(right - left, lower - upper) + 1).as(defect).isBetween(8, 16);
            assertThat(sum(line.tray("flange", defect, tray, 1, 7))).isEqualTo(sum(f));
        }
        SimulatedFrame good = line.tray("flange", SimulatedFrame.GOOD, tray, 1, 7);
        assertThat(good.anomalous()).isFalse();
        for (byte b : good.mask()) assertThat(b).isZero();
        assertThat(new Tray(1000, 0, 0).defects("board")).contains("missing_part");
        assertThatThrownBy(() -> new Tray(500, 8, 16)).hasMessageContaining("960");
        assertThatThrownBy(() -> new Tray(2048, 8, 200)).hasMessageContaining("8-200");
    }

    @Test
    void shouldNameTheChoicesWhenProductOrDefectIsUnknown() {
        assertThatThrownBy(() -> SimulatedLine.defects("sprocket")).hasMessageContaining("flange");
        assertThatThrownBy(() -> new SimulatedLine(1, 0).part("flange", "hole", 1, 1))
                .hasMessageContaining("rust");
    }

    private static long sum(SimulatedFrame f) {
        CRC32 crc = new CRC32();
        crc.update(f.image().rgb());
        return crc.getValue();
    }

    private static boolean[] grown(byte[] mask, int by) {
        boolean[] out = new boolean[mask.length];
        for (int y = 0; y < N; y++) {
            for (int x = 0; x < N; x++) {
                if (mask[y * N + x] == 0) continue;
                for (int dy = -by; dy <= by; dy++) {
                    for (int dx = -by; dx <= by; dx++) {
                        int yy = y + dy;
                        int xx = x + dx;
                        if (yy >= 0 && yy < N && xx >= 0 && xx < N) out[yy * N + xx] = true;
                    }
                }
            }
        }
        return out;
    }
}
