/** Sources of images and the publisher that writes them to Kafka as frames, in order for each camera. */
@NullMarked
package io.linesight.cameras;

import org.jspecify.annotations.NullMarked;
