package io.linesight.simulator;

/**
 * The lamp over a camera, against the one that the line was built with.
 *
 * @param turn how much further round it stands, in radians
 * @param brightness times as bright
 * @param warmth how much more red and less blue, as a share; negative is colder
 */
public record Lamp(double turn, double brightness, double warmth) {
    /** What the line was built with. */
    public static final Lamp TUBE = new Lamp(0, 1, 0);
    /** What is put in its place when it fails: whiter, brighter, and not quite where the old one was. */
    public static final Lamp LED = new Lamp(0.2, 1.1, -0.06);
}
