package io.linesight.app.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Executes what the documents tell to execute, by the launcher and a shell, in a folder where nothing but the launcher
 * lies: small data, short times, otherwise as it is written. {@link Rules} says which command another test executes.
 */
@Tag("full")
@Timeout(1800)
class DocumentedCommandsIT {
    @TempDir
    private Path folder;

    private final List<String> table = new ArrayList<>();
    private final Set<String> executed = new LinkedHashSet<>();

    @Test
    void shouldMakeCheckpointsAndEncodersAsTheDocumentsSay() throws Exception {
        tell(Rules.models(), w -> {});
    }

    @Test
    void shouldRunALineThatLearnsAsTheDocumentsSay() throws Exception {
        tell(Rules.line(), w -> {
            w.simulate("parts", 5);
            w.bundledModel();
        });
    }

    private void tell(List<Rule> story, Rule.Preparation before) throws Exception {
        Map<String, List<String>> documented = Documentation.commands();
        try (Workshop workshop = new Workshop(folder)) {
            before.in(workshop);
            for (Rule rule : story) execute(workshop, rule, documented);
        } finally {
            System.out.println(String.join("\n", table));
        }
        System.out.println("DocumentedCommandsIT: of " + documented.size() + " documented commands " + executed.size()
                + " executed here");
        assertThat(executed).as("commands executed").hasSizeGreaterThan(20);
    }

    private void execute(Workshop workshop, Rule rule, Map<String, List<String>> documented) throws Exception {
        if (!documented.containsKey(rule.command())) return;
        Workshop.Outcome outcome;
        try {
            outcome = rule.kind() == Rule.Kind.RUN
                    ? workshop.run(rule)
                    : workshop.serve(rule, () -> {
                        for (Rule r : rule.meanwhile()) execute(workshop, r, documented);
                    });
        } catch (AssertionError e) {
            throw new AssertionError(
                    "documented at " + String.join(", ", documented.get(rule.command())) + ": " + e.getMessage(), e);
        }
        executed.add(rule.command());
        table.add(String.format(
                Locale.ROOT, "%6.1f s  exit %d  %s", outcome.seconds(), outcome.exit(), outcome.executed()));
    }
}
