package io.linesight.mmad.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CacheFolderTest {
    private static final Mounts ANYWHERE = new Mounts(List.of());

    @TempDir
    Path dir;

    private static List<Path> candidates(Map<String, String> environment, Map<String, String> properties) {
        return CacheFolder.candidates(environment, key -> properties.getOrDefault(key, ""));
    }

    private final Map<String, String> usual =
            Map.of("user.home", "/users/ann", "user.name", "ann", "java.io.tmpdir", "/tmp");

    @Test
    void shouldLookInTheCacheOfTheUserFirst() {
        assertThat(candidates(Map.of(), usual))
                .containsExactly(Path.of("/users/ann/.cache/linesight"), Path.of("/tmp/linesight-cache-ann"));
        assertThat(candidates(Map.of("XDG_CACHE_HOME", "/cache"), usual))
                .startsWith(Path.of("/cache/linesight"))
                .hasSize(3);
        assertThat(candidates(Map.of("XDG_CACHE_HOME", "not/absolute"), usual)).hasSize(2);
    }

    @Test
    void shouldTakeAFolderThatSomebodyNamedOrNone() {
        assertThat(candidates(Map.of(CacheFolder.VARIABLE, "/var/natives"), usual))
                .containsExactly(Path.of("/var/natives"));
        assertThat(candidates(
                        Map.of(CacheFolder.VARIABLE, "/var/natives"),
                        Map.of(CacheFolder.PROPERTY, "/opt/natives", "java.io.tmpdir", "/tmp")))
                .containsExactly(Path.of("/opt/natives"));
    }

    @Test
    void shouldDoWithoutAHome() {
        Map<String, String> nobody = Map.of("user.home", "?", "user.name", "?", "java.io.tmpdir", "/tmp");
        assertThat(candidates(Map.of(), nobody)).containsExactly(Path.of("/tmp/linesight-cache-_"));
        Map<String, String> empty = Map.of("user.name", "../../etc", "java.io.tmpdir", "/tmp");
        assertThat(candidates(Map.of(), empty)).containsExactly(Path.of("/tmp/linesight-cache-.._.._etc"));
    }

    @Test
    void shouldTakeTheFirstThatWillDo() throws Exception {
        Path file = Files.createFile(dir.resolve("file"));
        Path shared = Files.createDirectory(dir.resolve("shared"));
        Files.setPosixFilePermissions(shared, PosixFilePermissions.fromString("rwxrwxrwx"));
        Path noexec = Files.createDirectory(dir.resolve("noexec"));
        Mounts mounts = new Mounts(List.of("24 23 0:22 / " + noexec.toRealPath() + " rw,noexec - tmpfs tmpfs rw"));
        Path good = dir.resolve("a/b/good");
        assertThat(new CacheFolder(List.of(file, file.resolve("below"), shared, noexec, good), mounts).require())
                .isEqualTo(good)
                .isDirectory();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(good)))
                .as("libraries that others could change would run as this user")
                .isEqualTo("rwx------");
        assertThat(good).isEmptyDirectory();
    }

    @Test
    void shouldSayWhyNoneWillDo() throws Exception {
        Path file = Files.createFile(dir.resolve("file"));
        Path noexec = Files.createDirectory(dir.resolve("noexec"));
        Mounts mounts = new Mounts(List.of("24 23 0:22 / " + noexec.toRealPath() + " rw,noexec - tmpfs tmpfs rw"));
        CacheFolder none = new CacheFolder(List.of(file, noexec), mounts);
        assertThatThrownBy(none::require)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll(
                        file + " is not a folder",
                        noexec + " is on a file system mounted noexec",
                        "set LINESIGHT_CACHE_DIR");
    }

    @Test
    void shouldNotTakeAFolderThatCannotBeWritten() throws Exception {
        Path locked = Files.createDirectory(dir.resolve("locked"));
        Files.setPosixFilePermissions(locked, PosixFilePermissions.fromString("r-x------"));
        assumeThat(Files.isWritable(locked)).as("root writes anywhere").isFalse();
        assertThatThrownBy(() -> new CacheFolder(List.of(locked), ANYWHERE).require())
                .hasMessageContaining("cannot be written");
    }
}
