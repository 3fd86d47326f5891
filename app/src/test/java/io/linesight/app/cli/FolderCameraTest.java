package io.linesight.app.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.cameras.CameraShot;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.schemas.FrameEncoding;
import io.linesight.trainer.folders.ReadingContext;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderCameraTest {
    private static final byte[] JPEG = {(byte) 0xFF, (byte) 0xD8, (byte) 0xFF, 1, 2};
    private static final byte[] PNG = {(byte) 0x89, 'P', 'N', 'G', 13, 10};

    @TempDir
    Path dir;

    private Path put(String path, byte[] bytes) throws IOException {
        Path file = dir.resolve(path);
        Files.createDirectories(file.getParent());
        return Files.write(file, bytes);
    }

    private static List<CameraShot> all(FolderCamera camera) {
        List<CameraShot> shots = new ArrayList<>();
        for (Optional<CameraShot> s = camera.next(); s.isPresent(); s = camera.next()) shots.add(s.get());
        return shots;
    }

    @Test
    void shouldReadProductAndTruthFromMvtecLayout() throws IOException {
        put("cookie/train/good/0.png", PNG);
        put("cookie/test/good/1.png", PNG);
        put("cookie/test/crack/2.jpg", JPEG);
        put("cookie/ground_truth/crack/2_mask.png", PNG);
        List<CameraShot> shots = all(FolderCamera.open("c", dir.resolve("cookie"), FolderCamera.Options.defaults()));
        assertThat(shots).hasSize(2).allSatisfy(s -> assertThat(s.product()).isEqualTo("cookie"));
        assertThat(shots.get(0).anomalous()).isTrue();
        assertThat(shots.get(0).attributes()).containsEntry(CameraShot.TRUTH_DEFECT, "crack");
        assertThat(shots.get(1).anomalous()).isFalse();
        assertThat(all(FolderCamera.open("c", dir, new FolderCamera.Options(null, "train", false, null))))
                .hasSize(1);
    }

    @Test
    void shouldCountADefectThatVanishesAtTheModelsResolutionAsGood() throws IOException {
        byte[] speck = new byte[1024 * 1024];
        speck[300_000] = (byte) 255;
        byte[] patch = new byte[1024 * 1024];
        for (int y = 100; y < 130; y++) java.util.Arrays.fill(patch, y * 1024 + 100, y * 1024 + 130, (byte) 255);
        for (String name : List.of("patch", "speck", "unmarked")) put("tile/test/crack/" + name + ".png", PNG);
        put("tile/ground_truth/crack/patch_mask.png", ImageCodec.encodeGrayPng(patch, 1024, 1024));
        put("tile/ground_truth/crack/speck_mask.png", ImageCodec.encodeGrayPng(speck, 1024, 1024));
        List<CameraShot> shots = all(FolderCamera.open("c", dir.resolve("tile"), FolderCamera.Options.defaults()));
        assertThat(shots).extracting(CameraShot::anomalous).containsExactly(true, false, true);
    }

    @Test
    void shouldSendBytesAsTheyAreAndTellTheEncodingByContents() throws IOException {
        put("a.png", JPEG);
        put("b.jpg", PNG);
        put("c.txt", JPEG);
        List<CameraShot> shots = all(FolderCamera.open("c", dir, FolderCamera.Options.defaults()));
        assertThat(shots).extracting(CameraShot::encoding).containsExactly(FrameEncoding.JPEG, FrameEncoding.PNG);
        assertThat(shots.get(0).image()).isEqualTo(JPEG);
        assertThat(shots.get(0).product()).isNull();
        assertThat(shots.get(0).anomalous()).isNull();
    }

    @Test
    void shouldMixReproduciblyAndDifferentlyEachRound() throws IOException {
        for (int i = 0; i < 20; i++) put("p" + (10 + i) + ".png", PNG);
        FolderCamera.Options options = new FolderCamera.Options("x", "all", true, 5L);
        FolderCamera one = FolderCamera.open("c", dir, options);
        FolderCamera two = FolderCamera.open("c", dir, options);
        List<String> first = files(one, 40);
        assertThat(files(two, 40)).isEqualTo(first);
        assertThat(first.subList(0, 20))
                .doesNotHaveDuplicates()
                .isNotEqualTo(first.subList(20, 40))
                .isNotEqualTo(first.subList(0, 20).stream().sorted().toList());
        assertThat(first.subList(20, 40)).containsExactlyInAnyOrderElementsOf(first.subList(0, 20));
    }

    private static List<String> files(FolderCamera camera, int n) {
        List<String> out = new ArrayList<>();
        for (int i = 0; i < n; i++)
            out.add(camera.next().orElseThrow().attributes().get(CameraShot.FILE));
        return out;
    }

    @Test
    void shouldSayThatAFolderIsEmptyOrMissing() throws IOException {
        put("notes.txt", PNG);
        assertThatThrownBy(() -> FolderCamera.open("c", dir, FolderCamera.Options.defaults()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("no .jpg")
                .hasMessageContaining("nothing was sent");
        assertThatThrownBy(() -> FolderCamera.open("c", dir.resolve("nowhere"), FolderCamera.Options.defaults()))
                .hasMessageContaining("no folder");
    }

    @Test
    void shouldLeaveOutAndCountFilesThatCannotBeRead() throws IOException {
        put("a.png", PNG);
        Path gone = put("b.png", PNG);
        FolderCamera camera = FolderCamera.open("c", dir, FolderCamera.Options.defaults());
        Files.delete(gone);
        assertThat(all(camera)).hasSize(1);
        assertThat(camera.skipped()).isEqualTo(1);
    }

    @Test
    void shouldNotSendWhatIsNoImage() throws IOException {
        put("a.png", PNG);
        put("lfs.png", "version https://git-lfs.github.com/spec/v1\noid sha256:1\n".getBytes(StandardCharsets.UTF_8));
        put("page.jpg", "<html>log in first</html>".getBytes(StandardCharsets.UTF_8));
        put("empty.jpg", new byte[0]);
        put("zeros.png", new byte[5000]);
        ReadingContext context = ReadingContext.defaults();
        FolderCamera camera = FolderCamera.open("c", dir, FolderCamera.Options.defaults(), context);
        assertThat(all(camera)).extracting(CameraShot::image).containsExactly(PNG);
        assertThat(camera.skipped()).isEqualTo(4);
        assertThat(context.report().text()).contains("Used 1 image", "left out 4 images that cannot be read");
    }

    @Test
    void shouldKeepImagesForThresholdsOutOfTestAndTrain() throws IOException {
        for (String part : List.of("train", "validation", "test")) put("nut/" + part + "/good/" + part + ".png", PNG);
        for (String split : List.of("test", "train", "all")) {
            FolderCamera camera = FolderCamera.open("c", dir, new FolderCamera.Options(null, split, false, null));
            assertThat(all(camera))
                    .hasSize(split.equals("all") ? 3 : 1)
                    .allSatisfy(s -> assertThat(s.product()).isEqualTo("nut"))
                    .allSatisfy(s -> assertThat(s.anomalous()).isFalse());
        }
    }

    @Test
    void shouldEndInsteadOfLoopingOverNothingReadable() throws IOException {
        Path gone = put("a.png", PNG);
        FolderCamera camera = FolderCamera.open("c", dir, new FolderCamera.Options(null, "all", true, null));
        Files.delete(gone);
        assertThat(camera.next()).isEmpty();
    }

    @Test
    void shouldSayThatAFolderCannotBeListed() throws IOException {
        put("sub/a.png", PNG);
        Assumptions.assumeTrue(dir.getFileSystem().supportedFileAttributeViews().contains("posix"));
        Files.setPosixFilePermissions(dir.resolve("sub"), PosixFilePermissions.fromString("---------"));
        Assumptions.assumeFalse(Files.isReadable(dir.resolve("sub")), "this user may read everything");
        try {
            assertThatThrownBy(() -> FolderCamera.open("c", dir, FolderCamera.Options.defaults()))
                    .isInstanceOf(IOException.class);
        } finally {
            Files.setPosixFilePermissions(dir.resolve("sub"), PosixFilePermissions.fromString("rwx------"));
        }
    }
}
