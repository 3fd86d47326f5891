package io.linesight.models.settings;

import io.linesight.schemas.AlertPolicySetting;
import io.linesight.schemas.ProductSettings;
import io.linesight.schemas.ThresholdSetting;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What settings may say. Pure functions. */
public final class SettingsRules {
    /** Characters of a product's name, a person's and a reason. */
    public static final int MAX_TEXT = 1024;
    /** Frames that an alert policy looks back at: they are kept for every camera and product. */
    public static final int MAX_WINDOW = 200;
    /** Alert policies of a product. */
    public static final int MAX_POLICIES = 100;

    private SettingsRules() {}

    /** Everything that is wrong with settings, each as half a sentence for people; empty where they can be applied. */
    public static List<String> problems(ProductSettings s) {
        List<String> problems = new ArrayList<>();
        if (s.getProduct().isBlank()) problems.add("the product has no name");
        if (s.getChannel().isBlank()) problems.add("the channel has no name");
        if (s.getBy().isBlank()) problems.add("nobody is named who set it");
        for (String text : List.of(s.getProduct(), s.getChannel(), s.getBy(), s.getReason()))
            if (text.length() > MAX_TEXT)
                problems.add("a text has " + text.length() + " characters; at most " + MAX_TEXT + " are accepted");
        if (s.getThreshold() != null) threshold(s, s.getThreshold(), problems);
        within("the review band's lower limit", s.getReviewLow(), 0, 0.5, problems);
        within("the review band's upper limit", s.getReviewHigh(), 0.5, 1, problems);
        if (s.getAlerts().size() > MAX_POLICIES)
            problems.add("it has " + s.getAlerts().size() + " alert policies; at most " + MAX_POLICIES);
        s.getAlerts().forEach(policy -> policy(policy, problems));
        return problems;
    }

    private static void threshold(ProductSettings s, ThresholdSetting t, List<String> problems) {
        if (s.getProduct().equals(SettingsState.ALL))
            problems.add("a threshold belongs to one product, and this is for all of them");
        if (!Double.isFinite(t.getRaw())) problems.add("the threshold is " + t.getRaw());
        if (t.getModelVersion().isBlank()) problems.add("it does not say which model the threshold was set for");
        Double rate = t.getFalseRejectRate();
        if (rate != null && !(rate > 0 && rate < 1))
            problems.add("the false-reject rate is " + rate + "; it lies within 0..1");
        switch (t.getKeep()) {
            case RAW_VALUE -> {}
            case FALSE_REJECT_RATE -> {
                if (rate == null) problems.add("the false-reject rate is to be kept, and none is given");
            }
            default -> problems.add("what of the threshold is to be kept is not known to this program");
        }
    }

    private static void policy(AlertPolicySetting p, List<String> problems) {
        if (p.getCameras().isBlank()) problems.add("an alert policy names no cameras; * stands for all");
        Integer count = p.getOpenCount();
        Integer window = p.getOpenWindow();
        within("the alert policy's open count", count, 1, MAX_WINDOW, problems);
        within("the alert policy's open window", window, 1, MAX_WINDOW, problems);
        if (count != null && window != null && count > window)
            problems.add("an alert cannot open after " + count + " anomalous frames of " + window);
        within("the alert policy's clear count", p.getClearCount(), 1, 100_000, problems);
        within("the alert policy's clear limit", p.getClearBelow(), 0, 0.5, problems);
        within("the alert policy's repetition, in seconds,", p.getRenotifySeconds(), 0, 31_536_000, problems);
        within("the score of severity HIGH", p.getHighFrom(), 0.5, 1, problems);
        within("the region of severity HIGH", p.getHighAreaPixels(), 0, 1e12, problems);
        within("the alert policy's silence, in seconds,", p.getSilentSeconds(), 0, 31_536_000, problems);
        within("the alert policy's frozen frames", p.getFrozenFrames(), 0, 1_000_000, problems);
    }

    private static void within(String what, @Nullable Number value, double min, double max, List<String> problems) {
        if (value == null) return;
        double v = value.doubleValue();
        if (!(v >= min && v <= max))
            problems.add(what + " is " + value + "; it lies within " + plain(min) + " to " + plain(max));
    }

    private static String plain(double v) {
        return v == Math.rint(v) ? String.valueOf((long) v) : String.valueOf(v);
    }
}
