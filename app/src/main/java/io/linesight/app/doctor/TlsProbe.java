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

/** Finds out what listens on a port when Kafka's own client gets no answer. */
final class TlsProbe {
    private static final int TIMEOUT_MILLIS = 1_000;

    /** What answers. */
    enum Answer {
        NOTHING_LISTENS,
        TLS,
        NO_TLS
    }

    private TlsProbe() {}

    /** Connects and begins a TLS handshake. No data is sent, so the certificate need not be trusted. */
    static Answer ask(String hostPort) {
        int colon = hostPort.lastIndexOf(':');
        try (Socket plain = new Socket()) {
            plain.connect(
                    new InetSocketAddress(
                            hostPort.substring(0, colon),
                            Integer.parseInt(hostPort.substring(colon + 1).trim())),
                    TIMEOUT_MILLIS);
            plain.setSoTimeout(TIMEOUT_MILLIS);
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
                                certificate[0] = true; // only that TLS is spoken matters
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
