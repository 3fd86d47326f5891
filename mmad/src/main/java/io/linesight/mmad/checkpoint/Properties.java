package io.linesight.mmad.checkpoint;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/** Metadata properties of ONNX files, and the JSON in them. */
final class Properties {
    private static final ObjectMapper JSON =
            new ObjectMapper().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);

    private Properties() {}

    static Map<String, String> of(ModelProto model) {
        Map<String, String> properties = new LinkedHashMap<>();
        for (StringStringEntryProto e : model.getMetadataPropsList()) properties.put(e.getKey(), e.getValue());
        return properties;
    }

    static ModelProto replace(ModelProto model, Map<String, String> properties) {
        ModelProto.Builder b = model.toBuilder().clearMetadataProps();
        properties.forEach((k, v) -> b.addMetadataPropsBuilder().setKey(k).setValue(v));
        return b.build();
    }

    /** JSON's null is no value of anything. */
    static <T> T parse(String json, Class<T> type) throws JsonProcessingException {
        T value = JSON.readValue(json, type);
        if (value == null) throw new JsonMappingException(null, "it is null");
        return value;
    }

    static String format(Object value) {
        try {
            return JSON.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Products in alphabetical order, so that equal calibrations give equal bytes. */
    static String format(Calibration calibration) {
        Map<String, Object> sorted = new LinkedHashMap<>();
        sorted.put("fallback", calibration.fallback());
        sorted.put("byProduct", new TreeMap<>(calibration.byProduct()));
        return format((Object) sorted);
    }
}
