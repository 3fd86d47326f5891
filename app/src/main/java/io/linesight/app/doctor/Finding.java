package io.linesight.app.doctor;

/**
 * One thing that is wrong here.
 *
 * @param subject the topic, group, folder or setting
 * @param message what was found, with figures
 * @param fix what to do about it, one line
 */
public record Finding(Problem problem, String subject, String message, String fix) {
    /** A finding whose fix is the problem's general one. */
    static Finding of(Problem problem, String subject, String message) {
        return new Finding(problem, subject, message, problem.fix());
    }

    static Finding of(Problem problem, String subject, String message, String fix) {
        return new Finding(problem, subject, message, fix);
    }
}
