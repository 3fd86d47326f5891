package io.linesight.trainer.learning;

/** Where tests break things. */
interface FaultInjector {
    FaultInjector NONE = point -> {};

    /** Called when the work of a stage is done and before it is noted; whatever it throws hits the run there. */
    void at(String point);
}
