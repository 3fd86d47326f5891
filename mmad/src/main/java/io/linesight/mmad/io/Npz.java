package io.linesight.mmad.io;

import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * A NumPy {@code .npz} archive, opened for reading; arrays are read when asked for. One thread at a time. Close it
 * after use.
 */
public final class Npz implements AutoCloseable {
    private static final String SUFFIX = ".npy";
    private static final long UNSUSPICIOUS = 1 << 20;
    private static final long MAX_EXPANSION = 100;

    private final Path file;
    private final ZipFile zip;

    private Npz(Path file, ZipFile zip) {
        this.file = file;
        this.zip = zip;
    }

    /** Opens an archive. @throws IOException when there is none or it is not a zip archive */
    public static Npz open(Path file) throws IOException {
        try {
            return new Npz(file, new ZipFile(file.toFile()));
        } catch (ZipException | EOFException | IllegalArgumentException e) {
            throw new IOException(file + " is not a NumPy archive: " + why(e), e);
        }
    }

    /** Writes arrays as an uncompressed archive (what {@code numpy.savez} does), in the map's order. */
    public static void write(Path file, Map<String, NpyArray> arrays) throws IOException {
        try (OutputStream out = Files.newOutputStream(file);
                ZipOutputStream zip = new ZipOutputStream(out)) {
            zip.setMethod(ZipOutputStream.STORED);
            for (Map.Entry<String, NpyArray> e : arrays.entrySet()) {
                byte[] bytes = Npy.format(e.getValue());
                CRC32 crc = new CRC32();
                crc.update(bytes);
                ZipEntry entry = new ZipEntry(e.getKey() + SUFFIX);
                entry.setSize(bytes.length);
                entry.setCrc(crc.getValue());
                entry.setTime(0);
                zip.putNextEntry(entry);
                zip.write(bytes);
                zip.closeEntry();
            }
        }
    }

    /** The arrays' names, without {@code .npy}, sorted; those that are no text are left out. */
    public Set<String> names() {
        Set<String> names = new TreeSet<>();
        zip.stream()
                .map(ZipEntry::getName)
                .filter(n -> n.endsWith(SUFFIX))
                .forEach(n -> names.add(n.substring(0, n.length() - SUFFIX.length())));
        return names;
    }

    /** Whether there is an array of this name. */
    public boolean contains(String name) {
        return zip.getEntry(name + SUFFIX) != null;
    }

    /**
     * Reads one array. @throws IOException when it is missing (the message lists what there is), damaged or not
     * supported
     */
    public NpyArray get(String name) throws IOException {
        ZipEntry entry = zip.getEntry(name + SUFFIX);
        if (entry == null) throw new IOException(file + " has no array '" + name + "'; it has " + names());
        // Compression of numbers seldom gains more than a few times; far more is a way to fill the memory from a small
        // file.
        long max = Math.min(Integer.MAX_VALUE - 8, UNSUSPICIOUS + Files.size(file) * MAX_EXPANSION);
        if (entry.getSize() < 0 || entry.getSize() > max)
            throw new IOException(
                    file + " is damaged or hostile: array '" + name + "' claims " + entry.getSize() + " bytes");
        try (var in = zip.getInputStream(entry)) {
            byte[] bytes = in.readNBytes((int) entry.getSize());
            // ZipFile does not look at it.
            CRC32 crc = new CRC32();
            crc.update(bytes);
            if (bytes.length != entry.getSize() || crc.getValue() != entry.getCrc())
                throw new IOException(file + " is damaged: the checksum of array '" + name + "' is wrong");
            return Npy.parse(bytes, file + "!" + name);
        } catch (ZipException | EOFException e) {
            throw new IOException(file + " is damaged: array '" + name + "' cannot be unpacked (" + why(e) + ")", e);
        }
    }

    private static String why(Exception e) {
        return e.getMessage() == null ? "it ends early" : e.getMessage();
    }

    /** One array as float32. */
    public float[] floats(String name) throws IOException {
        return get(name).floats();
    }

    /** One array as float64. */
    public double[] doubles(String name) throws IOException {
        return get(name).doubles();
    }

    /** One array as int. */
    public int[] ints(String name) throws IOException {
        return get(name).ints();
    }

    /** One array as unsigned bytes. */
    public byte[] bytes(String name) throws IOException {
        return get(name).bytes();
    }

    @Override
    public void close() throws IOException {
        zip.close();
    }
}
