package io.linesight.streams.exemption;

import io.linesight.mmad.checkpoint.VerdictRule.Verdict;
import io.linesight.mmad.exemption.ExemptionMaker;
import io.linesight.mmad.exemption.Exemptions;
import io.linesight.mmad.exemption.FalseAlarm;
import io.linesight.mmad.exemption.FrameFeatures;
import io.linesight.schemas.Exemption;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.topics.FrameKeys;
import io.linesight.streams.exemption.ExemptionRecords.Word;
import io.linesight.streams.exemption.LineFrames.Fetched;
import io.linesight.streams.exemption.SeenFrame.NotSeenException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Decides what people's words on frames mean for the exemptions of a channel. It writes nothing: what it returns is to
 * be written. One at a time.
 */
public final class ExemptionDesk {
    /** Frames called anomalous that a new exemption is tried on. */
    private static final int TRIED = 16;

    private final String channel;
    private final ExemptionBook book;
    private final LineFrames frames;
    private final SeenFrame.Look look;

    /**
     * @param frames not owned
     * @param look the model in service
     */
    public ExemptionDesk(String channel, ExemptionBook book, LineFrames frames, SeenFrame.Look look) {
        this.channel = channel;
        this.book = book;
        this.frames = frames;
        this.look = look;
    }

    /** What people said cannot be carried out; the message says why and what happens instead. */
    public static final class RejectedException extends Exception {
        private static final long serialVersionUID = 1L;

        RejectedException(String message) {
            super(message);
        }
    }

    /**
     * A frame was called good: what made it anomalous counts as good from now on.
     *
     * @throws RejectedException when the frame passes anyway, when it cannot be looked at, when there are too few good
     *     frames to compare with, or when a frame that was called anomalous would pass with it
     */
    public Exemption forgive(FrameRef ref, Word word) throws RejectedException, InterruptedException {
        Fetched fetched = Objects.requireNonNull(frames.fetch(List.of(ref)).get(ref));
        if (fetched.frame() == null) throw new RejectedException(FrameKeys.of(ref) + ": " + fetched.obstacle());
        String product = fetched.frame().getProduct();
        SeenFrame seen = see(ref, fetched, product);
        if (seen.verdict() == Verdict.PASS)
            throw new RejectedException(FrameKeys.of(ref) + " passes with model "
                    + seen.model().version() + " (raw score " + seen.raw() + ", threshold " + seen.threshold()
                    + "); there is nothing to forget");
        List<FrameFeatures> good = good(ref, product, fetched.frame().getCameraId());
        if (good.size() < ExemptionMaker.MIN_GOOD)
            throw new RejectedException("of " + named(product) + " only " + good.size()
                    + " frames passed lately, and " + ExemptionMaker.MIN_GOOD
                    + " are needed to compare with. Where nearly everything is rejected, train or calibrate again");
        FalseAlarm alarm =
                ExemptionMaker.make(FrameKeys.of(ref), seen.raw(), seen.threshold(), seen.map(), seen.features(), good);
        ensureNoDefectPasses(alarm, product);
        return ExemptionRecords.active(channel, ref, fetched.frame(), seen, alarm, word);
    }

    private SeenFrame see(FrameRef ref, Fetched fetched, @Nullable String product)
            throws RejectedException, InterruptedException {
        try {
            return look.at(fetched.planar(), product);
        } catch (NotSeenException e) {
            throw new RejectedException(FrameKeys.of(ref) + ": " + e.getMessage());
        }
    }

    private List<FrameFeatures> good(FrameRef except, @Nullable String product, String camera)
            throws InterruptedException {
        List<FrameRef> passed = new ArrayList<>(frames.passed(product, camera));
        passed.remove(except);
        List<FrameFeatures> good = new ArrayList<>();
        for (int from = 0; from < passed.size() && good.size() < ExemptionMaker.MAX_GOOD; from += 8) {
            Map<FrameRef, Fetched> some = frames.fetch(passed.subList(from, Math.min(passed.size(), from + 8)));
            for (Fetched f : some.values()) {
                if (f.frame() == null || good.size() == ExemptionMaker.MAX_GOOD) continue;
                try {
                    good.add(look.at(f.planar(), product).features());
                } catch (NotSeenException e) {
                    // One less to compare with.
                }
            }
        }
        return good;
    }

    /** A new exemption must not hide what people have called anomalous. */
    private void ensureNoDefectPasses(FalseAlarm alarm, @Nullable String product)
            throws RejectedException, InterruptedException {
        List<FrameRef> known = frames.labelledAnomalous();
        Exemptions alone = new Exemptions(List.of(alarm));
        Map<FrameRef, Fetched> some = frames.fetch(known.subList(0, Math.min(known.size(), 4 * TRIED)));
        int tried = 0;
        for (Map.Entry<FrameRef, Fetched> e : some.entrySet()) {
            Fetched f = e.getValue();
            if (f.frame() == null || !Objects.equals(f.frame().getProduct(), product) || tried == TRIED) continue;
            tried++;
            SeenFrame seen;
            try {
                seen = look.at(f.planar(), product);
            } catch (NotSeenException unseen) {
                continue;
            }
            if (seen.raw() >= seen.threshold() && hides(alone, seen))
                throw new RejectedException("frame " + FrameKeys.of(e.getKey())
                        + " was called anomalous and looks the same where it is hot: it would pass. Correct one of the "
                        + "two labels, or train");
        }
    }

    private static boolean hides(Exemptions exemptions, SeenFrame seen) {
        return exemptions.apply(seen.raw(), seen.map(), seen.features()).raw() < seen.threshold();
    }

    /** The exemption of a frame, taken back; null when it has none. */
    public @Nullable Exemption takeBack(FrameRef ref, Word word) {
        String frame = FrameKeys.of(ref);
        return book.active().stream()
                .filter(e -> FrameKeys.of(e.getFrameRef()).equals(frame))
                .findFirst()
                .map(e -> ExemptionRecords.removed(e, word, false))
                .orElse(null);
    }

    /**
     * A frame was called anomalous: exemptions that let it pass are revoked, all that touch it.
     *
     * @return the revocations; empty when it would not have passed
     * @throws RejectedException when the frame cannot be looked at
     */
    public List<Exemption> guard(FrameRef ref, Word word) throws RejectedException, InterruptedException {
        if (book.isEmpty()) return List.of();
        Fetched fetched = Objects.requireNonNull(frames.fetch(List.of(ref)).get(ref));
        if (fetched.frame() == null) throw new RejectedException(FrameKeys.of(ref) + ": " + fetched.obstacle());
        String product = fetched.frame().getProduct();
        SeenFrame seen = see(ref, fetched, product);
        Exemptions all = book.inForce(seen.model()).byProduct().get(Objects.requireNonNullElse(product, ""));
        if (all == null || seen.raw() < seen.threshold()) return List.of();
        Exemptions.Applied applied = all.apply(seen.raw(), seen.map(), seen.features());
        if (applied.raw() >= seen.threshold()) return List.of();
        Word revoked = new Word(
                word.by(),
                "frame " + FrameKeys.of(ref) + ", labelled anomalous by " + word.by() + ", would have passed");
        return book.active().stream()
                .filter(e -> applied.applied().contains(FrameKeys.of(e.getFrameRef())))
                .map(e -> ExemptionRecords.removed(e, revoked, true))
                .toList();
    }

    private static String named(@Nullable String product) {
        return product == null ? "frames without a product" : "product '" + product + "'";
    }
}
