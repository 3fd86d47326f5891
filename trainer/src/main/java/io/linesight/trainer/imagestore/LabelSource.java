package io.linesight.trainer.imagestore;

/** Where the word on a picture comes from. */
public enum LabelSource {
    /** A person labelled it. */
    PERSON,
    /** Nobody did: a frame that passed with confidence, or an imported normal. */
    RESERVOIR
}
