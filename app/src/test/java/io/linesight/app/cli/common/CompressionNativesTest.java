package io.linesight.app.cli.common;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.luben.zstd.Zstd;
import io.linesight.mmad.io.CacheFolder;
import io.linesight.mmad.io.NativeLibraries;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.xerial.snappy.Snappy;

class CompressionNativesTest {
    private static Set<Path> temporary() throws IOException {
        try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            return files.filter(f -> f.getFileName().toString().matches("(snappy|libzstd).*"))
                    .collect(Collectors.toSet());
        }
    }

    @Test
    void shouldKeepNativesOfCompressedRecordsOutOfTheTemporaryFolder() throws IOException {
        Set<Path> before = temporary();
        NativeLibraries.prepareCompression(Kafka.class.getClassLoader());
        for (String property : new String[] {"org.xerial.snappy.lib.path", "ZstdNativePath"})
            assertThat(Path.of(System.getProperty(property))).exists().startsWith(CacheFolder.get());
        byte[] data = new byte[5000];
        for (int i = 0; i < data.length; i++) data[i] = (byte) (i * i % 91);
        assertThat(Snappy.uncompress(Snappy.compress(data))).isEqualTo(data);
        assertThat(Zstd.decompress(Zstd.compress(data), data.length)).isEqualTo(data);
        assertThat(temporary()).isEqualTo(before);
    }
}
