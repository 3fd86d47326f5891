package io.linesight.app.doctor;

import java.util.List;

/**
 * What one check came to.
 *
 * @param facts what was seen, for people; one line
 * @param findings empty when all is right
 * @param notRun why it could not run; null when it did
 */
public record CheckResult(String check, String facts, List<Finding> findings, String notRun) {
    public CheckResult {
        findings = List.copyOf(findings);
    }

    /** Whether it ran and found nothing that stops. */
    public boolean passed() {
        return notRun == null && findings.stream().noneMatch(f -> f.problem().severity() == Problem.Severity.STOPS);
    }
}
