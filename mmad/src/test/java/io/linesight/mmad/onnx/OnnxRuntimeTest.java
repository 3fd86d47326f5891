package io.linesight.mmad.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OrtEnvironment;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OnnxRuntimeTest {
    /** Program of a process whose home is empty. */
    static final class Load {
        public static void main(String[] args) throws Exception {
            boolean quiet = args[0].equals("quiet");
            OrtEnvironment environment = quiet ? OnnxRuntime.environment() : OrtEnvironment.getEnvironment();
            System.out.println("loaded " + environment.getVersion());
            try {
                Awaitility.await()
                        .atMost(quiet ? Duration.ofMillis(500) : Duration.ofSeconds(30))
                        .until(() -> !filesIn(Path.of(System.getenv("HOME"))).isEmpty());
            } catch (ConditionTimeoutException e) {
                System.out.println("left no file");
            }
        }
    }

    private static List<Path> leftBy(String how, Path home) throws Exception {
        Files.createDirectories(home);
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), Load.class.getName(), how);
        // Nothing of ours: ONNX Runtime is silent by itself where CI, GITHUB_ACTIONS and the like are set, and would
        // show nothing.
        builder.environment().clear();
        builder.environment()
                .put(
                        "CLASSPATH",
                        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")));
        builder.environment().put("HOME", home.toString());
        File log = home.resolveSibling(how + ".log").toFile();
        Process process = builder.redirectErrorStream(true).redirectOutput(log).start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(log).content().contains("loaded 1.");
        return filesIn(home);
    }

    private static List<Path> filesIn(Path home) throws IOException {
        try (var files = Files.walk(home)) {
            return files.filter(Files::isRegularFile).toList();
        }
    }

    @Test
    void shouldKeepNoDeviceIdAndNothingToSend(@TempDir Path dir) throws Exception {
        assertThat(leftBy("quiet", dir.resolve("quiet-home"))).isEmpty();
        // Why all this is needed. When a later version leaves nothing here either, OnnxRuntime can be as short as its
        // second half.
        assertThat(leftBy("as it comes", dir.resolve("other-home")))
                .as("what ONNX Runtime leaves by itself")
                .isNotEmpty();
    }
}
