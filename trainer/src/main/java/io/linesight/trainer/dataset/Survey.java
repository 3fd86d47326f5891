package io.linesight.trainer.dataset;

import io.linesight.mmad.image.RgbImage;
import io.linesight.trainer.folders.ImageSource.Sample;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What can be wrong with images before a model is trained on them: the same image twice, an image to measure on that is
 * also learned from, too few of them, blank ones, sizes that do not go together. Images are told as they are read;
 * {@link #findings} says everything at once.
 */
final class Survey {
    /** Normals of a category below which thresholds and figures say little. */
    static final int FEW = 20;

    static final int LEAST = 2;
    private static final int IMBALANCE = 10;
    private static final int EXAMPLES = 3;
    /** Grey levels that an image's deviation is below when there is nothing on it. */
    private static final double BLANK = 2;
    /**
     * Of 64 bits, and mean grey levels between 16x16 thumbnails; meant for the same shot saved twice. A warning only,
     * by judgement.
     */
    private static final int NEAR_BITS = 2;

    private static final double NEAR_LEVELS = 1;
    private static final double SIZES = 4;
    private static final double SHAPES = 1.25;

    /** What an image is for. */
    enum Role {
        TRAINING,
        VALIDATION,
        HELD_OUT,
        TEST
    }

    private record Seen(
            String category,
            String name,
            Role role,
            String hash,
            long look,
            byte[] small,
            int width,
            int height,
            boolean grey,
            boolean blank) {
        String label() {
            return category + "/" + name + (role == Role.TEST ? " (test)" : "");
        }
    }

    /**
     * What was found.
     *
     * @param text table and warnings for people
     * @param warnings number of them
     * @param errors what should stop a run, by what would allow it ({@code --allow-leakage}); empty when nothing does
     */
    record Findings(String text, int warnings, Map<String, String> errors) {}

    private final List<Seen> seen = new ArrayList<>();
    private final List<String> warnings = new ArrayList<>();
    private final TreeMap<Role, Integer> unreadable = new TreeMap<>();

    void saw(String category, Sample sample, Role role, RgbImage image, byte[] frame) {
        byte[] small = thumbnail(frame);
        seen.add(new Seen(
                category,
                sample.name(),
                role,
                image.sha256(),
                look(frame),
                small,
                image.width(),
                image.height(),
                grey(frame),
                blank(frame)));
    }

    void couldNotRead(Role role) {
        unreadable.merge(role, 1, Integer::sum);
    }

    private static int level(byte[] frame, int x, int y) {
        int at = y * 256 + x;
        return ((frame[at] & 0xff) * 299 + (frame[65536 + at] & 0xff) * 587 + (frame[131072 + at] & 0xff) * 114) / 1000;
    }

    private static double mean(byte[] frame, int x0, int x1, int y0, int y1) {
        long sum = 0;
        for (int y = y0; y < y1; y++) for (int x = x0; x < x1; x++) sum += level(frame, x, y);
        return (double) sum / ((x1 - x0) * (y1 - y0));
    }

    /** Difference hash: 8 rows of 9 fields, a bit for every field that is lighter than its left neighbour. */
    static long look(byte[] frame) {
        long bits = 0;
        for (int row = 0; row < 8; row++) {
            double left = mean(frame, 0, 28, row * 32, row * 32 + 32);
            for (int i = 1; i < 9; i++) {
                double right = mean(frame, i * 256 / 9, (i + 1) * 256 / 9, row * 32, row * 32 + 32);
                bits = bits << 1 | (right > left ? 1 : 0);
                left = right;
            }
        }
        return bits;
    }

    private static byte[] thumbnail(byte[] frame) {
        byte[] small = new byte[256];
        for (int i = 0; i < 256; i++)
            small[i] = (byte) Math.round(mean(frame, i % 16 * 16, i % 16 * 16 + 16, i / 16 * 16, i / 16 * 16 + 16));
        return small;
    }

    private static boolean grey(byte[] frame) {
        for (int i = 0; i < 65536; i++) {
            int r = frame[i] & 0xff;
            if (Math.abs(r - (frame[65536 + i] & 0xff)) > 1 || Math.abs(r - (frame[131072 + i] & 0xff)) > 1)
                return false;
        }
        return true;
    }

    /** No colour varies over the image, whatever it is. */
    private static boolean blank(byte[] frame) {
        int plane = frame.length / 3;
        for (int c = 0; c < 3; c++) {
            double sum = 0;
            double squares = 0;
            for (int i = c * plane; i < (c + 1) * plane; i++) {
                int v = frame[i] & 0xff;
                sum += v;
                squares += v * v;
            }
            double m = sum / plane;
            if (squares / plane - m * m >= BLANK * BLANK) return false;
        }
        return true;
    }

    private static boolean near(Seen a, Seen b) {
        if (Long.bitCount(a.look ^ b.look) > NEAR_BITS) return false;
        int sum = 0;
        for (int i = 0; i < 256; i++) sum += Math.abs((a.small[i] & 0xff) - (b.small[i] & 0xff));
        return sum <= NEAR_LEVELS * 256;
    }

    private static String examples(List<String> all) {
        return String.join("; ", all.subList(0, Math.min(EXAMPLES, all.size())))
                + (all.size() > EXAMPLES ? "; and " + (all.size() - EXAMPLES) + " more" : "");
    }

    private static String are(int n, String what) {
        return n + " " + what + (n == 1 ? " is" : "s are");
    }

    /**
     * @param unevenAdvice what follows from categories much bigger than others; null where their sizes do not matter
     */
    Findings findings(String unevenAdvice) {
        Map<String, String> errors = new LinkedHashMap<>();
        Map<String, List<Seen>> byHash = new LinkedHashMap<>();
        Map<String, List<Seen>> byCategory = new TreeMap<>();
        for (Seen s : seen) {
            byHash.computeIfAbsent(s.hash, k -> new ArrayList<>()).add(s);
            byCategory.computeIfAbsent(s.category, k -> new ArrayList<>()).add(s);
        }
        Same same = new Same();
        byHash.values().forEach(same::look);
        same.report(errors);
        nearLeaks(byHash);
        Counts counts = new Counts(same);
        byCategory.forEach(counts::look);
        counts.report(unevenAdvice, errors);
        if (unreadable.getOrDefault(Role.TEST, 0) > 0)
            warn(are(unreadable.get(Role.TEST), "test image")
                    + " unreadable; training does not need them, evaluate will name them");
        StringBuilder text = new StringBuilder(counts.table);
        for (String w : warnings) text.append("warning: ").append(w).append(System.lineSeparator());
        return new Findings(text.toString(), warnings.size(), errors);
    }

    /** Images that are there more than once. */
    private final class Same {
        private final Map<String, Integer> duplicates = new HashMap<>();
        private final Map<String, Integer> leaked = new HashMap<>();
        private final List<String> within = new ArrayList<>();
        private final List<String> across = new ArrayList<>();
        private final List<String> both = new ArrayList<>();
        private final List<String> leaks = new ArrayList<>();

        void look(List<Seen> same) {
            List<Seen> normals = same.stream().filter(s -> s.role != Role.TEST).toList();
            if (normals.isEmpty()) return;
            Seen first = normals.get(0);
            for (Seen s : same)
                if (s.role == Role.TEST) {
                    leaks.add(s.label() + " is " + first.label());
                    leaked.merge(s.category, 1, Integer::sum);
                }
            for (Seen s : normals.subList(1, normals.size())) {
                boolean sameCategory = s.category.equals(first.category);
                // A single normal serves both ends; it is not there twice.
                if (sameCategory && s.name.equals(first.name)) continue;
                duplicates.merge(s.category, 1, Integer::sum);
                (sameCategory ? within : across).add(s.label() + " is " + first.label());
                if (sameCategory && s.role != first.role) both.add(s.label() + " is " + first.label());
            }
        }

        void report(Map<String, String> errors) {
            if (!leaks.isEmpty())
                errors.put(
                        "--allow-leakage",
                        are(leaks.size(), "test image") + " learned from too, so that figures measured on "
                                + (leaks.size() == 1 ? "it" : "them") + " flatter: " + examples(leaks)
                                + ". Remove one of each pair, or go on with --allow-leakage");
            if (!within.isEmpty())
                warn(are(within.size(), "normal image") + " there twice; learning and thresholds count them double: "
                        + examples(within));
            if (!both.isEmpty())
                warn(both.size() + " of them both learned from and set apart, so that the threshold gets too low: "
                        + examples(both));
            if (!across.isEmpty())
                warn(are(across.size(), "image") + " in more than one category; is one of them wrong? "
                        + examples(across));
        }
    }

    /** The table, and categories with too few images, none, or many more than the others. */
    private final class Counts {
        private static final String ROW = "%-20s %8s %10s %8s %8s %11s %7s  %s%n";

        private final Same same;
        private final StringBuilder table = new StringBuilder(String.format(
                Locale.ROOT,
                ROW,
                "category",
                "training",
                "validation",
                "held out",
                "test",
                "duplicates",
                "leaked",
                "size"));
        private final List<String> few = new ArrayList<>();
        private final List<String> tooFew = new ArrayList<>();
        private final List<String> blank = new ArrayList<>();
        private int least = Integer.MAX_VALUE;
        private int greatest;
        private String smallest = "";
        private String biggest = "";

        Counts(Same same) {
            this.same = same;
        }

        void look(String category, List<Seen> all) {
            int[] count = new int[Role.values().length];
            for (Seen s : all) count[s.role.ordinal()]++;
            List<Seen> normals = all.stream().filter(s -> s.role != Role.TEST).toList();
            int n = (int) normals.stream().map(Seen::name).distinct().count();
            if (n < LEAST) tooFew.add(category + " (" + n + ")");
            else if (n < FEW) few.add(category + " (" + n + ")");
            int learned = count[Role.TRAINING.ordinal()];
            if (learned < least) {
                least = learned;
                smallest = category;
            }
            if (learned > greatest) {
                greatest = learned;
                biggest = category;
            }
            normals.stream().filter(Seen::blank).map(Seen::label).distinct().forEach(blank::add);
            table.append(String.format(
                    Locale.ROOT,
                    ROW,
                    category,
                    learned,
                    count[Role.VALIDATION.ordinal()],
                    count[Role.HELD_OUT.ordinal()],
                    count[Role.TEST.ordinal()],
                    same.duplicates.getOrDefault(category, 0),
                    same.leaked.getOrDefault(category, 0),
                    sizes(category, normals)));
        }

        void report(String unevenAdvice, Map<String, String> errors) {
            if (!tooFew.isEmpty())
                errors.put(
                        "--allow-few",
                        "fewer than " + LEAST + " normal images in " + String.join(", ", tooFew)
                                + ": the threshold would be set on what was learned. Add some, leave the category out, "
                                + "or go on with --allow-few");
            if (!few.isEmpty())
                warn("few normal images (fewer than " + FEW + "): " + String.join(", ", few)
                        + ". Thresholds will be rough");
            if (unevenAdvice != null && least > 0 && greatest > IMBALANCE * least)
                warn(biggest + " has " + greatest + " images and " + smallest + " " + least + ": " + unevenAdvice);
            if (!blank.isEmpty()) warn(are(blank.size(), "normal image") + " blank: " + examples(blank));
        }
    }

    private void nearLeaks(Map<String, List<Seen>> byHash) {
        List<Seen> normals = byHash.values().stream()
                .map(l ->
                        l.stream().filter(s -> s.role != Role.TEST).findFirst().orElse(null))
                .filter(s -> s != null && !s.blank)
                .toList();
        List<String> near = new ArrayList<>();
        for (Seen t : seen) {
            if (t.role != Role.TEST || t.blank) continue;
            normals.stream()
                    .filter(n -> n.category.equals(t.category) && !n.hash.equals(t.hash) && near(n, t))
                    .findFirst()
                    .ifPresent(n -> near.add(t.label() + " looks like " + n.label()));
        }
        if (!near.isEmpty())
            warn(are(near.size(), "test image") + " almost like one that is learned from; figures may flatter: "
                    + examples(near));
    }

    /** For the table; warns of what does not go together. */
    private String sizes(String category, List<Seen> normals) {
        TreeSet<String> all = new TreeSet<>();
        double smallest = Double.MAX_VALUE;
        double biggest = 0;
        double narrowest = Double.MAX_VALUE;
        double widest = 0;
        int grey = 0;
        for (Seen s : normals) {
            all.add(s.width + "x" + s.height);
            double area = (double) s.width * s.height;
            double shape = (double) s.width / s.height;
            smallest = Math.min(smallest, area);
            biggest = Math.max(biggest, area);
            narrowest = Math.min(narrowest, shape);
            widest = Math.max(widest, shape);
            if (s.grey) grey++;
        }
        List<String> some = List.copyOf(all);
        if (widest > SHAPES * narrowest)
            warn(category + ": images have different shapes (" + examples(some)
                    + "), and all become squares: parts will look stretched differently");
        else if (biggest > SIZES * smallest)
            warn(category + ": images have very different sizes (" + examples(some) + "), hence different sharpness");
        if (grey > 0 && grey < normals.size())
            warn(category + ": " + grey + " of " + normals.size()
                    + " images are grey, the others coloured; a line's camera gives one kind");
        return all.isEmpty() ? "-" : all.size() == 1 ? all.first() : all.size() + " sizes";
    }

    private void warn(String text) {
        warnings.add(text);
    }
}
