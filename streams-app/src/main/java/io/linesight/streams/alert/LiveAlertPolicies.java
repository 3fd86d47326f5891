package io.linesight.streams.alert;

import io.linesight.models.settings.SettingsState;
import io.linesight.schemas.AlertPolicySetting;
import io.linesight.schemas.ProductSettings;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The first policy among the live settings whose cameras fit: the product's own come before those for all products,
 * which also hold for what concerns a camera as a whole. What it leaves open stays as the configuration has it. A
 * policy's revision is the offset behind the last settings that were known. Thread-safe.
 */
public final class LiveAlertPolicies implements AlertPolicies {
    /** Cameras and products come and go, and their names are not ours to bound. */
    private static final int MAX_KEPT = 10_000;

    private final AlertPolicy configured;
    private final Supplier<Optional<SettingsState>> settings;
    private volatile Kept kept = new Kept(null, Map.of());

    private record Key(String camera, @Nullable String product) {}

    private record Kept(@Nullable SettingsState state, Map<Key, AlertPolicy> policies) {}

    /** @param settings the newest state, the same object while nothing changes; empty where none are followed */
    public LiveAlertPolicies(AlertPolicy configured, Supplier<Optional<SettingsState>> settings) {
        this.configured = configured;
        this.settings = settings;
    }

    @Override
    public AlertPolicy of(String cameraId, @Nullable String product) {
        SettingsState now = settings.get().orElse(null);
        if (now == null || now.history().isEmpty()) return configured;
        Kept k = kept;
        if (k.state != now || k.policies.size() >= MAX_KEPT) {
            k = new Kept(now, new ConcurrentHashMap<>());
            kept = k;
        }
        return k.policies.computeIfAbsent(new Key(cameraId, product), key -> find(now, key));
    }

    private AlertPolicy find(SettingsState now, Key key) {
        String product = key.product == null ? SettingsState.ALL : key.product;
        List<AlertPolicySetting> policies =
                now.of(product).map(ProductSettings::getAlerts).orElse(List.of());
        for (AlertPolicySetting p : policies) if (fits(p.getCameras(), key.camera)) return merged(p, now.end());
        return configured;
    }

    /** {@code *} stands for any characters. */
    static boolean fits(String cameras, String camera) {
        String regex = Stream.of(cameras.split("\\*", -1)).map(Pattern::quote).collect(Collectors.joining(".*"));
        return camera.matches("(?s)" + regex);
    }

    private AlertPolicy merged(AlertPolicySetting p, long revision) {
        AlertPolicy c = configured;
        int count = or(p.getOpenCount(), c.openCount());
        return new AlertPolicy(
                revision,
                count,
                Math.max(count, or(p.getOpenWindow(), c.openWindow())),
                or(p.getClearCount(), c.clearCount()),
                or(p.getClearBelow(), c.clearBelow()),
                seconds(p.getRenotifySeconds(), c.renotify()),
                or(p.getHighFrom(), c.highScore()),
                or(p.getHighAreaPixels(), c.highArea()),
                or(p.getLatched(), c.latched()),
                seconds(p.getSilentSeconds(), c.silent()),
                or(p.getFrozenFrames(), c.frozenFrames()),
                c.imageFrames(),
                c.blackShare(),
                c.overexposedShare(),
                c.blurRatio());
    }

    private static <T> T or(@Nullable T set, T configured) {
        return set == null ? configured : set;
    }

    private static Duration seconds(@Nullable Long set, Duration configured) {
        return set == null ? configured : Duration.ofSeconds(set);
    }
}
