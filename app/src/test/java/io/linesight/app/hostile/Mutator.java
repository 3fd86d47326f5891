package io.linesight.app.hostile;

import java.io.IOException;
import java.util.List;
import java.util.Random;

/** Damages files. The same seed gives the same damage. One thread. */
final class Mutator {
    private final Random random;
    private final ByteMutations bytes;
    private final TextMutations texts;
    private final ImageMutations images;
    private final RecordMutations records;
    private final ArrayMutations arrays;

    Mutator(long seed) {
        random = new Random(seed);
        bytes = new ByteMutations(random);
        texts = new TextMutations(bytes);
        images = new ImageMutations(bytes);
        records = new RecordMutations(bytes, texts);
        arrays = new ArrayMutations(bytes, texts);
    }

    /** One to four changes; about half of them know the format. */
    byte[] mutate(byte[] seed, List<byte[]> others, Format format) {
        byte[] b = seed;
        for (int i = 1 + random.nextInt(4); i > 0; i--) {
            byte[] next = random.nextInt(5) < 3 ? structured(b, format) : bytes.mutate(b, others);
            if (next.length <= ByteMutations.MAX_BYTES) b = next;
        }
        return b;
    }

    private byte[] structured(byte[] b, Format format) {
        try {
            return switch (format) {
                case PNG -> images.png(b);
                case JPEG -> images.jpeg(b);
                case AVRO -> records.avro(b);
                case PROTOBUF -> records.protobuf(b);
                case ZIP -> arrays.zip(b);
                case PICKLE -> arrays.pickle(b);
                case SAFETENSORS -> arrays.safetensors(b);
                case NPY -> arrays.npy(b);
                case JSON -> texts.json(b);
                case TEXT -> texts.text(b);
                case BYTES -> bytes.mutate(b, List.of(b));
            };
        } catch (RuntimeException | IOException e) {
            return bytes.mutate(b, List.of(b)); // damaged beyond what this understands
        }
    }
}
