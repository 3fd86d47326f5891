package io.linesight.streams.inspect;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.score.Scores;
import io.linesight.streams.batching.Answer;
import io.linesight.streams.batching.Inference;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class NearestImagesTest {
    private static final String TWO =
            "[{\"product\":\"bolt\",\"name\":\"good/1.png\",\"jpeg\":null},{\"product\":\"nut\",\"name\":\"good/7.png\","
                    + "\"jpeg\":\"AAEC\"}]";

    private final NearestImages nearest = new NearestImages();

    private static Inference inference(String sha, @Nullable String images, Scores.@Nullable Nearest found, int frame) {
        CheckpointInfo model = new CheckpointInfo(
                "v-" + sha,
                sha,
                new Calibration(new ProductCalibration(0.5, 0.1), Map.of()),
                images == null ? Map.of() : Map.of("linesight.retrieval.images", images));
        Scores scores = new Scores(2, 1, new float[2], new float[2], found);
        return new Inference(new Answer.Scored(scores, frame), model, 0, 0, 2, Instant.EPOCH);
    }

    @Test
    void shouldNameTheImageOfEveryFrameOfABatch() {
        Scores.Nearest found = new Scores.Nearest(new int[] {1, 0}, new float[] {0.5f, 2});
        assertThat(nearest.of(inference("a", TWO, found, 0)))
                .isEqualTo(new NearestImages.Nearest("nut/good/7.png", 0.5f));
        assertThat(nearest.of(inference("a", TWO, found, 1)))
                .isEqualTo(new NearestImages.Nearest("bolt/good/1.png", 2));
    }

    @Test
    void shouldNameNoneWhereTheModelRemembersNone() {
        assertThat(nearest.of(inference("a", null, null, 0))).isNull();
    }

    @Test
    void shouldNameNoneRatherThanAWrongOne() {
        Scores.Nearest beyond = new Scores.Nearest(new int[] {2, -1}, new float[2]);
        assertThat(nearest.of(inference("a", TWO, beyond, 0))).isNull();
        assertThat(nearest.of(inference("a", TWO, beyond, 1))).isNull();
        Scores.Nearest found = new Scores.Nearest(new int[2], new float[2]);
        assertThat(nearest.of(inference("damaged", "[{", found, 0))).isNull();
        assertThat(nearest.of(inference("lost", null, found, 0))).isNull();
    }

    @Test
    void shouldKeepModelsApart() {
        Scores.Nearest found = new Scores.Nearest(new int[2], new float[2]);
        for (int i = 0; i < 9; i++) {
            String images = "[{\"product\":\"p\",\"name\":\"" + i + "\",\"jpeg\":null}]";
            assertThat(nearest.of(inference("m" + i, images, found, 0)))
                    .isEqualTo(new NearestImages.Nearest("p/" + i, 0));
        }
    }
}
