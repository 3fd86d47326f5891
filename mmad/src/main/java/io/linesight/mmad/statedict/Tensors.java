package io.linesight.mmad.statedict;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;

/**
 * The tensors of one open file. Tensors that lie in one storage follow each other as a rule, so the storage read last
 * is kept.
 */
abstract class Tensors implements AutoCloseable {
    private final Map<String, TensorRef> refs;
    private final long fileSize;
    private String last;
    private ByteBuffer bytes;

    Tensors(Map<String, TensorRef> refs, long fileSize) {
        this.refs = refs;
        this.fileSize = fileSize;
    }

    /** By name, in the file's order. */
    final Map<String, TensorRef> refs() {
        return refs;
    }

    /** Size of the file in bytes. */
    final long fileSize() {
        return fileSize;
    }

    /** The bytes of the storage that a tensor lies in, little-endian. */
    final ByteBuffer storage(TensorRef ref) throws IOException {
        if (!ref.storage().equals(last)) {
            bytes = read(ref);
            last = ref.storage();
        }
        return bytes;
    }

    abstract ByteBuffer read(TensorRef ref) throws IOException;

    /** Closes what it opened itself. */
    @Override
    public void close() throws IOException {}
}
