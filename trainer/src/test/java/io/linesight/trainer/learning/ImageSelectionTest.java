package io.linesight.trainer.learning;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.trainer.calibration.CalibrationRule;
import io.linesight.trainer.imagestore.LabelSource;
import io.linesight.trainer.imagestore.Split;
import io.linesight.trainer.imagestore.StoredImage;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageSelectionTest {
    private static final TrainerConfig.Tuning TUNING =
            new TrainerConfig.Tuning(1, 0, 0.001, 8, 1, 3, 2, 2, 42, CalibrationRule.defaults());

    @TempDir
    private Path dir;

    private final List<StoredImage> images = new ArrayList<>();

    private void add(String product, boolean anomalous, Split split) {
        long sequence = images.size() + 1;
        images.add(new StoredImage(
                "frames-0-" + sequence,
                product,
                anomalous,
                LabelSource.PERSON,
                "ann",
                Instant.EPOCH,
                String.format("%064x", sequence),
                null,
                split,
                sequence));
    }

    private ImageSelection choose(long trainedThrough) {
        return ImageSelection.choose(images, TUNING, trainedThrough, "run");
    }

    @Test
    void shouldSelectNewestNormalsAndSampleOfEarlierOnes() {
        for (int i = 0; i < 10; i++) add("bolt", false, Split.TRAIN);
        ImageSelection selection = choose(4);
        assertThat(selection.newNormals()).isEqualTo(3);
        assertThat(selection.images()).hasSize(5).doesNotHaveDuplicates();
        assertThat(selection.images().subList(0, 3))
                .extracting(StoredImage::sequence)
                .containsExactly(8L, 9L, 10L);
        assertThat(choose(4)).isEqualTo(selection);
    }

    @Test
    void shouldSampleAtLeastAsManyNormalsAsFitNeeds() {
        for (int i = 0; i < 10; i++) add("bolt", false, Split.TRAIN);
        assertThat(choose(10).images()).hasSize(ImageSelection.MIN_NORMALS);
        assertThat(choose(10).newNormals()).isZero();
    }

    @Test
    void shouldMeasureProductsWithTooFewNormalsButNotTrainThem() {
        for (int i = 0; i < 3; i++) add("nut", false, Split.TRAIN);
        for (int i = 0; i < 4; i++) add("nut", true, Split.HELD_OUT);
        add("nut", true, Split.TRAIN);
        ImageSelection selection = choose(0);
        assertThat(selection.trained()).isEmpty();
        assertThat(selection.tooFew()).containsExactly("nut (3)");
        assertThat(selection.images()).hasSize(2).allMatch(image -> image.split() == Split.HELD_OUT);
    }

    @Test
    void shouldSelectEveryImageThatPlacesThresholds() {
        for (int i = 0; i < 4; i++) add("bolt", false, Split.TRAIN);
        add("bolt", false, Split.CALIBRATE);
        add("bolt", true, Split.CALIBRATE);
        add("bolt", true, Split.TRAIN);
        assertThat(choose(0).images()).extracting(StoredImage::sequence).contains(5L, 6L, 7L);
    }

    @Test
    void shouldReadWhatItWrote() throws Exception {
        for (int i = 0; i < 4; i++) add("bolt", false, Split.TRAIN);
        Path file = dir.resolve("images.json");
        ImageSelection.write(file, images);
        assertThat(ImageSelection.read(file)).isEqualTo(images);
    }
}
