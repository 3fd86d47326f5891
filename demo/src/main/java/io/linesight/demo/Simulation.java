package io.linesight.demo;

import org.jspecify.annotations.Nullable;

/**
 * The simulated part of a line.
 *
 * @param cameras number of cameras; each sees the next product
 * @param fps frames a second and camera; null to find in a warm-up what the machine bears
 * @param seed the same seed gives the same parts
 * @param defectRate fraction of defective parts, 0..1
 */
public record Simulation(int cameras, @Nullable Double fps, long seed, double defectRate) {}
