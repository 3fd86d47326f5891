package io.linesight.containers;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;

/**
 * A TCP connection that can be made bad: late, cut without a word, reset, refused. It stands between a client in this
 * process and a broker's port, and works on the streams of bytes; packets are not lost or reordered.
 */
final class FaultyLink implements AutoCloseable {
    private final ServerSocket server;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private volatile int target;
    private volatile long latencyMillis;
    private volatile boolean silent;
    private volatile boolean refusing;

    FaultyLink() {
        try {
            server = new ServerSocket();
            server.bind(new InetSocketAddress("localhost", 0));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        thread("link-accept", this::accept);
    }

    int port() {
        return server.getLocalPort();
    }

    void leadsTo(int port) {
        target = port;
    }

    /** Every piece of data takes so much longer, each way. */
    void latency(long millis) {
        latencyMillis = millis;
    }

    /** Nothing gets through any more and nobody is told, as when a cable is pulled. */
    void cut() {
        silent = true;
    }

    /** Closes what is open with a reset; new connections work. */
    void reset() {
        for (Socket s : open) {
            try {
                s.setSoLinger(true, 0);
                s.close();
            } catch (IOException alreadyGone) {
                // That is what was wanted.
            }
        }
        open.clear();
    }

    /** Resets what is open and every new connection, as when the other end is down. */
    void refuse() {
        refusing = true;
        reset();
    }

    /** All is well again. What was swallowed while it was cut is gone: those connections are reset. */
    void restore() {
        latencyMillis = 0;
        refusing = false;
        if (silent) {
            silent = false;
            reset();
        }
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket client = server.accept();
                if (refusing) {
                    client.setSoLinger(true, 0);
                    client.close();
                    continue;
                }
                Socket broker = new Socket("localhost", target);
                client.setTcpNoDelay(true);
                broker.setTcpNoDelay(true);
                open.add(client);
                open.add(broker);
                thread("link-up", () -> pump(client, broker));
                thread("link-down", () -> pump(broker, client));
            } catch (IOException e) {
                // The server was closed, or the broker is not there: the client finds its connection closed.
            }
        }
    }

    private void pump(Socket from, Socket to) {
        byte[] buffer = new byte[65_536];
        try (from;
                to;
                InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream()) {
            int n;
            while ((n = in.read(buffer)) >= 0) {
                if (latencyMillis > 0) LockSupport.parkNanos(latencyMillis * 1_000_000L);
                if (silent) continue;
                out.write(buffer, 0, n);
            }
        } catch (IOException e) {
            // Ended by one side or by the test.
        } finally {
            open.remove(from);
            open.remove(to);
        }
    }

    private static void thread(String name, Runnable work) {
        Thread t = new Thread(work, name);
        t.setDaemon(true);
        t.start();
    }

    @Override
    public void close() {
        try {
            server.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        reset();
    }
}
