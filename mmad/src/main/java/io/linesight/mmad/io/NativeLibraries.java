package io.linesight.mmad.io;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.JarURLConnection;
import java.net.URL;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the libraries that bring natives in their jars where to unpack them: once for each version, into the
 * {@link CacheFolder}, in place of a temporary folder for every process. What somebody has set by hand stays. Call it
 * before the library is loaded. Thread-safe.
 */
public final class NativeLibraries {
    private static final Logger LOG = LoggerFactory.getLogger(NativeLibraries.class);
    private static final String JAVACPP = "org.bytedeco.javacpp.cachedir";
    private static final String JNA = "jna.tmpdir";
    private static final String ONNX_RUNTIME = "onnxruntime.native.path";
    private static final String SNAPPY = "org.xerial.snappy.lib.path";
    private static final String SNAPPY_NAME = "org.xerial.snappy.lib.name";
    private static final String ZSTD = "ZstdNativePath";

    private NativeLibraries() {}

    /**
     * Of JavaCPP (OpenCV, libtorch) and JNA.
     *
     * @throws IllegalStateException with a message for people when there is no folder for them
     */
    public static synchronized void prepare() {
        if (System.getProperty(JNA) == null) System.setProperty(JNA, made("jna").toString());
        if (System.getProperty(JAVACPP) == null && !javaCppIsWell())
            System.setProperty(JAVACPP, made("javacpp").toString());
    }

    /** Its own cache in the user's home is shared with other programs: a few hundred megabytes that are kept once. */
    private static boolean javaCppIsWell() {
        String home = System.getProperty("user.home", "");
        return home.length() > 1 && CacheFolder.isFit(Path.of(home, ".javacpp", "cache"));
    }

    /**
     * Of ONNX Runtime.
     *
     * @param anchor any class of its jar
     * @throws IllegalStateException with a message for people when there is no folder for them
     */
    public static synchronized void prepareOnnxRuntime(Class<?> anchor) {
        if (System.getProperty(ONNX_RUNTIME) != null) return;
        String inside = "ai/onnxruntime/native/" + system() + "-" + processor() + "/";
        try {
            Path folder = unpacked(anchor.getResource("/" + inside), inside, "onnxruntime");
            if (folder != null) System.setProperty(ONNX_RUNTIME, folder.toString());
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "ONNX Runtime's native libraries could not be unpacked into " + CacheFolder.get() + ": "
                            + e.getMessage() + ". They need up to 700 MB there; set " + CacheFolder.VARIABLE
                            + " to another folder",
                    e);
        }
    }

    /**
     * Of Snappy and Zstandard, with which Kafka's records may be compressed. Where there is no folder for them they try
     * the one for temporary files themselves, and only who meets such records needs them.
     *
     * @param loader of their classes
     */
    public static synchronized void prepareCompression(ClassLoader loader) {
        try {
            prepareSnappy(loader);
            prepareZstd(loader);
        } catch (IOException | IllegalStateException e) {
            LOG.debug("Libraries for compressed records are left to themselves: {}", e.getMessage());
        }
    }

    private static void prepareSnappy(ClassLoader loader) throws IOException {
        if (System.getProperty(SNAPPY) != null || !system().equals("linux")) return;
        String inside = "org/xerial/snappy/native/Linux/" + (processor().equals("x64") ? "x86_64" : processor()) + "/";
        String name = "libsnappyjava.so";
        Path folder = unpacked(loader.getResource(inside + name), inside, "snappy");
        if (folder == null) return;
        System.setProperty(SNAPPY_NAME, name);
        System.setProperty(SNAPPY, folder.toString());
    }

    private static void prepareZstd(ClassLoader loader) throws IOException {
        if (System.getProperty(ZSTD) != null || !system().equals("linux")) return;
        String inside = "linux/" + (processor().equals("x64") ? "amd64" : processor()) + "/";
        // The file's name has the version; its jar is found by a class.
        Path folder = unpacked(loader.getResource("com/github/luben/zstd/Zstd.class"), inside, "zstd");
        if (folder == null) return;
        try (Stream<Path> files = Files.list(folder)) {
            files.filter(f -> f.getFileName().toString().matches("libzstd-jni-.*[.]so"))
                    .findFirst()
                    .ifPresent(file -> System.setProperty(ZSTD, file.toString()));
        }
    }

    /**
     * A folder in the jar of a resource, unpacked.
     *
     * @return null for classes that do not lie in a jar and for a system that we do not know: the library finds its own
     *     way
     */
    private static @Nullable Path unpacked(@Nullable URL resource, String inside, String name) throws IOException {
        if (resource == null || !(resource.openConnection() instanceof JarURLConnection connection)) return null;
        JarFile jar = connection.getJarFile();
        boolean known = jar.stream().anyMatch(e -> e.getName().startsWith(inside) && !e.isDirectory());
        return known ? unpacked(jar, inside, CacheFolder.get(), name) : null;
    }

    /** The files of a folder in a jar, unpacked into a folder that is named after what is in them. */
    static Path unpacked(JarFile jar, String inside, Path cache, String name) throws IOException {
        List<JarEntry> entries = jar.stream()
                .filter(e -> e.getName().startsWith(inside) && !e.isDirectory())
                .sorted(Comparator.comparing(JarEntry::getName))
                .toList();
        CRC32 content = new CRC32();
        for (JarEntry e : entries) content.update((e.getName() + e.getSize() + e.getCrc()).getBytes());
        Path folder = cache.resolve(name + "-" + Long.toHexString(content.getValue()));
        if (isComplete(folder, entries, inside)) return folder;
        Path part = Files.createTempDirectory(cache, ".part-");
        try {
            for (JarEntry e : entries) {
                Path file = part.resolve(e.getName().substring(inside.length()));
                Files.createDirectories(Objects.requireNonNull(file.getParent()));
                try (InputStream in = jar.getInputStream(e)) {
                    Files.copy(in, file);
                }
            }
            put(part, folder, entries, inside);
        } finally {
            Scratch.delete(part);
        }
        return folder;
    }

    private static void put(Path part, Path folder, List<JarEntry> entries, String inside) throws IOException {
        if (Files.exists(folder) && !isComplete(folder, entries, inside)) Scratch.delete(folder);
        try {
            Files.move(part, folder, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileSystemException e) {
            // Another process was faster with the same files.
            if (!isComplete(folder, entries, inside)) throw e;
        }
    }

    private static boolean isComplete(Path folder, List<JarEntry> entries, String inside) throws IOException {
        for (JarEntry e : entries) {
            Path file = folder.resolve(e.getName().substring(inside.length()));
            if (!Files.isRegularFile(file) || Files.size(file) != e.getSize()) return false;
        }
        return true;
    }

    private static Path made(String name) {
        Path folder = CacheFolder.get().resolve(name);
        try {
            return Files.createDirectories(folder);
        } catch (IOException e) {
            throw new UncheckedIOException("the folder " + folder + " cannot be made: " + e.getMessage(), e);
        }
    }

    private static String system() {
        String name = System.getProperty("os.name", "").toLowerCase(Locale.ROOT);
        return name.contains("mac") ? "osx" : name.contains("win") ? "win" : "linux";
    }

    private static String processor() {
        String name = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
        return name.equals("amd64") || name.equals("x86_64") ? "x64" : name;
    }
}
