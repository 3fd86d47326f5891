package io.linesight.trainer.fit;

import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.Checkpoints;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.Preprocess;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.mmad.score.OrtScorer;
import io.linesight.mmad.score.Scorer;
import io.linesight.trainer.data.DatasetException;
import io.linesight.trainer.data.ImageSource;
import io.linesight.trainer.data.ImageSource.Sample;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Places a checkpoint's thresholds anew, by normals and anomalous pictures that it was not trained on. The network stays as it is. */
public final class Recalibration {
    /** Normals below which a product keeps the threshold that it has: they say less than what set it. */
    private static final int LEAST_NORMALS = 4;

    private Recalibration() { }

    /**
     * Copies a checkpoint with thresholds by {@link ImageSource#calibration} of every category. A category with fewer than four normals in it
     * keeps its threshold, lowered no further; so does the fallback for products that the checkpoint does not know.
     *
     * @return metadata of the new file; the version is another, since it decides differently
     * @throws DatasetException naming every picture that cannot be read; nothing was written
     * @throws IOException      when a file cannot be read or written
     */
    public static CheckpointInfo run(Path in, Path out, ImageSource source, ScorerOptions options) throws IOException {
        List<String> unreadable = new ArrayList<>();
        Map<String, ProductCalibration> products;
        Calibration before;
        try (Scorer scorer = OrtScorer.open(in, options)) {
            before = scorer.info().calibration();
            products = new TreeMap<>(before.byProduct());
            for (String category : source.categories()) {
                List<byte[]> normals = new ArrayList<>();
                List<byte[]> anomalous = new ArrayList<>();
                for (Sample s : source.calibration(category)) {
                    try {
                        (s.anomalous() ? anomalous : normals).add(Preprocess.toModelInput(s.image().read()));
                    } catch (BadImageException | IOException e) {
                        unreadable.add(category + "/" + s.name() + " (" + e.getMessage() + ")");
                    }
                }
                if (normals.size() < LEAST_NORMALS) continue;
                products.put(category, Calibrator.of(Finish.score(scorer, category, normals), Finish.score(scorer, category, anomalous)));
            }
        }
        if (!unreadable.isEmpty()) throw new DatasetException(unreadable.size() + " pictures cannot be read, nothing was written: " + String.join("; ", unreadable));
        return Checkpoints.withCalibration(in, out, new Calibration(before.fallback(), products));
    }
}
