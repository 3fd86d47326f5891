package io.linesight.trainer.retrieval;

import io.linesight.mmad.architecture.ImageMemory;
import io.linesight.mmad.architecture.PatchMemory;
import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.encoder.FrameSession;
import io.linesight.mmad.graph.MmadGraph;
import io.linesight.mmad.graph.RetrievalGraph;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.trainer.torch.Torch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The directions in which patches vary most, per stride: principal components about zero of patches of length 1, since
 * their directions alone are compared.
 */
final class Projections {
    /** Images that are looked at, evenly spaced, and places of each. */
    private static final int IMAGES = 500;

    private static final int PLACES = 64;

    private final Encoder encoder;
    private final int dimensions;

    Projections(Encoder encoder, int dimensions) {
        this.encoder = encoder;
        this.dimensions = dimensions;
    }

    /** Per stride [D,C]; D is no more than the channels. */
    List<Tensor> fit(int images, RetrievalFit.Frames frames, int threads) throws IOException {
        List<double[]> moments = new ArrayList<>();
        for (int s = 0; s < ImageMemory.STRIDES; s++) {
            int channels = RetrievalGraph.channels(encoder, s);
            moments.add(new double[channels * channels]);
        }
        int wanted = Math.min(images, IMAGES);
        try (FrameSession session = FrameSession.open(
                "encoder '" + encoder.name() + "'",
                RetrievalGraph.features(encoder, List.of()),
                MmadGraph.FRAMES,
                List.of(RetrievalGraph.patches(0), RetrievalGraph.patches(1)),
                ScorerOptions.defaults().withDevice("cpu").withThreads(threads))) {
            for (int n = 0; n < wanted; n++) {
                byte[] frame = frames.get((int) ((long) n * images / wanted));
                float[][] patches = session.run(List.of(frame));
                for (int s = 0; s < ImageMemory.STRIDES; s++) add(patches[s], s, moments.get(s));
            }
        }
        List<Tensor> projections = new ArrayList<>();
        for (int s = 0; s < ImageMemory.STRIDES; s++)
            projections.add(directions(moments.get(s), RetrievalGraph.channels(encoder, s)));
        return projections;
    }

    /** @param patches [padded channels, S, S] */
    private void add(float[] patches, int scale, double[] moment) {
        int channels = RetrievalGraph.channels(encoder, scale);
        int places = patches.length / PatchMemory.padded(channels);
        double[] patch = new double[channels];
        for (int n = 0; n < PLACES; n++) {
            int place = n * places / PLACES;
            double squares = 0;
            for (int c = 0; c < channels; c++) {
                patch[c] = patches[c * places + place];
                squares += patch[c] * patch[c];
            }
            if (squares == 0) continue;
            for (int a = 0; a < channels; a++)
                for (int b = 0; b < channels; b++) moment[a * channels + b] += patch[a] * patch[b] / squares;
        }
    }

    private Tensor directions(double[] moment, int channels) {
        int count = Math.min(dimensions, channels);
        Torch.Eigen eigen = Torch.eigen(moment, channels);
        float[] rows = new float[count * channels];
        // Eigenvalues ascend; vector i is column i.
        for (int d = 0; d < count; d++)
            for (int c = 0; c < channels; c++)
                rows[d * channels + c] = (float) eigen.vectors()[c * channels + channels - 1 - d];
        return new Tensor(rows, count, channels);
    }
}
