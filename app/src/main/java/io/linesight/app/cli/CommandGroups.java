package io.linesight.app.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Help;
import picocli.CommandLine.Help.Column;
import picocli.CommandLine.Help.Column.Overflow;
import picocli.CommandLine.Help.TextTable;
import picocli.CommandLine.IHelpSectionRenderer;
import picocli.CommandLine.Model.UsageMessageSpec;

/** Lists the commands by what they are for. */
final class CommandGroups implements IHelpSectionRenderer {
    private static final int NAME_WIDTH = 14;
    private static final Map<String, List<String>> GROUPS = new LinkedHashMap<>();

    static {
        GROUPS.put("Try it on this machine:", List.of("demo", "simulate", "broker", "camera", "replay"));
        GROUPS.put("Make a model:", List.of("fit", "calibrate", "evaluate", "score", "encoder", "parity"));
        GROUPS.put(
                "Run a line:",
                List.of("topics", "schemas", "serve", "models", "label", "exemptions", "settings", "train"));
        GROUPS.put("Hear of it:", List.of("alerts", "notify"));
        GROUPS.put("Check and look up:", List.of("doctor", "audit", "config", "help"));
    }

    @Override
    public String render(Help help) {
        List<String> others = new ArrayList<>(help.subcommands().keySet());
        StringBuilder text = new StringBuilder();
        GROUPS.forEach((title, names) -> {
            others.removeAll(names);
            append(text, title, names, help);
        });
        append(text, "Other:", others, help);
        return text.toString();
    }

    private static void append(StringBuilder text, String title, List<String> names, Help help) {
        List<String> present =
                names.stream().filter(help.subcommands()::containsKey).toList();
        if (present.isEmpty()) return;
        int width = help.commandSpec().usageMessage().width();
        TextTable table = TextTable.forColumns(
                help.colorScheme(),
                new Column(NAME_WIDTH, 2, Overflow.SPAN),
                new Column(width - NAME_WIDTH, 2, Overflow.WRAP));
        for (String name : present) {
            UsageMessageSpec usage = help.subcommands().get(name).commandSpec().usageMessage();
            String[] lines = usage.header().length > 0 ? usage.header() : usage.description();
            table.addRowValues(name, lines.length == 0 ? "" : lines[0]);
        }
        text.append(System.lineSeparator())
                .append(title)
                .append(System.lineSeparator())
                .append(table);
    }
}
