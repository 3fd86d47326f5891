package io.linesight.mmad.image;

import static io.linesight.mmad.image.BadImageException.Code.CORRUPT;

import io.linesight.mmad.image.JpegFrame.Component;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Walks over one scan of a JPEG and counts its blocks: a file that was cut, or from which a part is missing, has fewer
 * than its header says, even where its end looks valid. Decoders fill what is missing with grey and do not tell.
 *
 * <p>Our own, because the library's decoder reports this on standard error only. It costs a small part of decoding:
 * codes are looked up and skipped, nothing is computed. Use once, one thread.
 *
 * @see JpegFile
 */
final class JpegScan {
    /** Left-over bytes before a marker that decoders skip with a warning; many webcams write a few. */
    private static final int TOLERATED_BYTES = 32;

    /** A component and its tables. */
    record Part(Component component, HuffmanTable dc, HuffmanTable ac) {}

    /**
     * What a scan holds.
     *
     * @param from first coefficient
     * @param to last coefficient
     * @param high bit of the scan before, 0 for the first
     * @param low bit that it brings
     * @param interval units between restart markers, 0 for none
     */
    record Header(List<Part> parts, int from, int to, int high, int low, int interval) {}

    private final byte[] file;
    private final JpegFrame frame;
    private final Header header;
    private final JpegBits bits;
    private final boolean interleaved;
    private int endOfBandRun;

    JpegScan(byte[] file, JpegFrame frame, Header header) {
        this.file = file;
        this.frame = frame;
        this.header = header;
        bits = new JpegBits(file);
        interleaved = header.parts.size() > 1;
    }

    /** @return where the marker after the scan begins */
    int walk(int start) throws BadImageException {
        UnitTable table = frame.progressive() ? null : unitTable(file.length - start);
        Component only = header.parts.get(0).component;
        int wide = interleaved ? frame.unitsWide() : frame.blocksWide(only);
        int high = interleaved ? frame.unitsHigh() : frame.blocksHigh(only);
        int units = wide * high;
        int interval = header.interval == 0 ? units : header.interval;
        int at = start;
        for (int done = 0, restart = 0; done < units; restart++) {
            if (done > 0) at = restarted(at, restart - 1 & 7, done, units);
            bits.start(at);
            endOfBandRun = 0;
            int end = Math.min(units, done + interval);
            done = table == null ? skipSingly(done, end, units, wide) : skipTogether(table, done, end, units);
            at = marker();
        }
        if (bits.zeroRun() && header.parts.stream().anyMatch(p -> p.ac != null && p.ac.zerosMeanCoefficients()))
            throw new BadImageException(CORRUPT, "JPEG damaged: zeros in place of image data");
        return at;
    }

    private BadImageException damaged(boolean sound, int done, int units) {
        return new BadImageException(
                CORRUPT,
                sound
                        ? "JPEG truncated: its data ends after " + done + " of " + units
                                + " blocks, though the file has a valid end"
                        : "JPEG damaged: no valid code in block " + done + " of " + units);
    }

    private int restarted(int at, int expected, int done, int units) throws BadImageException {
        int found = at + 1 < file.length ? file[at + 1] & 0xff : 0;
        if (found == 0xd0 + expected) return at + 2;
        throw new BadImageException(
                CORRUPT,
                "JPEG damaged: a part is missing after " + done + " of " + units + " blocks (marker "
                        + Integer.toHexString(found) + " instead of restart " + expected + ")");
    }

    /** Skips to the marker that ends a segment. */
    private int marker() throws BadImageException {
        int left = bits.bytesLeft();
        int at = bits.at;
        int first = at < file.length ? file[at] : 0;
        boolean same = true;
        while (at + 1 < file.length && !isMarker(at)) {
            same &= file[at] == first;
            at++;
            left++;
        }
        if (at + 1 >= file.length) throw JpegFile.truncated(file);
        // Padding of one value is harmless; other data belongs to an image of which a part was lost or overwritten.
        if (left > TOLERATED_BYTES && !same)
            throw new BadImageException(CORRUPT, "JPEG damaged: " + left + " bytes of image data are left over");
        return at;
    }

    private boolean isMarker(int at) {
        return file[at] == (byte) 0xff && file[at + 1] != 0 && file[at + 1] != (byte) 0xff;
    }

    private int skipSingly(int from, int end, int units, int wide) throws BadImageException {
        for (int done = from; done < end; done++) {
            boolean sound = frame.progressive() ? progressiveUnit(done, wide) : sequentialUnit();
            if (!sound || bits.overrun()) throw damaged(sound, done, units);
        }
        return end;
    }

    private int skipTogether(UnitTable table, int from, int end, int units) throws BadImageException {
        int done = from + bits.skipUnits(table, end - from);
        if (done < end) throw damaged(bits.isSound(), done, units);
        return end;
    }

    /** @param bytes that the scan has at most */
    private @Nullable UnitTable unitTable(int bytes) {
        List<HuffmanTable> dc = new ArrayList<>();
        List<HuffmanTable> ac = new ArrayList<>();
        for (Part part : header.parts) {
            for (int b = blocks(part); b > 0; b--) {
                dc.add(part.dc);
                ac.add(part.ac);
            }
        }
        return UnitTable.of(dc.toArray(HuffmanTable[]::new), ac.toArray(HuffmanTable[]::new), bytes);
    }

    private int blocks(Part part) {
        return interleaved ? part.component.across * part.component.down : 1;
    }

    private boolean sequentialUnit() {
        for (Part part : header.parts)
            for (int b = blocks(part); b > 0; b--) if (!bits.skipBlock(part.dc, part.ac)) return false;
        return true;
    }

    private boolean progressiveUnit(int unit, int wide) {
        if (header.from > 0) {
            Part part = header.parts.get(0);
            int index = unit / wide * stride(part.component) + unit % wide;
            return header.high == 0 ? firstBand(part, index) : refinedBand(part, index);
        }
        for (Part part : header.parts) {
            int blocks = interleaved ? part.component.across * part.component.down : 1;
            for (int b = 0; b < blocks; b++) {
                bits.fill();
                if (header.high > 0) {
                    bits.skip(1);
                    continue;
                }
                int entry = bits.peek(part.dc);
                if (entry == 0) return false;
                bits.skip(HuffmanTable.bits(entry));
            }
        }
        return true;
    }

    private int stride(Component c) {
        return frame.blocksWide(c);
    }

    private boolean firstBand(Part part, int index) {
        if (endOfBandRun > 0) {
            endOfBandRun--;
            return true;
        }
        long[] nonZero = part.component.nonZero;
        for (int k = header.from; k <= header.to; k++) {
            bits.fill();
            int entry = bits.peek(part.ac);
            if (entry == 0) return false;
            bits.skip(HuffmanTable.bits(entry));
            int run = HuffmanTable.symbol(entry) >> 4;
            if ((HuffmanTable.symbol(entry) & 15) != 0) {
                k += run;
                if (k > header.to) return false;
                nonZero[index] |= 1L << k;
            } else if (run == 15) {
                k += 15;
            } else {
                bits.fill();
                endOfBandRun = (1 << run) + bits.take(run) - 1;
                return true;
            }
        }
        return true;
    }

    private boolean refinedBand(Part part, int index) {
        long[] nonZero = part.component.nonZero;
        int k = header.from;
        while (endOfBandRun == 0 && k <= header.to) {
            bits.fill();
            int entry = bits.peek(part.ac);
            if (entry == 0) return false;
            bits.skip(HuffmanTable.codeBits(entry));
            int run = HuffmanTable.symbol(entry) >> 4;
            boolean fresh = (HuffmanTable.symbol(entry) & 15) != 0;
            if (fresh) bits.skip(1);
            if (!fresh && run < 15) {
                endOfBandRun = (1 << run) + bits.take(run);
                break;
            }
            k = refine(nonZero[index], k, run);
            if (fresh) {
                if (k > header.to) return false;
                nonZero[index] |= 1L << k;
            }
            k++;
        }
        if (endOfBandRun > 0) {
            refine(nonZero[index], k, 64);
            endOfBandRun--;
        }
        return true;
    }

    /** Skips a bit for every coefficient that is not zero, up to the zero one after {@code run} of them. */
    private int refine(long nonZero, int from, int run) {
        int left = run;
        int corrections = 0;
        int k = from;
        for (; k <= header.to; k++) {
            if ((nonZero >>> k & 1) != 0) corrections++;
            else if (--left < 0) break;
        }
        bits.skipLong(corrections);
        return k;
    }
}
