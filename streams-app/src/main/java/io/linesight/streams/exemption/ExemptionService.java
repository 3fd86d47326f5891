package io.linesight.streams.exemption;

import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.exemption.FrameFeatures;
import io.linesight.mmad.view.ViewLayouts;
import io.linesight.schemas.Exemption;
import io.linesight.schemas.ExemptionState;
import io.linesight.schemas.topics.FrameKeys;
import io.linesight.streams.batching.Answer;
import io.linesight.streams.batching.Inference;
import io.linesight.streams.config.ExemptionSettings;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.decision.DecisionRules;
import io.linesight.streams.exemption.SeenFrame.NotSeenException;
import io.linesight.streams.monitoring.InspectionMetrics;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The exemptions of one app: follows those of its channel, applies them to its frames, and makes them from labels.
 *
 * <p>Threads: safe to share. Ownership: whoever opens it closes it, after the last frame and before the models.
 */
public final class ExemptionService implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ExemptionService.class);
    /** A batch that had begun before the features were asked for has none; the next one has. */
    private static final int ATTEMPTS = 3;

    private final InspectionConfig config;
    private final ExemptionSettings.Mode mode;
    private final ExemptionBook book;
    private final DecisionRules rules;
    private final InspectionMetrics metrics;
    private final AtomicInteger looking = new AtomicInteger();
    private final @Nullable ExemptionFeed feed;
    private @Nullable ExemptionWriter writer;
    private @Nullable LineFrames lineFrames;
    private @Nullable LabelFollower labels;

    private ExemptionService(
            InspectionConfig config, ExemptionSettings.Mode mode, DecisionRules rules, InspectionMetrics metrics) {
        this.config = config;
        this.mode = mode;
        this.metrics = metrics;
        this.rules = rules;
        book = new ExemptionBook(config.models().channel(), config.exemptions().max());
        feed = mode == ExemptionSettings.Mode.OFF
                ? null
                : ExemptionFeed.open(book, config.adminProperties(), config.serdes(), topic());
    }

    /**
     * Reads the exemptions that there are, before any frame is judged.
     *
     * @param followsChannel whether the app follows a channel
     * @param rules say which frames were false alarms
     * @throws org.apache.kafka.common.KafkaException when broker or registry do not answer; nothing stays open
     */
    public static ExemptionService open(
            InspectionConfig config, boolean followsChannel, DecisionRules rules, InspectionMetrics metrics) {
        return new ExemptionService(config, config.exemptions().mode(followsChannel), rules, metrics);
    }

    private String topic() {
        return config.topics().exemptions().name();
    }

    /** Whether answers are to say what the encoder saw. */
    public boolean wantsFeatures() {
        return looking.get() > 0 || !book.isEmpty();
    }

    /** For the frames of the line. */
    public FrameExemptions frames() {
        return mode == ExemptionSettings.Mode.OFF ? FrameExemptions.none() : FrameExemptions.of(book);
    }

    /**
     * Begins to report, and where so configured to make exemptions from labels.
     *
     * @param champion the model that serves
     * @param score scores a planar frame with it, beside the line's own
     */
    public void start(Supplier<CheckpointInfo> champion, Function<byte[], CompletableFuture<Inference>> score) {
        if (mode == ExemptionSettings.Mode.OFF) return;
        metrics.exemptions(() -> book.inForce(champion.get()).size(), ignored -> book.inForce(champion.get())
                .ignored()
                .getOrDefault(ExemptionBook.Ignored.valueOf(ignored), 0));
        report(champion.get());
        if (mode != ExemptionSettings.Mode.LABELS) return;
        writer = new ExemptionWriter(config.producerProperties(), config.serdes(), topic());
        lineFrames = new LineFrames(config.adminProperties(), config.serdes(), config.topics(), config.images());
        ExemptionDesk desk = new ExemptionDesk(
                config.models().channel(), book, lineFrames, (planar, product) -> look(score, planar, product));
        labels = new LabelFollower(
                config.adminProperties(),
                config.serdes(),
                config.topics().labels().name(),
                config.applicationId() + "-exemptions",
                topic(),
                book,
                desk,
                writer,
                new Reports());
    }

    private void report(CheckpointInfo champion) {
        ExemptionBook.InForce now = book.inForce(champion);
        if (now.size() == 0 && now.ignored().isEmpty()) return;
        LOG.info(
                "{} exemptions of channel '{}' apply with model {}{}",
                now.size(),
                config.models().channel(),
                champion.version(),
                now.ignored().isEmpty() ? "" : "; not applied: " + words(now.ignored()));
    }

    private static Map<String, Integer> words(Map<ExemptionBook.Ignored, Integer> ignored) {
        Map<String, Integer> words = new HashMap<>();
        ignored.forEach((why, n) -> words.put(
                switch (why) {
                    case DAMAGED -> "damaged";
                    case OTHER_ENCODER -> "made with another encoder";
                    case LEARNED -> "learned by the model";
                    case TOO_MANY -> "older than the newest " + InspectionConfig.EXEMPTIONS_MAX;
                },
                n));
        return words;
    }

    private SeenFrame look(
            Function<byte[], CompletableFuture<Inference>> score, byte[] planar, @Nullable String product)
            throws NotSeenException, InterruptedException {
        looking.incrementAndGet();
        try {
            for (int i = 0; i < ATTEMPTS; i++) {
                Inference inference = score.apply(planar).get();
                if (!(inference.answer() instanceof Answer.Scored scored) || !scored.isFinite())
                    throw new NotSeenException(
                            "model " + inference.model().version() + " gives no finite answer for it");
                if (looksAtViews(inference.model(), product))
                    throw new NotSeenException("model " + inference.model().version()
                            + " looks at regions or tiles of its product, and exemptions know whole frames only; the "
                            + "next training learns from the label");
                FrameFeatures features = scored.features();
                if (features != null)
                    return SeenFrame.of(
                            inference.model(),
                            scored.raw(),
                            scored.map(),
                            features,
                            product,
                            rules.of(inference.model(), product));
            }
        } catch (ExecutionException e) {
            throw new NotSeenException("it could not be scored: " + e.getCause().getMessage());
        } finally {
            looking.decrementAndGet();
        }
        throw new NotSeenException(
                "the model in service does not show what its encoder sees, so nothing can be exempted with it");
    }

    private static boolean looksAtViews(CheckpointInfo model, @Nullable String product) {
        try {
            return ViewLayouts.read(model.properties()).of(product) != null;
        } catch (IOException e) {
            // It was read when the model was loaded.
            throw new UncheckedIOException(e);
        }
    }

    private final class Reports implements LabelFollower.Listener {
        @Override
        public void written(Exemption e) {
            metrics.exemptionWritten(e.getState() == ExemptionState.ACTIVE, e.getAutomatic());
            if (e.getState() == ExemptionState.ACTIVE)
                LOG.info(
                        "Exemption of frame {}, product '{}', camera {}: {} called it good. What looks like it passes "
                                + "from now on",
                        FrameKeys.of(e.getFrameRef()),
                        e.getProduct(),
                        e.getCameraId(),
                        e.getBy());
        }

        @Override
        public void rejected(String why) {
            metrics.exemptionRejected();
        }
    }

    @Override
    public void close() {
        if (labels != null) labels.close();
        if (lineFrames != null) lineFrames.close();
        if (writer != null) writer.close();
        if (feed != null) feed.close();
    }
}
