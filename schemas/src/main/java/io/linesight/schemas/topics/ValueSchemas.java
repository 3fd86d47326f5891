package io.linesight.schemas.topics;

import io.linesight.schemas.Alert;
import io.linesight.schemas.AlertAction;
import io.linesight.schemas.AnomalyEvent;
import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.Exemption;
import io.linesight.schemas.FrameLabel;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.ModelStatus;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.ProductSettings;
import io.linesight.schemas.Rollout;
import io.linesight.schemas.ShadowDifference;
import io.linesight.schemas.TrainingStatus;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.avro.Schema;

/** Which schema the values of each topic have. */
public final class ValueSchemas {

    private ValueSchemas() {}

    /** In the order of the catalogue; topics whose values are not Avro records of ours are not among them. */
    public static Map<TopicSpec, Schema> of(Topics topics) {
        Map<TopicSpec, Schema> schemas = new LinkedHashMap<>();
        schemas.put(topics.frames(), CameraFrame.getClassSchema());
        schemas.put(topics.results(), InspectionResult.getClassSchema());
        schemas.put(topics.anomalies(), AnomalyEvent.getClassSchema());
        schemas.put(topics.shadow(), ShadowDifference.getClassSchema());
        schemas.put(topics.labels(), FrameLabel.getClassSchema());
        schemas.put(topics.models(), ModelVersion.getClassSchema());
        schemas.put(topics.rollouts(), Rollout.getClassSchema());
        schemas.put(topics.modelStatus(), ModelStatus.getClassSchema());
        schemas.put(topics.exemptions(), Exemption.getClassSchema());
        schemas.put(topics.settings(), ProductSettings.getClassSchema());
        schemas.put(topics.training(), TrainingStatus.getClassSchema());
        schemas.put(topics.alerts(), Alert.getClassSchema());
        schemas.put(topics.alertActions(), AlertAction.getClassSchema());
        return schemas;
    }
}
