package io.linesight.mmad.io;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The folder where native libraries lie once they are unpacked: written and executed from, kept from one start to the
 * next, so that a process that is killed leaves nothing behind and the next one unpacks nothing.
 *
 * <p>The first of these that will do: the system property {@value #PROPERTY}, the environment variable
 * {@value #VARIABLE}, {@code $XDG_CACHE_HOME/linesight}, {@code ~/.cache/linesight}, and a folder of this user in the
 * one for temporary files. Thread-safe.
 */
public final class CacheFolder {
    public static final String PROPERTY = "linesight.cache.dir";
    public static final String VARIABLE = "LINESIGHT_CACHE_DIR";

    private static final class Holder {
        static final CacheFolder INSTANCE = new CacheFolder(
                candidates(System.getenv(), key -> System.getProperty(key, "")), Mounts.ofThisMachine());
    }

    private final @Nullable Path folder;
    /** Why each of the others will not do. */
    private final Map<Path, String> unfit = new LinkedHashMap<>();

    /** Of a property; empty where it is not set. */
    interface Properties {
        String get(String key);
    }

    CacheFolder(List<Path> candidates, Mounts mounts) {
        Path found = null;
        for (Path candidate : candidates) {
            String why = whyUnfit(candidate, mounts);
            if (why == null) {
                found = candidate;
                break;
            }
            unfit.put(candidate, why);
        }
        folder = found;
    }

    /**
     * The folder of this process.
     *
     * @throws IllegalStateException with a message for people when there is none
     */
    public static Path get() {
        return Holder.INSTANCE.require();
    }

    Path require() {
        if (folder != null) return folder;
        StringBuilder text = new StringBuilder("no folder for native libraries: ");
        unfit.forEach((path, why) -> text.append(path).append(" ").append(why).append("; "));
        throw new IllegalStateException(text.append("set ")
                .append(VARIABLE)
                .append(" to a folder that may be written and executed from, with 500 MB free")
                .toString());
    }

    /** Whether that folder could take over for one that libraries choose by themselves. */
    static boolean isFit(Path folder) {
        return whyUnfit(folder, Mounts.ofThisMachine()) == null;
    }

    static List<Path> candidates(Map<String, String> environment, Properties properties) {
        String explicit = properties.get(PROPERTY);
        if (explicit.isEmpty()) explicit = environment.getOrDefault(VARIABLE, "");
        // Whoever names a folder wants that one or an error.
        if (!explicit.isEmpty()) return List.of(Path.of(explicit).toAbsolutePath());
        List<Path> folders = new ArrayList<>();
        String xdg = environment.getOrDefault("XDG_CACHE_HOME", "");
        if (xdg.startsWith("/")) folders.add(Path.of(xdg, "linesight"));
        String home = properties.get("user.home");
        // The JVM says '?' for a user without an entry in the password file.
        if (home.length() > 1 && Path.of(home).isAbsolute()) folders.add(Path.of(home, ".cache", "linesight"));
        String user = properties.get("user.name").replaceAll("[^A-Za-z0-9._-]", "_");
        folders.add(Path.of(properties.get("java.io.tmpdir"), "linesight-cache-" + user)
                .toAbsolutePath());
        return folders;
    }

    private static @Nullable String whyUnfit(Path folder, Mounts mounts) {
        try {
            boolean made = !Files.exists(folder);
            if (made) createPrivate(folder);
            if (!Files.isDirectory(folder)) return "is not a folder";
            Path probe = Files.createTempFile(folder, ".probe", "");
            try {
                if (isOpenToOthers(folder, probe)) return "may be written by others";
            } finally {
                Files.delete(probe);
            }
        } catch (IOException e) {
            return "cannot be written (" + e.getClass().getSimpleName() + ")";
        }
        return mounts.forbidExecution(folder) ? "is on a file system mounted noexec" : null;
    }

    private static void createPrivate(Path folder) throws IOException {
        Files.createDirectories(Objects.requireNonNull(folder.getParent(), "parent"));
        if (isPosix())
            Files.createDirectory(
                    folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        else Files.createDirectory(folder);
    }

    /** Another user could put a library there that this one would then run. */
    private static boolean isOpenToOthers(Path folder, Path own) throws IOException {
        if (!isPosix()) return false;
        Set<PosixFilePermission> rights = Files.getPosixFilePermissions(folder, LinkOption.NOFOLLOW_LINKS);
        boolean foreign = !Files.getOwner(folder, LinkOption.NOFOLLOW_LINKS)
                .equals(Files.getOwner(own, LinkOption.NOFOLLOW_LINKS));
        return foreign
                || rights.contains(PosixFilePermission.OTHERS_WRITE)
                || rights.contains(PosixFilePermission.GROUP_WRITE);
    }

    private static boolean isPosix() {
        return FileSystems.getDefault().supportedFileAttributeViews().contains("posix");
    }
}
