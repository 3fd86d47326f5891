package io.linesight.streams.serving;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** The models behind the {@link HeldModel}s of a state; holds one reference of each. Thread-safe. */
final class LoadedModels {

    private final Map<Long, LoadedModel> models = new HashMap<>();
    private final List<CompletableFuture<Void>> closing = new ArrayList<>();
    private long nextId;

    /** Takes over the loader's reference. */
    synchronized HeldModel add(LoadedModel model, boolean fromFile, long loadMillis) {
        long id = nextId++;
        models.put(id, model);
        return new HeldModel(id, model.version(), model.info().sha256(), fromFile, model.device(), loadMillis);
    }

    /** @throws IllegalStateException when it has been released */
    synchronized LoadedModel get(HeldModel held) {
        LoadedModel model = models.get(held.id());
        if (model == null) throw new IllegalStateException("model " + held.version() + " has been released");
        return model;
    }

    /** Gives the reference back; the model is closed when its last batch is done. Idempotent. */
    void release(HeldModel held) {
        LoadedModel model;
        synchronized (this) {
            model = models.remove(held.id());
            if (model == null) return;
            closing.removeIf(CompletableFuture::isDone);
            closing.add(model.closed());
        }
        model.release();
    }

    /** Completes when every model that was released so far is closed. */
    synchronized CompletableFuture<Void> released() {
        closing.removeIf(CompletableFuture::isDone);
        return CompletableFuture.allOf(closing.toArray(CompletableFuture[]::new));
    }
}
