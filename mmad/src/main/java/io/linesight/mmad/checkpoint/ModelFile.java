package io.linesight.mmad.checkpoint;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import io.linesight.mmad.io.AtomicFile;
import io.linesight.mmad.io.Sha256;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.LinkedHashMap;
import java.util.Map;

/** An ONNX file on disk: reading with its checksum, writing atomically. */
record ModelFile(ModelProto model, String sha256) {

    /**
     * @throws IOException when the file is missing, unreadable or no ONNX model; the message names the file and the
     *     reason
     */
    static ModelFile read(Path path) throws IOException {
        byte[] bytes;
        try {
            if (Files.isDirectory(path)) throw new IOException(path + " is a directory, not a checkpoint file");
            long size = Files.size(path);
            if (size == 0) throw new IOException(path + " is empty, not a checkpoint; copy it again");
            if (size > Integer.MAX_VALUE - 8)
                throw new IOException(path + " has " + size + " bytes; an ONNX file holds less than 2 GB");
            bytes = Files.readAllBytes(path);
        } catch (NoSuchFileException e) {
            throw new NoSuchFileException(path.toString(), null, "there is no such checkpoint file");
        }
        ModelProto model;
        try {
            CodedInputStream in = UnsafeByteOperations.unsafeWrap(bytes).newCodedInput();
            // Tensors then point into the one array instead of being copied out of it.
            in.enableAliasing(true);
            model = ModelProto.parseFrom(in);
        } catch (InvalidProtocolBufferException e) {
            throw new IOException(
                    path + " is truncated or not an ONNX file (" + e.getMessage() + "); copy or publish it again", e);
        }
        if (!model.hasGraph() || model.getGraph().getOutputCount() == 0)
            throw new IOException(path + " is truncated or not an ONNX model: it holds no complete graph");
        return new ModelFile(model, Sha256.hex(bytes));
    }

    /** Replaces the file in one step: readers see the old file or the whole new one. */
    static void write(Path path, ModelProto model) throws IOException {
        AtomicFile.replace(path, channel -> {
            CodedOutputStream coded = CodedOutputStream.newInstance(Channels.newOutputStream(channel), 1 << 16);
            model.writeTo(coded);
            coded.flush();
        });
    }

    Map<String, String> properties() {
        Map<String, String> properties = new LinkedHashMap<>();
        for (StringStringEntryProto e : model.getMetadataPropsList()) properties.put(e.getKey(), e.getValue());
        return properties;
    }

    static ModelProto withProperties(ModelProto model, Map<String, String> properties) {
        ModelProto.Builder b = model.toBuilder().clearMetadataProps();
        properties.forEach((k, v) -> b.addMetadataPropsBuilder().setKey(k).setValue(v));
        return b.build();
    }

    /** Lower-case hex SHA-256 of the model as it would be written. */
    static String contentHash(ModelProto model) {
        MessageDigest digest = Sha256.digest();
        try (DigestOutputStream out = new DigestOutputStream(OutputStream.nullOutputStream(), digest)) {
            model.writeTo(out);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return Sha256.hex(digest);
    }
}
