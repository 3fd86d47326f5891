package io.linesight.schemas.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SettingNamesTest {
    @Test
    void shouldKeepTheOldNameOfARenamedSetting() {
        assertThat(SettingNames.canonical(Map.of("linesight.models.patience.ms", "5000")))
                .isEqualTo(Map.of("linesight.models.timeout.ms", "5000"));
    }

    @Test
    void shouldRefuseTwoValuesOfOneSetting() {
        assertThatThrownBy(() -> SettingNames.canonical(
                        Map.of("linesight.models.patience.ms", "5000", "linesight.models.timeout.ms", "6000")))
                .hasMessageContaining("linesight.models.patience.ms")
                .hasMessageContaining("linesight.models.timeout.ms");
    }

    @Test
    void shouldLeaveOutWhatIsNull() {
        Map<String, String> settings = new HashMap<>();
        settings.put("bootstrap.servers", null);
        assertThat(SettingNames.canonical(settings)).isEmpty();
    }
}
