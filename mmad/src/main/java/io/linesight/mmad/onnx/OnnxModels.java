package io.linesight.mmad.onnx;

import ai.onnx.proto.OnnxMl.ModelProto;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import java.io.IOException;

/** Parses ONNX files in memory. */
public final class OnnxModels {
    private OnnxModels() {}

    /**
     * Parses a model whose tensors point into the array instead of being copied out of it. The model keeps the array in
     * memory; nobody may change it any more.
     *
     * @throws InvalidProtocolBufferException when the bytes are not a whole ONNX file
     */
    public static ModelProto parse(byte[] onnx) throws InvalidProtocolBufferException {
        try {
            CodedInputStream in = UnsafeByteOperations.unsafeWrap(onnx).newCodedInput();
            in.enableAliasing(true);
            return ModelProto.parseFrom(in);
        } catch (InvalidProtocolBufferException e) {
            throw e;
        } catch (IOException e) {
            throw new InvalidProtocolBufferException(e);
        }
    }
}
