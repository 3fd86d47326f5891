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
 * Which pictures are shown: those the two checkpoints decide differently, the most different first; then mistakes, the most certain first,
 * then right calls, the narrowest first. Defective and normal pictures take turns, so that many of the one do not hide the other.
 */
final class Gallery {
    /**
     * One picture.
     *
     * @param first  what the first checkpoint says
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

    private Gallery() { }

    static List<Pick> select(Contender first, Contender second, String category, int most) {
        Map<String, ImageScore> others = new HashMap<>();
        if (second != null) second.images(category).forEach(s -> others.put(s.name(), s));
        List<Pick> all = first.images(category).stream().map(s -> new Pick(s, others.get(s.name()))).toList();
        ToDoubleFunction<Pick> wrongness = p -> p.second == null ? first.wrongness(p.first) : Math.max(first.wrongness(p.first), second.wrongness(p.second));
        ToDoubleFunction<Pick> difference = p -> p.second == null ? 0 : Math.abs(first.wrongness(p.first) - second.wrongness(p.second));
        // Names break ties: the same figures give the same page.
        Comparator<Pick> worst = Comparator.comparingDouble(wrongness).reversed().thenComparing(p -> p.first.name());
        Set<Pick> chosen = new LinkedHashSet<>();
        all.stream().filter(Pick::disputed).sorted(Comparator.comparingDouble(difference).reversed().thenComparing(p -> p.first.name())).forEach(chosen::add);
        for (boolean mistaken : new boolean[] {true, false}) {
            List<Pick> defective = all.stream().filter(p -> p.mistaken() == mistaken && p.first.defective()).sorted(worst).toList();
            List<Pick> normal = all.stream().filter(p -> p.mistaken() == mistaken && !p.first.defective()).sorted(worst).toList();
            for (int i = 0; i < Math.max(defective.size(), normal.size()); i++) {
                if (i < defective.size()) chosen.add(defective.get(i));
                if (i < normal.size()) chosen.add(normal.get(i));
            }
        }
        return new ArrayList<>(chosen).subList(0, Math.min(most, chosen.size()));
    }
}
