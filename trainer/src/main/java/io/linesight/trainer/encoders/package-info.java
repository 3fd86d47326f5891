/** The bundled encoder, and the import of ResNets with a check against libtorch. */
@NullMarked
package io.linesight.trainer.encoders;

import org.jspecify.annotations.NullMarked;
