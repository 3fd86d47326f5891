package io.linesight.mmad.scan;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * How wide the vectors of the scan are: as wide as the processor has them, unless the process also computes with
 * narrower ones.
 *
 * <p>Why that matters: HotSpot keeps one profile of the Vector API's own methods for the whole process. Where two
 * widths have been seen, the compiler no longer knows which one it has before it, and the kernel that is compiled
 * second does every operation on the heap, some thirty times slower. So a process has one width, settled when the first
 * kernel is loaded.
 *
 * <p>Thread-safe.
 */
public final class ScanVectors {
    private static VectorSpecies<Float> species = FloatVector.SPECIES_PREFERRED;
    private static boolean settled;

    private ScanVectors() {}

    /**
     * Makes the vectors no wider than so many bits. To be called before the first checkpoint is opened.
     *
     * @param bits 128, 256 or 512
     * @return false when wider ones are in use already: then either kernel may be slow
     */
    public static synchronized boolean limit(int bits) {
        if (!settled && species.vectorBitSize() > bits) {
            species = switch (bits) {
                case 128 -> FloatVector.SPECIES_128;
                case 256 -> FloatVector.SPECIES_256;
                case 512 -> FloatVector.SPECIES_512;
                default -> throw new IllegalArgumentException("vectors have 128, 256 or 512 bits, not " + bits);
            };
        }
        return species.vectorBitSize() <= bits;
    }

    /** For the kernel, once. */
    static synchronized VectorSpecies<Float> settle() {
        settled = true;
        return species;
    }
}
