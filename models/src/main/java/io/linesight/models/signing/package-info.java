/** Signs the manifests of checkpoints with Ed25519 keys, and verifies them against the keys that are trusted here. */
@NullMarked
package io.linesight.models.signing;

import org.jspecify.annotations.NullMarked;
