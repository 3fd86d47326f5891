package io.linesight.schemas.topics;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CameraNamesTest {
    private static String shown(String key) {
        return CameraNames.shown(key.getBytes(StandardCharsets.UTF_8));
    }

    @ParameterizedTest
    @ValueSource(strings = {"cam-1", "", "Gehäuse links", "カメラ 3", "cam 🎥 2"})
    void shouldShowSaneNamesAsTheyAre(String name) {
        assertThat(shown(name)).isEqualTo(name);
    }

    @Test
    void shouldNameRecordsWithoutAKey() {
        assertThat(CameraNames.shown(null)).isEqualTo(CameraNames.KEYLESS);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\u001b[2Jb", "a\nb", "a\u202eb", "a\u0000b"})
    void shouldNotLetANameSteerTheTerminal(String name) {
        assertThat(shown(name)).matches("a\uFFFD(\\[2J)?b");
    }

    @Test
    void shouldShortenLongNamesAndKeepThemApart() {
        byte[] one = new byte[4_000_000];
        Arrays.fill(one, (byte) 'k');
        byte[] other = one.clone();
        other[3_999_999] = 'x';

        assertThat(CameraNames.shown(one))
                .startsWith("kkkk")
                .contains("4000000 bytes")
                .hasSizeLessThan(100);
        assertThat(CameraNames.shown(other)).isNotEqualTo(CameraNames.shown(one));
        assertThat(shown("🎥".repeat(300))).hasSizeLessThan(100).startsWith("🎥🎥");
    }
}
