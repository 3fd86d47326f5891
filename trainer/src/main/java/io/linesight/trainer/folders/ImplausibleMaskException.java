package io.linesight.trainer.folders;

import io.linesight.mmad.image.BadImageException;

/** A mask that was read and cannot be the ground truth; its image stays defective, as its folder says. */
public final class ImplausibleMaskException extends BadImageException {
    ImplausibleMaskException(String message) {
        super(Code.UNSUPPORTED, message);
    }
}
