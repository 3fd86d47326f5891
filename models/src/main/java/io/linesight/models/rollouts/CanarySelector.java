package io.linesight.models.rollouts;

import io.linesight.schemas.Rollout;
import io.linesight.schemas.RolloutMode;
import java.text.Normalizer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which frames a canary decides. Pure, the same on every JVM, thread-safe.
 *
 * <p>A frame is selected when its camera is among the named ones, or its product is, or its camera falls into the
 * percentage: 64-bit FNV-1a over the UTF-8 of the camera id, finished by splitmix64's mixer, its upper 53 bits as a
 * fraction of 100, below {@code percent}. So a camera stays where it is while a canary runs and from one canary to the
 * next, and raising the percentage only adds cameras.
 */
public final class CanarySelector {
    private CanarySelector() {}

    /**
     * Whether the challenger decides this frame.
     *
     * @param rollout what is in force
     * @param product as the frame has it
     */
    public static boolean selects(@Nullable Rollout rollout, String cameraId, @Nullable String product) {
        if (rollout == null || rollout.getMode() != RolloutMode.CANARY || rollout.getChallenger() == null) return false;
        return rollout.getCameras().contains(cameraId)
                || product != null && contains(rollout.getProducts(), product)
                || SelectionHash.percent(SelectionHash.of(cameraId)) < rollout.getPercent();
    }

    /** Names are compared in normal form C: a rollout is typed by people, a product named by a camera. */
    private static boolean contains(List<String> products, String product) {
        if (products.isEmpty()) return false;
        String wanted = normalized(product);
        return products.stream().anyMatch(p -> normalized(p).equals(wanted));
    }

    private static String normalized(String name) {
        return Normalizer.normalize(name, Normalizer.Form.NFC);
    }
}
