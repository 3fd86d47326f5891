package io.linesight.trainer.retrieval;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Deals images into folds so that images of the same part, or of the same minute, come into the same one: what is taken
 * one after the other is named one after the other. An image that is left out alone still finds its twin in the memory
 * and looks far too normal.
 */
final class Folds {
    static final int COUNT = 3;

    private static final Pattern PART = Pattern.compile("\\d+|\\D+");

    private Folds() {}

    /**
     * @param names of the images
     * @param products of the images
     * @return of every image its fold, 0 to {@value #COUNT} - 1: thirds of its product in the order of the names
     */
    static int[] of(List<String> names, int[] products) {
        int[] folds = new int[products.length];
        int count = 0;
        for (int p : products) count = Math.max(count, p + 1);
        for (int product = 0; product < count; product++) {
            List<Integer> own = new ArrayList<>();
            for (int i = 0; i < products.length; i++) if (products[i] == product) own.add(i);
            own.sort(Comparator.comparing(names::get, Folds::compare));
            for (int n = 0; n < own.size(); n++) folds[own.get(n)] = n * COUNT / own.size();
        }
        return folds;
    }

    /** Numbers in names by their value: image 9 comes before image 10. */
    static int compare(String a, String b) {
        Matcher x = PART.matcher(a);
        Matcher y = PART.matcher(b);
        while (true) {
            boolean more = x.find();
            if (more != y.find()) return more ? 1 : -1;
            if (!more) return a.compareTo(b);
            int order = compareParts(x.group(), y.group());
            if (order != 0) return order;
        }
    }

    private static int compareParts(String a, String b) {
        boolean numbers = Character.isDigit(a.charAt(0)) && Character.isDigit(b.charAt(0));
        return numbers ? new BigInteger(a).compareTo(new BigInteger(b)) : a.compareTo(b);
    }
}
