/** The bundled encoder, and the import of ResNets with a check against libtorch. */
package io.linesight.trainer.encoders;
