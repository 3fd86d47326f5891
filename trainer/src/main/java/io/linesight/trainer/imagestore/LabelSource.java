package io.linesight.trainer.imagestore;

/** Who labelled an image. */
public enum LabelSource {
    /** A person. */
    PERSON,
    /** Nobody: a frame that passed with confidence, or an imported normal. */
    RESERVOIR
}
