package io.linesight.mmad.image;

import java.util.List;

/** An image and what people should know about it; mostly nothing. */
public record DecodedImage(RgbImage image, List<ImageNote> notes) {}
