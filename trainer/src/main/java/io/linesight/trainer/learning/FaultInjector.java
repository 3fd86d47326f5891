package io.linesight.trainer.learning;

/** Lets tests break a run between its stages. */
interface FaultInjector {
    FaultInjector NONE = point -> {};

    /** Called when the work of a stage is done and not recorded yet; what it throws, the run gets. */
    void at(String point);
}
