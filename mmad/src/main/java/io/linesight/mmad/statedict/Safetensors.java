package io.linesight.mmad.statedict;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** {@code .safetensors}: the length of a JSON header, the header, and the tensors' bytes without holes or overlap. */
final class Safetensors {
    /** The format allows 100 MB, which would take gigabytes as a tree; a network of a thousand tensors needs 100 kB. */
    private static final int MAX_HEADER_BYTES = 16 << 20;

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();

    private final StoredFile file;
    private final Path path;

    private record Place(String name, long begin, long end) {}

    Safetensors(StoredFile file) {
        this.file = file;
        this.path = file.path();
    }

    Tensors tensors() throws IOException {
        long length = file.buffer(0, Long.BYTES).getLong();
        if (length < 2 || length > MAX_HEADER_BYTES)
            throw new StateDictException(path + " is no .safetensors file of a network: its header would have "
                    + Long.toUnsignedString(length) + " bytes");
        if (length > file.size() - Long.BYTES) throw StoredFile.truncated(path);
        JsonNode header;
        try {
            header = JSON.readTree(file.bytes(Long.BYTES, (int) length));
        } catch (JsonProcessingException e) {
            throw new StateDictException(path + " has a damaged .safetensors header: " + e.getOriginalMessage(), e);
        }
        if (header == null || !header.isObject())
            throw new StateDictException(path + " has a damaged .safetensors header: it is no JSON object");
        long start = Long.BYTES + length;
        Map<String, TensorRef> refs = new LinkedHashMap<>();
        Map<String, Place> places = new HashMap<>();
        for (Iterator<Map.Entry<String, JsonNode>> i = header.fields(); i.hasNext(); ) {
            Map.Entry<String, JsonNode> e = i.next();
            if (e.getKey().equals("__metadata__")) continue;
            Place place = place(e.getKey(), e.getValue());
            refs.put(e.getKey(), ref(e.getKey(), e.getValue(), place));
            places.put(e.getKey(), place);
        }
        requireWhole(places, file.size() - start);
        return new Tensors(refs, file.size()) {
            @Override
            ByteBuffer read(TensorRef ref) throws IOException {
                Place p = places.get(ref.storage());
                return file.buffer(start + p.begin(), p.end() - p.begin());
            }
        };
    }

    private Place place(String name, JsonNode node) throws StateDictException {
        JsonNode offsets = node.path("data_offsets");
        if (!offsets.isArray()
                || offsets.size() != 2
                || !offsets.get(0).canConvertToLong()
                || !offsets.get(1).canConvertToLong()) throw damaged(name, "has no data_offsets");
        Place p = new Place(name, offsets.get(0).asLong(), offsets.get(1).asLong());
        if (p.begin() < 0 || p.end() < p.begin())
            throw damaged(name, "has the data_offsets " + p.begin() + " to " + p.end());
        return p;
    }

    private TensorRef ref(String name, JsonNode node, Place place) throws StateDictException {
        ElementType type = ElementType.ofSafetensors(node.path("dtype").asText());
        if (type == null)
            throw damaged(
                    name,
                    "is of type '" + Pickle.printable(node.path("dtype").asText())
                            + "', which is not read here; convert it to F32");
        JsonNode sizes = node.path("shape");
        if (!sizes.isArray() || sizes.size() > 16) throw damaged(name, "has no shape");
        long[] shape = new long[sizes.size()];
        long[] stride = new long[shape.length];
        long count = 1;
        try {
            for (int i = shape.length - 1; i >= 0; i--) {
                if (!sizes.get(i).isIntegralNumber()
                        || !sizes.get(i).canConvertToLong()
                        || sizes.get(i).asLong() < 0) throw damaged(name, "has a shape that is not made of sizes");
                shape[i] = sizes.get(i).asLong();
                stride[i] = count;
                count = Math.multiplyExact(count, shape[i]);
            }
            if (Math.multiplyExact(count, type.bytes()) != place.end() - place.begin()) {
                throw damaged(
                        name,
                        "has " + (place.end() - place.begin()) + " bytes for the shape " + Arrays.toString(shape)
                                + " of " + type.word());
            }
        } catch (ArithmeticException e) {
            throw damaged(name, "has an absurd size");
        }
        TensorRef ref = new TensorRef(name, type, count, 0, shape, stride);
        if (ref.problem() != null) throw damaged(name, ref.problem());
        return ref;
    }

    private void requireWhole(Map<String, Place> places, long bytes) throws StateDictException {
        List<Place> sorted = new ArrayList<>(places.values());
        sorted.sort(Comparator.comparingLong(Place::begin).thenComparingLong(Place::end));
        long at = 0;
        for (Place p : sorted) {
            if (p.begin() < at) throw damaged(p.name(), "overlaps another");
            if (p.begin() > at) throw damaged(p.name(), "leaves a hole before it");
            at = p.end();
        }
        if (at > bytes) throw StoredFile.truncated(path);
        if (at < bytes)
            throw new StateDictException(
                    path + " has " + (bytes - at) + " bytes more than its header names; it is damaged or hostile");
    }

    private StateDictException damaged(String name, String what) {
        return new StateDictException(path + " cannot be read: its tensor '" + Pickle.printable(name) + "' " + what);
    }
}
