package io.linesight.mmad.image;

import static io.linesight.mmad.image.BadImageException.Code.CORRUPT;
import static io.linesight.mmad.image.BadImageException.Code.UNSUPPORTED;
import static io.linesight.mmad.image.Bytes.ascii;
import static io.linesight.mmad.image.Bytes.u16;
import static io.linesight.mmad.image.Bytes.u8;

import io.linesight.mmad.image.JpegFrame.Component;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Size and soundness of a JPEG. It accepts what libjpeg accepts (bytes before the start, stray bytes between segments,
 * missing standard tables, data after the end), and besides asks for every block of the image to be there. Use once.
 */
final class JpegFile {
    /**
     * Real progressive files have about ten; thousands of empty scans over a large frame are a way to burn processor
     * time.
     */
    private static final int MAX_SCANS = 100;
    /** Bytes before the start: a few stray ones, or the head of a part of an HTTP stream. */
    private static final int MAX_PREAMBLE = 4096;

    private final byte[] f;
    private final ImageLimits limits;
    private final HuffmanTable[] tables = new HuffmanTable[8];
    private @Nullable JpegFrame frame;
    private int at;
    private int scans;
    private int interval;
    private int orientation = 1;
    private boolean adobe;
    private boolean stray;

    private JpegFile(byte[] file, ImageLimits limits) {
        f = file;
        this.limits = limits;
    }

    /** Where a JPEG begins in a file; -1 for none. */
    static int start(byte[] f) {
        int last = Math.min(f.length - 3, MAX_PREAMBLE);
        for (int i = 0; i <= last; i++)
            if (f[i] == (byte) 0xff && f[i + 1] == (byte) 0xd8 && f[i + 2] == (byte) 0xff) return i;
        return f.length >= 2 && u16(f, 0) == 0xffd8 ? 0 : -1;
    }

    /** @throws BadImageException UNSUPPORTED, TOO_LARGE (before anything else is looked at) or CORRUPT */
    static ImageHeader check(byte[] file, int start, ImageLimits limits) throws BadImageException {
        JpegFile jpeg = new JpegFile(file, limits);
        jpeg.at = start + 2;
        jpeg.stray = start > 0;
        return jpeg.read(start);
    }

    static BadImageException truncated(byte[] f) {
        return new BadImageException(
                CORRUPT, "JPEG truncated: " + f.length + " bytes end before the end-of-image marker");
    }

    private ImageHeader read(int start) throws BadImageException {
        HuffmanTable.standard(tables);
        while (true) {
            int marker = nextMarker();
            if (marker == 0xd9) {
                // What follows the end is ignored, as every decoder does: some cameras pad.
                JpegFrame done = finished();
                return new ImageHeader(ImageHeader.Format.JPEG, done.width(), done.height())
                        .withStart(start)
                        .withOrientation(orientation)
                        .withStrayBytes(stray)
                        // Adobe's marker says that the inks are inverted; without it every decoder guesses so.
                        .withGuessedInks(done.components().size() == 4 && !adobe);
            }
            if (marker == 0xd8)
                throw new BadImageException(CORRUPT, "JPEG damaged: a second start marker at byte " + (at - 1));
            if (marker == 0x01 || (marker >= 0xd0 && marker <= 0xd7)) continue; // Stand alone, without a length.
            if (at + 2 > f.length) throw truncated(f);
            int length = u16(f, at);
            if (length < 2)
                throw new BadImageException(CORRUPT, "JPEG damaged: segment of length " + length + " at byte " + at);
            boolean isFrame = marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
            if (isFrame) frame(marker, length);
            if (at + length > f.length) throw truncated(f);
            int segment = at;
            at += length;
            if (marker == 0xda) at = scan(segment, length);
            else table(marker, segment, length);
        }
    }

    /** As libjpeg finds it: whatever is no marker is skipped. */
    private int nextMarker() throws BadImageException {
        while (true) {
            while (at < f.length && f[at] != (byte) 0xff) {
                at++;
                stray = true;
            }
            while (at < f.length && f[at] == (byte) 0xff) at++;
            if (at >= f.length) throw truncated(f);
            int marker = u8(f, at++);
            if (marker != 0) return marker;
            stray = true;
        }
    }

    private JpegFrame finished() throws BadImageException {
        if (frame == null || scans == 0) throw new BadImageException(CORRUPT, "JPEG ends before any image data");
        for (Component c : frame.components()) {
            if (frame.progressive() ? !c.complete() : c.lowestBit[0] != 0)
                throw new BadImageException(
                        CORRUPT,
                        "JPEG truncated: scans are missing after the first " + scans
                                + ", though the file has a valid end");
        }
        return frame;
    }

    private void table(int marker, int segment, int length) throws BadImageException {
        switch (marker) {
            case 0xc4 -> huffmanTables(segment + 2, segment + length);
            case 0xdd -> {
                if (length != 4)
                    throw new BadImageException(CORRUPT, "JPEG damaged: restart interval of length " + length);
                interval = u16(f, segment + 2);
            }
            case 0xe1 -> {
                if (length > 8 && ascii(f, segment + 2, "Exif\0\0"))
                    orientation = TiffTags.orientation(Arrays.copyOfRange(f, segment + 8, segment + length));
            }
            case 0xee -> adobe |= length >= 14 && ascii(f, segment + 2, "Adobe");
            default -> {
                // Nothing that says anything of the size or the data's structure.
            }
        }
    }

    private void huffmanTables(int from, int end) throws BadImageException {
        int p = from;
        while (p + 17 <= end) {
            int which = u8(f, p++);
            int symbols = 0;
            for (int i = 0; i < 16; i++) symbols += u8(f, p + i);
            if (symbols > 256 || p + 16 + symbols > end || (which & 0xef) > 3)
                throw new BadImageException(CORRUPT, "JPEG damaged: Huffman table at byte " + p);
            boolean ac = which >= 0x10;
            tables[(ac ? 4 : 0) + (which & 3)] = HuffmanTable.of(ac, f, p, symbols);
            p += 16 + symbols;
        }
    }

    private void frame(int marker, int length) throws BadImageException {
        if (frame != null) throw new BadImageException(CORRUPT, "JPEG damaged: a second frame header at byte " + at);
        if (at + 8 > f.length) throw truncated(f);
        if (marker > 0xc2) {
            throw new BadImageException(
                    UNSUPPORTED,
                    "JPEG of process " + (marker - 0xc0)
                            + " (lossless, hierarchical or arithmetic); baseline and progressive are supported");
        }
        int height = u16(f, at + 3);
        int width = u16(f, at + 5);
        int components = u8(f, at + 7);
        checkFrame(u8(f, at + 2), width, height, components);
        if (length != 8 + 3 * components)
            throw new BadImageException(
                    CORRUPT, "JPEG damaged: frame header of length " + length + " for " + components + " components");
        if (at + length > f.length) throw truncated(f);
        List<Component> parts = new ArrayList<>();
        for (int i = 0; i < components; i++) {
            int sampling = u8(f, at + 9 + 3 * i);
            if ((sampling >> 4) - 1 > 3 || (sampling & 15) - 1 > 3 || sampling >> 4 == 0 || (sampling & 15) == 0)
                throw new BadImageException(CORRUPT, "JPEG damaged: sampling factors " + sampling);
            parts.add(new Component(u8(f, at + 8 + 3 * i), sampling >> 4, sampling & 15));
        }
        frame = new JpegFrame(marker - 0xc0, width, height, List.copyOf(parts));
    }

    private void checkFrame(int precision, int width, int height, int components) throws BadImageException {
        if (precision != 8)
            throw new BadImageException(UNSUPPORTED, "JPEG with " + precision + " bits a sample; 8 are supported");
        if (width == 0 || height == 0)
            throw new BadImageException(CORRUPT, "JPEG header says " + width + "x" + height + " pixels");
        limits.checkSize(width, height);
        // Every block of 8x8 pixels takes at least a bit of some scan, so fewer bytes cannot hold so many pixels;
        // decoders would make room for them all.
        if ((long) width * height > 512L * f.length)
            throw new BadImageException(
                    CORRUPT,
                    "JPEG damaged: " + f.length + " bytes cannot hold the " + width + "x" + height
                            + " pixels of its header");
        if (components != 1 && components != 3 && components != 4)
            throw new BadImageException(
                    UNSUPPORTED, "JPEG with " + components + " components; 1, 3 and 4 are supported");
    }

    private int scan(int segment, int length) throws BadImageException {
        if (frame == null) throw new BadImageException(CORRUPT, "JPEG damaged: image data before the frame header");
        if (++scans > MAX_SCANS)
            throw new BadImageException(UNSUPPORTED, "JPEG with more than " + MAX_SCANS + " scans");
        JpegScan.Header header = scanHeader(segment, length);
        for (JpegScan.Part part : header.parts()) {
            Component c = part.component();
            for (int k = header.from(); k <= header.to(); k++) {
                int before = c.lowestBit[k];
                if (header.high() > 0 && before != header.high())
                    throw new BadImageException(
                            CORRUPT, "JPEG damaged: a scan refines what no scan before has brought");
                c.lowestBit[k] = header.low();
            }
            if (header.from() > 0 && c.nonZero.length == 0)
                c.nonZero = new long[frame.blocksWide(c) * frame.blocksHigh(c)];
        }
        return new JpegScan(f, frame, header).walk(segment + length);
    }

    private JpegScan.Header scanHeader(int segment, int length) throws BadImageException {
        int count = length < 3 ? 0 : u8(f, segment + 2);
        if (count < 1 || count > frame.components().size() || length != 6 + 2 * count)
            throw new BadImageException(CORRUPT, "JPEG damaged: scan header at byte " + segment);
        int p = segment + 3 + 2 * count;
        boolean progressive = frame.progressive();
        int from = progressive ? u8(f, p) : 0;
        int to = progressive ? u8(f, p + 1) : 63;
        int high = progressive ? u8(f, p + 2) >> 4 : 0;
        int low = progressive ? u8(f, p + 2) & 15 : 0;
        boolean dcOnly = from == 0 && to == 0;
        if (to > 63 || from > to || (progressive && from == 0 != dcOnly) || (from > 0 && count > 1))
            throw new BadImageException(CORRUPT, "JPEG damaged: scan of coefficients " + from + " to " + to);
        List<JpegScan.Part> parts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Component c = component(u8(f, segment + 3 + 2 * i));
            int which = u8(f, segment + 4 + 2 * i);
            HuffmanTable dc = tables[which >> 4 & 3];
            HuffmanTable ac = tables[4 + (which & 3)];
            boolean needsDc = from == 0 && high == 0;
            boolean needsAc = to > 0;
            if ((needsDc && dc == null) || (needsAc && ac == null))
                throw new BadImageException(CORRUPT, "JPEG damaged: a scan without its Huffman table");
            parts.add(new JpegScan.Part(c, dc, needsAc ? ac : null));
        }
        return new JpegScan.Header(parts, from, to, high, low, interval);
    }

    private Component component(int id) throws BadImageException {
        for (Component c : frame.components()) if (c.id == id) return c;
        throw new BadImageException(CORRUPT, "JPEG damaged: a scan of component " + id + ", which it has not");
    }
}
