package io.linesight.mmad.architecture;

/** Base visiting orders of the 2-D selective scan (MMAD_SPEC section 4); each is expanded to eight directions. */
public enum ScanKind {
    HILBERT,
    ZORDER,
    ZIGZAG
}
