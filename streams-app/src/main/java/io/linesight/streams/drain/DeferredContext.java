package io.linesight.streams.drain;

import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.internals.InternalProcessorContext;
import org.apache.kafka.streams.processor.internals.ProcessorNode;
import org.apache.kafka.streams.processor.internals.ProcessorRecordContext;

/**
 * Lets a processor forward a record later as if it were being processed now: from its own node, with the record's
 * topic, partition, offset and headers. Stream thread only.
 */
public final class DeferredContext {

    private final InternalProcessorContext<?, ?> context;
    private final ProcessorNode<?, ?, ?, ?> node;

    /** Remembers the processor; call from {@code init()}. */
    public DeferredContext(ProcessorContext<?, ?> context) {
        this.context = (InternalProcessorContext<?, ?>) context;
        this.node = this.context.currentNode();
    }

    /** Where a record came from; opaque. */
    public static final class Origin {
        private final ProcessorRecordContext context;

        private Origin(ProcessorRecordContext context) {
            this.context = context;
        }
    }

    /** The origin of the record that is being processed. */
    public Origin origin() {
        return new Origin(context.recordContext());
    }

    /** Runs {@code forwarding} as the remembered processor working on the record of that origin. */
    public void runAs(Origin origin, Runnable forwarding) {
        ProcessorNode<?, ?, ?, ?> currentNode = context.currentNode();
        ProcessorRecordContext currentRecord = context.recordContext();
        context.setCurrentNode(node);
        context.setRecordContext(origin.context);
        try {
            forwarding.run();
        } finally {
            context.setCurrentNode(currentNode);
            context.setRecordContext(currentRecord);
        }
    }
}
