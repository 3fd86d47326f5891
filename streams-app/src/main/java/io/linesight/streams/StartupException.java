package io.linesight.streams;

import java.util.List;

/** The app cannot start. Carries every obstacle found; everything that was opened is closed again. */
public final class StartupException extends RuntimeException {

    private final List<String> problems;

    StartupException(List<String> problems, Throwable cause) {
        super(
                problems.size() == 1
                        ? "The inspection app did not start: " + problems.get(0)
                        : "The inspection app did not start:\n  - " + String.join("\n  - ", problems),
                cause);
        this.problems = List.copyOf(problems);
    }

    /** One sentence each: what is wrong and what to do. */
    public List<String> problems() {
        return problems;
    }
}
