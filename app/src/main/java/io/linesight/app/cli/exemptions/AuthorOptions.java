package io.linesight.app.cli.exemptions;

import io.linesight.app.cli.common.Person;
import io.linesight.streams.exemption.ExemptionRecords.Word;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Who does it, and why. */
final class AuthorOptions {
    @Option(names = "--by", paramLabel = "NAME", description = "Who says so; the user of this system by default.")
    private @Nullable String by;

    @Option(names = "--reason", paramLabel = "TEXT", defaultValue = "", description = "Why, for the record.")
    private String reason;

    Word word() {
        return new Word(Person.named(by), reason);
    }
}
