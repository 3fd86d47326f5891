package io.linesight.app.doctor;

import io.linesight.schemas.topics.Topics;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.config.SettingsCheck;
import java.util.ArrayList;
import java.util.List;

/** Whether the settings can be used: the same problems and warnings with which a command would start or refuse. */
final class SettingsFindings implements Check {
    private final DoctorOptions options;

    SettingsFindings(DoctorOptions options) {
        this.options = options;
    }

    @Override
    public String run(List<Finding> found) {
        SettingsCheck check = options.configuration();
        boolean serves = options.part() == Part.SERVE || options.part() == Part.ALL;
        List<String> problems = new ArrayList<>(serves ? InspectionConfig.problems(check) : check.problems());
        Topics.problems(check.settings()).values().stream()
                .filter(problem -> !problems.contains(problem))
                .forEach(problems::add);
        for (String problem : problems) {
            if (!isSaidElsewhere(problem)) found.add(Finding.of(Problem.CONFIG_WRONG, subject(problem), problem));
        }
        for (String warning : check.warnings())
            found.add(Finding.of(Problem.CONFIG_IGNORED, subject(warning), warning));
        return check.settings().size() + " settings";
    }

    /** The checks of broker and registry report an address that is missing. */
    private static boolean isSaidElsewhere(String problem) {
        return problem.startsWith(InspectionConfig.BOOTSTRAP_SERVERS + " is missing")
                || problem.startsWith(InspectionConfig.REGISTRY_URL + " is missing");
    }

    /** The key that the sentence is about. */
    private String subject(String sentence) {
        return options.configuration().names().values().stream()
                .filter(name -> (" " + sentence.replaceAll("[=;:,]", " ") + " ").contains(" " + name + " "))
                .findFirst()
                .orElse("settings");
    }
}
