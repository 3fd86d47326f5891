package io.linesight.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.encoder.FilterBankEncoder;
import io.linesight.mmad.statedict.RandomResNet;
import io.linesight.mmad.statedict.StateDictFiles;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class EncoderCommandTest {
    @TempDir
    static Path shared;

    private static Path weights;
    private static byte[] file;
    private static String sha256;

    @TempDir
    Path dir;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final CountDownLatch released = new CountDownLatch(1);
    private HttpServer server;
    private String url;
    private Path encoder;

    @BeforeAll
    static void weights() throws Exception {
        weights = StateDictFiles.zip(shared.resolve("resnet18.pth"), RandomResNet.tensors("resnet18", 3));
        file = Files.readAllBytes(weights);
        sha256 = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(file));
    }

    @BeforeEach
    void serve() throws IOException {
        encoder = dir.resolve("enc.onnx");
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        url = "http://127.0.0.1:" + server.getAddress().getPort();
        server.createContext("/whole", e -> answer(e, 200, file, file.length));
        server.createContext("/truncated", e -> answer(e, 200, file, file.length / 2));
        server.createContext("/stuck", this::stuck);
        server.createContext(
                "/page", e -> answer(e, 200, "<html>log in first</html>".getBytes(StandardCharsets.UTF_8), 25));
        server.createContext("/moved", e -> {
            e.getResponseHeaders().add("Location", "/whole");
            e.sendResponseHeaders(302, -1);
            e.close();
        });
        server.createContext("/circle", e -> {
            e.getResponseHeaders().add("Location", "/circle");
            e.sendResponseHeaders(302, -1);
            e.close();
        });
        server.setExecutor(java.util.concurrent.Executors.newCachedThreadPool());
        server.start();
    }

    @AfterEach
    void stop() {
        released.countDown();
        server.stop(0);
        ((java.util.concurrent.ExecutorService) server.getExecutor()).shutdownNow();
    }

    private static void answer(HttpExchange e, int status, byte[] body, int send) throws IOException {
        e.sendResponseHeaders(status, body.length);
        e.getResponseBody().write(body, 0, send);
        // Closing an answer that is too short ends the connection, as a crash of the server does.
        e.close();
    }

    private void stuck(HttpExchange e) throws IOException {
        e.sendResponseHeaders(200, file.length);
        e.getResponseBody().write(file, 0, 100_000);
        e.getResponseBody().flush();
        try {
            released.await();
        } catch (InterruptedException ex) {
            Thread.currentThread().interrupt();
        }
        e.close();
    }

    private int run(String... args) {
        CommandLine line = Linesight.commandLine();
        line.setOut(new PrintWriter(out, true));
        line.setErr(new PrintWriter(err, true));
        return line.execute(Stream.concat(Stream.of("encoder"), Stream.of(args)).toArray(String[]::new));
    }

    private int pull(String from, String... more) {
        return run(Stream.concat(
                        Stream.of("pull", "resnet18", "--from", from, "--out", encoder.toString(), "--timeout", "2s"),
                        Stream.of(more))
                .toArray(String[]::new));
    }

    private List<String> files() throws IOException {
        try (Stream<Path> s = Files.list(dir)) {
            return s.map(p -> p.getFileName().toString()).sorted().toList();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"import", "pull", "show"})
    void shouldExplainEveryCommand(String command) {
        assertThat(run(command, "--help")).isZero();
        assertThat(out.toString()).contains("Usage: linesight encoder " + command, "Examples", "--verbose");
    }

    @Test
    void shouldImportWeightsAndShowWhatCameOut() throws IOException {
        assertThat(run("import", weights.toString(), "--out", encoder.toString()))
                .as(err.toString())
                .isZero();
        assertThat(out.toString())
                .contains(
                        "resnet18, from resnet18.pth",
                        "64 at stride 4, 128 at stride 8, 256 at stride 16",
                        "1.83 GMAC",
                        "against libtorch",
                        "fit --encoder");
        Encoder e = Encoder.load(encoder);
        assertThat(out.toString()).contains(e.sha256());
        assertThat(run("show", encoder.toString())).isZero();
        assertThat(out.toString())
                .contains("enc", Files.size(encoder) + " bytes")
                .doesNotContain("file:");
        assertThat(files()).containsExactly("enc.onnx");
    }

    @Test
    void shouldImportOtherNetworks() throws IOException {
        Path net =
                Files.write(dir.resolve("net.onnx"), FilterBankEncoder.create().onnx());
        assertThat(run(
                        "import",
                        net.toString(),
                        "--out",
                        encoder.toString(),
                        "--outputs",
                        "f4,f8,f16",
                        "--mean",
                        "0.5,0.5,0.5",
                        "--std",
                        "0.5,0.5,0.5"))
                .as(err.toString())
                .isZero();
        assertThat(out.toString())
                .contains("ONNX network, values f4, f8, f16", "36 at stride 4", "the network as it came");
        assertThat(run("import", net.toString(), "--out", encoder.toString(), "--outputs", "f8,f4,f16"))
                .isEqualTo(1);
        assertThat(err.toString()).contains("stride 4", "f8 (Concat, 72 channels)");
        assertThat(Encoder.load(encoder).channels()).containsExactly(36, 72, 144);
    }

    @Test
    void shouldKnowTheTimeoutByItsOldNameToo() {
        run("pull", "--help");
        assertThat(out.toString()).contains("--timeout").doesNotContain("--patience");
        assertThat(run("pull", "resnet19", "--patience", "2s")).isEqualTo(2);
        assertThat(err.toString()).contains("there is no network 'resnet19'");
        assertThat(run("pull", "resnet18", "--patience", "soon")).isEqualTo(2);
        assertThat(err.toString()).contains("write 90s, 2m or 1h30m");
    }

    @Test
    void shouldRejectWrongCommandLines() {
        String w = weights.toString();
        String o = encoder.toString();
        assertThat(run()).isEqualTo(2);
        assertThat(run("import", w)).isEqualTo(2);
        assertThat(run("import", w, "--out", o, "--arch", "resnet99")).isEqualTo(2);
        assertThat(run("import", w, "--out", o, "--outputs", "a,b,c")).isEqualTo(2);
        assertThat(run("import", "n.onnx", "--out", o, "--outputs", "a,b")).isEqualTo(2);
        assertThat(run("import", "n.onnx", "--out", o, "--mean", "1,2,3")).isEqualTo(2);
        assertThat(run("import", "n.onnx", "--out", o, "--mean", "1,2,3", "--std", "1,0,1"))
                .isEqualTo(2);
        assertThat(run("pull", "vgg16")).isEqualTo(2);
        assertThat(run("pull", "resnet18", "--sha256", "abc", "--out", o)).isEqualTo(2);
        assertThat(err.toString())
                .contains(
                        "wide_resnet50_2",
                        "three names",
                        "belong together",
                        "64 hex digits",
                        "say what to do with encoders: import, pull, distill, show")
                .doesNotContain("Exception", "\tat ");
    }

    @Test
    void shouldLeaveAnEncoderWholeWhenAnImportFails() throws IOException {
        byte[] before = FilterBankEncoder.create().onnx();
        Files.write(encoder, before);
        Path evil = Files.writeString(dir.resolve("evil.pth"), "cposix\nsystem\n(S'touch owned'\ntR.");
        assertThat(run("import", evil.toString(), "--out", encoder.toString())).isEqualTo(1);
        assertThat(err.toString()).contains("'posix.system'", "not executed", ".safetensors");
        Path cut = Files.write(dir.resolve("cut.pth"), java.util.Arrays.copyOf(file, file.length - 1000));
        assertThat(run("import", cut.toString(), "--out", encoder.toString())).isEqualTo(1);
        assertThat(err.toString()).contains("truncated");
        Path other = StateDictFiles.safetensors(
                dir.resolve("vgg.safetensors"), Map.of("features.0.weight", new Tensor(new float[1], 1)));
        assertThat(run("import", other.toString(), "--out", encoder.toString())).isEqualTo(1);
        assertThat(err.toString()).contains("not the weights of a plain ResNet", "features.0.weight");
        assertThat(run("import", weights.toString(), "--out", encoder.toString(), "--arch", "resnet34"))
                .isEqualTo(1);
        assertThat(err.toString()).contains("do not fit resnet34").doesNotContain("Exception", "--verbose");
        assertThat(Files.readAllBytes(encoder)).isEqualTo(before);
        assertThat(files()).containsExactly("cut.pth", "enc.onnx", "evil.pth", "vgg.safetensors");
    }

    @Test
    void shouldPullThroughARedirectAndKeepTheWeightsWhenAsked() throws IOException {
        Path keep = dir.resolve("kept.pth");
        assertThat(pull(url + "/moved", "--sha256", sha256, "--keep-weights", keep.toString()))
                .as(err.toString())
                .isZero();
        assertThat(out.toString()).contains("resnet18, from resnet18-f37072fd.pth", sha256, "as given with --sha256");
        assertThat(Encoder.load(encoder).channels()).containsExactly(64, 128, 256);
        assertThat(keep).hasBinaryContent(file);
        assertThat(files()).containsExactly("enc.onnx", "kept.pth");
    }

    @Test
    void shouldAcceptFileInPlaceOfDownload() throws IOException {
        assertThat(pull(weights.toString(), "--sha256", sha256))
                .as(err.toString())
                .isZero();
        assertThat(files()).containsExactly("enc.onnx");
        assertThat(pull(weights.toString())).isEqualTo(1);
        assertThat(err.toString()).contains("must begin with f37072fd", sha256);
        assertThat(weights).exists();
    }

    @Test
    void shouldKeepWhatWasThereWhenAPullFails() throws IOException {
        byte[] before = FilterBankEncoder.create().onnx();
        Files.write(encoder, before);
        int closed;
        try (ServerSocket s = new ServerSocket(0)) {
            closed = s.getLocalPort();
        }
        Map<String, String> places = Map.of(
                url + "/whole",
                "must begin with f37072fd",
                url + "/page",
                "not resnet18-f37072fd.pth",
                url + "/truncated",
                "ended or stalled after",
                url + "/stuck",
                "ended or stalled after",
                url + "/nowhere",
                "status 404 (it is not there)",
                url + "/circle",
                "redirect",
                "http://127.0.0.1:" + closed + "/x",
                "no connection to 127.0.0.1",
                "http://no-such-host.invalid/x",
                "not known here");
        places.forEach((place, word) -> {
            err.getBuffer().setLength(0);
            assertThat(pull(place)).as(place).isEqualTo(1);
            assertThat(err.toString())
                    .as(place)
                    .contains(word, "Nothing was written")
                    .doesNotContain("Exception", "--verbose");
        });
        assertThat(err.toString()).isNotEmpty();
        assertThat(Files.readAllBytes(encoder)).isEqualTo(before);
        assertThat(files()).containsExactly("enc.onnx");
    }

    @Test
    void shouldSayHowToDoWithoutANetwork() {
        assertThat(pull("http://no-such-host.invalid/resnet18-f37072fd.pth")).isEqualTo(1);
        assertThat(err.toString())
                .contains(
                        "download https://",
                        "resnet18-f37072fd.pth on another machine",
                        "SHA-256 begins with f37072fd",
                        "linesight encoder import resnet18-f37072fd.pth --out " + encoder);
    }
}
