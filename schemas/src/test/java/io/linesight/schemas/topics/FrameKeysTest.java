package io.linesight.schemas.topics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.schemas.FrameRef;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FrameKeysTest {
    @Test
    void shouldComeBackFromItsText() {
        for (FrameRef ref : new FrameRef[] {
            new FrameRef("linesight.frames.v1", 0, 42L), new FrameRef("plant-7-a.frames-2", 13, 9_000_000_000L)
        }) {
            assertThat(FrameKeys.parse(FrameKeys.of(ref))).isEqualTo(ref);
        }
        assertThat(FrameKeys.parse(" linesight.frames.v1-3-7 ")).isEqualTo(new FrameRef("linesight.frames.v1", 3, 7L));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "frames", "frames-1", "frames-1-", "frames--1-2x", "-1-2", "frames-99999999999-1"})
    void shouldSayHowAFrameIsNamed(String text) {
        assertThatThrownBy(() -> FrameKeys.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("linesight.frames.v1-0-42");
    }
}
