package io.linesight.mmad.statedict;

import java.nio.ByteBuffer;

/** Element types of stored tensors: their names in safetensors, in PyTorch's storages and for people. */
enum ElementType {
    F32("Float", "float32", 4, true),
    F64("Double", "float64", 8, true),
    F16("Half", "float16", 2, true),
    BF16("BFloat16", "bfloat16", 2, true),
    I64("Long", "int64", 8, false),
    I32("Int", "int32", 4, false),
    I16("Short", "int16", 2, false),
    I8("Char", "int8", 1, false),
    U8("Byte", "uint8", 1, false),
    BOOL("Bool", "bool", 1, false);

    private final String storage;
    private final String word;
    private final int bytes;
    private final boolean isFloat;

    ElementType(String storage, String word, int bytes, boolean isFloat) {
        this.storage = "torch." + storage + "Storage";
        this.word = word;
        this.bytes = bytes;
        this.isFloat = isFloat;
    }

    int bytes() {
        return bytes;
    }

    boolean isFloat() {
        return isFloat;
    }

    String word() {
        return word;
    }

    /** @return null when there is no such type here */
    static ElementType ofSafetensors(String name) {
        for (ElementType t : values()) if (t.name().equals(name)) return t;
        return null;
    }

    /** @return null when the global is no storage class */
    static ElementType ofStorage(String global) {
        for (ElementType t : values()) if (t.storage.equals(global)) return t;
        return null;
    }

    /** Whether a global is a dtype such as {@code torch.float32}. */
    static boolean isDtype(String global) {
        for (ElementType t : values()) if (global.equals("torch." + t.word)) return true;
        return false;
    }

    /** One element of a floating-point type. */
    float at(ByteBuffer storage, int index) {
        return switch (this) {
            case F32 -> storage.getFloat(index * 4);
            case F64 -> (float) storage.getDouble(index * 8);
            case F16 -> half(storage.getShort(index * 2));
            case BF16 -> Float.intBitsToFloat(storage.getShort(index * 2) << 16);
            default -> throw new IllegalStateException(word + " is not read");
        };
    }

    private static float half(short bits) {
        int sign = (bits & 0x8000) << 16;
        int exponent = bits >> 10 & 0x1f;
        int fraction = bits & 0x3ff;
        if (exponent == 0x1f) return Float.intBitsToFloat(sign | 0x7f800000 | fraction << 13);
        if (exponent == 0) return (sign == 0 ? 1 : -1) * fraction * 0x1p-24f;
        return Float.intBitsToFloat(sign | exponent + 112 << 23 | fraction << 13);
    }
}
