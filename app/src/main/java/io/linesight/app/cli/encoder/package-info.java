/** The commands under {@code encoder}, which make encoders out of pretrained networks. */
@NullMarked
package io.linesight.app.cli.encoder;

import org.jspecify.annotations.NullMarked;
