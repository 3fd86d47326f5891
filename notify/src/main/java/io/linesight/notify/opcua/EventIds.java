package io.linesight.notify.opcua;

import io.linesight.schemas.Alert;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import org.eclipse.milo.opcua.stack.core.types.builtin.ByteString;
import org.jspecify.annotations.Nullable;

/**
 * Ids of events that say which revision of which alert a client saw, so that an acknowledgement is based on just that:
 * 8 bytes of revision, 8 that make every event another one, 16 of the alert's checksum. Thread-safe.
 */
final class EventIds {
    private static final int LENGTH = 32;
    private final AtomicLong next = new AtomicLong(System.nanoTime());

    ByteString next(Alert alert) {
        return ByteString.of(ByteBuffer.allocate(LENGTH)
                .putLong(alert.getRevision())
                .putLong(next.getAndIncrement())
                .put(checksum(alert))
                .array());
    }

    /** The revision that the id stands for; empty when it is no id of this alert. */
    static OptionalLong revision(@Nullable ByteString id, Alert alert) {
        if (id == null || id.length() != LENGTH) return OptionalLong.empty();
        ByteBuffer bytes = ByteBuffer.wrap(id.bytesOrEmpty());
        long revision = bytes.getLong();
        bytes.getLong();
        byte[] checksum = new byte[LENGTH - 2 * Long.BYTES];
        bytes.get(checksum);
        return revision > 0 && revision <= alert.getRevision() && Arrays.equals(checksum, checksum(alert))
                ? OptionalLong.of(revision)
                : OptionalLong.empty();
    }

    private static byte[] checksum(Alert alert) {
        return Arrays.copyOf(Source.sha256(alert.getAlertId()), LENGTH - 2 * Long.BYTES);
    }
}
