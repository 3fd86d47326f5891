package io.linesight.trainer.imagestore;

import io.linesight.trainer.folders.ImageFiles;
import io.linesight.trainer.folders.ImageSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A store's pictures by side. */
final class StoreSource implements ImageSource {
    private static final String DEFECT = "anomalous";

    private final String name;
    private final Map<String, List<Sample>> train = new TreeMap<>();
    private final Map<String, List<Sample>> calibration = new TreeMap<>();
    private final Map<String, List<Sample>> test = new TreeMap<>();

    StoreSource(DatasetStore store, String name, Collection<StoredImage> pictures) {
        this.name = name;
        for (StoredImage p : pictures) {
            Map<String, List<Sample>> to = p.side() == Split.HELD_OUT
                    ? test
                    : p.anomalous() || p.side() == Split.CALIBRATE ? calibration : train;
            // Named by their content: fit's own choices go by name.
            Sample s = new Sample(
                    p.sha256(),
                    p.anomalous() ? DEFECT : null,
                    ImageFiles.image(store.file(p.sha256())),
                    p.mask() == null ? null : ImageFiles.mask(store.file(p.mask())));
            to.computeIfAbsent(p.product(), k -> new ArrayList<>()).add(s);
        }
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
