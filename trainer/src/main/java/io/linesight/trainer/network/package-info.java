/** MMAD's trainable part on libtorch, and the maps fitted to it. */
@NullMarked
package io.linesight.trainer.network;

import org.jspecify.annotations.NullMarked;
