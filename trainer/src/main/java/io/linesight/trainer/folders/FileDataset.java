package io.linesight.trainer.folders;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Files that were found, by category. */
final class FileDataset implements ImageSource {
    private final String name;
    private final Map<String, List<Sample>> train = new TreeMap<>();
    private final Map<String, List<Sample>> calibration = new TreeMap<>();
    private final Map<String, List<Sample>> test = new TreeMap<>();

    FileDataset(String name) {
        this.name = name;
    }

    void category(String category) {
        train.computeIfAbsent(category, k -> new ArrayList<>());
        calibration.computeIfAbsent(category, k -> new ArrayList<>());
        test.computeIfAbsent(category, k -> new ArrayList<>());
    }

    void train(String category, Sample s) {
        category(category);
        train.get(category).add(s);
    }

    void calibration(String category, Sample s) {
        category(category);
        calibration.get(category).add(s);
    }

    void test(String category, Sample s) {
        category(category);
        test.get(category).add(s);
    }

    /** Keeps these only; all when none is named. @throws DatasetException for a name that was not found */
    FileDataset only(Collection<String> names) {
        List<String> categories = names.stream().map(Spelling::nfc).toList();
        for (String wanted : categories) {
            if (!train.containsKey(wanted))
                throw new DatasetException("the data set cannot be used: there is no category '" + wanted + "'; found: "
                        + String.join(", ", train.keySet()));
        }
        if (!categories.isEmpty()) {
            train.keySet().retainAll(categories);
            calibration.keySet().retainAll(categories);
            test.keySet().retainAll(categories);
        }
        return this;
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
