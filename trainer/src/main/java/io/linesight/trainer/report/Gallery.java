package io.linesight.trainer.report;

import io.linesight.trainer.evaluate.EvaluationReport.ImageScore;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToDoubleFunction;

/**
 * Which images are shown: those the two checkpoints decide differently, the most different first; then mistakes, the
 * most certain first, then right calls, the narrowest first. Defective and normal images take turns, so that many of
 * the one do not hide the other.
 */
final class Gallery {
    /**
     * One image.
     *
     * @param first what the first checkpoint says
     * @param second what the second says, or null
     */
    record Pick(ImageScore first, ImageScore second) {
        boolean disputed() {
            return second != null && first.rejected() != second.rejected();
        }

        boolean mistaken() {
            return first.mistaken() || (second != null && second.mistaken());
        }
    }

    private Gallery() {}

    static List<Pick> select(Contender first, Contender second, String category, int max) {
        Map<String, ImageScore> others = new HashMap<>();
        if (second != null) second.images(category).forEach(s -> others.put(s.name(), s));
        List<Pick> all = first.images(category).stream()
                .map(s -> new Pick(s, others.get(s.name())))
                .toList();
        ToDoubleFunction<Pick> wrongness = p -> p.second == null
                ? first.wrongness(p.first)
                : Math.max(first.wrongness(p.first), second.wrongness(p.second));
        ToDoubleFunction<Pick> difference =
                p -> p.second == null ? 0 : Math.abs(first.wrongness(p.first) - second.wrongness(p.second));
        // Names break ties: the same figures give the same page.
        Comparator<Pick> worst =
                Comparator.comparingDouble(wrongness).reversed().thenComparing(p -> p.first.name());
        Comparator<Pick> mostDifferent =
                Comparator.comparingDouble(difference).reversed().thenComparing(p -> p.first.name());
        Set<Pick> chosen = new LinkedHashSet<>();
        inTurn(all.stream().filter(Pick::disputed).sorted(mostDifferent).toList(), chosen);
        inTurn(all.stream().filter(Pick::mistaken).sorted(worst).toList(), chosen);
        inTurn(all.stream().filter(p -> !p.mistaken()).sorted(worst).toList(), chosen);
        return new ArrayList<>(chosen).subList(0, Math.min(max, chosen.size()));
    }

    private static void inTurn(List<Pick> sorted, Set<Pick> to) {
        List<Pick> defective = sorted.stream().filter(p -> p.first.defective()).toList();
        List<Pick> normal = sorted.stream().filter(p -> !p.first.defective()).toList();
        for (int i = 0; i < sorted.size(); i++) {
            if (i < defective.size()) to.add(defective.get(i));
            if (i < normal.size()) to.add(normal.get(i));
        }
    }
}
