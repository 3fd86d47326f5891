package io.linesight.streams.inspect;

import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.DecodeSettings;
import io.linesight.mmad.image.DecodedImage;
import io.linesight.mmad.image.FrameImages;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.ImageNote;
import io.linesight.mmad.image.ImageQuality;
import io.linesight.mmad.image.Preprocess;
import io.linesight.mmad.image.RgbImage;
import io.linesight.mmad.score.FoundRegion;
import io.linesight.mmad.score.RegionFinder;
import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.DeadLetterCode;
import io.linesight.schemas.FrameEncoding;
import io.linesight.schemas.FrameQuality;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.Region;
import io.linesight.schemas.StageTimings;
import io.linesight.schemas.Verdict;
import io.linesight.schemas.clients.DaemonThreads;
import io.linesight.streams.batching.Answer;
import io.linesight.streams.batching.BatcherClosedException;
import io.linesight.streams.batching.FrameViews;
import io.linesight.streams.batching.Inference;
import io.linesight.streams.config.EventSettings;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.decision.DecisionRules;
import io.linesight.streams.exemption.FrameExemptions;
import io.linesight.streams.exemption.FrameExemptions.Exempted;
import io.linesight.streams.monitoring.InspectionMetrics;
import io.linesight.streams.routing.FrameRouter;
import io.linesight.streams.routing.Verdicts;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decode, score, judge: what happens to a frame between being read and being forwarded, off the stream threads and
 * shared by all of them. Decoding of the next batch runs while the present one is being inferred.
 *
 * <p>Every frame that is handed in ends in exactly one {@link Outcome}; its future fails only when the app stops or the
 * JVM is out of resources, and then the frame stays uncommitted.
 */
public final class InspectionPipeline implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(InspectionPipeline.class);
    /** Cameras remembered for the one log line about their images; camera ids are not ours to bound. */
    private static final int REMEMBERED_CAMERAS = 10_000;
    /** Products remembered for the one log line about their threshold; their names are not ours to bound. */
    private static final int REMEMBERED_PRODUCTS = 1_000;

    private final FrameRouter router;
    private final DecodeSettings images;
    private final Verdicts verdicts;
    private final FrameExemptions exemptions;
    private final NearestImages nearestImages = new NearestImages();
    private final AnomalyRenderer renderer;
    private final int maxRegions;
    private final InspectionMetrics metrics;
    private final ExecutorService decoders;
    // Apart from the decoders, which block while the batcher is full.
    private final ExecutorService renderers;
    private final AtomicInteger outstanding = new AtomicInteger();
    private final Map<ImageNote.Kind, Set<String>> notesLogged = new EnumMap<>(ImageNote.Kind.class);
    private final Set<String> fallbackLogged = ConcurrentHashMap.newKeySet();
    private final Set<String> unfitLogged = ConcurrentHashMap.newKeySet();

    /**
     * @param router says which model decides a frame; not owned
     * @param rules say where the decision on a frame lies
     * @param exemptions false alarms that are forgotten
     */
    public InspectionPipeline(
            InspectionConfig config,
            FrameRouter router,
            DecisionRules rules,
            FrameExemptions exemptions,
            InspectionMetrics metrics) {
        this.exemptions = exemptions;
        this.router = router;
        this.images = config.images();
        for (ImageNote.Kind kind : ImageNote.Kind.values()) notesLogged.put(kind, ConcurrentHashMap.newKeySet());
        this.verdicts = new Verdicts(rules);
        EventSettings events = config.events();
        this.renderer = new AnomalyRenderer(events.mapRange(), events.thumbnail(), events.thumbnailQuality());
        this.maxRegions = events.maxRegions();
        this.metrics = metrics;
        this.decoders = Executors.newFixedThreadPool(
                config.batching().decodeThreads(), DaemonThreads.numbered("linesight-decode"));
        this.renderers = Executors.newFixedThreadPool(
                Math.max(1, config.batching().decodeThreads() / 2), DaemonThreads.numbered("linesight-render"));
    }

    /**
     * Decodes and renders small images of its own: the first use loads native libraries and classes, which would cost
     * the first frame seconds. Blocks for as long.
     */
    public void warmUp() {
        long start = System.nanoTime();
        int side = 64;
        byte[] grey = new byte[side * side];
        for (int i = 0; i < grey.length; i++) grey[i] = (byte) (i * 7);
        byte[] rgb = new byte[3 * grey.length];
        for (int i = 0; i < rgb.length; i++) rgb[i] = (byte) (i * 5);
        try {
            byte[] planar = warmUp("JPEG", ImageCodec.encodeJpeg(new RgbImage(side, side, rgb), 85));
            warmUp("PNG", ImageCodec.encodeGrayPng(grey, side, side));
            renderer.warmUp(planar);
            LOG.debug("Decoder and renderer are warm after {} ms", (System.nanoTime() - start) / 1_000_000);
        } catch (BadImageException e) {
            // Limits below 64 pixels a side; the first frame then takes longer.
            LOG.debug("Decoder not warmed up: {}", e.getMessage());
        }
    }

    private byte[] warmUp(String encoding, byte[] file) throws BadImageException {
        return Preprocess.toModelInput(
                FrameImages.decode(encoding, 0, 0, Map.of(), file, images).image());
    }

    private record Decoded(
            FrameHeader header,
            FrameRef source,
            int width,
            int height,
            FrameViews views,
            ImageQuality quality,
            long nanos) {}

    /**
     * Starts on a frame; returns at once. Called in the order of the frames, for each camera.
     *
     * @param again reads the frame once more: a frame that waits for its batch is not kept in here
     */
    CompletableFuture<Outcome> inspect(FrameRef source, CameraFrame frame, Supplier<CameraFrame> again) {
        CompletableFuture<Outcome> outcome = new CompletableFuture<>();
        outstanding.incrementAndGet();
        outcome.whenComplete((o, e) -> outstanding.decrementAndGet());
        FrameHeader header = FrameHeader.of(frame);
        // Before the decoders, which may overtake each other: a camera changes its model at one place in its sequence.
        FrameRouter.Route route = router.route(source, header.cameraId(), header.product());
        try {
            decoders.execute(() -> decodeAndSubmit(new Admitted(source, header, frame, again), route, outcome));
        } catch (RejectedExecutionException e) {
            outcome.completeExceptionally(new BatcherClosedException("the app is stopping"));
        }
        return outcome;
    }

    /** Once for a camera: what is odd about one of its images mostly is about all of them. */
    private void logNote(FrameHeader header, ImageNote note) {
        Set<String> cameras = notesLogged.get(note.kind());
        if (cameras.size() < REMEMBERED_CAMERAS && cameras.add(header.cameraId()))
            LOG.warn(
                    "Image of camera {}, frame {}: {}. It is scored all the same; said once for a camera",
                    header.cameraId(),
                    header.frameId(),
                    note.text());
    }

    /** Once for a camera and product: it is for a person to look at them or to set the camera back. */
    private void logUnfit(FrameHeader header, String why) {
        if (unfitLogged.size() < REMEMBERED_CAMERAS && unfitLogged.add(header.cameraId() + '\n' + header.product()))
            LOG.warn(
                    "Frame {} of camera {}, product '{}', is not scored and gets verdict REVIEW: {}. Said once for a "
                            + "camera and product",
                    header.frameId(),
                    header.cameraId(),
                    header.product(),
                    why);
    }

    /** How long the frames in here will take at the measured speed of the model; zero while nothing was measured. */
    Duration backlog() {
        return Duration.ofNanos(outstanding.get() * router.frameNanos());
    }

    /** A frame that was read. */
    private record Admitted(FrameRef source, FrameHeader header, CameraFrame frame, Supplier<CameraFrame> again) {}

    @SuppressWarnings("try") // FrameLog works by being open
    private void decodeAndSubmit(Admitted admitted, FrameRouter.Route route, CompletableFuture<Outcome> outcome) {
        FrameRef source = admitted.source;
        FrameHeader header = admitted.header;
        try (FrameLog log = FrameLog.of(header.cameraId(), header.frameId(), source)) {
            Decoded decoded = decode(admitted, route);
            metrics.decoded(decoded.nanos);
            router.submit(route, header.cameraId(), decoded.views)
                    .whenCompleteAsync((inference, error) -> judge(decoded, inference, error, outcome), renderers);
        } catch (BadImageException e) {
            outcome.complete(new Outcome.Rejected(DeadLetters.code(e.code()), e.getMessage()));
        } catch (BatcherClosedException e) {
            outcome.completeExceptionally(e);
        } catch (RuntimeException | StackOverflowError e) {
            outcome.complete(internal("decoding", source, e));
        } catch (Throwable e) {
            outcome.completeExceptionally(e);
        }
    }

    private Decoded decode(Admitted admitted, FrameRouter.Route route) throws BadImageException {
        long start = System.nanoTime();
        FrameHeader header = admitted.header;
        Supplier<CameraFrame> again = admitted.again;
        DecodedImage decoded = image(admitted.frame);
        for (ImageNote note : decoded.notes()) logNote(header, note);
        RgbImage image = decoded.image();
        byte[] planar = Preprocess.toModelInput(image);
        FrameViews views = FrameViews.of(header.product(), planar, image, router.views(route), () -> image(again.get())
                .image());
        ImageQuality quality = ImageQuality.of(image);
        return new Decoded(
                header, admitted.source, image.width(), image.height(), views, quality, System.nanoTime() - start);
    }

    private DecodedImage image(CameraFrame frame) throws BadImageException {
        FrameEncoding encoding = frame.getEncoding();
        byte[] bytes = bytes(frame.getImage());
        return FrameImages.decode(
                encoding.name(), frame.getWidth(), frame.getHeight(), frame.getAttributes(), bytes, images);
    }

    private static byte[] bytes(ByteBuffer buffer) {
        if (buffer.hasArray()
                && buffer.arrayOffset() == 0
                && buffer.position() == 0
                && buffer.remaining() == buffer.array().length) return buffer.array();
        byte[] copy = new byte[buffer.remaining()];
        buffer.duplicate().get(copy);
        return copy;
    }

    @SuppressWarnings("try")
    private void judge(Decoded decoded, Inference inference, Throwable error, CompletableFuture<Outcome> outcome) {
        if (error != null) {
            outcome.completeExceptionally(error);
            return;
        }
        try (FrameLog log = FrameLog.of(decoded.header.cameraId(), decoded.header.frameId(), decoded.source)
                .model(inference.model().version())) {
            outcome.complete(judge(decoded, inference));
        } catch (RuntimeException | StackOverflowError e) {
            outcome.complete(internal("judging", decoded.source, e));
        } catch (Throwable e) {
            outcome.completeExceptionally(e);
        }
    }

    private Outcome judge(Decoded decoded, Inference inference) {
        long start = System.nanoTime();
        FrameHeader header = decoded.header;
        Verdicts.Decision model = verdicts.decide(inference, header.product());
        Exempted exempted = exemptions.apply(inference, header.product(), model.verdict() == Verdict.PASS);
        boolean forgiven = !exempted.applied().isEmpty();
        Verdicts.Decision decision =
                forgiven ? Verdicts.decide(model.rule(), inference, header.product(), exempted.raw()) : model;
        if (forgiven) metrics.exempted(model.anomalous() && !decision.anomalous());
        if (Verdicts.MODEL_RETURNED_NAN.equals(decision.reason())) metrics.nan();
        if (inference.answer() instanceof Answer.Unfit unfit) logUnfit(header, unfit.reason());
        if (decision.fallback())
            reportFallback(header, inference.model(), decision.calibration().threshold());
        Outcome.Inspected inspected = decision.anomalous() && inference.answer() instanceof Answer.Scored scored
                ? anomalous(decoded, inference, decision, exempted, scored)
                : new Outcome.Inspected(result(decoded, inference, decision, exempted, List.of()), null);
        // Models are compared by what they say themselves.
        router.decided(decoded.source, header.cameraId(), header.product(), inference, model, decoded.views);
        metrics.queued(inference.queueNanos());
        metrics.rendered(System.nanoTime() - start);
        return inspected;
    }

    /** Only these frames copy their map out of the batch's. */
    private Outcome.Inspected anomalous(
            Decoded decoded, Inference inference, Verdicts.Decision decision, Exempted exempted, Answer.Scored scored) {
        float[] map = exempted.map() != null ? exempted.map() : scored.map();
        double threshold = decision.calibration().threshold();
        InspectionResult result =
                result(decoded, inference, decision, exempted, regions(map, scored.mapSize(), threshold, decoded));
        return new Outcome.Inspected(result, renderer.render(result, map, scored.mapSize(), decoded.views.whole()));
    }

    private InspectionResult result(
            Decoded decoded, Inference inference, Verdicts.Decision decision, Exempted exempted, List<Region> regions) {
        FrameHeader header = decoded.header;
        FrameRef source = decoded.source;
        NearestImages.Nearest nearest = nearestImages.of(inference);
        return InspectionResult.newBuilder()
                .setResultId(source.getTopic() + "-" + source.getPartition() + "-" + source.getOffset())
                .setFrameRef(source)
                .setFrameId(header.frameId())
                .setCameraId(header.cameraId())
                .setLineId(header.lineId())
                .setProduct(header.product())
                .setSequence(header.sequence())
                .setScore((float) decision.score())
                .setRawScore(exempted.raw())
                .setThreshold((float) decision.calibration().threshold())
                .setCalibration(decision.applied())
                .setVerdict(decision.verdict())
                .setReason(decision.reason())
                .setModelVersion(inference.model().version())
                .setCapturedAt(header.capturedAt())
                .setScoredAt(micros(inference.scoredAt()))
                .setTimings(new StageTimings(
                        decoded.nanos / 1000,
                        inference.queueNanos() / 1000,
                        inference.inferenceNanos() / 1000,
                        inference.batchSize()))
                .setRegions(regions)
                .setExemptions(exempted.applied())
                .setExemptionsRevision(exempted.revision())
                .setRawScoreBefore(exempted.applied().isEmpty() ? null : inference.raw())
                .setNearestImage(nearest == null ? null : nearest.name())
                .setNearestDistance(nearest == null ? null : nearest.distance())
                .setAttributes(header.attributes())
                .setSettingsRevision(decision.rule().revision())
                .setQuality(quality(decoded.quality))
                .build();
    }

    private static FrameQuality quality(ImageQuality q) {
        return new FrameQuality(
                q.brightness(), q.contrast(), q.sharpness(), q.darkShare(), q.brightShare(), q.pixels());
    }

    private List<Region> regions(float[] map, int mapSize, double threshold, Decoded decoded) {
        if (maxRegions == 0) return List.of();
        List<Region> regions = new ArrayList<>();
        for (FoundRegion r : RegionFinder.find(map, mapSize, threshold, decoded.width, decoded.height, maxRegions)) {
            regions.add(new Region(r.x(), r.y(), r.width(), r.height(), r.area(), r.peak(), r.peakX(), r.peakY()));
        }
        return regions;
    }

    /** The contract has microseconds; what a consumer reads back should equal what was written. */
    private static Instant micros(Instant time) {
        return time.truncatedTo(ChronoUnit.MICROS);
    }

    /** A threshold that was not made for the product is worth a line a product and model, and a count a frame. */
    private void reportFallback(FrameHeader header, CheckpointInfo model, double threshold) {
        metrics.fallback();
        String product = header.product() == null ? "frames without a product" : "product '" + header.product() + "'";
        if (fallbackLogged.size() >= REMEMBERED_PRODUCTS || !fallbackLogged.add(model.version() + '\n' + product))
            return;
        Set<String> known = new TreeSet<>(model.calibration().byProduct().keySet());
        LOG.warn(
                "Model {} has no threshold for {} (camera {} sends it): its fallback {} judges these frames, looked at "
                        + "as a whole, and their results have calibration *. It knows {}",
                model.version(),
                product,
                header.cameraId(),
                threshold,
                known.isEmpty() ? "no product" : known);
    }

    private static Outcome internal(String stage, FrameRef source, Throwable e) {
        LOG.error(
                "A fault of ours while {} the frame at {}-{} offset {}; it goes to the dead-letter topic",
                stage,
                source.getTopic(),
                source.getPartition(),
                source.getOffset(),
                e);
        return new Outcome.Rejected(DeadLetterCode.INTERNAL, stage + " failed: " + e);
    }

    /**
     * Stops the threads; frames in here fail and stay uncommitted. Close the stream threads first and the batcher
     * after.
     */
    @Override
    public void close() {
        decoders.shutdownNow();
        renderers.shutdown();
    }
}
