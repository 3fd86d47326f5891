package io.linesight.trainer.dataset;

import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.RgbImage;
import io.linesight.mmad.view.ViewLayout;
import io.linesight.trainer.folders.DatasetException;
import io.linesight.trainer.folders.ImageSource;
import io.linesight.trainer.folders.ImageSource.Sample;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Decodes every image, once, before anything costly begins, and says what is wrong with them; the same for every
 * method. Used by one thread.
 */
public final class ImageReading {
    /**
     * What a reading goes by.
     *
     * @param unevenAdvice what to say of categories much bigger than others; null where that does not matter
     * @param stopWhen asked before every image: true cancels
     */
    public record Context(
            ImageRules rules, @Nullable String unevenAdvice, PrintStream progress, BooleanSupplier stopWhen) {}

    /**
     * What was read.
     *
     * @param categories that have an image to learn from, in the spool's order
     * @param sizes images of each
     * @param training images to learn from, the first in the spool; those for validation follow
     * @param names of the images to learn from, each unique within its category
     * @param calibrationFrames by category, what sets the thresholds
     */
    public record Result(
            List<String> categories,
            List<Integer> sizes,
            int training,
            List<String> names,
            Map<String, List<byte[]>> calibrationFrames) {}

    private final ImageSource source;
    private final TrainingSet set;
    private final FrameSpool spool;
    private final Context context;
    private final int total;
    private final List<String> names = new ArrayList<>();
    private int done;

    private ImageReading(ImageSource source, TrainingSet set, FrameSpool spool, Context context) {
        this.source = source;
        this.set = set;
        this.spool = spool;
        this.context = context;
        int tests = context.rules.survey()
                ? source.categories().stream()
                        .mapToInt(c -> source.test(c).size())
                        .sum()
                : 0;
        total = set.size() + sizeOf(set.validation()) + sizeOf(set.heldOut()) + tests;
    }

    /**
     * Reads.
     *
     * @param set of the source
     * @param spool empty; takes the frames to learn from, then those for validation
     * @throws DatasetException when images cannot be read or are not fit to learn from; names all of them
     * @throws CancellationException when it is cancelled
     */
    public static Result of(ImageSource source, TrainingSet set, FrameSpool spool, Context context) throws IOException {
        return new ImageReading(source, set, spool, context).run();
    }

    public static int sizeOf(Map<String, List<Sample>> samples) {
        return samples.values().stream().mapToInt(List::size).sum();
    }

    private Result run() throws IOException {
        Survey survey = context.rules.survey() ? new Survey() : null;
        Survey.Role[] role = {Survey.Role.TRAINING};
        if (survey != null)
            set.observe((category, sample, image, frame) -> survey.saw(category, sample, role[0], image, frame));
        List<String> categories = new ArrayList<>();
        List<Integer> sizes = new ArrayList<>();
        Result result;
        try (Progress progress = new Progress(context.progress, "read")) {
            for (Map.Entry<String, List<Sample>> e : set.training().entrySet()) {
                int before = spool.size();
                spool(e.getKey(), e.getValue(), progress);
                if (spool.size() == before) continue;
                sizes.add(spool.size() - before);
                categories.add(e.getKey());
            }
            int training = spool.size();
            role[0] = Survey.Role.VALIDATION;
            for (Map.Entry<String, List<Sample>> e : set.validation().entrySet())
                spool(e.getKey(), e.getValue(), progress);
            role[0] = Survey.Role.HELD_OUT;
            result = new Result(
                    categories, sizes, training, List.copyOf(names.subList(0, training)), set.calibrationFrames());
            if (training == 0 && set.skipped() == 0) throw new DatasetException("no training images");
            if (training == 0) throw new DatasetException("no training image can be read");
            if (survey == null) return result;
            done += sizeOf(set.heldOut());
            for (String category : source.categories())
                for (Sample s : source.test(category)) look(survey, category, s, progress);
        }
        judge(survey.findings(context.unevenAdvice));
        return result;
    }

    private void spool(String category, List<Sample> samples, Progress progress) throws IOException {
        for (Sample s : samples) {
            ensureNotCancelled();
            for (byte[] frame : set.read(category, List.of(s))) {
                spool.add(frame);
                names.add(s.name());
            }
            progress.update((double) ++done / total, done + " of " + total + " images");
        }
    }

    private void look(Survey survey, String category, Sample s, Progress progress) {
        ensureNotCancelled();
        try {
            RgbImage image = s.image().read();
            survey.saw(
                    category,
                    s,
                    Survey.Role.TEST,
                    image,
                    ViewLayout.viewOf(set.views().cut(category, image), 0));
        } catch (BadImageException | IOException unreadable) {
            survey.couldNotRead(Survey.Role.TEST);
        }
        progress.update((double) ++done / total, done + " of " + total + " images");
    }

    private void judge(Survey.Findings findings) {
        context.progress.print(findings.text());
        findings.errors().forEach((allowance, text) -> {
            if (context.rules.allow(allowance)) context.progress.println("warning, allowed: " + text);
        });
        List<String> errors = findings.errors().entrySet().stream()
                .filter(e -> !context.rules.allow(e.getKey()))
                .map(Map.Entry::getValue)
                .toList();
        if (!errors.isEmpty())
            throw new DatasetException(
                    "the images are not fit to train on, nothing was done:\n  " + String.join("\n  ", errors));
    }

    private void ensureNotCancelled() {
        if (context.stopWhen.getAsBoolean())
            throw new CancellationException("training was cancelled while images were read; nothing was written");
    }
}
