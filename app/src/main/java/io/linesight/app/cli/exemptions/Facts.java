package io.linesight.app.cli.exemptions;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.linesight.schemas.Exemption;
import io.linesight.schemas.topics.FrameKeys;

/** What there is to say of an exemption. */
final class Facts {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Facts() {}

    static ArrayNode array() {
        return JSON.createArrayNode();
    }

    static ObjectNode of(Exemption e) {
        ObjectNode o = JSON.createObjectNode();
        o.put("frame", FrameKeys.of(e.getFrameRef()));
        o.put("frameId", e.getFrameId());
        o.put("product", e.getProduct());
        o.put("camera", e.getCameraId());
        o.put("by", e.getBy());
        o.put("at", e.getAt().toString());
        o.put("reason", e.getReason());
        o.put("model", e.getModelVersion());
        o.put("encoder", e.getEncoderSha256());
        o.put("rawScore", e.getRawScore());
        o.put("threshold", e.getThreshold());
        o.put("cells", e.getCells().size());
        return o;
    }
}
