package io.linesight.streams.config;

import java.util.List;

/** The configuration cannot be used. Carries every problem found, so that one look is enough to put them all right. */
public final class InvalidConfigException extends RuntimeException {

    private final List<String> problems;

    public InvalidConfigException(List<String> problems) {
        super(
                problems.size() == 1
                        ? "The configuration has a problem; nothing was started: " + problems.get(0)
                        : "The configuration has " + problems.size() + " problems; nothing was started:\n  - "
                                + String.join("\n  - ", problems));
        this.problems = List.copyOf(problems);
    }

    /** One sentence each, naming the key. */
    public List<String> problems() {
        return problems;
    }
}
