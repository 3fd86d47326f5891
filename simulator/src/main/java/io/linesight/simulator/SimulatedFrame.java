package io.linesight.simulator;

import io.linesight.mmad.image.RgbImage;

/**
 * One frame of the simulated line with its ground truth.
 *
 * @param camera index of the camera
 * @param sequence number of the frame at that camera
 * @param product what lies under the camera
 * @param anomalous whether the part has a defect
 * @param defect kind of defect; {@code good} when there is none
 * @param image the pixels
 * @param mask row-major, one byte per pixel of the image, 1 where the part is defective
 */
public record SimulatedFrame(
        int camera, long sequence, String product, boolean anomalous, String defect, RgbImage image, byte[] mask) {
    /** Kind of defect of a good part, as the folder is called in MVTec layout. */
    public static final String GOOD = "good";
    /** How the simulated cameras compress, and the data sets like them. */
    public static final int JPEG_QUALITY = 95;
}
