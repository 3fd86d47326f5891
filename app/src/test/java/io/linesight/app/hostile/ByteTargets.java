package io.linesight.app.hostile;

import io.linesight.app.cli.LabelCsvDoor;
import io.linesight.app.cli.common.UserError;
import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.checkpoint.Checkpoint;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.ImageLimits;
import io.linesight.mmad.io.Npy;
import io.linesight.mmad.io.NpyArray;
import io.linesight.mmad.io.Npz;
import io.linesight.mmad.score.Scorer;
import io.linesight.mmad.score.Scores;
import io.linesight.mmad.statedict.StateDicts;
import io.linesight.models.rollouts.Author;
import io.linesight.models.rollouts.CanarySelector;
import io.linesight.models.rollouts.Decision;
import io.linesight.models.rollouts.FoldDoor;
import io.linesight.models.rollouts.RegistryState;
import io.linesight.models.rollouts.RolloutRules;
import io.linesight.models.rollouts.ShadowSampler;
import io.linesight.models.signing.CheckpointSigner;
import io.linesight.models.signing.KeyFiles;
import io.linesight.models.signing.TrustedKeys;
import io.linesight.models.signing.Verification;
import io.linesight.models.storage.CheckpointStores;
import io.linesight.models.storage.ModelsConfig;
import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.DeadLetterReason;
import io.linesight.schemas.FrameEncoding;
import io.linesight.schemas.FrameLabel;
import io.linesight.schemas.ModelStatus;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.Rollout;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.registry.SchemaRegistryClient;
import io.linesight.schemas.serde.BadRecordException;
import io.linesight.schemas.serde.LinesightAvroDeserializer;
import io.linesight.schemas.topics.DeadLetterHeaders;
import io.linesight.streams.batching.SharedBatcher;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.config.InvalidConfigException;
import io.linesight.streams.inspect.InspectionPipeline;
import io.linesight.streams.inspect.InspectionTopology;
import io.linesight.streams.monitoring.InspectionMetrics;
import io.linesight.trainer.feedback.LabelRules;
import io.linesight.trainer.folders.DatasetException;
import io.linesight.trainer.folders.DatasetLayout;
import io.linesight.trainer.folders.ImageSource;
import io.linesight.trainer.imagestore.DatasetStore;
import io.linesight.trainer.imagestore.DatasetStoreException;
import io.linesight.trainer.imagestore.StoreConfig;
import io.linesight.trainer.learning.TrainerConfig;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.StringReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PublicKey;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.test.TestRecord;

/** Readers of bytes that are neither records nor files. One thread. */
final class ByteTargets {
    private ByteTargets() {}

    static String image(byte[] input) throws BadImageException {
        // All three readers of files, told apart by something that a mutation changes.
        switch (input.length % 3) {
            case 0 -> ImageCodec.decodeGray(input, Targets.LIMITS);
            case 1 -> ImageCodec.decodeMask(input, Targets.LIMITS);
            default -> ImageCodec.decode(input, Targets.LIMITS);
        }
        return null;
    }

    /** One byte for the encoding, width, height, pixels. */
    static String rawPixels(byte[] input) throws BadImageException {
        ByteBuffer in = ByteBuffer.wrap(input);
        String[] names = {"GRAY8", "RGB8", "BGR8", null, "YUV"};
        String encoding = names[in.hasRemaining() ? Math.floorMod(in.get(), names.length) : 0];
        int width = in.remaining() >= 4 ? in.getInt() : 0;
        int height = in.remaining() >= 4 ? in.getInt() : 0;
        byte[] pixels = new byte[in.remaining()];
        in.get(pixels);
        ImageCodec.raw(encoding, width, height, pixels, Targets.LIMITS);
        return null;
    }

    /** Pairs of name and value: which of the five headers in one byte, length in one byte, text. */
    static String deadLetter(byte[] input) {
        String[] names = {
            DeadLetterHeaders.CODE,
            DeadLetterHeaders.MESSAGE,
            DeadLetterHeaders.SOURCE_TOPIC,
            DeadLetterHeaders.SOURCE_PARTITION,
            DeadLetterHeaders.SOURCE_OFFSET
        };
        RecordHeaders headers = new RecordHeaders();
        ByteBuffer in = ByteBuffer.wrap(input);
        while (in.remaining() >= 2) {
            String name = names[Math.floorMod(in.get(), names.length)];
            int length = in.get() & 0xff;
            byte[] value = length == 255 ? null : new byte[Math.min(length, in.remaining())];
            if (value != null) in.get(value);
            headers.add(name, value);
        }
        Optional<DeadLetterReason> reason = DeadLetterHeaders.read(headers);
        if (reason.isEmpty()) return "headers that are not ours";
        if (reason.get().getCode() == null
                || reason.get().getMessage() == null
                || reason.get().getSource() == null) throw new AssertionError("a reason with holes");
        return null;
    }
}
