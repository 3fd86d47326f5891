/** MMAD's trainable part on libtorch, and the maps fitted to it. */
package io.linesight.trainer.network;
