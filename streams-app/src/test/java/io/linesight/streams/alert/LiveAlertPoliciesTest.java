package io.linesight.streams.alert;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.models.settings.SettingsEntry;
import io.linesight.models.settings.SettingsState;
import io.linesight.schemas.AlertPolicySetting;
import io.linesight.schemas.ProductSettings;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class LiveAlertPoliciesTest {
    private static final AlertPolicy CONFIGURED = new AlertPolicy(
            null, 3, 5, 10, 0.4, Duration.ofMinutes(30), 0.9, 0, false, Duration.ofSeconds(60), 30, 3, 0.98, 0.9, 0.5);

    private final AtomicReference<SettingsState> state = new AtomicReference<>();
    private final LiveAlertPolicies policies =
            new LiveAlertPolicies(CONFIGURED, () -> Optional.ofNullable(state.get()));

    @Test
    void shouldTakeTheConfigurationWhereNobodySetAnything() {
        assertThat(policies.of("cam", "flange")).isSameAs(CONFIGURED);
        state.set(new SettingsState("default", 3, Map.of()));
        assertThat(policies.of("cam", null)).isSameAs(CONFIGURED);
    }

    @Test
    void shouldTakeTheFirstWhoseCamerasFitAndLeaveTheRestAsItIs() {
        set(4, Map.of("flange", List.of(policy("press-*", 1), policy("*", 2)), "*", List.of(policy("cam", 4))));
        AlertPolicy press = policies.of("press-7", "flange");
        assertThat(press.openCount()).isEqualTo(1);
        assertThat(press.openWindow()).isEqualTo(5);
        assertThat(press.clearCount()).isEqualTo(10);
        assertThat(press.revision()).isEqualTo(4);
        assertThat(policies.of("cam", "flange").openCount()).isEqualTo(2);
        assertThat(policies.of("cam", "bolt").openCount()).isEqualTo(4);
        assertThat(policies.of("cam", null).openCount()).isEqualTo(4);
        assertThat(policies.of("other", "bolt")).isSameAs(CONFIGURED);
    }

    @Test
    void shouldFollowWhatIsSetNext() {
        set(1, Map.of("flange", List.of(policy("*", 7))));
        AlertPolicy seven = policies.of("cam", "flange");
        assertThat(seven.openCount()).isEqualTo(7);
        assertThat(seven.openWindow()).as("never smaller than the count").isEqualTo(7);
        set(2, Map.of("flange", List.of()));
        assertThat(policies.of("cam", "flange")).isSameAs(CONFIGURED);
    }

    @Test
    void shouldTakeNamesAsTheyAreButForTheStar() {
        assertThat(LiveAlertPolicies.fits("*", "")).isTrue();
        assertThat(LiveAlertPolicies.fits("a.c", "abc")).isFalse();
        assertThat(LiveAlertPolicies.fits("a*c", "a.\n.c")).isTrue();
        assertThat(LiveAlertPolicies.fits("*-1", "press-1")).isTrue();
        assertThat(LiveAlertPolicies.fits("*-1", "press-12")).isFalse();
    }

    private void set(long end, Map<String, List<AlertPolicySetting>> byProduct) {
        Map<String, List<SettingsEntry>> history = new java.util.HashMap<>();
        byProduct.forEach((product, alerts) -> history.put(
                product,
                List.of(new SettingsEntry(
                        end - 1,
                        Optional.of(ProductSettings.newBuilder()
                                .setChannel("default")
                                .setProduct(product)
                                .setRevision(1)
                                .setBasedOn(0)
                                .setAlerts(alerts)
                                .setBy("ann")
                                .setAt(Instant.EPOCH)
                                .build()),
                        true,
                        ""))));
        state.set(new SettingsState("default", end, history));
    }

    private static AlertPolicySetting policy(String cameras, int openCount) {
        return AlertPolicySetting.newBuilder()
                .setCameras(cameras)
                .setOpenCount(openCount)
                .build();
    }
}
