package io.linesight.trainer.fit;

import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.encoder.EncoderSession;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.trainer.dataset.FrameSpool;
import io.linesight.trainer.dataset.Progress;
import io.linesight.trainer.features.FeatureCache;
import io.linesight.trainer.features.FeatureStore;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * The encoder's features of all images: those learned from with their copies, and those set apart for early stopping.
 * Owns the stores and the cache below them. Used by one thread.
 */
final class EncodedImages implements AutoCloseable {
    private final FitOptions options;
    private final PrintStream out;
    private final Augmentation augmentation;
    private final FrameSpool spool;
    private final LearnedImages images;
    private final @Nullable FeatureCache cache;
    private final FeatureStore training;
    private final FeatureStore validation;

    private EncodedImages(
            FitOptions options, Encoder encoder, FrameSpool spool, LearnedImages images, @Nullable Path runFeatures)
            throws IOException {
        this.options = options;
        this.out = options.session().progress();
        this.augmentation =
                new Augmentation(options.data().augment(), options.training().seed());
        this.spool = spool;
        this.images = images;
        cache = openCache(encoder, runFeatures);
        FeatureStore opened = null;
        try {
            opened = store(encoder, images.countWithCopies());
            validation = store(encoder, spool.size() - images.count());
            training = opened;
        } catch (IOException | RuntimeException e) {
            if (opened != null) opened.close();
            if (cache != null) cache.close();
            throw e;
        }
    }

    /**
     * Encodes every frame of the spool that no cache knows.
     *
     * @param runFeatures where features last as long as the run; null = nowhere
     * @throws CancellationException when it is cancelled
     */
    static EncodedImages of(
            FitOptions options, Encoder encoder, FrameSpool spool, LearnedImages images, @Nullable Path runFeatures)
            throws IOException {
        EncodedImages encoded = new EncodedImages(options, encoder, spool, images, runFeatures);
        try {
            encoded.encode(encoder);
            return encoded;
        } catch (IOException | RuntimeException e) {
            encoded.close();
            throw e;
        }
    }

    /** Images learned from; of each its copies right behind it. */
    FeatureStore training() {
        return training;
    }

    /** Images that show when learning helps no more; empty without early stopping. */
    FeatureStore validation() {
        return validation;
    }

    private FeatureStore store(Encoder encoder, int expected) throws IOException {
        return cache != null
                ? FeatureStore.over(cache, encoder)
                : FeatureStore.create(
                        options.output().temporary(),
                        encoder,
                        options.features().precision(),
                        expected);
    }

    private @Nullable FeatureCache openCache(Encoder encoder, @Nullable Path runFeatures) throws IOException {
        FitOptions.Features wanted = options.features();
        Path folder = wanted.cache() != null ? wanted.cache() : runFeatures;
        if (folder == null) return null;
        Optional<FeatureCache> opened = FeatureCache.open(
                folder, encoder, wanted.precision(), wanted.cache() != null ? wanted.cacheMax() : Long.MAX_VALUE);
        if (opened.isEmpty()) {
            out.println("another run uses the feature cache " + folder
                    + ": this one encodes into a temporary file of its own");
            return null;
        }
        FeatureCache cache = opened.get();
        try {
            String why = cache.makeRoom(keys());
            if (why == null) return cache;
            out.println("features are not cached: " + why + ". This run encodes into a temporary file");
            cache.close();
            return null;
        } catch (IOException | RuntimeException e) {
            cache.close();
            throw e;
        }
    }

    private List<byte[]> keys() throws IOException {
        List<byte[]> keys = new ArrayList<>();
        for (int i = 0; i < spool.size(); i++) {
            byte[] frame = spool.get(i);
            for (int copy = 0; copy < variants(i); copy++)
                keys.add(FeatureStore.key(augmentation.apply(frame, i, copy)));
        }
        return keys;
    }

    /** An image learned from with its copies; an image set apart alone. */
    private int variants(int image) {
        return image < images.count() ? 1 + images.copies() : 1;
    }

    private void encode(Encoder encoder) throws IOException {
        ScorerOptions machine = ScorerOptions.defaults()
                .withDevice(options.machine().encoderDevice())
                .withThreads(options.machine().threads());
        int total = images.countWithCopies() + spool.size() - images.count();
        try (EncoderSession session = EncoderSession.open(encoder, machine);
                Progress progress = new Progress(out, "encode")) {
            encode(session, 0, images.count(), training, total, progress);
            encode(session, images.count(), spool.size(), validation, total, progress);
            int known = total - training.encoded() - validation.encoded();
            if (known > 0) progress.say("features of " + known + " of " + total + " images were known already");
        }
    }

    private void encode(EncoderSession session, int from, int to, FeatureStore store, int total, Progress progress)
            throws IOException {
        List<byte[]> batch = new ArrayList<>();
        for (int i = from; i < to; i++) {
            byte[] frame = spool.get(i);
            for (int copy = 0; copy < variants(i); copy++) {
                batch.add(augmentation.apply(frame, i, copy));
                boolean last = i == to - 1 && copy == variants(i) - 1;
                if (batch.size() < options.training().batch() && !last) continue;
                ensureNotCancelled();
                store.add(session, batch);
                batch.clear();
                int done = training.size() + validation.size();
                progress.update((double) done / total, done + " of " + total + " images");
            }
        }
    }

    private void ensureNotCancelled() {
        if (options.session().stopWhen().getAsBoolean())
            throw new CancellationException("training was cancelled while images were encoded; nothing was written");
    }

    @Override
    public void close() throws IOException {
        try (FeatureCache c = cache;
                FeatureStore t = training) {
            validation.close();
        }
    }
}
