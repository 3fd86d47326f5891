package io.linesight.models.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.linesight.models.Manifests;
import io.linesight.models.storage.CheckpointStoreException.Reason;
import io.linesight.schemas.ModelVersion;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** File and http stores; Kafka's needs a broker and is tested where that is. */
class StoresTest {
    @TempDir
    Path dir;

    private Path checkpoint;
    private Path target;
    private HttpServer server;
    private final Map<String, byte[]> files = new ConcurrentHashMap<>();
    private final Map<String, Function<HttpExchange, Boolean>> special = new ConcurrentHashMap<>();
    private final List<String> authorizations = new CopyOnWriteArrayList<>();
    private final java.util.concurrent.ExecutorService threads = Executors.newCachedThreadPool();

    @BeforeEach
    void start() throws IOException {
        byte[] content = new byte[3_000_001];
        new Random(7).nextBytes(content);
        checkpoint = Files.write(dir.resolve("m.onnx"), content);
        target = dir.resolve("fetched");
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
        threads.shutdownNow();
    }

    private void handle(HttpExchange x) throws IOException {
        try (x) {
            String path = x.getRequestURI().getPath();
            authorizations.add(String.valueOf(x.getRequestHeaders().getFirst("Authorization")));
            if (special.containsKey(path) && special.get(path).apply(x)) return;
            switch (x.getRequestMethod()) {
                case "PUT" -> {
                    files.put(path, x.getRequestBody().readAllBytes());
                    x.sendResponseHeaders(201, -1);
                }
                case "DELETE" -> x.sendResponseHeaders(files.remove(path) == null ? 404 : 204, -1);
                default -> {
                    byte[] body = files.get(path);
                    if (body == null) {
                        x.sendResponseHeaders(404, -1);
                    } else {
                        x.sendResponseHeaders(200, body.length);
                        x.getResponseBody().write(body);
                    }
                }
            }
        }
    }

    private static ModelsConfig config(String... more) {
        Map<String, String> settings = new java.util.HashMap<>(Map.of(ModelsConfig.TIMEOUT_MS, "1500"));
        for (int i = 0; i < more.length; i += 2) settings.put(more[i], more[i + 1]);
        return ModelsConfig.of(settings);
    }

    private String url() {
        return "http://localhost:" + server.getAddress().getPort() + "/models/";
    }

    private String store(String kind) {
        return kind.equals("file") ? "file:" + dir.resolve("store") : url();
    }

    private CheckpointStores open(String kind, String... settings) throws CheckpointStoreException {
        return CheckpointStores.open(config(settings), store(kind));
    }

    private static ModelVersion manifest(StoredCheckpoint stored) {
        return stored.into(Manifests.manifest("v1")).build();
    }

    private Reason reason(CheckpointStore store, ModelVersion m) throws IOException {
        CheckpointStoreException e = catchThrowableOfType(CheckpointStoreException.class, () -> store.fetch(m, target));
        assertThat(e).hasMessageContaining("v1");
        if (Files.exists(target)) {
            try (Stream<Path> left = Files.list(target)) {
                assertThat(left).as("nothing is left behind").isEmpty();
            }
        }
        return e.reason();
    }

    private void damage(String kind, StoredCheckpoint stored, Function<byte[], byte[]> how) throws IOException {
        if (kind.equals("file")) {
            Path p = dir.resolve("store").resolve(stored.sha256() + ".onnx");
            Files.write(p, how.apply(Files.readAllBytes(p)));
        } else {
            files.replaceAll((k, v) -> how.apply(v));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"file", "http"})
    void shouldGiveBackWhatWasPut(String kind) throws Exception {
        try (CheckpointStores s = open(kind)) {
            StoredCheckpoint stored = s.put(checkpoint);
            assertThat(stored).isEqualTo(s.put(checkpoint));
            assertThat(stored.chunks()).isZero();
            assertThat(stored.bytes()).isEqualTo(3_000_001);
            Path got = s.fetch(manifest(stored), target);
            assertThat(got).hasSameBinaryContentAs(checkpoint).hasFileName(stored.sha256() + ".onnx");
            s.delete(manifest(stored));
            s.delete(manifest(stored));
            assertThat(s.fetch(manifest(stored), target))
                    .as("it is there already")
                    .isEqualTo(got);
            Files.delete(got);
            assertThat(reason(s, manifest(stored))).isEqualTo(Reason.MISSING);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"file", "http"})
    void shouldRejectTruncatedLengthenedAndTamperedFiles(String kind) throws Exception {
        try (CheckpointStores s = open(kind)) {
            StoredCheckpoint stored = s.put(checkpoint);
            ModelVersion m = manifest(stored);
            damage(kind, stored, b -> {
                b[1_000_000] ^= 1;
                return b;
            });
            assertThat(reason(s, m)).isEqualTo(Reason.TAMPERED);
            damage(kind, stored, b -> java.util.Arrays.copyOf(b, 2_999_999));
            assertThat(reason(s, m)).isEqualTo(Reason.WRONG_SIZE);
            damage(kind, stored, b -> java.util.Arrays.copyOf(b, 3_500_000));
            assertThat(reason(s, m)).isEqualTo(Reason.WRONG_SIZE);
            damage(kind, stored, b -> new byte[0]);
            assertThat(reason(s, m)).isEqualTo(Reason.WRONG_SIZE);
        }
    }

    @Test
    void shouldReplaceADamagedCopyOfAnEarlierFetch() throws Exception {
        try (CheckpointStores s = open("file")) {
            ModelVersion m = manifest(s.put(checkpoint));
            Path got = s.fetch(m, target);
            byte[] bytes = Files.readAllBytes(got);
            bytes[17] ^= 1;
            Files.write(got, bytes);
            assertThat(s.fetch(m, target)).hasSameBinaryContentAs(checkpoint);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"file", "http"})
    void shouldLeaveNothingBehindWhenTheDiskIsFull(String kind) throws Exception {
        try (CheckpointStores s = open(kind);
                CheckpointStores full =
                        CheckpointStores.open(config(), store(kind), path -> new FullDisk(path, 1_000_000))) {
            ModelVersion m = manifest(s.put(checkpoint));
            CheckpointStoreException e =
                    catchThrowableOfType(CheckpointStoreException.class, () -> full.fetch(m, target));
            assertThat(e).hasMessageContaining("no room").hasMessageContaining("make room");
            assertThat(e.worthRetrying()).isTrue();
            assertThat(reason(full, m)).isEqualTo(Reason.NO_SPACE);
            assertThat(s.fetch(m, target)).hasSameBinaryContentAs(checkpoint);
        }
    }

    @Test
    void shouldNotBeginWhatCannotFit() throws Exception {
        try (CheckpointStores s = open("file", ModelsConfig.MAX_BYTES, "" + Long.MAX_VALUE)) {
            assertThat(reason(
                            s,
                            ModelVersion.newBuilder(manifest(s.put(checkpoint)))
                                    .setBytes(1L << 60)
                                    .build()))
                    .isEqualTo(Reason.NO_SPACE);
        }
    }

    @Test
    void shouldRejectInvalidManifests() throws Exception {
        try (CheckpointStores s = open("file")) {
            ModelVersion m = manifest(s.put(checkpoint));
            assertThat(reason(
                            s,
                            ModelVersion.newBuilder(m)
                                    .setSha256("../../etc/passwd")
                                    .build()))
                    .isEqualTo(Reason.REJECTED);
            assertThat(reason(s, ModelVersion.newBuilder(m).setBytes(0).build()))
                    .isEqualTo(Reason.REJECTED);
            assertThat(reason(s, ModelVersion.newBuilder(m).setBytes(1L << 40).build()))
                    .isEqualTo(Reason.REJECTED);
            assertThat(reason(
                            s,
                            ModelVersion.newBuilder(m).setLocation("ftp://x/y").build()))
                    .isEqualTo(Reason.REJECTED);
            assertThat(reason(
                            s,
                            ModelVersion.newBuilder(m)
                                    .setLocation("file://elsewhere/x")
                                    .build()))
                    .isEqualTo(Reason.REJECTED);
            assertThat(reason(
                            s,
                            ModelVersion.newBuilder(m).setLocation("http:///x").build()))
                    .isEqualTo(Reason.REJECTED);
            assertThat(reason(
                            s,
                            ModelVersion.newBuilder(m)
                                    .setLocation("http://a b/x")
                                    .build()))
                    .isEqualTo(Reason.REJECTED);
            assertThat(reason(
                            s,
                            ModelVersion.newBuilder(m)
                                    .setLocation("kafka:")
                                    .setChunks(2)
                                    .setChunkBytes(921_600)
                                    .build()))
                    .isEqualTo(Reason.REJECTED);
            assertThat(reason(
                            s,
                            ModelVersion.newBuilder(m)
                                    .setLocation("kafka:")
                                    .setChunks(1)
                                    .setChunkBytes(1 << 30)
                                    .build()))
                    .isEqualTo(Reason.REJECTED);
        }
    }

    @Test
    void shouldNeverRemoveAFileThatIsNotItsOwn() throws Exception {
        try (CheckpointStores s = open("file")) {
            StoredCheckpoint stored = s.put(checkpoint);
            ModelVersion evil = ModelVersion.newBuilder(manifest(stored))
                    .setLocation(checkpoint.toUri().toString())
                    .build();
            assertThatThrownBy(() -> s.delete(evil)).hasMessageContaining("not removed");
            Path elsewhere = Files.copy(checkpoint, dir.resolve(stored.sha256() + ".onnx"));
            assertThatThrownBy(() -> s.delete(ModelVersion.newBuilder(evil)
                            .setLocation(elsewhere.toUri().toString())
                            .build()))
                    .hasMessageContaining("not removed");
            assertThat(checkpoint).exists();
            assertThat(elsewhere).exists();
        }
    }

    @Test
    void shouldSayWhatIsWrongWithTheFileToPublish() throws Exception {
        Path empty = Files.createFile(dir.resolve("empty"));
        try (CheckpointStores s = open("file", ModelsConfig.MAX_BYTES, "1000000")) {
            assertThatThrownBy(() -> s.put(dir.resolve("none")))
                    .hasMessageContaining("no file")
                    .hasMessageContaining("nothing was published");
            assertThatThrownBy(() -> s.put(dir)).hasMessageContaining("folder");
            assertThatThrownBy(() -> s.put(empty)).hasMessageContaining("empty");
            assertThatThrownBy(() -> s.put(checkpoint)).hasMessageContaining(ModelsConfig.MAX_BYTES);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "nowhere", "s3://bucket", "file:", "kafka:topic", "http:x", "http://h/x?y=1"})
    void shouldSayWhatAStoreIs(String target) {
        assertThatThrownBy(() -> CheckpointStores.open(config(), target))
                .isInstanceOf(CheckpointStoreException.class)
                .hasMessageContaining("kafka:, file:FOLDER or http(s)");
    }

    @Test
    void shouldFollowRedirectsOnTheSameServerOnly() throws Exception {
        try (CheckpointStores s = open("http")) {
            ModelVersion m = manifest(s.put(checkpoint));
            String path = "/models/" + m.getSha256() + ".onnx";
            redirect("/here", path);
            redirect("/there", "http://127.0.0.1:" + server.getAddress().getPort() + path);
            redirect("/round", "/round");
            redirect("/nowhere", null);
            assertThat(s.fetch(at(m, "/here"), target)).hasSameBinaryContentAs(checkpoint);
            Files.delete(target.resolve(m.getSha256() + ".onnx"));
            assertThat(reason(s, at(m, "/there"))).isEqualTo(Reason.REJECTED);
            assertThat(reason(s, at(m, "/round"))).isEqualTo(Reason.REJECTED);
            assertThat(reason(s, at(m, "/nowhere"))).isEqualTo(Reason.REJECTED);
        }
    }

    private ModelVersion at(ModelVersion m, String path) {
        return ModelVersion.newBuilder(m)
                .setLocation("http://localhost:" + server.getAddress().getPort() + path)
                .build();
    }

    private void redirect(String from, String toOrNull) {
        special.put(from, x -> answer(x, 302, toOrNull));
    }

    private static boolean answer(HttpExchange x, int status, String locationOrNull) {
        try {
            // Whoever hangs up on the rest of a request resets the connection, and the answer may be lost with it.
            x.getRequestBody().readAllBytes();
            if (locationOrNull != null) x.getResponseHeaders().set("Location", locationOrNull);
            x.sendResponseHeaders(status, -1);
            return true;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void shouldGiveUpOnAServerThatStallsOrIsAway() throws Exception {
        CountDownLatch givenUp = new CountDownLatch(1);
        try (CheckpointStores s = open("http")) {
            ModelVersion m = manifest(s.put(checkpoint));
            special.put("/stall", x -> {
                try {
                    x.sendResponseHeaders(200, m.getBytes());
                    x.getResponseBody().write(new byte[100_000]);
                    x.getResponseBody().flush();
                    givenUp.await();
                } catch (IOException | InterruptedException e) {
                    return true;
                }
                return true;
            });
            special.put("/silent", x -> {
                try {
                    givenUp.await();
                } catch (InterruptedException e) {
                    return true;
                }
                return true;
            });
            special.put("/cut", x -> {
                try {
                    x.sendResponseHeaders(200, m.getBytes());
                    x.getResponseBody().write(new byte[100_000]);
                    x.getResponseBody().flush();
                } catch (IOException e) {
                    return true;
                }
                return true;
            });
            special.put("/broken", x -> answer(x, 503, null));
            special.put("/closed", x -> answer(x, 403, null));
            assertThat(reason(s, at(m, "/stall"))).isEqualTo(Reason.UNREACHABLE);
            assertThat(reason(s, at(m, "/silent"))).isEqualTo(Reason.UNREACHABLE);
            assertThat(reason(s, at(m, "/cut"))).isEqualTo(Reason.WRONG_SIZE);
            assertThat(reason(s, at(m, "/broken"))).isEqualTo(Reason.UNREACHABLE);
            assertThat(reason(s, at(m, "/closed"))).isEqualTo(Reason.REJECTED);
            server.stop(0);
            assertThat(reason(s, m)).isEqualTo(Reason.UNREACHABLE);
        } finally {
            givenUp.countDown();
        }
    }

    @Test
    void shouldGiveItsCredentialsToItsOwnServerOnly() throws Exception {
        try (CheckpointStores s = open("http", ModelsConfig.HTTP_AUTHORIZATION, "Bearer secret");
                CheckpointStores reader = open("file", ModelsConfig.HTTP_AUTHORIZATION, "Bearer secret")) {
            ModelVersion m = manifest(s.put(checkpoint));
            s.fetch(m, target);
            assertThat(authorizations).containsExactly("Bearer secret", "Bearer secret");
            Files.delete(target.resolve(m.getSha256() + ".onnx"));
            authorizations.clear();
            reader.fetch(m, target);
            assertThat(authorizations).containsExactly("null");
        }
        assertThatThrownBy(() -> CheckpointStores.open(config(), "http://user:pw@localhost/x"))
                .hasMessageContaining(ModelsConfig.HTTP_AUTHORIZATION)
                .hasMessageNotContaining("pw");
    }

    @Test
    void shouldSayThatServerAcceptsNoUploads() throws Exception {
        try (CheckpointStores s = open("http")) {
            special.put("/models/" + Hashing.of(checkpoint).sha256() + ".onnx", x -> answer(x, 405, null));
            assertThatThrownBy(() -> s.put(checkpoint))
                    .hasMessageContaining("405")
                    .hasMessageContaining("nothing was published");
        }
    }

    /**
     * As servers do that hang up on what they will not read: the client finds the connection reset before it has read
     * the answer.
     */
    @ParameterizedTest
    @CsvSource({"405, REJECTED", "507, UNREACHABLE", "100, UNREACHABLE", "417, UNREACHABLE", "0, UNREACHABLE"})
    @Timeout(300)
    void shouldAskForTheAnswerThatWasLostWithTheConnection(int status, Reason reason) throws Exception {
        List<String> heads = new CopyOnWriteArrayList<>();
        try (HangingUp refusing = new HangingUp(head -> {
                    heads.add(head);
                    if (status == 0 || !head.toLowerCase(Locale.ROOT).contains("\r\nexpect: 100-continue\r\n"))
                        return "";
                    return "HTTP/1.1 " + status + " so it is\r\n"
                            + (status == 100 ? "\r\n" : "Content-Length: 3\r\n\r\nno\n");
                });
                CheckpointStores s = CheckpointStores.open(config(), refusing.url())) {
            CheckpointStoreException e = catchThrowableOfType(CheckpointStoreException.class, () -> s.put(checkpoint));
            assertThat(e).hasMessageContaining("nothing was published");
            assertThat(e.reason()).isEqualTo(reason);
            if (status == 405 || status == 507) assertThat(e).hasMessageContaining("with status " + status);
            else assertThat(e).hasMessageContaining("the upload to").hasMessageContaining("can be repeated");
            assertThat(heads).hasSize(2).allMatch(h -> h.startsWith("PUT /") && h.contains("ontent-Length: 3000001"));
        }
    }

    /** Reads the head of a request, answers it or does not, and resets the connection without reading on. */
    private static final class HangingUp implements AutoCloseable {
        private final ServerSocket socket = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
        private final Thread thread = new Thread(this::serve);
        private final Function<String, String> answers;

        HangingUp(Function<String, String> answers) throws IOException {
            this.answers = answers;
            thread.start();
        }

        String url() {
            return "http://localhost:" + socket.getLocalPort();
        }

        private void serve() {
            while (!socket.isClosed()) {
                try (Socket s = socket.accept()) {
                    StringBuilder head = new StringBuilder();
                    while (head.indexOf("\r\n\r\n") < 0) {
                        int b = s.getInputStream().read();
                        if (b < 0) break;
                        head.append((char) b);
                    }
                    String answer = answers.apply(head.toString());
                    s.getOutputStream().write(answer.getBytes(StandardCharsets.ISO_8859_1));
                    if (answer.isEmpty()) s.setSoLinger(true, 0);
                } catch (IOException e) {
                    // closed, here or there
                }
            }
        }

        @Override
        public void close() throws Exception {
            socket.close();
            thread.join();
        }
    }

    /** A file on a disk with so much room. */
    private static final class FullDisk implements SeekableByteChannel {
        private final FileChannel channel;
        private final long room;

        FullDisk(Path path, long room) throws IOException {
            channel = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            this.room = room;
        }

        @Override
        public int write(ByteBuffer src) throws IOException {
            if (channel.position() + src.remaining() > room) throw new IOException("No space left on device");
            return channel.write(src);
        }

        @Override
        public int read(ByteBuffer dst) throws IOException {
            return channel.read(dst);
        }

        @Override
        public long position() throws IOException {
            return channel.position();
        }

        @Override
        public SeekableByteChannel position(long newPosition) throws IOException {
            channel.position(newPosition);
            return this;
        }

        @Override
        public long size() throws IOException {
            return channel.size();
        }

        @Override
        public SeekableByteChannel truncate(long size) throws IOException {
            channel.truncate(size);
            return this;
        }

        @Override
        public boolean isOpen() {
            return channel.isOpen();
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }
}
