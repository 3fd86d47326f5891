package io.linesight.notify.opcua;

import java.security.MessageDigest;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who may log in. After {@value #MAX_FAILURES} wrong passwords within a minute an address is refused for that minute,
 * whatever it says. Thread-safe.
 */
final class LogIns {
    static final int MAX_FAILURES = 5;
    private static final Logger LOG = LoggerFactory.getLogger(LogIns.class);
    private static final Duration WINDOW = Duration.ofMinutes(1);
    private static final int MAX_ADDRESSES = 1_000;

    /** Failures of one address since a time. */
    private record Failures(long since, int count) {}

    private final Map<String, byte[]> digests = new HashMap<>();
    private final LongSupplier nanos;
    private final LongAdder refused = new LongAdder();
    private final Map<String, Failures> failures = new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Failures> eldest) {
            return size() > MAX_ADDRESSES;
        }
    };

    LogIns(Map<String, String> users, LongSupplier nanos) {
        users.forEach((name, password) -> digests.put(name, Source.sha256(password)));
        this.nanos = nanos;
    }

    /** How many were refused. */
    long refused() {
        return refused.sum();
    }

    synchronized boolean allows(String address, String user, String password) {
        long now = nanos.getAsLong();
        Failures before = failures.get(address);
        if (before != null && now - before.since > WINDOW.toNanos()) {
            failures.remove(address);
            before = null;
        }
        boolean locked = before != null && before.count >= MAX_FAILURES;
        byte[] known = digests.get(user);
        // Of equal length and compared whole, so that the time tells nothing.
        boolean right = MessageDigest.isEqual(Source.sha256(password), known == null ? new byte[32] : known);
        if (!locked && known != null && right) return true;
        refused.increment();
        if (!locked) failures.put(address, new Failures(before == null ? now : before.since, count(before) + 1));
        LOG.warn(
                "A log-in from {} was refused: {}", address, locked ? "too many wrong ones" : "wrong user or password");
        return false;
    }

    private static int count(@Nullable Failures failures) {
        return failures == null ? 0 : failures.count;
    }
}
