package io.linesight.mmad.image;

import io.linesight.mmad.io.Sha256;
import java.nio.ByteBuffer;
import java.security.MessageDigest;

/**
 * A decoded image.
 *
 * @param width pixels
 * @param height pixels
 * @param rgb interleaved 8-bit RGB rows, {@code width*height*3} bytes; not copied
 */
public record RgbImage(int width, int height, byte[] rgb) {
    public RgbImage {
        if (width < 1 || height < 1)
            throw new IllegalArgumentException("image size must be positive, got " + width + "x" + height);
        if (rgb.length != (long) width * height * 3)
            throw new IllegalArgumentException("a " + width + "x" + height + " RGB image needs "
                    + (long) width * height * 3 + " bytes, got " + rgb.length);
    }

    /** Lower-case hex SHA-256 of size and pixels: the same for files that decode to the same image. */
    public String sha256() {
        MessageDigest digest = Sha256.digest();
        digest.update(ByteBuffer.allocate(8).putInt(width).putInt(height).array());
        digest.update(rgb);
        return Sha256.hex(digest);
    }
}
