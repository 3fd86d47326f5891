package io.linesight.trainer.folders;

import io.linesight.trainer.folders.ImageSource.Sample;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;

/** Collects images that cannot be read, so that one message names all of them. Not thread-safe. */
public final class UnreadableImages {
    private static final int SHOWN = 20;

    private final List<String> images = new ArrayList<>();

    /** Adds an image and the reason why it cannot be read. */
    public void add(String category, Sample sample, Exception reason) {
        images.add(category + "/" + sample.name() + " (" + reason.getMessage() + ")");
    }

    /** How many images cannot be read. */
    public int count() {
        return images.size();
    }

    /** Every image with its reason. */
    public List<String> images() {
        return List.copyOf(images);
    }

    /**
     * Ends the work when an image cannot be read. Does nothing when all could be read.
     *
     * @param skip print which are left out, and continue
     * @throws DatasetException naming the first of them and what to do
     */
    public void check(boolean skip, PrintStream progress) {
        if (images.isEmpty()) return;
        String list = String.join("\n  ", images.subList(0, Math.min(SHOWN, images.size())))
                + (images.size() > SHOWN ? "\n  and " + (images.size() - SHOWN) + " more" : "");
        if (!skip)
            throw new DatasetException(images.size()
                    + " images cannot be read; fix or remove them, or skip them with --skip-unreadable:\n  " + list);
        progress.println(images.size() + " unreadable images are left out:\n  " + list);
    }
}
