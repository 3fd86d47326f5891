package io.linesight.mmad.scan;

import java.util.concurrent.atomic.LongAdder;

/** Apart from the operator's own class, so that counting needs neither the Vector API nor JNA. */
final class Invocations {
    static final LongAdder COUNT = new LongAdder();

    private Invocations() {}
}
