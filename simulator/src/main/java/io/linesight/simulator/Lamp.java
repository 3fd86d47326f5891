package io.linesight.simulator;

/**
 * The lamp over a camera, against the one that the line was built with.
 *
 * @param turn angle from the old position, in radians
 * @param brightness times as bright
 * @param warmth how much more red and less blue, as a share; negative is colder
 */
public record Lamp(double turn, double brightness, double warmth) {
    /** The lamp that the line was built with. */
    public static final Lamp TUBE = new Lamp(0, 1, 0);
    /** The replacement: whiter, brighter, and not quite in the old place. */
    public static final Lamp LED = new Lamp(0.2, 1.1, -0.06);
}
