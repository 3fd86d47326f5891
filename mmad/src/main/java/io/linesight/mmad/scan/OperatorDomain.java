package io.linesight.mmad.scan;

import ai.onnxruntime.OrtSession;
import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * All operators computed in Java, as one domain for every thread count in use. ONNX Runtime takes a domain's name once
 * per session, so they are registered together. Made once and never freed, because sessions may outlive whoever
 * registered them. Thread-safe.
 */
final class OperatorDomain {
    private static final Map<Integer, OperatorDomain> BY_THREADS = new HashMap<>();
    private static OrtApi api;

    private final Memory name = NativeOperator.cString(SelectiveScanOperator.DOMAIN);
    /** Held so that they are not collected. */
    private final List<NativeOperator> operators;

    private final Pointer domain;

    private OperatorDomain(int threads) {
        operators = List.of(new ScanNode(api, threads), new NearestPatchesNode(api, threads));
        domain = api.createDomain(name);
        for (NativeOperator operator : operators) api.addOperator(domain, operator.struct());
    }

    static synchronized void load() throws ReflectiveOperationException {
        if (api == null) api = new OrtApi();
    }

    static synchronized void register(OrtSession.SessionOptions options, int threads)
            throws ReflectiveOperationException {
        load();
        OperatorDomain made = BY_THREADS.get(threads);
        if (made == null) {
            made = new OperatorDomain(threads);
            BY_THREADS.put(threads, made);
        }
        api.addDomain(options, made.domain);
    }
}
