package io.linesight.trainer.retrieval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.trainer.calibration.CheckpointFinisher.Seen;
import io.linesight.trainer.folders.DatasetException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ImageGroupsTest {
    /** Every {@code size} images in a row look alike. */
    private static MeanFeatures alike(int images, int size) {
        float[][] means = new float[images][8];
        for (int i = 0; i < images; i++) {
            Random look = new Random(i / size);
            Random own = new Random(1000 + i);
            for (int c = 0; c < 8; c++) means[i][c] = (float) (look.nextGaussian() + 0.01 * own.nextGaussian());
        }
        return MeanFeatures.of(means);
    }

    private static List<String> numbered(int images) {
        return IntStream.range(0, images).mapToObj(i -> "good/" + i + ".png").toList();
    }

    private static ImageGroups groups(List<String> names, int images, String by) {
        return ImageGroups.of(names, new int[images], alike(images, 4), GroupBy.of(by));
    }

    private static void assertFoldsAreOfWholeGroups(ImageGroups groups) {
        for (int i = 0; i < groups.numbers().length; i++)
            for (int j = 0; j < i; j++)
                if (groups.numbers()[i] == groups.numbers()[j])
                    assertThat(groups.folds()[i]).isEqualTo(groups.folds()[j]);
    }

    @Test
    void shouldGroupImagesThatLookAlikeWhereNamesTellNothing() {
        ImageGroups groups = groups(numbered(80), 80, "auto");
        for (int i = 0; i < 80; i++) assertThat(groups.numbers()[i]).isEqualTo(groups.numbers()[i / 4 * 4]);
        assertThat(groups.facts()).containsExactly(new ImageGroups.Fact(GroupBy.Kind.SIMILARITY, 80, 20));
        assertFoldsAreOfWholeGroups(groups);
        for (int f = 0; f < ImageGroups.FOLDS; f++) {
            int fold = f;
            assertThat(IntStream.of(groups.folds()).filter(g -> g == fold)).hasSize(16);
        }
    }

    @Test
    void shouldGroupByNamesWhereTheyTellParts() {
        List<String> names = IntStream.range(0, 80)
                .mapToObj(i -> "good/part" + (char) ('a' + i % 20) + "_" + i + ".png")
                .toList();
        ImageGroups groups = groups(names, 80, "auto");
        assertThat(groups.facts()).containsExactly(new ImageGroups.Fact(GroupBy.Kind.STEM, 80, 20));
        for (int i = 0; i < 80; i++) assertThat(groups.numbers()[i]).isEqualTo(groups.numbers()[i % 20]);
        assertFoldsAreOfWholeGroups(groups);
    }

    @Test
    void shouldGroupByTheFirstGroupOfAnExpressionAndLeaveOthersAlone() {
        List<String> names =
                List.of("good/s1-a.png", "good/s1-b.png", "good/s2-a.png", "good/odd.png", "good/even.png");
        ImageGroups groups = groups(names, 5, "s(\\d)");
        assertThat(groups.numbers()).containsExactly(0, 0, 1, 2, 3);
        assertThat(groups.facts()).containsExactly(new ImageGroups.Fact(GroupBy.Kind.PATTERN, 5, 4));
    }

    @Test
    void shouldRejectAnExpressionThatFindsNothing() {
        assertThatThrownBy(() -> groups(numbered(5), 5, "shift(\\d)"))
                .isInstanceOf(DatasetException.class)
                .hasMessageContaining("finds nothing in the name of any image, such as good/0.png");
        assertThatThrownBy(() -> GroupBy.of("part("))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("--group-by takes auto, none, stem, similarity or a regular expression");
    }

    @Test
    void shouldFallBackToSimilarityWhereAllNamesAreOfOneGroup() {
        ImageGroups groups = groups(numbered(40), 40, "stem");
        assertThat(groups.facts()).containsExactly(new ImageGroups.Fact(GroupBy.Kind.SIMILARITY, 40, 10));
    }

    @Test
    void shouldLeaveEveryImageByItselfWhenTold() {
        assertThat(groups(numbered(20), 20, "none").facts())
                .containsExactly(new ImageGroups.Fact(GroupBy.Kind.NONE, 20, 20));
    }

    @Test
    void shouldFindGroupsAmongImagesThatAreAllTheSame() {
        MeanFeatures same = MeanFeatures.of(new float[12][8]);
        ImageGroups groups = ImageGroups.of(numbered(12), new int[12], same, GroupBy.AUTOMATIC);
        assertThat(groups.facts().get(0).groups()).isEqualTo(5);
        assertThat(IntStream.of(groups.folds()).distinct().count()).isGreaterThan(1);
    }

    @Test
    void shouldGroupMoreImagesThanAreClustered() {
        int images = 2500;
        ImageGroups groups = groups(numbered(images), images, "similarity");
        assertThat(groups.facts().get(0).groups()).isEqualTo(500);
        long together = IntStream.range(0, images)
                .filter(i -> groups.numbers()[i] == groups.numbers()[i / 4 * 4])
                .count();
        assertThat(together).isGreaterThan(images * 8 / 10);
        assertFoldsAreOfWholeGroups(groups);
    }

    @Test
    void shouldMergeTheNearestFirst() {
        double[] at = {0, 10, 0.5, 11, 30, 1.2};
        double[][] d = new double[6][6];
        for (int i = 0; i < 6; i++) for (int j = 0; j < 6; j++) d[i][j] = Math.abs(at[i] - at[j]);
        assertThat(AverageLinkage.cut(Arrays.stream(d).map(double[]::clone).toArray(double[][]::new), 3))
                .containsExactly(0, 1, 0, 1, 2, 0);
        assertThat(AverageLinkage.cut(d, 6)).containsExactly(0, 1, 2, 3, 4, 5);
    }

    @Test
    void shouldScoreNoImageByAModelThatKnowsItsFold() throws Exception {
        int[] folds = {0, 1, 2, 3, 4, 2, 0};
        int[] products = {0, 0, 0, 0, 0, 0, 1};
        UnseenNormals unseen = new UnseenNormals(folds, products, folds);
        unseen.addRemembered(List.of("cap", "lid"), i -> new byte[] {(byte) i});
        unseen.addOther("cap", new byte[] {50}, 4);
        unseen.addOther("lid", new byte[] {60}, 6);
        List<int[]> known = new ArrayList<>();
        List<Integer> written = new ArrayList<>();
        List<Seen> all = unseen.folds((draft, fold, images) -> {
            written.add(fold);
            known.add(images);
        });
        for (Seen some : all.subList(0, 5)) some.model().write(null);
        assertThat(written).containsExactly(0, 1, 2, 3, 4);
        for (int f = 0; f < 5; f++) {
            for (byte[] frame : all.get(f).frames().get("cap"))
                if (frame[0] < 50)
                    for (int image : known.get(f)) assertThat(folds[image]).isNotEqualTo(folds[frame[0]]);
        }
        assertThat(all.get(4).frames().get("cap")).as("held out, like image 4").anyMatch(frame -> frame[0] == 50);
        assertThat(all.get(5).model()).as("the whole memory").isNull();
        assertThat(all.get(5).frames()).containsOnlyKeys("lid");
        assertThat(all.get(5).frames().get("lid")).hasSize(1);
    }
}
