package io.linesight.mmad.statedict;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;

/** The tensors of one open file. */
interface Tensors {
    /** By name, in the file's order. */
    Map<String, TensorRef> refs();

    /** Size of the file in bytes. */
    long fileSize();

    /** The bytes of the storage that a tensor lies in, little-endian. */
    ByteBuffer storage(TensorRef ref) throws IOException;
}
