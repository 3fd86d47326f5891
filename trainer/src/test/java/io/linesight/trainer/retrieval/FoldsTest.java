package io.linesight.trainer.retrieval;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.trainer.calibration.CheckpointFinisher.Seen;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class FoldsTest {
    @Test
    void shouldPutNeighboursByNameIntoTheSameFold() {
        List<String> names =
                List.of("good/10.png", "good/9.png", "good/1.png", "good/2.png", "good/100.png", "good/11.png");
        assertThat(Folds.of(names, new int[6])).containsExactly(1, 1, 0, 0, 2, 2);
    }

    @Test
    void shouldDealEveryProductIntoAllFolds() {
        List<String> names = IntStream.range(0, 12).mapToObj(i -> "good/" + i).toList();
        int[] products = IntStream.range(0, 12).map(i -> i % 2).toArray();
        int[] folds = Folds.of(names, products);
        for (int product = 0; product < 2; product++)
            for (int fold = 0; fold < Folds.COUNT; fold++) {
                int p = product;
                int f = fold;
                assertThat(IntStream.range(0, 12).filter(i -> products[i] == p && folds[i] == f))
                        .hasSize(2);
            }
    }

    @Test
    void shouldOrderNumbersByTheirValueHoweverLong() {
        assertThat(Folds.compare("a9", "a10")).isNegative();
        assertThat(Folds.compare("a99999999999999999999999", "a100000000000000000000000"))
                .isNegative();
        assertThat(Folds.compare("a1b", "a1")).isPositive();
        assertThat(Folds.compare("a01", "a1")).isNotZero().isEqualTo(-Folds.compare("a1", "a01"));
        assertThat(Folds.compare("x", "x")).isZero();
    }

    @Test
    void shouldScoreNoImageByAModelThatKnowsItsFold() throws Exception {
        int[] folds = {0, 1, 2, 0, 1, 2, 0};
        int[] products = {0, 0, 0, 0, 0, 0, 1};
        UnseenNormals unseen = new UnseenNormals(folds, products, folds);
        unseen.addRemembered(List.of("cap", "lid"), i -> new byte[] {(byte) i});
        unseen.addOther("cap", new byte[] {50}, 4);
        unseen.addOther("lid", new byte[] {60}, 6);
        List<int[]> known = new ArrayList<>();
        List<Seen> all = unseen.folds((draft, images) -> known.add(images));
        for (Seen some : all.subList(0, 3)) some.model().write(null);
        for (int f = 0; f < 3; f++) {
            for (byte[] frame : all.get(f).frames().get("cap"))
                if (frame[0] < 50)
                    for (int image : known.get(f)) assertThat(folds[image]).isNotEqualTo(folds[frame[0]]);
        }
        assertThat(all.get(1).frames().get("cap")).as("held out, like image 4").anyMatch(frame -> frame[0] == 50);
        assertThat(all.get(3).model()).as("the whole memory").isNull();
        assertThat(all.get(3).frames()).containsOnlyKeys("lid");
        assertThat(all.get(3).frames().get("lid")).hasSize(1);
    }
}
