package io.linesight.embedded;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;

/** Ports of the loopback interface; nothing embedded listens anywhere else. */
final class Ports {

    static final String HOST = "127.0.0.1";

    private Ports() {}

    static InetAddress address() {
        return new InetSocketAddress(HOST, 0).getAddress();
    }

    /** A port that is free now. Another process may take it before it is used; the user then starts again. */
    static int free() {
        try (ServerSocket socket = new ServerSocket(0, 1, address())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException("no free port on " + HOST, e);
        }
    }

    /**
     * @throws PortInUseException if something listens there; asked before a start, because a broker that cannot bind
     *     hangs its JVM
     */
    static void requireFree(int port, String what) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true); // as the servers do: a connection in TIME_WAIT is no obstacle
            socket.bind(new InetSocketAddress(address(), port), 1);
        } catch (IOException e) {
            throw new PortInUseException(port, what, e);
        }
    }
}
