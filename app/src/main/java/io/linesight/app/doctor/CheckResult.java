package io.linesight.app.doctor;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How one check ended.
 *
 * @param facts what was seen, for people
 * @param findings empty when all is right
 * @param notRun why the check did not run to its end; null when it did
 */
public record CheckResult(String check, Status status, String facts, List<Finding> findings, @Nullable String notRun) {
    /** How far a check got. */
    public enum Status {
        /** To its end. */
        COMPLETED,
        /** It does not apply here, or another check has to pass first. */
        SKIPPED,
        /** It failed or took too long, so nothing is known. */
        FAILED
    }

    public CheckResult {
        findings = List.copyOf(findings);
    }

    static CheckResult completed(String check, String facts, List<Finding> findings) {
        return new CheckResult(check, Status.COMPLETED, facts, findings, null);
    }

    static CheckResult skipped(String check, String why) {
        return new CheckResult(check, Status.SKIPPED, "", List.of(), why);
    }

    static CheckResult failed(String check, List<Finding> findings, String why) {
        return new CheckResult(check, Status.FAILED, "", findings, why);
    }

    /** Whether it completed and found nothing that stops Linesight. */
    public boolean passed() {
        return status == Status.COMPLETED && !stops();
    }

    /** Whether something that was found stops Linesight. */
    boolean stops() {
        return findings.stream().anyMatch(f -> f.problem().severity() == Problem.Severity.STOPS);
    }
}
