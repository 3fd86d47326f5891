package io.linesight.trainer.calibration;

/**
 * Groups of normal images that belong together.
 *
 * @param count how many there are, at least one
 * @param exact whether they are known, such as parts by name: images of one are then as good as one image. Otherwise
 *     they are similar ones, which were left out together but may well be of different parts
 */
public record Groups(int count, boolean exact) {
    public Groups {
        if (count < 1) throw new IllegalArgumentException("at least one group is needed, got " + count);
    }
}
