package io.linesight.app.cli;

import picocli.CommandLine;

/** Lets tests elsewhere ask the command line what it takes. */
public final class LinesightDoor {
    private LinesightDoor() {}

    /** Fresh, so that nothing parsed before is left in it. */
    public static CommandLine commandLine() {
        return Linesight.commandLine();
    }
}
