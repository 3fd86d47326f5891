package io.linesight.trainer.folders;

import io.linesight.trainer.folders.ImageSource.Sample;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;

/** Images that could not be read, collected so that all are named at once. Not thread-safe. */
public final class UnreadableImages {
    private static final int SHOWN = 20;

    private final List<String> pictures = new ArrayList<>();

    public void add(String category, Sample sample, Exception why) {
        pictures.add(category + "/" + sample.name() + " (" + why.getMessage() + ")");
    }

    public int count() {
        return pictures.size();
    }

    /** Every picture with its reason. */
    public List<String> pictures() {
        return List.copyOf(pictures);
    }

    /**
     * Does nothing when all could be read.
     *
     * @param skip say which are left out, instead of refusing
     * @throws DatasetException naming the first of them and what to do
     */
    public void refuse(boolean skip, PrintStream progress) {
        if (pictures.isEmpty()) return;
        String list = String.join("\n  ", pictures.subList(0, Math.min(SHOWN, pictures.size())))
                + (pictures.size() > SHOWN ? "\n  and " + (pictures.size() - SHOWN) + " more" : "");
        if (!skip)
            throw new DatasetException(pictures.size()
                    + " pictures cannot be read; mend or remove them, or skip them with --skip-unreadable:\n  " + list);
        progress.println(pictures.size() + " unreadable pictures are left out:\n  " + list);
    }
}
