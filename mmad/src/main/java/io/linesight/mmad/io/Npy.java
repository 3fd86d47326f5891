package io.linesight.mmad.io;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** NumPy's {@code .npy} files: little-endian, C order, f4, f8, i4, i8, u1 and bool. Stateless; any thread. */
public final class Npy {
    private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
    private static final int MAX_HEADER = 10_000;
    private static final Pattern DESCR = Pattern.compile("'descr'\\s*:\\s*'([^']*)'");
    private static final Pattern FORTRAN = Pattern.compile("'fortran_order'\\s*:\\s*(True|False)");
    private static final Pattern SHAPE = Pattern.compile("'shape'\\s*:\\s*\\(([^)]*)\\)");

    private Npy() {}

    /**
     * Reads a file. @throws IOException when it cannot be read or is not a supported array; the message says which and
     * why
     */
    public static NpyArray read(Path file) throws IOException {
        return parse(Files.readAllBytes(file), file.toString());
    }

    /** Writes float32 values, C order. */
    public static void write(Path file, float[] data, int... shape) throws IOException {
        write(file, new NpyArray(shape, data));
    }

    /** Writes any supported array, format version 1.0. */
    public static void write(Path file, NpyArray array) throws IOException {
        Files.write(file, format(array));
    }

    /** Writes any supported array, format version 1.0; the stream stays open. */
    public static void write(OutputStream out, NpyArray array) throws IOException {
        out.write(format(array));
    }

    /**
     * Reads an array from the bytes of a file.
     *
     * @param name what to call it in messages
     */
    public static NpyArray parse(byte[] file, String name) throws IOException {
        Header header = header(file, name);
        String descr = field(DESCR, header.text, name);
        if (field(FORTRAN, header.text, name).equals("True"))
            throw new IOException(name + " is in Fortran order; save it in C order (numpy.ascontiguousarray)");
        int[] shape = shape(field(SHAPE, header.text, name), name);
        ByteBuffer in = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).position(header.end);
        return new NpyArray(shape, data(descr, in, elements(descr, shape, in.remaining(), name)));
    }

    /** @param end index of the first byte of data */
    private record Header(String text, int end) {}

    private static Header header(byte[] file, String name) throws IOException {
        if (file.length < 10)
            throw new IOException(name + " is not a NumPy array: " + file.length + " bytes are too few");
        for (int i = 0; i < MAGIC.length; i++) {
            if (file[i] != MAGIC[i])
                throw new IOException(name + " is not a NumPy array: it does not begin with the NumPy magic");
        }
        int major = file[6] & 0xff;
        ByteBuffer in = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        int start;
        long headerLength;
        if (major == 1) {
            headerLength = in.getShort(8) & 0xffff;
            start = 10;
        } else if (major == 2 || major == 3) {
            if (file.length < 12) throw new IOException(name + " is truncated in its header");
            headerLength = in.getInt(8) & 0xffffffffL;
            start = 12;
        } else {
            throw new IOException(name + " has NumPy format version " + major + "; versions 1 to 3 are supported");
        }
        if (headerLength > MAX_HEADER)
            throw new IOException(name + " has a header of " + headerLength + " bytes; at most " + MAX_HEADER
                    + " are read, as NumPy does");
        if (start + headerLength > file.length) throw new IOException(name + " is truncated in its header");
        int end = start + (int) headerLength;
        return new Header(new String(file, start, (int) headerLength, StandardCharsets.UTF_8), end);
    }

    /** Number of elements, which must be as many as there are bytes for. */
    private static int elements(String descr, int[] shape, int bytes, String name) throws IOException {
        int width =
                switch (descr) {
                    case "<f4", "<i4" -> 4;
                    case "<f8", "<i8" -> 8;
                    case "|u1", "|b1" -> 1;
                    default ->
                        throw new IOException(name + " holds elements of type " + printable(descr)
                                + "; supported are <f4, <f8, <i4, <i8, |u1 and |b1");
                };
        long elements;
        try {
            elements = NpyArray.elements(shape);
            Math.multiplyExact(elements, (long) width);
        } catch (ArithmeticException e) {
            throw new IOException(name + " declares an impossible shape", e);
        }
        if (elements * width != bytes) {
            throw new IOException(name + " should hold " + elements + " elements of " + descr + " (" + elements * width
                    + " bytes) but has " + bytes + " bytes of data");
        }
        return (int) elements;
    }

    /** The elements from the buffer's position on, as an array of their type. */
    private static Object data(String descr, ByteBuffer in, int n) {
        return switch (descr) {
            case "<f4" -> {
                float[] a = new float[n];
                in.asFloatBuffer().get(a);
                yield a;
            }
            case "<f8" -> {
                double[] a = new double[n];
                in.asDoubleBuffer().get(a);
                yield a;
            }
            case "<i4" -> {
                int[] a = new int[n];
                in.asIntBuffer().get(a);
                yield a;
            }
            case "<i8" -> {
                long[] a = new long[n];
                in.asLongBuffer().get(a);
                yield a;
            }
            case "|u1" -> {
                byte[] a = new byte[n];
                in.get(a);
                yield a;
            }
            default -> {
                boolean[] a = new boolean[n];
                for (int i = 0; i < n; i++) a[i] = in.get() != 0;
                yield a;
            }
        };
    }

    /** The bytes of a {@code .npy} file, format version 1.0. */
    public static byte[] format(NpyArray array) {
        Object data = array.data();
        String descr = descr(data);
        int width = descr.charAt(2) - '0';
        StringBuilder shape = new StringBuilder("(");
        for (int d : array.shape()) shape.append(d).append(", ");
        if (array.shape().length > 1) shape.setLength(shape.length() - 2);
        else if (array.shape().length == 1) shape.setLength(shape.length() - 1);
        shape.append(')');
        StringBuilder header =
                new StringBuilder("{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }");
        // NumPy aligns the data to 64 bytes and ends the header with a line feed.
        while ((10 + header.length() + 1) % 64 != 0) header.append(' ');
        header.append('\n');
        ByteBuffer out = ByteBuffer.allocate(
                        Math.addExact(10 + header.length(), Math.multiplyExact(array.size(), width)))
                .order(ByteOrder.LITTLE_ENDIAN);
        out.put(MAGIC).put((byte) 1).put((byte) 0).putShort((short) header.length());
        out.put(header.toString().getBytes(StandardCharsets.US_ASCII));
        if (data instanceof float[] a) out.asFloatBuffer().put(a);
        else if (data instanceof double[] a) out.asDoubleBuffer().put(a);
        else if (data instanceof int[] a) out.asIntBuffer().put(a);
        else if (data instanceof long[] a) out.asLongBuffer().put(a);
        else if (data instanceof byte[] a) out.put(a);
        else for (boolean b : (boolean[]) data) out.put((byte) (b ? 1 : 0));
        return out.array();
    }

    private static String descr(Object data) {
        if (data instanceof float[]) return "<f4";
        if (data instanceof double[]) return "<f8";
        if (data instanceof int[]) return "<i4";
        if (data instanceof long[]) return "<i8";
        return data instanceof byte[] ? "|u1" : "|b1";
    }

    private static String field(Pattern pattern, String header, String name) throws IOException {
        Matcher m = pattern.matcher(header);
        if (!m.find())
            throw new IOException(name + " has a header this reader does not understand: " + printable(header));
        return m.group(1);
    }

    /** A header comes from a file that anybody may have written; it must not steer the terminal. */
    private static String printable(String text) {
        String s = text.strip().replaceAll("\\p{Cntrl}+", " ");
        return s.length() > 200 ? s.substring(0, 200) + "..." : s;
    }

    private static int[] shape(String text, String name) throws IOException {
        String trimmed = text.strip();
        if (trimmed.isEmpty()) return new int[0];
        String[] parts = trimmed.split(",");
        int[] shape = new int[parts.length];
        for (int i = 0; i < parts.length; i++) {
            try {
                shape[i] = Integer.parseUnsignedInt(parts[i].strip());
            } catch (NumberFormatException e) {
                throw new IOException(name + " has an unreadable shape (" + printable(text) + ")", e);
            }
            if (shape[i] < 0) throw new IOException(name + " has a dimension beyond 2^31 (" + printable(text) + ")");
        }
        return shape;
    }
}
