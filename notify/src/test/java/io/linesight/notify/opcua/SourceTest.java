package io.linesight.notify.opcua;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SourceTest {
    @Test
    void shouldGiveEverySourceAnotherIdOfBoundedLengthWithoutControlCharacters() {
        List<String> names = List.of(
                "cam-1",
                "cam 1",
                "cam%201",
                "cam/1",
                "cam=1",
                "CAM-1",
                "\u0000",
                "\n",
                "~",
                "",
                "ü",
                "u\u0308",
                "\uD83D\uDCF7",
                "product=x",
                "x".repeat(600),
                "x".repeat(601),
                "x".repeat(100_000),
                "x".repeat(100_001));
        Set<String> ids = new HashSet<>();
        int sources = 1;
        ids.add(Source.LINE.id());
        for (String camera : names)
            for (String product : names) {
                if (camera.isEmpty()) continue;
                ids.add(new Source(camera, product).id());
                sources++;
            }
        assertThat(ids)
                .hasSize(sources)
                .allSatisfy(id -> assertThat(id).hasSizeLessThan(2_000).matches("[A-Za-z0-9_.%~=/-]+"));
    }

    @Test
    void shouldGiveRandomNamesDifferentIds() {
        Random random = new Random(5);
        Set<String> names = new HashSet<>();
        Set<String> ids = new HashSet<>();
        for (int i = 0; i < 5_000; i++) {
            StringBuilder name = new StringBuilder();
            for (int n = random.nextInt(4); n >= 0; n--) name.append((char) random.nextInt(0x250));
            names.add(name.toString());
            ids.add(Source.escaped(name.toString()));
        }
        assertThat(ids).hasSameSizeAs(names);
    }

    @Test
    void shouldShowNamesWithoutWhatMovesACursor() {
        assertThat(Source.readable("cam\u001B[31m\u202Eo")).isEqualTo("cam\uFFFD[31m\uFFFDo");
        assertThat(Source.readable("x".repeat(1_000))).hasSize(203);
    }
}
