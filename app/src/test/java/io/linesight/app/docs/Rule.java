package io.linesight.app.docs;

import java.util.List;
import java.util.regex.Pattern;

/**
 * How one documented command is executed.
 *
 * @param command as it is documented, without comment
 * @param kind who executes it
 * @param detail RUN, SERVE: what it must say; TEST: class; SCRIPT: file; CHECKED: why no test can execute it
 * @param evidence SCRIPT: what stands in the file
 * @param exits RUN: exit statuses that are right
 * @param changes what is put in the place of parts of this command, beside what {@link Workshop} changes in all
 * @param before makes what the command needs and no documented command makes
 * @param input standard input
 * @param meanwhile SERVE: what is executed while it runs
 * @param patient RUN: repeated until it says the detail
 */
record Rule(
        String command,
        Kind kind,
        String detail,
        String evidence,
        List<Integer> exits,
        List<Change> changes,
        Preparation before,
        String input,
        List<Rule> meanwhile,
        boolean patient) {
    enum Kind {
        /** By DocumentedCommandsIT, to its end. */
        RUN("executed"),
        /** By DocumentedCommandsIT, until it says that it works; stopped by SIGTERM, after which it must end with 0. */
        SERVE("executed"),
        /** By another test. */
        TEST("executed by"),
        /** By a script of CI. */
        SCRIPT("executed by"),
        /** Only looked at: files, names and options are there. */
        CHECKED("looked at only");

        final String says;

        Kind(String says) {
            this.says = says;
        }
    }

    record Change(Pattern part, String by) {}

    @FunctionalInterface
    interface Preparation {
        void in(Workshop workshop) throws Exception;
    }

    static Rule run(String command) {
        return new Rule(command, Kind.RUN, "", null, List.of(0), List.of(), w -> {}, "", List.of(), false);
    }

    static Rule serve(String command, String says, Rule... meanwhile) {
        return new Rule(command, Kind.SERVE, says, null, List.of(0), List.of(), w -> {}, "", List.of(meanwhile), false);
    }

    static Rule test(String command, String testClass) {
        return new Rule(command, Kind.TEST, testClass, null, List.of(), List.of(), w -> {}, "", List.of(), false);
    }

    /** @param evidence text in the script that does what the command does */
    static Rule script(String command, String script, String evidence) {
        return new Rule(command, Kind.SCRIPT, script, evidence, List.of(), List.of(), w -> {}, "", List.of(), false);
    }

    static Rule checked(String command, String why) {
        return new Rule(command, Kind.CHECKED, why, null, List.of(), List.of(), w -> {}, "", List.of(), false);
    }

    Rule says(String text) {
        return new Rule(command, kind, text, evidence, exits, changes, before, input, meanwhile, patient);
    }

    Rule until(String text) {
        return new Rule(command, kind, text, evidence, exits, changes, before, input, meanwhile, true);
    }

    Rule exits(Integer... statuses) {
        return new Rule(command, kind, detail, evidence, List.of(statuses), changes, before, input, meanwhile, patient);
    }

    Rule with(String part, String by) {
        List<Change> more = new java.util.ArrayList<>(changes);
        more.add(new Change(Pattern.compile(part), by));
        return new Rule(command, kind, detail, evidence, exits, List.copyOf(more), before, input, meanwhile, patient);
    }

    Rule given(Preparation preparation) {
        return new Rule(command, kind, detail, evidence, exits, changes, preparation, input, meanwhile, patient);
    }

    Rule typing(String text) {
        return new Rule(command, kind, detail, evidence, exits, changes, before, text, meanwhile, patient);
    }
}
