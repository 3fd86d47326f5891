package io.linesight.trainer.dataset;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.mmad.image.Preprocess;
import io.linesight.mmad.image.RgbImage;
import io.linesight.trainer.dataset.Survey.Role;
import io.linesight.trainer.folders.ImageSource.Sample;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class SurveyTest {
    private final Survey survey = new Survey();

    private void saw(String category, String name, Role role, RgbImage image) {
        survey.saw(category, Sample.normal(name, () -> image), role, image, Preprocess.toModelInput(image));
    }

    private void normals(String category, int from, int to) {
        for (int i = from; i < to; i++)
            saw(category, "good/" + i + ".png", Role.TRAINING, TextureSource.weave(i, false));
    }

    private static RgbImage plain(int width, int height, int r, int g, int b) {
        byte[] rgb = new byte[3 * width * height];
        for (int i = 0; i < rgb.length; i += 3) {
            rgb[i] = (byte) r;
            rgb[i + 1] = (byte) g;
            rgb[i + 2] = (byte) b;
        }
        return new RgbImage(width, height, rgb);
    }

    @Test
    void shouldHaveNothingToSayOfSoundImages() {
        normals("weave", 0, 22);
        saw("weave", "good/a.png", Role.HELD_OUT, TextureSource.weave(50, false));
        saw("weave", "good/t.png", Role.TEST, TextureSource.weave(51, false));
        saw("weave", "patch/t.png", Role.TEST, TextureSource.weave(52, true));
        Survey.Findings f = survey.findings("--balance helps");
        assertThat(f.errors()).isEmpty();
        assertThat(f.warnings()).as(f.text()).isZero();
        assertThat(f.text().lines().skip(1).findFirst().orElseThrow().trim().split(" +"))
                .containsExactly("weave", "22", "0", "1", "2", "0", "0", "256x256");
    }

    @Test
    void shouldFindTheSameImageEverywhere() {
        normals("a", 0, 21);
        normals("b", 100, 121);
        saw("a", "good/again.png", Role.HELD_OUT, TextureSource.weave(3, false));
        saw("b", "good/other.png", Role.TRAINING, TextureSource.weave(5, false));
        saw("a", "good/leaked.png", Role.TEST, TextureSource.weave(7, false));
        Survey.Findings f = survey.findings("--balance helps");
        assertThat(f.text())
                .contains("1 normal image is there twice")
                .contains("a/good/again.png is a/good/3.png")
                .contains("both learned from and set apart")
                .contains("b/good/other.png is a/good/5.png");
        assertThat(f.errors()).hasSize(1);
        assertThat(f.errors().get("--allow-leakage")).contains("a/good/leaked.png (test) is a/good/7.png");
    }

    @Test
    void shouldFindTheSameShotSavedTwice() {
        normals("a", 0, 21);
        RgbImage shot = TextureSource.weave(7, false);
        byte[] rgb = shot.rgb().clone();
        for (int i = 0; i < rgb.length; i += 97) rgb[i] ^= 1; // as another JPEG quality would
        saw("a", "good/t.png", Role.TEST, new RgbImage(256, 256, rgb));
        Survey.Findings f = survey.findings("--balance helps");
        assertThat(f.errors()).isEmpty();
        assertThat(f.text())
                .contains("1 test image is almost like")
                .contains("a/good/t.png (test) looks like a/good/7.png");
    }

    @Test
    void shouldWarnOfFewAndUnevenCategories() {
        normals("many", 0, 40);
        normals("some", 100, 103);
        saw("one", "good/0.png", Role.TRAINING, TextureSource.weave(200, false));
        saw("one", "good/0.png", Role.HELD_OUT, TextureSource.weave(200, false));
        Survey.Findings f = survey.findings("--balance helps");
        assertThat(f.text())
                .contains("fewer than 20")
                .contains("some (3)")
                .contains("many has 40 images and one 1")
                .contains("--balance")
                .doesNotContain("twice");
        assertThat(f.errors().get("--allow-few")).contains("one (1)");
    }

    @Test
    void shouldWarnOfBlankGreyAndOddlySizedImages() {
        normals("a", 0, 21);
        saw("a", "good/blank.png", Role.TRAINING, plain(256, 256, 90, 90, 90));
        saw("a", "good/wide.png", Role.TRAINING, plain(512, 256, 90, 40, 40));
        byte[] small = Arrays.copyOf(TextureSource.weave(1, false).rgb(), 3 * 64 * 64);
        for (int i = 0; i < 21; i++) saw("b", "good/" + i + ".png", Role.TRAINING, TextureSource.weave(300 + i, false));
        saw("b", "good/small.png", Role.TRAINING, new RgbImage(64, 64, small));
        Survey.Findings f = survey.findings("--balance helps");
        assertThat(f.text())
                .contains("normal images are blank: a/good/blank.png; a/good/wide.png")
                .contains("a: images have different shapes")
                .contains("256x256; 512x256")
                .contains("b: images have very different sizes")
                .contains("a: 1 of 23 images are grey");
        assertThat(f.errors()).isEmpty();
    }
}
