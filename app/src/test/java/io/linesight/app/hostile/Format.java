package io.linesight.app.hostile;

/** Which structure a mutation may use, so that it gets past the first check of a reader. */
enum Format {
    BYTES,
    PNG,
    JPEG,
    AVRO,
    PROTOBUF,
    ZIP,
    PICKLE,
    SAFETENSORS,
    NPY,
    JSON,
    TEXT
}
