package io.linesight.mmad.statedict;

import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/** PyTorch's format since 1.6: an uncompressed zip archive with {@code data.pkl} and one entry per storage. */
final class TorchZip {
    private static final String PICKLE = "data.pkl";
    private static final long MAX_PICKLE_BYTES = 256L << 20;

    private final Path path;
    private final long size;

    TorchZip(StoredFile file) {
        this.path = file.path();
        this.size = file.size();
    }

    Tensors tensors() throws IOException {
        ZipFile zip = open();
        try {
            return tensors(zip);
        } catch (IOException | RuntimeException | Error e) {
            zip.close();
            throw e;
        }
    }

    private Tensors tensors(ZipFile zip) throws IOException {
        String prefix = prefix(zip);
        checkKind(zip, prefix);
        byte[] pickle = read(zip, zip.getEntry(prefix + PICKLE), MAX_PICKLE_BYTES);
        Map<String, TensorRef> refs = StateDicts.dictionary(
                path, new Pickle(path, new PickleInput(path, new ByteArrayInputStream(pickle), pickle.length)).load());
        return new ZipTensors(refs, zip, prefix);
    }

    /** The folder of the weights in the archive, with its slash. */
    private String prefix(ZipFile zip) throws StateDictException {
        List<String> pickles = names(zip).stream()
                .filter(n -> n.equals(PICKLE)
                        || n.endsWith("/" + PICKLE) && n.indexOf('/') == n.length() - PICKLE.length() - 1)
                .toList();
        if (pickles.size() != 1)
            throw new StateDictException(path + " is a zip archive without weights that torch.save wrote ("
                    + pickles.size() + " entries " + PICKLE + ")");
        return pickles.get(0).substring(0, pickles.get(0).length() - PICKLE.length());
    }

    private void checkKind(ZipFile zip, String prefix) throws IOException {
        if (zip.getEntry(prefix + "constants.pkl") != null) {
            throw new StateDictException(path
                    + " is a TorchScript program, not weights alone; it was not run. Save it with "
                    + "torch.save(model.state_dict(), ...)");
        }
        ZipEntry order = zip.getEntry(prefix + "byteorder");
        if (order != null
                && !new String(read(zip, order, 64), StandardCharsets.US_ASCII)
                        .strip()
                        .equals("little")) {
            throw new StateDictException(path + " was saved on a big-endian machine; save it on a little-endian one");
        }
    }

    /**
     * Keeps the archive open until all is read: to read its table of contents again for every tensor would take for
     * ever in a file of many.
     */
    private final class ZipTensors extends Tensors {
        private final ZipFile zip;
        private final String prefix;

        ZipTensors(Map<String, TensorRef> refs, ZipFile zip, String prefix) {
            super(refs, size);
            this.zip = zip;
            this.prefix = prefix;
        }

        @Override
        ByteBuffer read(TensorRef ref) throws IOException {
            ZipEntry entry = zip.getEntry(prefix + "data/" + ref.storage());
            if (entry == null)
                throw new StateDictException(path + " lacks the data of a tensor (" + Pickle.printable(ref.storage())
                        + "); it is damaged, download it again");
            if (entry.getSize() / ref.type().bytes() < ref.size()) {
                throw new StateDictException(path + " has a storage of " + entry.getSize() + " bytes that claims "
                        + ref.size() + " elements of " + ref.type().word() + "; it is damaged or hostile");
            }
            return ByteBuffer.wrap(TorchZip.this.read(zip, entry, Integer.MAX_VALUE - 8))
                    .order(ByteOrder.LITTLE_ENDIAN);
        }

        @Override
        public void close() throws IOException {
            zip.close();
        }
    }

    private ZipFile open() throws IOException {
        try {
            return new ZipFile(path.toFile());
        } catch (ZipException | EOFException e) {
            throw new StateDictException(
                    path + " is truncated or damaged ("
                            + (e.getMessage() == null ? "its table of contents ends early" : e.getMessage())
                            + "); copy or download it again",
                    e);
        }
    }

    private List<String> names(ZipFile zip) throws StateDictException {
        try {
            return zip.stream().map(ZipEntry::getName).toList();
        } catch (IllegalArgumentException e) {
            // Names that are no UTF-8 are found out only now.
            throw new StateDictException(path + " is damaged (" + e.getMessage() + "); copy or download it again", e);
        }
    }

    private byte[] read(ZipFile zip, ZipEntry entry, long max) throws IOException {
        // Compressed entries could be a thousand times larger than the file; torch.save never compresses.
        if (entry.getMethod() != ZipEntry.STORED)
            throw new StateDictException(
                    path + " has compressed entries, which torch.save does not write; get the original file");
        if (entry.getSize() < 0 || entry.getSize() > Math.min(size, max))
            throw new StateDictException(path + " has an entry of " + entry.getSize()
                    + " bytes, more than it can; it is damaged or hostile");
        byte[] bytes;
        try (InputStream in = zip.getInputStream(entry)) {
            bytes = in.readNBytes((int) entry.getSize());
        } catch (ZipException | EOFException e) {
            throw new StateDictException(
                    path + " is damaged (" + (e.getMessage() == null ? "an entry ends early" : e.getMessage())
                            + "); copy or download it again",
                    e);
        }
        CRC32 crc = new CRC32();
        crc.update(bytes);
        if (bytes.length != entry.getSize() || crc.getValue() != entry.getCrc()) {
            throw new StateDictException(path + " is damaged: the checksum of " + Pickle.printable(entry.getName())
                    + " does not fit; copy or download it again");
        }
        return bytes;
    }
}
