package io.linesight.mmad.architecture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.mmad.golden.GoldenSet;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ScanOrdersTest {

    @Test
    void shouldStartAsPublished() {
        assertThat(ScanOrders.base(ScanKind.HILBERT, 4)).startsWith(0, 1, 5, 4, 8, 12, 13, 9);
        assertThat(ScanOrders.base(ScanKind.HILBERT, 8)).startsWith(0, 8, 9, 1, 2, 3, 11, 10);
        assertThat(ScanOrders.base(ScanKind.HILBERT, 64)).startsWith(0, 1, 65, 64, 128);
        assertThat(ScanOrders.base(ScanKind.ZORDER, 8)).startsWith(0, 1, 8, 9, 2, 3, 10, 11);
        assertThat(ScanOrders.base(ScanKind.ZIGZAG, 8)).startsWith(0, 1, 8, 16, 9, 2, 3, 10);
    }

    @ParameterizedTest
    @EnumSource(ScanKind.class)
    void shouldVisitEveryPixelOnceInEveryDirection(ScanKind kind) {
        for (int side = 2; side <= 64; side *= 2) {
            int[] every = IntStream.range(0, side * side).toArray();
            int[][] table = ScanOrders.table(kind, side);
            assertThat(table).hasDimensions(8, side * side);
            for (int[] direction : table) {
                int[] sorted = direction.clone();
                Arrays.sort(sorted);
                assertThat(sorted).isEqualTo(every);
            }
            assertThat(table[5])
                    .isEqualTo(IntStream.range(0, side * side)
                            .map(t -> table[1][table[1].length - 1 - t])
                            .toArray());
        }
    }

    @Test
    void shouldGiveACopyThatMayBeChanged() {
        ScanOrders.table(ScanKind.ZORDER, 4)[0][0] = 99;
        assertThat(ScanOrders.table(ScanKind.ZORDER, 4)[0][0]).isZero();
    }

    @Test
    void shouldRejectSidesThatAreNoPowerOfTwo() {
        assertThatThrownBy(() -> ScanOrders.table(ScanKind.HILBERT, 12))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("12");
    }

    @ParameterizedTest
    @EnumSource(ScanKind.class)
    void shouldEqualTheReference(ScanKind kind) throws Exception {
        String name = kind.name().toLowerCase(Locale.ROOT);
        try (GoldenSet golden = GoldenSet.open("scan_orders")) {
            for (int side = 8; side <= 64; side *= 2)
                assertThat(ScanOrders.base(kind, side)).isEqualTo(golden.ints(name + "_" + side));
            int[] flat = Arrays.stream(ScanOrders.table(kind, 8))
                    .flatMapToInt(Arrays::stream)
                    .toArray();
            assertThat(flat).isEqualTo(golden.ints("dirs_" + name + "_8"));
        }
    }
}
