package io.linesight.mmad.statedict;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * PyTorch's format from 0.1.10 to 1.5: five pickles (magic number, version, machine, object, keys), then every storage
 * with its length before it.
 */
final class TorchLegacy {
    private static final BigInteger MAGIC = new BigInteger("1950a86a20f9469cfc6c", 16);

    private final StoredFile file;
    private final Path path;

    TorchLegacy(StoredFile file) {
        this.file = file;
        this.path = file.path();
    }

    Tensors tensors() throws IOException {
        PickleInput in = file.input(0);
        if (!MAGIC.equals(new Pickle(path, in).load()))
            throw new StateDictException(path
                    + " is a pickle, but not one that torch.save wrote; save the weights with torch.save or "
                    + "as .safetensors");
        new Pickle(path, in).load();
        if (new Pickle(path, in).load() instanceof Map<?, ?> machine
                && Boolean.FALSE.equals(machine.get("little_endian"))) {
            throw new StateDictException(path + " was saved on a big-endian machine; save it on a little-endian one");
        }
        Pickle object = new Pickle(path, in);
        Map<String, TensorRef> refs = StateDicts.dictionary(path, object.load());
        if (!(new Pickle(path, in).load() instanceof List<?> keys))
            throw new StateDictException(path + " is damaged: it has no list of its storages");
        Map<String, long[]> places = places(in.position(), keys, object.storages());
        return new Tensors(refs, file.size()) {
            @Override
            ByteBuffer read(TensorRef ref) throws IOException {
                long[] place = places.get(ref.storage());
                if (place == null)
                    throw new StateDictException(path + " lacks the data of a tensor ("
                            + Pickle.printable(ref.storage()) + "); it is damaged, download it again");
                if (place[1] != ref.size()) {
                    throw new StateDictException(path + " has a storage of " + place[1] + " elements that claims "
                            + ref.size() + "; it is damaged or hostile");
                }
                return file.buffer(place[0], place[1] * ref.type().bytes());
            }
        };
    }

    /**
     * Where every storage begins and how many elements it has. It does not say of what type; the object before it does.
     */
    private Map<String, long[]> places(long start, List<?> keys, Map<String, ElementType> types) throws IOException {
        Map<String, long[]> places = new HashMap<>();
        long at = start;
        for (Object key : keys) {
            ElementType type = key instanceof String k ? types.get(k) : null;
            if (type == null)
                throw new StateDictException(path + " is damaged: it has a storage that nothing speaks of");
            long count = file.buffer(at, Long.BYTES).getLong();
            if (count < 0 || count > (file.size() - at - Long.BYTES) / type.bytes()) throw StoredFile.truncated(path);
            places.put((String) key, new long[] {at + Long.BYTES, count});
            at += Long.BYTES + count * type.bytes();
        }
        return places;
    }
}
