package io.linesight.mmad.golden;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.mmad.io.Npz;
import io.linesight.mmad.io.SharedFiles;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GoldenSetTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "anomaly_map",
                "full_model_eval",
                "fuser_eval",
                "hybrid_64_16",
                "metrics",
                "preprocess",
                "scan_orders",
                "selective_scan",
                "selective_scan_small",
                "ss2d_hilbert_8",
                "ss2d_zigzag_8",
                "ss2d_zorder_8"
            })
    void shouldHoldTheBeginningOfEveryArrayOfTheCompleteSet(String name) throws Exception {
        try (GoldenSet cut = GoldenSet.openCut(name);
                Npz complete = Npz.open(SharedFiles.require("golden/" + name + ".npz"))) {
            assertThat(cut.names()).isNotEmpty();
            for (String array : cut.names()) {
                if (array.startsWith("altered")) continue;
                double[] part = cut.doubles(array);
                double[] whole = complete.get(array).doubles();
                assertThat(part).as(array).isEqualTo(Arrays.copyOf(whole, part.length));
            }
        }
    }
}
