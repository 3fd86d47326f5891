package io.linesight.streams.exemption;

import io.linesight.mmad.exemption.Exemptions;
import io.linesight.mmad.exemption.FrameFeatures;
import io.linesight.streams.batching.Answer;
import io.linesight.streams.batching.Inference;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Applies the exemptions of the channel to scored frames. Thread-safe. */
public final class FrameExemptions {
    private static final FrameExemptions NONE = new FrameExemptions(null);

    private final @Nullable ExemptionBook book;

    private FrameExemptions(@Nullable ExemptionBook book) {
        this.book = book;
    }

    /** Looks at no exemptions. */
    public static FrameExemptions none() {
        return NONE;
    }

    /** Those of a book. */
    public static FrameExemptions of(ExemptionBook book) {
        return new FrameExemptions(Objects.requireNonNull(book));
    }

    /**
     * A frame's answer as far as exemptions are concerned.
     *
     * @param raw image score after exemptions
     * @param map anomaly map after exemptions; null where none applied, and the answer's own counts
     * @param applied the false alarms that the frame looks like
     * @param revision what was known then; null where exemptions were not looked at
     */
    public record Exempted(float raw, float @Nullable [] map, List<String> applied, @Nullable Long revision) {}

    /**
     * Applies them.
     *
     * @param passes whether the frame passes without: then there is nothing to forgive
     */
    public Exempted apply(Inference inference, @Nullable String product, boolean passes) {
        float raw = inference.raw();
        if (book == null || !(inference.answer() instanceof Answer.Scored scored) || !scored.isFinite())
            return new Exempted(raw, null, List.of(), null);
        ExemptionBook.InForce inForce = book.inForce(inference.model());
        Exemptions exemptions = inForce.byProduct().get(Objects.requireNonNullElse(product, ""));
        if (passes || exemptions == null) return new Exempted(raw, null, List.of(), inForce.revision());
        FrameFeatures features = scored.features();
        // The batch began before there was any exemption; the next frame meets them.
        if (features == null) return new Exempted(raw, null, List.of(), null);
        Exemptions.Applied applied = exemptions.apply(raw, scored.map(), features);
        boolean any = !applied.applied().isEmpty();
        return new Exempted(applied.raw(), any ? applied.map() : null, applied.applied(), inForce.revision());
    }
}
