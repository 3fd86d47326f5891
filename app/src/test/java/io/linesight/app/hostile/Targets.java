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
import io.linesight.streams.batching.BatchLimits;
import io.linesight.streams.batching.SharedBatcher;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.config.InvalidConfigException;
import io.linesight.streams.inspect.InspectionPipeline;
import io.linesight.streams.inspect.InspectionTopology;
import io.linesight.streams.monitoring.InspectionMetrics;
import io.linesight.streams.support.FixedModel;
import io.linesight.trainer.feedback.LabelRules;
import io.linesight.trainer.folders.DatasetException;
import io.linesight.trainer.folders.DatasetLayout;
import io.linesight.trainer.folders.ImageSource;
import io.linesight.trainer.imagestore.DatasetStore;
import io.linesight.trainer.imagestore.DatasetStoreException;
import io.linesight.trainer.imagestore.PendingLabel;
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

/** Everything that reads bytes somebody else may have written. Close it after use. One thread. */
final class Targets implements AutoCloseable {
    /**
     * Small, so that what an image may cost can be told from what its header lies about; the whole path runs with the
     * real ones.
     */
    private static final ImageLimits LIMITS = new ImageLimits(4096, 4_000_000, 1 << 20);

    private final Path work;
    private final Schemas schemas = new Schemas();
    private final SchemaRegistryClient registry =
            new SchemaRegistryClient(Map.of("schema.registry.url", schemas.url()));
    private final List<AutoCloseable> open = new ArrayList<>();
    private final TrustedKeys trusted;
    private Inspection inspection;
    private RawServer rawServer;

    Targets(Path work, Path publicKey) throws IOException {
        this.work = work;
        List<PublicKey> keys = List.of(KeyFiles.readPublic(publicKey));
        trusted = TrustedKeys.of(keys);
    }

    List<Target> all() {
        List<Class<? extends Throwable>> io = List.of(IOException.class);
        return List.of(
                target("image", Targets::imageFormat, 64, false, List.of(BadImageException.class), this::image),
                target("raw-pixels", bytes(Format.BYTES), 64, false, List.of(BadImageException.class), this::rawPixels),
                target("frame-record", bytes(Format.AVRO), 16, false, List.of(BadRecordException.class), frameRecord()),
                target(
                        "inspect",
                        (f, b) -> f.endsWith(".bin") ? Format.AVRO : imageFormat(f, b),
                        1024,
                        true,
                        List.of(),
                        this::inspect),
                target("label-record", bytes(Format.AVRO), 64, false, List.of(BadRecordException.class), labelRecord()),
                target(
                        "label-csv",
                        bytes(Format.TEXT),
                        16,
                        false,
                        List.of(IOException.class, UserError.class),
                        this::labelCsv),
                target(
                        "manifest",
                        bytes(Format.AVRO),
                        16,
                        false,
                        List.of(BadRecordException.class, IOException.class),
                        manifest()),
                target("rollout", bytes(Format.AVRO), 64, false, List.of(), rollout()),
                target("checkpoint", bytes(Format.PROTOBUF), 64, false, io, this::checkpoint),
                target(
                        "state-dict",
                        (f, b) -> f.endsWith(".safetensors")
                                ? Format.SAFETENSORS
                                : f.endsWith(".pth") ? Format.ZIP : Format.PICKLE,
                        16,
                        false,
                        io,
                        this::stateDict),
                target("numpy", (f, b) -> f.endsWith(".npz") ? Format.ZIP : Format.NPY, 64, false, io, this::numpy),
                target("key-file", bytes(Format.TEXT), 16, false, io, this::keyFile),
                target(
                        "settings",
                        bytes(Format.TEXT),
                        32,
                        false,
                        List.of(InvalidConfigException.class, ConfigException.class, IllegalArgumentException.class),
                        this::settings),
                target(
                        "registry-reply",
                        bytes(Format.JSON),
                        64,
                        true,
                        List.of(RegistryException.class),
                        this::registryReply),
                target(
                        "store-journal",
                        bytes(Format.JSON),
                        32,
                        false,
                        List.of(IOException.class, DatasetStoreException.class),
                        this::storeJournal),
                target("visa-table", bytes(Format.TEXT), 16, false, List.of(DatasetException.class), this::visaTable),
                target("dead-letter", bytes(Format.BYTES), 16, false, List.of(), this::deadLetter));
    }

    private static Target target(
            String name,
            Target.FormatOf format,
            int megabytes,
            boolean threads,
            List<Class<? extends Throwable>> rejections,
            Target.Attack attack) {
        return new Target(name, format, megabytes, threads, rejections, attack);
    }

    private static Target.FormatOf bytes(Format format) {
        return (f, b) -> format;
    }

    private static Format imageFormat(String file, byte[] content) {
        return file.endsWith(".png") ? Format.PNG : file.endsWith(".jpg") ? Format.JPEG : Format.BYTES;
    }

    // --- images

    private String image(byte[] input) throws BadImageException {
        // All three readers of files, told apart by something that a mutation changes.
        switch (input.length % 3) {
            case 0 -> ImageCodec.decodeGray(input, LIMITS);
            case 1 -> ImageCodec.decodeMask(input, LIMITS);
            default -> ImageCodec.decode(input, LIMITS);
        }
        return null;
    }

    /** One byte for the encoding, width, height, pixels. */
    private String rawPixels(byte[] input) throws BadImageException {
        ByteBuffer in = ByteBuffer.wrap(input);
        String[] names = {"GRAY8", "RGB8", "BGR8", null, "YUV"};
        String encoding = names[in.hasRemaining() ? Math.floorMod(in.get(), names.length) : 0];
        int width = in.remaining() >= 4 ? in.getInt() : 0;
        int height = in.remaining() >= 4 ? in.getInt() : 0;
        byte[] pixels = new byte[in.remaining()];
        in.get(pixels);
        ImageCodec.raw(encoding, width, height, pixels, LIMITS);
        return null;
    }

    // --- records

    private <T extends SpecificRecord> LinesightAvroDeserializer<T> reader(Class<T> type) {
        LinesightAvroDeserializer<T> d = new LinesightAvroDeserializer<>(registry);
        d.configure(Map.of("specific.avro.reader", true, "specific.avro.value.type", type.getName()), false);
        return d;
    }

    private Target.Attack frameRecord() {
        LinesightAvroDeserializer<CameraFrame> frames = reader(CameraFrame.class);
        return input -> {
            CameraFrame f = frames.deserialize("frames", input);
            return f.getFrameId() == null ? "no id" : null;
        };
    }

    private Target.Attack labelRecord() {
        LinesightAvroDeserializer<FrameLabel> labels = reader(FrameLabel.class);
        return input -> {
            FrameLabel label = labels.deserialize("labels", input);
            List<String> problems = new ArrayList<>(LabelRules.problems(label, "linesight.frames.v1"));
            String key = LabelRules.keyProblem("linesight.frames.v1-0-42", label);
            if (key != null) problems.add(key);
            byte[] mask = LabelRules.mask(label);
            if (mask != null) {
                String problem = LabelRules.maskProblem(mask, 16, 12, LIMITS);
                if (problem != null) problems.add(problem);
            }
            return problems.isEmpty() ? null : String.join("; ", problems);
        };
    }

    private Target.Attack manifest() {
        LinesightAvroDeserializer<ModelVersion> versions = reader(ModelVersion.class);
        CheckpointStores stores = keep(CheckpointStores.open(ModelsConfig.of(Map.of(
                "bootstrap.servers",
                "unused:9092",
                "schema.registry.url",
                schemas.url(),
                "linesight.models.unsigned",
                "accept"))));
        return input -> {
            ModelVersion m = versions.deserialize("models", input);
            Verification v = trusted.verify(m);
            // Only files: a location that leads to a network would make this test go there. Kafka and http are behind
            // the same check.
            if (m.getLocation().startsWith("file:")) stores.fetch(m, work.resolve("fetched"));
            return v.accepted() ? null : v.message();
        };
    }

    /** Records one after the other: their length in two bytes, then the record. The kind is told by the schema id. */
    private Target.Attack rollout() {
        LinesightAvroDeserializer<Rollout> rollouts = reader(Rollout.class);
        LinesightAvroDeserializer<ModelVersion> versions = reader(ModelVersion.class);
        LinesightAvroDeserializer<ModelStatus> statuses = reader(ModelStatus.class);
        return input -> {
            FoldDoor fold = new FoldDoor(trusted);
            String rejected = null;
            ByteBuffer in = ByteBuffer.wrap(input);
            // The first five bytes are what the mutator takes for a header.
            in.position(Math.min(5, input.length));
            while (in.remaining() >= 2) {
                byte[] record = new byte[Math.min(in.getShort() & 0xffff, in.remaining())];
                in.get(record);
                int id = record.length < 5 ? 0 : record[4];
                try {
                    if (id == 3) {
                        ModelVersion m = versions.deserialize("models", record);
                        fold.take(m.getVersion(), m);
                    } else if (id == 5) {
                        ModelStatus s = statuses.deserialize("status", record);
                        fold.take(s.getInstance() + "/" + s.getVersion(), s);
                    } else {
                        fold.take("line", rollouts.deserialize("rollouts", record));
                    }
                } catch (BadRecordException e) {
                    rejected = e.getMessage();
                    fold.unreadable("line", rejected);
                }
            }
            RegistryState state = fold.state();
            Author person = new Author("tester", false, "", Instant.EPOCH);
            Author program = new Author("program", true, "", Instant.EPOCH);
            List<Decision> decisions = new ArrayList<>();
            for (Author a : List.of(person, program)) {
                for (String v : List.of("v1", "v2", "nothing")) {
                    decisions.add(RolloutRules.promote(state, "line", v, a, false));
                    decisions.add(RolloutRules.shadow(state, "line", v, 10, a, true));
                    decisions.add(RolloutRules.canary(state, "line", v, List.of("cam"), List.of(), 5, a, false));
                }
                decisions.add(RolloutRules.rollback(state, "line", a));
                decisions.add(RolloutRules.withdraw(state, "line", a));
                decisions.add(RolloutRules.pin(state, "line", a));
                decisions.add(RolloutRules.unpin(state, "line", a));
            }
            for (Decision d : decisions)
                if (d instanceof Decision.Rejected r && r.reason().isBlank())
                    throw new AssertionError("rejected without a reason");
            state.newestFirst();
            state.latestStatus();
            state.aliases("v1");
            Rollout now = state.channel("line").inForce().orElse(null);
            if (now != null) {
                CanarySelector.selects(now, "cam", "bolt");
                ShadowSampler.samples(now, "cam", 7);
                Optional<String> objection = state.objection(now);
                if (objection.isPresent()) rejected = objection.get();
            } else if (rejected == null) {
                rejected = state.channel("line").history().stream()
                        .map(h -> h.rejection())
                        .filter(t -> !t.isEmpty())
                        .findFirst()
                        .orElse("nothing was decided");
            }
            return rejected;
        };
    }

    /**
     * The topology as it runs, with a scorer that takes no time: one result or one dead letter for every record,
     * whatever is in it.
     */
    private String inspect(byte[] input) throws IOException {
        if (inspection == null) inspection = keep(new Inspection());
        return inspection.run(input);
    }

    private final class Inspection implements AutoCloseable {
        private final SharedBatcher batcher;
        private final InspectionPipeline pipeline;
        private final TopologyTestDriver driver;
        private final TestInputTopic<byte[], byte[]> in;
        private final TestOutputTopic<byte[], byte[]> results;
        private final TestOutputTopic<byte[], byte[]> anomalies;
        private final TestOutputTopic<byte[], byte[]> letters;

        Inspection() {
            InspectionConfig config = InspectionConfig.of(Map.of(
                    "bootstrap.servers",
                    "unused:9092",
                    "schema.registry.url",
                    schemas.url(),
                    "linesight.batch.linger.ms",
                    "0"));
            InspectionMetrics metrics = new InspectionMetrics(new SimpleMeterRegistry());
            batcher = new SharedBatcher(
                    "linesight-inference",
                    FixedModel.of(new FlatScorer()),
                    new BatchLimits(4, config.batching().linger(), 8),
                    metrics);
            pipeline = new InspectionPipeline(config, FixedModel.router(batcher, "flat"), metrics);
            Properties p = new Properties();
            p.putAll(Map.of(
                    "application.id",
                    "hostile",
                    "bootstrap.servers",
                    "unused:9092",
                    "processing.guarantee",
                    "exactly_once_v2",
                    "state.dir",
                    work.resolve("state").toString()));
            driver = new TopologyTestDriver(InspectionTopology.build(config, pipeline, metrics), p);
            in = driver.createInputTopic(
                    config.topics().frames().name(), new ByteArraySerializer(), new ByteArraySerializer());
            results = driver.createOutputTopic(
                    config.topics().results().name(), new ByteArrayDeserializer(), new ByteArrayDeserializer());
            anomalies = driver.createOutputTopic(
                    config.topics().anomalies().name(), new ByteArrayDeserializer(), new ByteArrayDeserializer());
            letters = driver.createOutputTopic(
                    config.topics().deadLetter().name(), new ByteArrayDeserializer(), new ByteArrayDeserializer());
        }

        String run(byte[] input) throws IOException {
            boolean record = input.length == 0 || input[0] == 0;
            byte[] value = record
                    ? input
                    : Schemas.wire(Corpus.frame(FrameEncoding.values()[1 + input.length % 2], input, 0, 0));
            in.pipeInput("cam-1".getBytes(StandardCharsets.UTF_8), value);
            int scored = results.readRecordsToList().size();
            int events = anomalies.readRecordsToList().size();
            List<TestRecord<byte[], byte[]>> put = letters.readRecordsToList();
            if (scored + put.size() != 1)
                throw new AssertionError(scored + " results and " + put.size() + " dead letters for one record");
            if (events > scored) throw new AssertionError(events + " anomaly events for " + scored + " results");
            if (scored == 1) return null;
            DeadLetterReason reason =
                    DeadLetterHeaders.read(put.get(0).headers()).orElseThrow();
            // INTERNAL says that the fault is ours.
            if (reason.getCode() == io.linesight.schemas.DeadLetterCode.INTERNAL)
                throw new AssertionError("INTERNAL: " + reason.getMessage());
            return reason.getMessage();
        }

        @Override
        public void close() {
            driver.close();
            pipeline.close();
            batcher.close();
        }
    }

    /** Every other frame is an anomaly. */
    private static final class FlatScorer implements Scorer {
        private static final int SIZE = 16;
        private int frames;

        @Override
        public CheckpointInfo info() {
            return new CheckpointInfo(
                    "flat", "00", new Calibration(new ProductCalibration(0.5, 0.1), Map.of()), Map.of());
        }

        @Override
        public String device() {
            return "cpu";
        }

        @Override
        public Scores score(List<byte[]> batch) {
            float[] raw = new float[batch.size()];
            float[] maps = new float[batch.size() * SIZE * SIZE];
            for (int i = 0; i < raw.length; i++) {
                raw[i] = frames++ % 2;
                maps[i * SIZE * SIZE + 5] = raw[i];
            }
            return new Scores(raw.length, SIZE, raw, maps);
        }

        @Override
        public void close() {}
    }

    // --- files

    private Path file(String name, byte[] content) throws IOException {
        return Files.write(work.resolve(name), content);
    }

    private String labelCsv(byte[] input) throws IOException {
        LabelCsvDoor.read(file("labels.csv", input));
        return null;
    }

    private String checkpoint(byte[] input) throws IOException {
        Path file = file("model.onnx", input);
        Checkpoint.read(file).info().calibration().forProduct("bolt").calibrated(1);
        switch (input.length % 4) {
            case 0 -> Checkpoint.read(file).config();
            case 1 -> Checkpoint.read(file).encoder();
            case 2 -> Checkpoint.read(file).weights();
            default -> {}
        }
        return null;
    }

    private String stateDict(byte[] input) throws IOException {
        StateDicts.read(file("weights", input));
        return null;
    }

    private String numpy(byte[] input) throws IOException {
        if (input.length > 1 && input[0] == 'P' && input[1] == 'K') {
            try (Npz npz = Npz.open(file("arrays.npz", input))) {
                for (String name : npz.names()) {
                    NpyArray a = npz.get(name);
                    if (a.size() < 0) throw new AssertionError("a negative size");
                }
            }
        } else {
            Npy.parse(input, "array.npy");
        }
        return null;
    }

    private String keyFile(byte[] input) throws IOException {
        Path file = file("key.pem", input);
        try {
            KeyFiles.id(KeyFiles.readPublic(file));
        } catch (IOException e) {
            reason(e);
            CheckpointSigner.load(file).keyId();
        }
        return null;
    }

    private String settings(byte[] input) throws IOException {
        Path file = file("line.properties", input);
        String rejected = null;
        try {
            InspectionConfig.ofFile(file).toString();
        } catch (InvalidConfigException e) {
            rejected = reason(e);
        }
        Properties p = new Properties();
        p.load(new StringReader(new String(input, StandardCharsets.UTF_8)));
        Map<String, String> settings = new HashMap<>();
        p.stringPropertyNames().forEach(n -> settings.put(n, p.getProperty(n)));
        try {
            ModelsConfig.of(settings).toString();
        } catch (IllegalArgumentException e) {
            rejected = reason(e);
        }
        try {
            TrainerConfig.of(settings, work);
        } catch (IllegalArgumentException e) {
            rejected = reason(e);
        }
        new SchemaRegistryClient(settings);
        return rejected;
    }

    private static String reason(Exception e) {
        if (e.getMessage() == null || e.getMessage().isBlank())
            throw new AssertionError("rejected without a reason", e);
        return e.getMessage();
    }

    private String visaTable(byte[] input) throws IOException {
        Path root = Files.createDirectories(work.resolve("visa"));
        for (String image : List.of("a.png", "b.png", "c.png"))
            if (!Files.exists(root.resolve(image))) Files.write(root.resolve(image), new byte[] {1});
        ImageSource source = DatasetLayout.open(
                        List.of(root), List.of(), DatasetLayout.VISA, Files.write(root.resolve("table.csv"), input))
                .source();
        for (String category : source.categories()) source.test(category).size();
        return null;
    }

    private String storeJournal(byte[] input) throws IOException {
        Path folder = work.resolve("store");
        Path pictures = folder.resolve("pictures");
        for (String sha : Corpus.PICTURES.keySet()) {
            Path p = pictures.resolve(sha.substring(0, 2)).resolve(sha);
            Files.createDirectories(p.getParent());
            if (!Files.exists(p)) Files.write(p, Corpus.PICTURES.get(sha));
        }
        Path outside = work.resolve("outside");
        Files.write(outside, new byte[] {1});
        Files.write(folder.resolve("journal.jsonl"), input);
        try (DatasetStore store = DatasetStore.open(StoreConfig.in(folder))) {
            store.bytes();
            store.images().size();
            store.positions().size();
            for (PendingLabel p : store.pending()) p.since().toEpochMilli();
        } finally {
            if (!Files.exists(outside)) throw new AssertionError("a file outside the store was removed");
        }
        return null;
    }

    // --- replies and headers

    /** The first byte chooses the status, the second the question, the rest is the body, or the whole reply. */
    private String registryReply(byte[] input) throws IOException {
        if (rawServer == null) rawServer = keep(new RawServer());
        int[] statuses = {200, 200, 200, 404, 409, 422, 500, 204, 302, 0};
        int status = input.length == 0 ? 200 : statuses[Math.floorMod(input[0], statuses.length)];
        int question = input.length < 2 ? 0 : Math.floorMod(input[1], 6);
        byte[] body = input.length < 2 ? new byte[0] : java.util.Arrays.copyOfRange(input, 2, input.length);
        rawServer.reply(status, body);
        SchemaRegistryClient client = new SchemaRegistryClient(
                Map.of("schema.registry.url", rawServer.url(), "max.retries", "0", "http.read.timeout.ms", "1000"));
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

    /** Pairs of name and value: which of the five headers in one byte, length in one byte, text. */
    private String deadLetter(byte[] input) {
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

    private <T extends AutoCloseable> T keep(T resource) {
        open.add(0, resource);
        return resource;
    }

    @Override
    public void close() throws Exception {
        for (AutoCloseable c : open) c.close();
        schemas.close();
    }
}
