package io.linesight.streams.batching;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.image.Preprocess;
import io.linesight.mmad.image.RgbImage;
import io.linesight.mmad.runtime.ScoringException;
import io.linesight.mmad.score.Scorer;
import io.linesight.mmad.score.Scores;
import io.linesight.mmad.view.Box;
import io.linesight.mmad.view.ViewLayout;
import io.linesight.mmad.view.ViewLayouts;
import io.linesight.streams.support.FixedModel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Frames of several views in batches, with a model whose map is flat and as high as the view is bright. */
@Timeout(300)
class ViewBatchTest {
    private static final ViewLayouts TILED = ViewLayouts.of(
            Map.of(
                    "tray",
                    new ViewLayout(
                            512,
                            512,
                            null,
                            List.of(
                                    new Box(0, 0, 256, 256),
                                    new Box(256, 0, 256, 256),
                                    new Box(0, 256, 256, 256),
                                    new Box(256, 256, 256, 256)))),
            0.01);

    private final Bright scorer = new Bright();
    private final AtomicInteger decoded = new AtomicInteger();
    private SharedBatcher batcher;

    private static final class Bright implements Scorer {
        private final List<Integer> sizes = Collections.synchronizedList(new ArrayList<>());
        private final List<Integer> places = Collections.synchronizedList(new ArrayList<>());
        private volatile ViewLayouts views = TILED;
        private volatile int refused = -1;

        @Override
        public CheckpointInfo info() {
            return new CheckpointInfo(
                    "bright-1", "00", new Calibration(new ProductCalibration(0.5, 0.1), Map.of()), Map.of());
        }

        @Override
        public String device() {
            return "cpu";
        }

        @Override
        public ViewLayouts views() {
            return views;
        }

        @Override
        public Scores score(List<byte[]> frames) {
            return score(frames, new int[frames.size()]);
        }

        @Override
        public Scores score(List<byte[]> frames, int[] of) {
            sizes.add(frames.size());
            for (int p : of) places.add(p);
            float[] raw = new float[frames.size()];
            float[] maps = new float[frames.size() * 65536];
            for (int i = 0; i < raw.length; i++) {
                int bright = frames.get(i)[100 * 256 + 100] & 0xff;
                if (bright == refused) throw new ScoringException("the runtime refused", null);
                raw[i] = bright;
                Arrays.fill(maps, i * 65536, (i + 1) * 65536, raw[i]);
            }
            return new Scores(raw.length, 256, raw, maps);
        }

        @Override
        public void close() {}
    }

    @AfterEach
    void stop() {
        if (batcher != null) batcher.close();
    }

    private SharedBatcher batcher(int maxBatch, int capacity) {
        batcher = new SharedBatcher(
                "linesight-inference",
                FixedModel.of(scorer),
                new BatchLimits(maxBatch, Duration.ofMillis(50), capacity),
                BatchListener.NONE);
        return batcher;
    }

    /** Grey but for a brighter quarter at the lower right. */
    private static RgbImage quarter(int side, int value) {
        byte[] rgb = new byte[3 * side * side];
        for (int i = 0; i < side * side; i++) {
            boolean bright = i % side >= side / 2 && i / side >= side / 2;
            Arrays.fill(rgb, 3 * i, 3 * i + 3, (byte) (bright ? value : 20));
        }
        return new RgbImage(side, side, rgb);
    }

    private FrameViews frame(String product, RgbImage image, ViewLayouts cutFor) {
        return FrameViews.of(product, Preprocess.toModelInput(image), image, cutFor, () -> {
            decoded.incrementAndGet();
            return image;
        });
    }

    private static float raw(CompletableFuture<Inference> answer) throws Exception {
        return answer.get().raw();
    }

    @Test
    void shouldScoreWholeAndTiledFramesTogether() throws Exception {
        SharedBatcher b = batcher(8, 64);
        CompletableFuture<Inference> tiled = b.submit("a", frame("tray", quarter(512, 200), TILED));
        CompletableFuture<Inference> whole = b.submit("b", frame("cap", quarter(512, 200), TILED));
        assertThat(raw(tiled)).isCloseTo(200f, within(1e-3f));
        assertThat(raw(whole)).as("its product has no tiles").isEqualTo(20);
        Answer.Scored scored = (Answer.Scored) tiled.get().answer();
        assertThat(scored.mapSize()).isEqualTo(512);
        assertThat(scored.map()[400 * 512 + 400]).isCloseTo(200f, within(1e-3f));
        assertThat(scored.map()[400 * 512 + 100]).isCloseTo(20f, within(1e-3f));
        assertThat(scorer.places).containsExactly(0, 0, 1, 2, 3, 4);
        assertThat(decoded).hasValue(0);
    }

    @Test
    void shouldSplitViewsIntoBatchesOfTheModel() throws Exception {
        SharedBatcher b = batcher(3, 64);
        List<CompletableFuture<Inference>> all = new ArrayList<>();
        for (int i = 0; i < 4; i++) all.add(b.submit("cam" + i, frame("tray", quarter(512, 100 + i), TILED)));
        for (int i = 0; i < 4; i++) {
            assertThat(raw(all.get(i))).isCloseTo(100f + i, within(1e-3f));
            assertThat(all.get(i).get().batchSize())
                    .as("five views are more than a batch")
                    .isEqualTo(1);
        }
        assertThat(scorer.sizes).containsExactly(3, 2, 3, 2, 3, 2, 3, 2);
    }

    @Test
    void shouldTakeAFrameThatIsLargerThanTheQueue() throws Exception {
        SharedBatcher b = batcher(2, 2);
        for (int i = 0; i < 3; i++)
            assertThat(raw(b.submit("a", frame("tray", quarter(512, 90), TILED))))
                    .isCloseTo(90f, within(1e-3f));
    }

    @Test
    void shouldCutAgainForAModelWithOtherViews() throws Exception {
        SharedBatcher b = batcher(8, 64);
        assertThat(raw(b.submit("a", frame("tray", quarter(512, 200), ViewLayouts.NONE))))
                .isCloseTo(200f, within(1e-3f));
        assertThat(decoded).hasValue(1);
        scorer.views = ViewLayouts.NONE;
        assertThat(raw(b.submit("a", frame("tray", quarter(512, 200), TILED))))
                .as("by a model without tiles")
                .isCloseTo(20f, within(1e-3f));
        assertThat(decoded).hasValue(1);
    }

    @Test
    void shouldSayThatAFrameHasOtherProportions() throws Exception {
        SharedBatcher b = batcher(8, 64);
        byte[] rgb = new byte[3 * 300 * 200];
        CompletableFuture<Inference> wide = b.submit("a", frame("tray", new RgbImage(300, 200, rgb), TILED));
        CompletableFuture<Inference> good = b.submit("b", frame("tray", quarter(512, 70), TILED));
        assertThat(wide.get().answer()).isInstanceOfSatisfying(Answer.Unfit.class, u -> assertThat(u.reason())
                .contains("300x200", "512x512"));
        assertThat(wide.get().failed()).isTrue();
        assertThat(raw(good)).isCloseTo(70f, within(1e-3f));
    }

    @Test
    void shouldLoseNoFrameWhenTheModelFailsOnOne() throws Exception {
        scorer.refused = 66;
        SharedBatcher b = batcher(16, 64);
        CompletableFuture<Inference> bad = b.submit("a", frame("tray", quarter(512, 66), TILED));
        CompletableFuture<Inference> good = b.submit("b", frame("tray", quarter(512, 70), TILED));
        assertThat(bad.get().answer()).isInstanceOf(Answer.Failed.class);
        assertThat(raw(good)).isCloseTo(70f, within(1e-3f));
    }
}
