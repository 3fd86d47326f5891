package io.linesight.models.rollouts;

import io.linesight.models.signing.TrustedKeys;
import io.linesight.schemas.ModelStatus;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.Rollout;

/** Lets tests elsewhere fold records as the view of the topics does. */
public final class FoldDoor {
    private final RegistryFold fold;
    private long offset;

    public FoldDoor(TrustedKeys trusted) {
        fold = new RegistryFold(trusted);
    }

    public void take(String key, Object record) {
        if (record instanceof Rollout r) fold.rollout(offset++, key, r);
        else if (record instanceof ModelVersion m) fold.version(key, m);
        else if (record instanceof ModelStatus s) fold.status(key, s);
        else throw new IllegalArgumentException("not a record about models");
    }

    public void unreadable(String key, String why) {
        fold.unreadableRollout(offset++, key, why);
    }

    public RegistryState state() {
        return fold.snapshot();
    }
}
