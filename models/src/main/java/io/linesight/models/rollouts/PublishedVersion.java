package io.linesight.models.rollouts;

import io.linesight.models.signing.Verification;
import io.linesight.schemas.ModelVersion;

/**
 * A version in the registry.
 *
 * @param manifest as it lies in the topic; not to be changed
 * @param verification of its signature, by the keys that are trusted here
 */
public record PublishedVersion(ModelVersion manifest, Verification verification) {}
