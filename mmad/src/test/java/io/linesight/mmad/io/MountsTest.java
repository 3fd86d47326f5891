package io.linesight.mmad.io;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class MountsTest {
    private static String mount(String point, String options) {
        return "24 23 0:22 / " + point + " " + options + " shared:1 - tmpfs tmpfs rw,size=24683620k";
    }

    private final Mounts mounts = new Mounts(List.of(
            mount("/", "rw,relatime"),
            mount("/nowhere/tmp", "rw,nosuid,noexec,relatime"),
            mount("/nowhere/tmp/inner", "rw,relatime"),
            mount("/nowhere/with\\040blank", "noexec"),
            mount("/nowhere/twice", "rw,noexec"),
            mount("/nowhere/twice", "rw"),
            mount("/nowhere/named", "rw,noexecutive"),
            "a damaged line"));

    private boolean forbid(String folder) {
        return mounts.forbidExecution(Path.of(folder));
    }

    @Test
    void shouldFollowTheInnermostMount() {
        assertThat(forbid("/nowhere/tmp")).isTrue();
        assertThat(forbid("/nowhere/tmp/a/b")).isTrue();
        assertThat(forbid("/nowhere/tmp/inner/a")).isFalse();
        assertThat(forbid("/nowhere/tmpother")).isFalse();
        assertThat(forbid("/elsewhere")).isFalse();
    }

    @Test
    void shouldReadNamesWithBlanksAndMountsThatHideEarlierOnes() {
        assertThat(forbid("/nowhere/with blank/x")).isTrue();
        assertThat(forbid("/nowhere/twice")).isFalse();
        assertThat(forbid("/nowhere/named")).isFalse();
    }

    @Test
    void shouldForbidNothingWhereNothingIsKnown() {
        assertThat(new Mounts(List.of()).forbidExecution(Path.of("/nowhere/tmp")))
                .isFalse();
    }
}
