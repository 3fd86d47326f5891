package io.linesight.trainer.imagestore;

import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.RgbImage;
import io.linesight.trainer.folders.ImageFiles;
import io.linesight.trainer.folders.ImageSource;
import io.linesight.trainer.folders.ImageSource.Sample;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Copies the images of another source into a dataset store. Used once. */
final class DatasetImport {
    private final DatasetStore store;
    private final String annotator;
    private int added;

    DatasetImport(DatasetStore store, String annotator) {
        this.store = store;
        this.annotator = annotator;
    }

    /** Copies all images; returns how many the store did not have. */
    int run(ImageSource source) throws IOException {
        for (String product : source.categories()) {
            Set<Sample> labelled = new HashSet<>(source.test(product));
            List<Sample> all = new ArrayList<>(source.train(product));
            all.addAll(source.calibration(product));
            all.addAll(source.test(product));
            for (Sample sample : all) add(product, sample, labelled.contains(sample));
        }
        return added;
    }

    private void add(String product, Sample sample, boolean labelled) throws IOException {
        byte[] image;
        byte[] mask;
        try {
            image = ImageCodec.encodePng(sample.image().read());
            mask = mask(sample);
        } catch (BadImageException e) {
            throw new DatasetStoreException(
                    "image " + product + "/" + sample.name() + " cannot be imported: " + e.getMessage()
                            + ". Fix or remove it, then import again; " + added + " were added",
                    e);
        }
        boolean isNew = store.putIfAbsent(new DatasetStore.Entry(
                StoredImage.IMPORTED + product + "/" + Blobs.sha256(image),
                product,
                sample.anomalous(),
                labelled ? LabelSource.PERSON : LabelSource.RESERVOIR,
                labelled ? annotator : "",
                Instant.now(),
                image,
                mask,
                LabelPosition.NONE));
        if (isNew) added++;
    }

    private static byte @Nullable [] mask(Sample sample) throws IOException, BadImageException {
        RgbImage truth = ImageFiles.truth(sample.mask());
        return truth == null ? null : ImageCodec.encodePng(truth);
    }
}
