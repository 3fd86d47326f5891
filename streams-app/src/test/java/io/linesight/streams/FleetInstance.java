package io.linesight.streams;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.NativeLong;
import com.sun.jna.Structure;
import com.sun.jna.Structure.FieldOrder;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.routing.FollowedChannel;
import io.linesight.streams.routing.ModelControl;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.streams.processor.internals.DefaultKafkaClientSupplier;

/**
 * The main program of one instance of a fleet, put together as {@code serve} does it. It takes letters, and can be told
 * to die at the worst moment.
 */
public final class FleetInstance {
    public static final String RUNNING = "running on ";
    static final String PLAN = "plan ";
    static final String MEMORY = "memory ";
    static final int HALTED = 9;

    /** Dies while results are written, with the frames behind them still pending. */
    static final char HALT_WHILE_WRITING = 'w';
    /** Dies when everything is written, just before the transaction is committed. */
    static final char HALT_BEFORE_COMMIT = 'b';
    /** Dies when the transaction is committed, before anybody in the process knows. */
    static final char HALT_AFTER_COMMIT = 'a';

    static final char SAY_PLAN = 'p';
    static final char SAY_MEMORY = 'm';
    public static final char QUIT = 'q';

    private static volatile char armed;

    private FleetInstance() {}

    /** Kafka's clients, with a trap in the producer. */
    public static final class Clients extends DefaultKafkaClientSupplier {
        @Override
        public Producer<byte[], byte[]> getProducer(Map<String, Object> config) {
            return new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer()) {
                private int sent;

                @Override
                public Future<RecordMetadata> send(ProducerRecord<byte[], byte[]> record, Callback callback) {
                    Future<RecordMetadata> future = super.send(record, callback);
                    // The second of a transaction, which has about six.
                    if (++sent == 2 && armed == HALT_WHILE_WRITING) halt();
                    return future;
                }

                @Override
                public void beginTransaction() {
                    sent = 0;
                    super.beginTransaction();
                }

                @Override
                public void commitTransaction() {
                    if (sent > 0 && armed == HALT_BEFORE_COMMIT) halt();
                    super.commitTransaction();
                    if (sent > 0 && armed == HALT_AFTER_COMMIT) halt();
                }
            };
        }
    }

    private static void halt() {
        Runtime.getRuntime().halt(HALTED);
    }

    public static void main(String[] args) throws Exception {
        Properties properties = new Properties();
        try (Reader in = Files.newBufferedReader(Path.of(args[0]))) {
            properties.load(in);
        }
        long loadMillis = Long.parseLong(args[1]);
        Map<String, String> settings = new HashMap<>();
        properties.stringPropertyNames().forEach(k -> settings.put(k, properties.getProperty(k)));
        settings.put("kafka.default.client.supplier", Clients.class.getName());
        InspectionConfig config = InspectionConfig.of(settings);
        AtomicBoolean started = new AtomicBoolean();
        try (FollowedChannel followed = FollowedChannel.open(
                settings, config.models().channel(), config.models().instance())) {
            ModelControl real = followed.control();
            // Real checkpoints take seconds; a toy would be loaded before anybody sees that it is being loaded.
            ModelControl slow = new ModelControl(
                    real.feed(),
                    (version, directory) -> {
                        if (started.get()) simulateDownload(loadMillis);
                        return real.source().fetch(version, directory);
                    },
                    real.trust(),
                    real.canary(),
                    real.shadow(),
                    real.decision());
            InspectionApp app = new InspectionApp(config, slow, null);
            app.start();
            started.set(true);
            System.out.println(RUNNING + app.modelVersion().orElseThrow());
            for (int letter = System.in.read(); letter != QUIT && letter >= 0; letter = System.in.read()) {
                if (letter == SAY_PLAN)
                    System.out.println(PLAN
                            + app.servingPlan()
                                    .map(p -> p.revision() + " " + p.champion() + " " + p.challenger() + ".")
                                    .orElseThrow());
                else if (letter == SAY_MEMORY) System.out.println(MEMORY + memory());
                else armed = (char) letter;
            }
            System.exit(app.close(Duration.ofSeconds(30)) ? 0 : 4);
        }
    }

    /** KiB of live heap, of resident memory, and of what native code has allocated, asked of an instance. */
    public static long[] askMemory(ChildJvm app) throws IOException, InterruptedException {
        int before = app.said().lastIndexOf(MEMORY);
        app.tell(SAY_MEMORY);
        Desk.await(
                () -> app.said().lastIndexOf(MEMORY) > before
                        && app.said().indexOf('.', app.said().lastIndexOf(MEMORY)) > 0,
                app::said);
        String said = app.said().substring(app.said().lastIndexOf(MEMORY) + MEMORY.length());
        return Arrays.stream(said.substring(0, said.indexOf('.')).split(" "))
                .mapToLong(Long::parseLong)
                .toArray();
    }

    /**
     * KiB of live heap, of resident memory, and of what native code has allocated; the last is 0 where the C library
     * does not tell.
     */
    private static String memory() throws IOException {
        System.gc();
        Runtime runtime = Runtime.getRuntime();
        long resident = Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(l -> l.startsWith("VmRSS"))
                .mapToLong(l -> Long.parseLong(l.replaceAll("\\D", "")))
                .findFirst()
                .orElse(0);
        return (runtime.totalMemory() - runtime.freeMemory()) / 1024 + " " + resident + " " + Allocated.kib() + ".";
    }

    /** What malloc has given out, over all its arenas. */
    static final class Allocated {
        /** The fields of glibc's struct of that name. */
        @FieldOrder({
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost"
        })
        public static class Mallinfo2 extends Structure implements Structure.ByValue {
            public NativeLong arena;
            public NativeLong ordblks;
            public NativeLong smblks;
            public NativeLong hblks;
            public NativeLong hblkhd;
            public NativeLong usmblks;
            public NativeLong fsmblks;
            public NativeLong uordblks;
            public NativeLong fordblks;
            public NativeLong keepcost;
        }

        interface C extends Library {
            Mallinfo2 mallinfo2();
        }

        private Allocated() {}

        static long kib() {
            try {
                Mallinfo2 info = Native.load("c", C.class).mallinfo2();
                return (info.uordblks.longValue() + info.hblkhd.longValue()) / 1024;
            } catch (UnsatisfiedLinkError e) {
                return 0;
            }
        }
    }

    /** As long as the download of a real checkpoint. */
    private static void simulateDownload(long millis) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(millis));
    }
}
