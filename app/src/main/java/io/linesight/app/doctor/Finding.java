package io.linesight.app.doctor;

/**
 * One thing that is wrong here.
 *
 * @param subject topic, group, folder or whatever it is about
 * @param message what was found, with figures
 * @param mend what to do about it, one line
 */
public record Finding(Problem problem, String subject, String message, String mend) {
    /** Mended as the problem says in general. */
    static Finding of(Problem problem, String subject, String message) {
        return new Finding(problem, subject, message, problem.mend());
    }

    static Finding of(Problem problem, String subject, String message, String mend) {
        return new Finding(problem, subject, message, mend);
    }
}
