package io.linesight.mmad.image;

import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.opencv.global.opencv_core;
import org.bytedeco.opencv.global.opencv_imgproc;
import org.bytedeco.opencv.opencv_core.Mat;
import org.bytedeco.opencv.opencv_core.Point;
import org.bytedeco.opencv.opencv_core.Scalar;
import org.bytedeco.opencv.opencv_core.Size;

/** Text on images, by OpenCV's built-in font: java.awt's fonts need libraries that a bare server does not have. */
final class Captions {
    private static final int FONT = opencv_imgproc.FONT_HERSHEY_SIMPLEX;
    private static final double SCALE = 0.45;
    private static final int STROKE = 1;
    private static final double WHITE = 235;

    private Captions() {}

    /** Draws white text into the image's uppermost rows; what falls outside of them is cut. */
    static void draw(RgbImage image, int rows, int x, String text) {
        OpenCv.load();
        int bytes = 3 * image.width() * rows;
        try (BytePointer pixels = new BytePointer(bytes);
                Mat band = new Mat(rows, image.width(), opencv_core.CV_8UC3, pixels);
                Size size = size(text);
                Point start = new Point(x, (rows + size.height()) / 2);
                Scalar colour = new Scalar(WHITE, WHITE, WHITE, 0)) {
            pixels.put(image.rgb(), 0, bytes);
            opencv_imgproc.putText(band, text, start, FONT, SCALE, colour, STROKE, opencv_imgproc.LINE_AA, false);
            pixels.get(image.rgb(), 0, bytes);
        }
    }

    /** Pixels from the first letter's left edge to the last one's right edge. */
    static int width(String text) {
        OpenCv.load();
        try (Size size = size(text)) {
            return size.width();
        }
    }

    private static Size size(String text) {
        try (IntPointer baseline = new IntPointer(1L)) {
            return opencv_imgproc.getTextSize(text, FONT, SCALE, STROKE, baseline);
        }
    }
}
