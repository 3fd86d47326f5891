package io.linesight.trainer.imagestore;

import io.linesight.trainer.folders.ImageFiles;
import io.linesight.trainer.folders.ImageSource;
import io.linesight.trainer.folders.ReadingContext;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Images of a dataset store, by their splits. */
final class StoreSource implements ImageSource {
    private static final String DEFECT = "anomalous";

    private final String name;
    private final Map<String, List<Sample>> train = new TreeMap<>();
    private final Map<String, List<Sample>> calibration = new TreeMap<>();
    private final Map<String, List<Sample>> test = new TreeMap<>();

    StoreSource(DatasetStore store, String name, Collection<StoredImage> images) {
        this.name = name;
        ReadingContext context = ReadingContext.of(store.decoding());
        for (StoredImage image : images) {
            // Named by content: fit chooses by name.
            Sample sample = new Sample(
                    image.sha256(),
                    image.anomalous() ? DEFECT : null,
                    ImageFiles.image(store.file(image.sha256()), context),
                    image.mask() == null ? null : ImageFiles.mask(store.file(image.mask()), context));
            samplesFor(image)
                    .computeIfAbsent(image.product(), product -> new ArrayList<>())
                    .add(sample);
        }
    }

    private Map<String, List<Sample>> samplesFor(StoredImage image) {
        if (image.split() == Split.HELD_OUT) return test;
        return image.anomalous() || image.split() == Split.CALIBRATE ? calibration : train;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public List<String> categories() {
        return List.copyOf(train.keySet());
    }

    @Override
    public List<Sample> train(String category) {
        return List.copyOf(train.getOrDefault(category, List.of()));
    }

    @Override
    public List<Sample> calibration(String category) {
        return List.copyOf(calibration.getOrDefault(category, List.of()));
    }

    @Override
    public List<Sample> test(String category) {
        return List.copyOf(test.getOrDefault(category, List.of()));
    }
}
