package io.linesight.app.hostile;

import io.linesight.models.signing.TrustedKeys;
import io.linesight.models.signing.Verification;
import io.linesight.models.storage.CheckpointStores;
import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.FrameLabel;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.registry.SchemaRegistryClient;
import io.linesight.schemas.serde.LinesightAvroDeserializer;
import io.linesight.trainer.feedback.LabelRules;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.avro.specific.SpecificRecord;

/** Readers of Avro records. One thread. */
final class RecordTargets {
    private final SchemaRegistryClient registry;
    private final TrustedKeys trusted;

    RecordTargets(SchemaRegistryClient registry, TrustedKeys trusted) {
        this.registry = registry;
        this.trusted = trusted;
    }

    <T extends SpecificRecord> LinesightAvroDeserializer<T> reader(Class<T> type) {
        LinesightAvroDeserializer<T> d = new LinesightAvroDeserializer<>(registry);
        d.configure(Map.of("specific.avro.reader", true, "specific.avro.value.type", type.getName()), false);
        return d;
    }

    Target.Attack frameRecord() {
        LinesightAvroDeserializer<CameraFrame> frames = reader(CameraFrame.class);
        return input -> {
            CameraFrame f = frames.deserialize("frames", input);
            return f.getFrameId() == null ? "no id" : null;
        };
    }

    Target.Attack labelRecord() {
        LinesightAvroDeserializer<FrameLabel> labels = reader(FrameLabel.class);
        return input -> {
            FrameLabel label = labels.deserialize("labels", input);
            List<String> problems = new ArrayList<>(LabelRules.problems(label, "linesight.frames.v1"));
            String key = LabelRules.keyProblem("linesight.frames.v1-0-42", label);
            if (key != null) problems.add(key);
            byte[] mask = LabelRules.mask(label);
            if (mask != null) {
                String problem = LabelRules.maskProblem(mask, 16, 12, Targets.LIMITS);
                if (problem != null) problems.add(problem);
            }
            return problems.isEmpty() ? null : String.join("; ", problems);
        };
    }

    /** @param stores stays the caller's */
    Target.Attack manifest(CheckpointStores stores, Path work) {
        LinesightAvroDeserializer<ModelVersion> versions = reader(ModelVersion.class);
        return input -> {
            ModelVersion m = versions.deserialize("models", input);
            Verification v = trusted.verify(m);
            // Only files: a location that leads to a network would make this test go there. Kafka and http are behind
            // the same check.
            if (m.getLocation().startsWith("file:")) stores.fetch(m, work.resolve("fetched"));
            return v.accepted() ? null : v.message();
        };
    }
}
