package io.linesight.trainer.folders;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.RgbImage;
import io.linesight.trainer.folders.ImageSource.Sample;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MvtecDatasetTest {
    @TempDir
    Path root;

    private void picture(String file) throws IOException {
        Path p = root.resolve(file);
        Files.createDirectories(p.getParent());
        Files.write(p, ImageCodec.encodePng(new RgbImage(4, 4, new byte[48])));
    }

    @Test
    void shouldFindNormalsDefectsAndMasks() throws Exception {
        picture("bolt/train/good/000.png");
        picture("bolt/train/good/001.png");
        picture("bolt/test/good/000.png");
        picture("bolt/test/crack/000.png");
        picture("bolt/test/crack/001.png");
        picture("bolt/ground_truth/crack/000_mask.png");
        picture("nut/train/good/0.png");
        Files.writeString(root.resolve("bolt/train/good/notes.txt"), "not a picture");
        MvtecDataset set = MvtecDataset.open(root, List.of());
        assertThat(set.categories()).containsExactly("bolt", "nut");
        assertThat(set.train("bolt")).extracting(Sample::name).containsExactly("good/000.png", "good/001.png");
        List<Sample> test = set.test("bolt");
        assertThat(test).extracting(Sample::name).containsExactly("crack/000.png", "crack/001.png", "good/000.png");
        assertThat(test).extracting(Sample::anomalous).containsExactly(true, true, false);
        assertThat(test.get(0).mask().read().width()).isEqualTo(4);
        assertThat(test.get(1).mask()).isNull();
        assertThat(set.test("nut")).isEmpty();
        assertThat(MvtecDataset.open(root, List.of("nut")).categories()).containsExactly("nut");
    }

    @Test
    void shouldSayWhatIsMissing() throws Exception {
        assertThatThrownBy(() -> MvtecDataset.open(root, List.of()))
                .isInstanceOf(DatasetException.class)
                .hasMessageContaining("holds no category");
        assertThatThrownBy(() -> MvtecDataset.open(root.resolve("nowhere"), List.of()))
                .isInstanceOf(DatasetException.class)
                .hasMessageContaining("is not a folder");
        picture("bolt/train/good/0.png");
        assertThatThrownBy(() -> MvtecDataset.open(root, List.of("nut", "washer")))
                .hasMessageContaining("'nut'")
                .hasMessageContaining("bolt");
    }

    @Test
    void shouldReportUnreadableFilesWhenRead() throws Exception {
        picture("bolt/train/good/0.png");
        Files.write(root.resolve("bolt/train/good/1.png"), new byte[] {1, 2, 3});
        Sample bad = MvtecDataset.open(root, List.of()).train("bolt").get(1);
        assertThatThrownBy(() -> bad.image().read()).isInstanceOf(BadImageException.class);
    }
}
