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

/** A client of the schema registry, whose server answers with the input. One thread. */
final class RegistryReplyTarget implements Target.Attack, AutoCloseable {
    private final RawServer server = new RawServer();

    RegistryReplyTarget() throws IOException {}

    /** The first byte chooses the status, the second the question, the rest is the body, or the whole reply. */
    @Override
    public String run(byte[] input) throws IOException {
        int[] statuses = {200, 200, 200, 404, 409, 422, 500, 204, 302, 0};
        int status = input.length == 0 ? 200 : statuses[Math.floorMod(input[0], statuses.length)];
        int question = input.length < 2 ? 0 : Math.floorMod(input[1], 6);
        byte[] body = input.length < 2 ? new byte[0] : java.util.Arrays.copyOfRange(input, 2, input.length);
        server.reply(status, body);
        SchemaRegistryClient client = new SchemaRegistryClient(
                Map.of("schema.registry.url", server.url(), "max.retries", "0", "http.read.timeout.ms", "1000"));
        switch (question) {
            case 0 -> client.schemaById(7);
            case 1 -> client.latest("s");
            case 2 -> client.versions("s");
            case 3 -> client.subjects();
            case 4 -> client.check("s", Schemas.OURS.get(0));
            default -> client.register("s", Schemas.OURS.get(0));
        }
        return null;
    }

    @Override
    public void close() throws IOException {
        server.close();
    }

    /** Answers every request with the same bytes and hangs up. */
    private static final class RawServer implements AutoCloseable {
        private final ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        private final Thread thread = new Thread(this::serve, "hostile-registry");
        private volatile byte[] reply = new byte[0];

        RawServer() throws IOException {
            thread.setDaemon(true);
            thread.start();
        }

        String url() {
            return "http://localhost:" + socket.getLocalPort();
        }

        void reply(int status, byte[] body) {
            byte[] head = status == 0
                    ? new byte[0]
                    : ("HTTP/1.1 " + status
                                    + " X\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "
                                    + body.length + "\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII);
            reply = ByteBuffer.allocate(head.length + body.length)
                    .put(head)
                    .put(body)
                    .array();
        }

        private void serve() {
            while (!socket.isClosed()) {
                try (Socket s = socket.accept()) {
                    InputStream in = s.getInputStream();
                    long tail = 0;
                    // A body comes in the same packets as a rule; whatever is left of it does not matter.
                    for (int c = in.read(); c >= 0; c = in.read()) {
                        tail = tail << 8 | c;
                        if ((tail & 0xffffffffL) == 0x0d0a0d0aL) break;
                    }
                    while (in.available() > 0) in.skip(in.available());
                    OutputStream out = s.getOutputStream();
                    out.write(reply);
                    out.flush();
                    s.shutdownOutput();
                } catch (IOException e) {
                    // the client went away
                }
            }
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
