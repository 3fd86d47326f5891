package io.linesight.app.cli;

/** Whether a person is looking. */
final class Terminal {
    private Terminal() {}

    static boolean present() {
        if (System.console() == null || "dumb".equals(System.getenv("TERM")) || System.getenv("TERM") == null)
            return false;
        try {
            // From JDK 22 on there is a console even when output goes to a file; it knows.
            return (Boolean) java.io.Console.class.getMethod("isTerminal").invoke(System.console());
        } catch (NoSuchMethodException e) {
            return true;
        } catch (ReflectiveOperationException e) {
            return false;
        }
    }
}
