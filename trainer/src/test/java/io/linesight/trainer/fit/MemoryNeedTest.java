package io.linesight.trainer.fit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class MemoryNeedTest {
    @Test
    void shouldRejectWhatTheMachineCannotHold() {
        long need = MemoryNeed.estimate("small", 8);
        assertThat(MemoryNeed.check("small", 8, need, need)).isNull();
        assertThat(MemoryNeed.check("small", 8, need, need - 1))
                .contains("are free")
                .contains("--batch");
        assertThatThrownBy(() -> MemoryNeed.check("small", 8, need - 1, need - 1))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("--preset")
                .hasMessageContaining("Nothing was written");
    }

    @Test
    void shouldKnowThisMachine() {
        assertThat(MemoryNeed.total()).isGreaterThan(500);
        assertThat(MemoryNeed.available()).isBetween(1L, MemoryNeed.total());
    }

    @Test
    void shouldNeedMoreMemoryForWiderPresetsAndLargerBatches() {
        assertThat(MemoryNeed.estimate("small", 8)).isGreaterThan(MemoryNeed.estimate("tiny", 8));
        assertThat(MemoryNeed.estimate("base", 8)).isGreaterThan(MemoryNeed.estimate("small", 8));
        assertThat(MemoryNeed.estimate("tiny", 16)).isGreaterThan(MemoryNeed.estimate("tiny", 8));
    }
}
