package io.linesight.app.cli.settings;

import io.linesight.app.cli.common.Durations;
import io.linesight.schemas.AlertPolicySetting;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Alert policies as people write them: {@code cameras=press-*,open=3/5,clear=10}. */
final class AlertPolicyText implements ITypeConverter<AlertPolicySetting> {
    static final String FORM = "cameras=press-*,open=3/5,clear=10,clear-below=0.4,renotify=30m,high=0.9,"
            + "high-area=5000,latched=true,silent=60s,frozen=30";

    @Override
    public AlertPolicySetting convert(String text) {
        AlertPolicySetting.Builder p = AlertPolicySetting.newBuilder();
        for (String part : text.split(",", -1)) {
            int equals = part.indexOf('=');
            if (equals < 1) throw wrong(part);
            try {
                set(p, part.substring(0, equals), part.substring(equals + 1));
            } catch (RuntimeException e) {
                throw wrong(part);
            }
        }
        return p.build();
    }

    private static void set(AlertPolicySetting.Builder p, String key, String value) {
        switch (key) {
            case "cameras" -> p.setCameras(value);
            case "open" -> {
                String[] counts = value.split("/", 2);
                p.setOpenCount(Integer.valueOf(counts[0]));
                p.setOpenWindow(Integer.valueOf(counts[counts.length - 1]));
            }
            case "clear" -> p.setClearCount(Integer.valueOf(value));
            case "clear-below" -> p.setClearBelow(Double.valueOf(value));
            case "renotify" -> p.setRenotifySeconds(seconds(value));
            case "high" -> p.setHighFrom(Double.valueOf(value));
            case "high-area" -> p.setHighAreaPixels(Long.valueOf(value));
            case "latched" -> {
                if (!value.matches("true|false")) throw new IllegalArgumentException();
                p.setLatched(Boolean.valueOf(value));
            }
            case "silent" -> p.setSilentSeconds(seconds(value));
            case "frozen" -> p.setFrozenFrames(Integer.valueOf(value));
            default -> throw new IllegalArgumentException();
        }
    }

    private static long seconds(String value) {
        return value.equals("0") || value.equals("0s")
                ? 0
                : new Durations().convert(value).toSeconds();
    }

    private static TypeConversionException wrong(String part) {
        return new TypeConversionException("'" + part + "' is no part of an alert policy: write for instance " + FORM);
    }

    /** The same text for a policy. */
    static String of(AlertPolicySetting p) {
        List<String> parts = new ArrayList<>();
        parts.add("cameras=" + p.getCameras());
        if (p.getOpenCount() != null) parts.add("open=" + p.getOpenCount() + "/" + p.getOpenWindow());
        if (p.getClearCount() != null) parts.add("clear=" + p.getClearCount());
        if (p.getClearBelow() != null) parts.add("clear-below=" + p.getClearBelow());
        if (p.getRenotifySeconds() != null) parts.add("renotify=" + p.getRenotifySeconds() + "s");
        if (p.getHighFrom() != null) parts.add("high=" + p.getHighFrom());
        if (p.getHighAreaPixels() != null) parts.add("high-area=" + p.getHighAreaPixels());
        if (p.getLatched() != null) parts.add("latched=" + p.getLatched());
        if (p.getSilentSeconds() != null) parts.add("silent=" + p.getSilentSeconds() + "s");
        if (p.getFrozenFrames() != null) parts.add("frozen=" + p.getFrozenFrames());
        return String.join(",", parts);
    }
}
