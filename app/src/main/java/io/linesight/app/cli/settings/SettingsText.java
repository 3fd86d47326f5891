package io.linesight.app.cli.settings;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.linesight.app.cli.common.CalibrationTable;
import io.linesight.schemas.ProductSettings;
import io.linesight.schemas.ThresholdKeep;
import io.linesight.schemas.ThresholdSetting;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What there is to say of settings. */
final class SettingsText {
    private static final ObjectMapper JSON = new ObjectMapper();

    private SettingsText() {}

    static ArrayNode array() {
        return JSON.createArrayNode();
    }

    /** In a few words; a dash where they say nothing. */
    static String describe(ProductSettings s) {
        List<String> parts = new ArrayList<>();
        if (s.getThreshold() != null) parts.add("threshold " + threshold(s.getThreshold()));
        if (s.getReviewLow() != null || s.getReviewHigh() != null) parts.add("review " + band(s));
        s.getAlerts().forEach(policy -> parts.add("alerts " + AlertPolicyText.of(policy)));
        return parts.isEmpty() ? "-" : String.join("; ", parts);
    }

    static String threshold(ThresholdSetting t) {
        String rate = t.getFalseRejectRate() == null
                ? ""
                : ", " + CalibrationTable.percent(t.getFalseRejectRate()) + " of good parts";
        String keep = t.getKeep() == ThresholdKeep.RAW_VALUE ? "; with another model the same raw value" : "";
        return number(t.getRaw()) + " (model " + t.getModelVersion() + rate + keep + ")";
    }

    static String band(ProductSettings s) {
        return (s.getReviewLow() == null ? "as configured" : number(s.getReviewLow())) + " to "
                + (s.getReviewHigh() == null ? "as configured" : number(s.getReviewHigh()));
    }

    static String number(double v) {
        return String.format(Locale.ROOT, "%.5g", v)
                .replaceAll("(\\.\\d*?)0+$", "$1")
                .replaceAll("\\.$", "");
    }

    static ObjectNode json(ProductSettings s) {
        ObjectNode o = JSON.createObjectNode();
        o.put("channel", s.getChannel());
        o.put("product", s.getProduct());
        o.put("revision", s.getRevision());
        ThresholdSetting t = s.getThreshold();
        if (t == null) o.putNull("threshold");
        else
            o.putObject("threshold")
                    .put("raw", t.getRaw())
                    .put("keep", t.getKeep().name())
                    .put("falseRejectRate", t.getFalseRejectRate())
                    .put("model", t.getModelVersion());
        o.put("reviewLow", s.getReviewLow());
        o.put("reviewHigh", s.getReviewHigh());
        ArrayNode alerts = o.putArray("alerts");
        s.getAlerts().forEach(policy -> alerts.add(AlertPolicyText.of(policy)));
        o.put("by", s.getBy());
        o.put("reason", s.getReason());
        o.put("at", s.getAt().toString());
        return o;
    }
}
