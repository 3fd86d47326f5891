package io.linesight.mmad.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeLibrariesTest {
    private static final String INSIDE = "native/linux-x64/";

    @TempDir
    Path dir;

    private Path jar(String name, Map<String, String> files) throws Exception {
        Path jar = dir.resolve(name);
        try (OutputStream out = Files.newOutputStream(jar);
                JarOutputStream entries = new JarOutputStream(out)) {
            for (Map.Entry<String, String> file : files.entrySet()) {
                entries.putNextEntry(new ZipEntry(file.getKey()));
                entries.write(file.getValue().getBytes());
            }
        }
        return jar;
    }

    private Path unpacked(Path jar) throws Exception {
        try (JarFile file = new JarFile(jar.toFile())) {
            return NativeLibraries.unpacked(file, INSIDE, Files.createDirectories(dir.resolve("cache")), "made-up");
        }
    }

    private final Map<String, String> files =
            Map.of(INSIDE, "", INSIDE + "liba.so", "a", INSIDE + "sub/libb.so", "bb", "native/osx/libc.dylib", "c");

    @Test
    void shouldUnpackOnceWhatIsForThisMachine() throws Exception {
        Path folder = unpacked(jar("one.jar", files));
        assertThat(folder.resolve("liba.so")).hasContent("a");
        assertThat(folder.resolve("sub/libb.so")).hasContent("bb");
        assertThat(folder.resolve("libc.dylib")).doesNotExist();
        Object before = Files.getAttribute(folder.resolve("liba.so"), "unix:ino");
        assertThat(unpacked(jar("one.jar", files))).isEqualTo(folder);
        assertThat(Files.getAttribute(folder.resolve("liba.so"), "unix:ino")).isEqualTo(before);
        try (Stream<Path> left = Files.list(dir.resolve("cache"))) {
            assertThat(left).containsExactly(folder);
        }
    }

    @Test
    void shouldKeepVersionsApart() throws Exception {
        Path one = unpacked(jar("one.jar", files));
        Path two = unpacked(jar("two.jar", Map.of(INSIDE + "liba.so", "z")));
        assertThat(two).isNotEqualTo(one);
        assertThat(one.resolve("liba.so")).hasContent("a");
        assertThat(two.resolve("liba.so")).hasContent("z");
    }

    @Test
    void shouldUnpackAgainWhatIsIncomplete() throws Exception {
        Path jar = jar("one.jar", files);
        Path folder = unpacked(jar);
        Files.write(folder.resolve("sub/libb.so"), new byte[0]);
        assertThat(unpacked(jar).resolve("sub/libb.so")).hasContent("bb");
        Files.delete(folder.resolve("liba.so"));
        assertThat(unpacked(jar).resolve("liba.so")).hasContent("a");
    }

    @Test
    void shouldUnpackForProcessesThatStartTogether() throws Exception {
        Path jar = jar("one.jar", files);
        ExecutorService starts = Executors.newFixedThreadPool(8);
        try {
            List<Callable<Path>> all = IntStream.range(0, 8)
                    .mapToObj(i -> (Callable<Path>) () -> unpacked(jar))
                    .toList();
            for (Future<Path> folder : starts.invokeAll(all)) {
                assertThat(folder.get().resolve("sub/libb.so")).hasContent("bb");
            }
        } finally {
            starts.shutdownNow();
        }
        try (Stream<Path> left = Files.list(dir.resolve("cache"))) {
            assertThat(left).hasSize(1);
        }
    }
}
