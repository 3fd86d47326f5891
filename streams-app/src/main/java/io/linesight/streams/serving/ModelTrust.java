package io.linesight.streams.serving;

import io.linesight.schemas.ModelVersion;

/** Whether a manifest comes from somebody whose models may be served. Asked before anything is downloaded. */
@FunctionalInterface
public interface ModelTrust {

    /**
     * @throws ModelRejectedException saying what is wrong: unsigned, signed by an unknown key, or changed since it was
     *     signed
     */
    void check(ModelVersion version) throws ModelRejectedException;
}
