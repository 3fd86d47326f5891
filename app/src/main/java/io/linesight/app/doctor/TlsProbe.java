package io.linesight.app.doctor;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/** Finds out what answers on a port when Kafka's own client only hears silence. */
final class TlsProbe {
    private static final int PATIENCE_MILLIS = 1_000;

    /** What answers. */
    enum Answer {
        NOTHING_LISTENS,
        TLS,
        NO_TLS
    }

    private TlsProbe() {}

    /** Knocks and begins a TLS handshake; nothing is sent inside it, so nobody has to be trusted for that. */
    static Answer ask(String hostPort) {
        int colon = hostPort.lastIndexOf(':');
        try (Socket plain = new Socket()) {
            plain.connect(
                    new InetSocketAddress(
                            hostPort.substring(0, colon),
                            Integer.parseInt(hostPort.substring(colon + 1).trim())),
                    PATIENCE_MILLIS);
            plain.setSoTimeout(PATIENCE_MILLIS);
            return shakesHands(plain) ? Answer.TLS : Answer.NO_TLS;
        } catch (IOException | RuntimeException e) {
            return Answer.NOTHING_LISTENS;
        }
    }

    private static boolean shakesHands(Socket plain) {
        boolean[] certificate = {false};
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(
                    null,
                    new TrustManager[] {
                        new X509TrustManager() {
                            @Override
                            public void checkClientTrusted(X509Certificate[] chain, String type) {}

                            @Override
                            public void checkServerTrusted(X509Certificate[] chain, String type) {
                                certificate[0] = true; // who it is does not matter: only that TLS is spoken
                            }

                            @Override
                            public X509Certificate[] getAcceptedIssuers() {
                                return new X509Certificate[0];
                            }
                        }
                    },
                    null);
            SSLSocket tls = (SSLSocket) context.getSocketFactory().createSocket(plain, null, plain.getPort(), false);
            tls.startHandshake();
            return true;
        } catch (IOException | GeneralSecurityException e) {
            // A server that wants a certificate of ours ends the handshake after it has shown its own.
            return certificate[0];
        }
    }
}
