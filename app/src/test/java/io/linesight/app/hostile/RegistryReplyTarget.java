package io.linesight.app.hostile;

import io.linesight.schemas.registry.SchemaRegistryClient;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** A client of the schema registry, whose server answers with the input. One thread. */
final class RegistryReplyTarget implements Target.Attack, AutoCloseable {
    private final RawServer server = new RawServer();

    RegistryReplyTarget() throws IOException {}

    /** The first byte chooses the status, the second the question, the rest is the body, or the whole reply. */
    @Override
    public String run(byte[] input) throws IOException {
        int[] statuses = {200, 200, 200, 404, 409, 422, 500, 204, 302, 0};
        int status = input.length == 0 ? 200 : statuses[Math.floorMod(input[0], statuses.length)];
        int question = input.length < 2 ? 0 : Math.floorMod(input[1], 6);
        byte[] body = input.length < 2 ? new byte[0] : java.util.Arrays.copyOfRange(input, 2, input.length);
        server.reply(status, body);
        SchemaRegistryClient client = new SchemaRegistryClient(
                Map.of("schema.registry.url", server.url(), "max.retries", "0", "http.read.timeout.ms", "1000"));
        switch (question) {
            case 0 -> client.schemaById(7);
            case 1 -> client.latest("s");
            case 2 -> client.versions("s");
            case 3 -> client.subjects();
            case 4 -> client.check("s", Schemas.OURS.get(0));
            default -> client.register("s", Schemas.OURS.get(0));
        }
        return null;
    }

    @Override
    public void close() throws IOException {
        server.close();
    }

    /** Answers every request with the same bytes and hangs up. */
    private static final class RawServer implements AutoCloseable {
        private final ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        private final Thread thread = new Thread(this::serve, "hostile-registry");
        private volatile byte[] reply = new byte[0];

        RawServer() throws IOException {
            thread.setDaemon(true);
            thread.start();
        }

        String url() {
            return "http://localhost:" + socket.getLocalPort();
        }

        void reply(int status, byte[] body) {
            byte[] head = status == 0
                    ? new byte[0]
                    : ("HTTP/1.1 " + status
                                    + " X\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "
                                    + body.length + "\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII);
            reply = ByteBuffer.allocate(head.length + body.length)
                    .put(head)
                    .put(body)
                    .array();
        }

        private void serve() {
            while (!socket.isClosed()) {
                try (Socket s = socket.accept()) {
                    InputStream in = s.getInputStream();
                    long tail = 0;
                    // A body comes in the same packets as a rule; whatever is left of it does not matter.
                    for (int c = in.read(); c >= 0; c = in.read()) {
                        tail = tail << 8 | c;
                        if ((tail & 0xffffffffL) == 0x0d0a0d0aL) break;
                    }
                    while (in.available() > 0) in.skip(in.available());
                    OutputStream out = s.getOutputStream();
                    out.write(reply);
                    out.flush();
                    s.shutdownOutput();
                } catch (IOException e) {
                    // the client went away
                }
            }
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
