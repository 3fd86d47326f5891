package io.linesight.trainer.dataset;

/**
 * What is checked of the images before a fit, and what is tolerated.
 *
 * @param skipUnreadable leaves unreadable images out instead of stopping with their list
 * @param survey looks at all images, test images too: duplicates, leakage, too few, blank ones; reports them and
 *     rejects the worst
 * @param allowLeakage continues though test images are among those learned from
 * @param allowFew continues though a category has a single normal image
 */
public record ImageRules(boolean skipUnreadable, boolean survey, boolean allowLeakage, boolean allowFew) {
    /** Stops at unreadable images and looks for nothing else. */
    public static ImageRules defaults() {
        return new ImageRules(false, false, false, false);
    }

    /** These rules with the survey. */
    public ImageRules surveyed() {
        return new ImageRules(skipUnreadable, true, allowLeakage, allowFew);
    }

    /** @param option as {@code fit} spells it: {@code --allow-leakage} or {@code --allow-few} */
    boolean allow(String option) {
        return option.equals("--allow-leakage") ? allowLeakage : allowFew;
    }
}
