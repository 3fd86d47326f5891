package io.linesight.app.doctor;

import java.util.List;

/** One thing that the doctor looks at. Runs on a thread of its own, which may be interrupted. */
interface Check {
    /**
     * Looks; changes nothing.
     *
     * @param found takes what is wrong
     * @return what was seen, for people
     * @throws NotApplicable when there is nothing to look at here
     */
    String run(List<Finding> found) throws Exception;

    /** The check does not apply; the message says why. */
    final class NotApplicable extends Exception {
        private static final long serialVersionUID = 1L;

        NotApplicable(String why) {
            super(why);
        }
    }
}
