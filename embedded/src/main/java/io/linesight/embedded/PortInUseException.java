package io.linesight.embedded;

/** A port that was asked for cannot be listened on, nearly always because another process does. Nothing was started. */
public final class PortInUseException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final int port;

    PortInUseException(int port, String what, Throwable cause) {
        super(
                "port " + port + " on " + Ports.HOST + " is taken or not allowed (" + cause.getMessage()
                        + "), so the embedded " + what
                        + " was not started. Stop what listens there, or choose another port (0 picks a free one)",
                cause);
        this.port = port;
    }

    public int port() {
        return port;
    }
}
