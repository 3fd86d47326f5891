package io.linesight.trainer.features;

import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.io.ExclusiveLock;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Features that outlast a run: a folder with one pair of append-only files per encoder and type of numbers, records of
 * fixed size and an index of their keys and checksums. A key is the SHA-256 of the 256x256 frame that the encoder sees,
 * so that another image, another way of resizing or another encoder never finds what is not its own. A record counts
 * once its index entry is there; what a crash leaves behind that is cut off at the next opening, and a record whose
 * bytes are not what the index says is not found. One process at a time works on an encoder's files. Not thread-safe.
 */
public final class FeatureCache implements AutoCloseable {
    private static final String MAGIC = "linesight features 1 ";
    private static final int HEADER = 128;
    private static final int KEY = 32;
    private static final int ENTRY = KEY + 2 * Integer.BYTES;
    private static final String INDEX = ".index";
    private static final String LOCK = ".lock";

    private final Path folder;
    private final String name;
    private final FeatureShape shape;
    private final long maxBytes;
    private final byte[] header;
    private final ExclusiveLock lock;
    private FileChannel data;
    private FileChannel index;
    private final Map<ByteBuffer, Integer> slots = new HashMap<>();
    private final List<Integer> checksums = new ArrayList<>();

    private FeatureCache(Path folder, Encoder encoder, FeatureType type, long maxBytes, ExclusiveLock lock) {
        this.folder = folder;
        this.name = name(encoder, type);
        this.shape = new FeatureShape(encoder, type);
        this.maxBytes = maxBytes;
        this.lock = lock;
        String order = ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN ? "le" : "be";
        byte[] text = (MAGIC + encoder.sha256() + " " + shape.recordBytes() + " " + order
                        + (type == FeatureType.FLOAT32 ? "" : " " + type) + "\n")
                .getBytes(StandardCharsets.US_ASCII);
        header = java.util.Arrays.copyOf(text, HEADER);
    }

    /**
     * Opens or makes an encoder's part of a cache.
     *
     * @param folder made when absent
     * @param type how numbers are kept; another type has files of its own, and what they hold is not found here
     * @param most bytes that all files of the folder may take together; see {@link #makeRoom}
     * @return nothing when another process works on it
     * @throws IOException when files cannot be read or written
     */
    public static Optional<FeatureCache> open(Path folder, Encoder encoder, FeatureType type, long maxBytes)
            throws IOException {
        Files.createDirectories(folder);
        String name = name(encoder, type);
        Optional<ExclusiveLock> lock = ExclusiveLock.tryOn(folder.resolve(name + LOCK));
        if (lock.isEmpty()) return Optional.empty();
        FeatureCache cache = new FeatureCache(folder, encoder, type, maxBytes, lock.get());
        try {
            cache.load();
        } catch (IOException | RuntimeException e) {
            cache.close();
            throw e;
        }
        return Optional.of(cache);
    }

    /** Without the type where it is the one that all had once. */
    private static String name(Encoder encoder, FeatureType type) {
        return encoder.sha256().substring(0, 16) + (type == FeatureType.FLOAT32 ? "" : "-16");
    }

    private Path file(String extension) {
        return folder.resolve(name + extension);
    }

    private void load() throws IOException {
        Files.deleteIfExists(file(data() + ".part"));
        Files.deleteIfExists(file(INDEX + ".part"));
        data = FileChannel.open(
                file(data()), StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        index = FileChannel.open(
                file(INDEX), StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        byte[] bytes = Files.readAllBytes(file(INDEX));
        if (bytes.length < HEADER || !java.util.Arrays.equals(bytes, 0, HEADER, header, 0, HEADER)) {
            data.truncate(0);
            index.truncate(0);
            write(index, ByteBuffer.wrap(header), 0);
            return;
        }
        long records = data.size() / shape.recordBytes();
        ByteBuffer entries = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = HEADER; at + ENTRY <= bytes.length && checksums.size() < records; at += ENTRY) {
            if (checksum(ByteBuffer.wrap(bytes, at, ENTRY - Integer.BYTES))
                    != entries.getInt(at + ENTRY - Integer.BYTES)) break;
            slots.put(ByteBuffer.wrap(java.util.Arrays.copyOfRange(bytes, at, at + KEY)), checksums.size());
            checksums.add(entries.getInt(at + KEY));
        }
        cut();
    }

    /** To what counts. */
    private void cut() throws IOException {
        index.truncate(HEADER + (long) checksums.size() * ENTRY);
        data.truncate((long) checksums.size() * shape.recordBytes());
    }

    /** Number of images whose features are here. */
    public int size() {
        return slots.size();
    }

    /** Whether features by this key ({@link FeatureStore#key}) are here; they may still turn out damaged. */
    public boolean has(byte[] key) {
        return slots.containsKey(ByteBuffer.wrap(key));
    }

    FeatureType type() {
        return shape.type();
    }

    private String data() {
        return shape.type().extension();
    }

    /** Bytes that an image takes. */
    public int imageBytes() {
        return shape.recordBytes();
    }

    /**
     * Sees to it that these images fit: what other encoders left goes first, the longest unused first, then what this
     * run does not need.
     *
     * @return null, or why these features cannot be kept here
     */
    public @Nullable String makeRoom(Collection<byte[]> keys) throws IOException {
        long missing = keys.stream()
                .map(ByteBuffer::wrap)
                .distinct()
                .filter(k -> !slots.containsKey(k))
                .count();
        long needed = missing * shape.recordBytes();
        long others = others(maxBytes - data.size() - needed);
        if (data.size() + needed + others > maxBytes) {
            Map<ByteBuffer, Integer> wanted = new HashMap<>();
            for (byte[] k : keys) if (has(k)) wanted.put(ByteBuffer.wrap(k), slots.get(ByteBuffer.wrap(k)));
            if ((wanted.size() + missing) * shape.recordBytes() + others > maxBytes) {
                return "they need " + mebibytes((wanted.size() + missing) * shape.recordBytes())
                        + " in all, and the cache may take " + mebibytes(maxBytes)
                        + (others > 0 ? ", of which another run uses " + mebibytes(others) : "");
            }
            keep(wanted);
        }
        long free = Files.getFileStore(folder).getUsableSpace();
        return needed > free
                ? "they need " + mebibytes(needed) + " more in " + folder + ", which has " + mebibytes(free) + " free"
                : null;
    }

    private static String mebibytes(long bytes) {
        return (bytes >> 20) + " MiB";
    }

    /**
     * Drops what other encoders left until it takes no more than this, as far as nobody uses it; what it takes then.
     */
    private long others(long allowed) throws IOException {
        List<Path> files;
        try (Stream<Path> s = Files.list(folder)) {
            files = new ArrayList<>(
                    s.filter(f -> f.getFileName().toString().matches(".*\\.f(16|32)") && !f.equals(file(data())))
                            .toList());
        }
        Map<Path, Long> used = new HashMap<>();
        for (Path f : files) used.put(f, Files.getLastModifiedTime(f).toMillis());
        files.sort(Comparator.comparing(used::get));
        long total = 0;
        for (Path f : files) total += Files.size(f);
        for (Path f : files) {
            if (total <= allowed) break;
            String other = f.getFileName().toString().replaceAll("\\.f(16|32)$", "");
            try (ExclusiveLock l =
                    ExclusiveLock.tryOn(folder.resolve(other + LOCK)).orElse(null)) {
                if (l == null) continue;
                total -= Files.size(f);
                Files.deleteIfExists(folder.resolve(other + INDEX));
                Files.deleteIfExists(f);
            }
        }
        return total;
    }

    /**
     * Rewrites the files with these records alone. The index goes in last: whatever happens before leaves an empty
     * cache, never a wrong one.
     */
    private void keep(Map<ByteBuffer, Integer> wanted) throws IOException {
        Path newData = file(data() + ".part");
        Path newIndex = file(INDEX + ".part");
        Map<ByteBuffer, Integer> kept = new HashMap<>();
        List<Integer> sums = new ArrayList<>();
        try (FileChannel d = FileChannel.open(
                        newData,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.WRITE);
                FileChannel i = FileChannel.open(
                        newIndex,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING,
                        StandardOpenOption.WRITE)) {
            write(i, ByteBuffer.wrap(header), 0);
            ByteBuffer record = shape.record();
            for (Map.Entry<ByteBuffer, Integer> e : wanted.entrySet()) {
                read(data, record.clear(), (long) e.getValue() * shape.recordBytes());
                write(d, record.flip(), (long) sums.size() * shape.recordBytes());
                write(i, entry(e.getKey().array(), checksums.get(e.getValue())), HEADER + (long) sums.size() * ENTRY);
                kept.put(e.getKey(), sums.size());
                sums.add(checksums.get(e.getValue()));
            }
            d.force(true);
            i.force(true);
        }
        index.truncate(0);
        index.force(true);
        data.close();
        index.close();
        Files.move(newData, file(data()), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        Files.move(newIndex, file(INDEX), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        data = FileChannel.open(file(data()), StandardOpenOption.READ, StandardOpenOption.WRITE);
        index = FileChannel.open(file(INDEX), StandardOpenOption.READ, StandardOpenOption.WRITE);
        slots.clear();
        slots.putAll(kept);
        checksums.clear();
        checksums.addAll(sums);
    }

    /** Reads a record; false when it is not there or damaged. */
    boolean find(byte[] key, ByteBuffer record) throws IOException {
        Integer slot = slots.get(ByteBuffer.wrap(key));
        if (slot == null) return false;
        read(data, record.clear(), (long) slot * shape.recordBytes());
        record.flip();
        if (checksum(record.duplicate()) == checksums.get(slot)) return true;
        slots.remove(ByteBuffer.wrap(key));
        return false;
    }

    int slot(byte[] key) {
        return slots.get(ByteBuffer.wrap(key));
    }

    /** @throws IOException when there is no room for it; what was there before still is */
    void append(byte[] key, ByteBuffer record) throws IOException {
        int slot = checksums.size();
        int sum = checksum(record.duplicate());
        try {
            write(data, record, (long) slot * shape.recordBytes());
            write(index, entry(key, sum), HEADER + (long) slot * ENTRY);
        } catch (IOException e) {
            try {
                cut();
            } catch (IOException again) {
                e.addSuppressed(again);
            }
            throw new IOException(
                    "features cannot be written to " + folder + ": " + e.getMessage() + ". Those of " + slot
                            + " images are kept; make room and run again, or give another folder",
                    e);
        }
        slots.put(ByteBuffer.wrap(key), slot);
        checksums.add(sum);
    }

    FileChannel channel() {
        return data;
    }

    private static ByteBuffer entry(byte[] key, int sum) {
        ByteBuffer entry = ByteBuffer.allocate(ENTRY)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(key)
                .putInt(sum);
        int own = checksum(ByteBuffer.wrap(entry.array(), 0, ENTRY - Integer.BYTES));
        return entry.putInt(own).flip();
    }

    private static int checksum(ByteBuffer bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes);
        return (int) crc.getValue();
    }

    private static void write(FileChannel channel, ByteBuffer bytes, long at) throws IOException {
        while (bytes.hasRemaining()) at += channel.write(bytes, at);
    }

    private static void read(FileChannel channel, ByteBuffer bytes, long at) throws IOException {
        while (bytes.hasRemaining()) {
            int n = channel.read(bytes, at);
            if (n < 0) throw new IOException("the features end early; was the file changed by somebody else?");
            at += n;
        }
    }

    @Override
    public void close() throws IOException {
        try (ExclusiveLock l = lock;
                FileChannel i = index;
                FileChannel d = data) {
            return;
        }
    }
}
