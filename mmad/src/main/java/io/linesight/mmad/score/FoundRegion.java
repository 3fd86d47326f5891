package io.linesight.mmad.score;

/**
 * One connected part of an anomaly map above the threshold.
 *
 * @param x left edge in frame pixels
 * @param y upper edge in frame pixels
 * @param width of the bounding box in frame pixels, at least 1
 * @param height of the bounding box in frame pixels, at least 1
 * @param area size of the region in frame pixels (map pixels times the frame's area per map pixel)
 * @param peak highest map value inside
 * @param peakX centre of the map pixel with that value, in frame pixels
 * @param peakY the same, vertically
 */
public record FoundRegion(int x, int y, int width, int height, long area, float peak, int peakX, int peakY) {}
