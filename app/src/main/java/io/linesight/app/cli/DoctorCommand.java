package io.linesight.app.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.linesight.app.cli.common.Durations;
import io.linesight.app.cli.common.Json;
import io.linesight.app.cli.common.Kafka;
import io.linesight.app.doctor.CheckResult;
import io.linesight.app.doctor.Doctor;
import io.linesight.app.doctor.DoctorOptions;
import io.linesight.app.doctor.Finding;
import io.linesight.app.doctor.Part;
import io.linesight.app.doctor.Problem;
import io.linesight.models.storage.ModelsConfig;
import io.linesight.schemas.topics.Topics;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.config.SettingsCheck;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
        name = "doctor",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Checks the cluster, the registry and this machine, and says how to fix what is wrong. Changes "
                + "nothing.",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:nothing stops Linesight from working here",
            "1:something stops it, or a check failed",
            "2:the command line is wrong"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight doctor -b kafka:9092 -r http://registry:8081",
            "  linesight doctor -c line.properties --for serve --device cuda:0",
            "  linesight doctor -c line.properties --acls     # rights, and how to grant them",
            "  linesight doctor --problems                    # every problem it can find"
        })
final class DoctorCommand implements Callable<Integer> {
    private static final String DEVICE = "auto|cpu|cuda(:\\d+)?";

    @Spec
    private CommandSpec spec;

    @Mixin
    private Kafka kafka;

    @Option(
            names = "--for",
            paramLabel = "PART",
            defaultValue = "ALL",
            description = "Part that shall run here: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private Part part;

    @Option(
            names = "--device",
            paramLabel = "auto|cpu|cuda:N",
            description = "Device to try. Default: linesight.device, else auto.")
    private String device;

    @Option(
            names = "--dir",
            paramLabel = "DIR",
            description = "Folder of the trainer, to check that it can be written.")
    private Path dir;

    @Option(
            names = "--group",
            paramLabel = "NAME",
            description = "Consumer group of the trainer. Default: linesight-trainer-<channel>.")
    private String group;

    @Option(
            names = "--acls",
            description =
                    "Show what the principal may do, and print the kafka-acls commands that grant exactly what is "
                            + "needed.")
    private boolean acls;

    @Option(names = "--json", description = "Print one JSON object instead of text.")
    private boolean json;

    @Option(names = "--problems", description = "List every problem that the doctor can find and its fix, then exit.")
    private boolean problems;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            converter = Durations.class,
            defaultValue = "30s",
            description = "Time for all checks together. Default: ${DEFAULT-VALUE}.")
    private Duration timeout;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        if (problems) {
            for (Problem p : Problem.values()) {
                out.println(p + " (" + p.severity().name().toLowerCase(Locale.ROOT) + "): " + p.what());
                out.println("    -> " + p.fix());
            }
            return 0;
        }
        Doctor doctor = new Doctor(options());
        List<CheckResult> results = doctor.run(r -> {
            if (!json) say(out, r);
        });
        boolean healthy = Doctor.healthy(results);
        if (json) out.println(Json.pretty(json(results, healthy, acls ? doctor.aclCommands() : List.of())));
        else end(out, results, healthy, doctor);
        out.flush();
        return healthy ? 0 : 1;
    }

    private DoctorOptions options() {
        SettingsCheck check = SettingsCheck.of(kafka.settings());
        Map<String, String> settings = check.settings();
        if (device != null && !device.matches(DEVICE))
            throw new ParameterException(spec.commandLine(), "--device is auto, cpu or cuda:N, got '" + device + "'");
        if (timeout.toMillis() < 1_000)
            throw new ParameterException(spec.commandLine(), "--timeout must be at least 1s");
        // What cannot be used is among the findings; the other checks take its default.
        Map<String, String> usable = new HashMap<>(settings);
        usable.keySet().removeAll(Topics.problems(settings).keySet());
        Topics topics = Topics.from(usable);
        boolean follows = !settings.getOrDefault(ModelsConfig.TRUSTED_KEYS, "").isBlank()
                || settings.getOrDefault(ModelsConfig.UNSIGNED, "").equals("accept");
        String channel = settings.getOrDefault(InspectionConfig.CHANNEL, "default");
        // A device that cannot be is among the findings; what else is wrong shows all the same.
        String wanted = device != null ? device : settings.getOrDefault(InspectionConfig.DEVICE, "auto");
        return new DoctorOptions(
                check,
                topics,
                part,
                follows,
                settings.getOrDefault(InspectionConfig.APPLICATION_ID, "linesight-inspection"),
                group != null ? group : "linesight-trainer-" + channel,
                wanted.matches(DEVICE) ? wanted : "auto",
                folders(settings),
                acls,
                timeout);
    }

    private Map<String, Path> folders(Map<String, String> settings) {
        Map<String, Path> folders = new LinkedHashMap<>();
        Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
        if (part == Part.SERVE || part == Part.ALL) {
            folders.put(
                    InspectionConfig.STATE_DIR,
                    Path.of(settings.getOrDefault(
                            InspectionConfig.STATE_DIR,
                            temporary.resolve("linesight-streams").toString())));
            folders.put(
                    InspectionConfig.MODELS_DIR,
                    Path.of(settings.getOrDefault(
                            InspectionConfig.MODELS_DIR,
                            temporary.resolve("linesight-models").toString())));
        }
        if (dir != null && part != Part.SERVE) folders.put("--dir", dir);
        return folders;
    }

    private static void say(PrintWriter out, CheckResult r) {
        String state = r.notRun() != null ? "--" : r.findings().isEmpty() ? "ok" : r.passed() ? "warn" : "STOP";
        String facts = r.notRun() != null ? "not run: " + r.notRun() : r.facts();
        out.printf(
                "%-5s %-9s %s%n",
                state, r.check(), facts.replace(System.lineSeparator(), System.lineSeparator() + "                "));
        for (Finding f : r.findings()) {
            out.printf("      %s %s: %s%n", f.problem(), f.subject(), f.message());
            out.printf("        -> %s%n", f.fix());
        }
        out.flush();
    }

    private void end(PrintWriter out, List<CheckResult> results, boolean healthy, Doctor doctor) {
        if (acls) {
            out.println();
            out.println("# Exactly what it needs, for " + part.name().toLowerCase(Locale.ROOT) + ":");
            doctor.aclCommands().forEach(out::println);
        }
        List<Finding> all = new ArrayList<>();
        results.forEach(r -> all.addAll(r.findings()));
        long stops = all.stream()
                .filter(f -> f.problem().severity() == Problem.Severity.STOPS)
                .count();
        long unrun = results.stream().filter(r -> r.notRun() != null).count();
        out.println();
        out.println((healthy
                        ? "Nothing stops Linesight from working here"
                        : stops == 0
                                ? "Not everything could be checked"
                                : stops + (stops == 1 ? " finding stops it" : " findings stop it"))
                + (all.size() > stops ? "; " + (all.size() - stops) + " more to look at" : "")
                + (unrun == 0 ? "." : "; " + unrun + " checks did not run."));
    }

    private static ObjectNode json(List<CheckResult> results, boolean healthy, List<String> commands) {
        ObjectNode root = Json.object();
        root.put("healthy", healthy);
        ArrayNode checks = root.putArray("checks");
        for (CheckResult r : results) {
            ObjectNode check = checks.addObject()
                    .put("check", r.check())
                    .put("passed", r.passed())
                    .put("facts", r.facts());
            check.put("notRun", r.notRun());
            ArrayNode findings = check.putArray("findings");
            for (Finding f : r.findings()) {
                findings.addObject()
                        .put("problem", f.problem().name())
                        .put("severity", f.problem().severity().name())
                        .put("subject", f.subject())
                        .put("message", f.message())
                        .put("mend", f.fix());
            }
        }
        if (!commands.isEmpty()) commands.forEach(root.putArray("acls")::add);
        return root;
    }
}
