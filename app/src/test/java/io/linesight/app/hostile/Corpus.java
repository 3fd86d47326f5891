package io.linesight.app.hostile;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.protobuf.ByteString;
import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.Tensor;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.graph.MmadGraph;
import io.linesight.mmad.io.Npy;
import io.linesight.mmad.io.NpyArray;
import io.linesight.mmad.io.Npz;
import io.linesight.mmad.io.Sha256;
import io.linesight.mmad.statedict.StateDictFiles;
import io.linesight.models.signing.CheckpointSigner;
import io.linesight.models.signing.KeyFiles;
import io.linesight.schemas.CameraFrame;
import io.linesight.schemas.DatasetSummary;
import io.linesight.schemas.FrameEncoding;
import io.linesight.schemas.FrameLabel;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.GateOutcome;
import io.linesight.schemas.GateVerdict;
import io.linesight.schemas.LabelKind;
import io.linesight.schemas.ModelRole;
import io.linesight.schemas.ModelState;
import io.linesight.schemas.ModelStatus;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.ProductMetrics;
import io.linesight.schemas.Rollout;
import io.linesight.schemas.RolloutAction;
import io.linesight.schemas.RolloutMode;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;

/**
 * The inputs that mutations start from. They are kept as files, so that a case is the same whoever runs it:
 * {@link #write} made those called {@code seed-*}; those called {@code bug-*} once brought a reader down.
 */
final class Corpus {
    static final Path FOLDER = Path.of("src/test/resources/hostile");
    /** What the store's journal speaks of; the store does not look into them when it opens. */
    static final Map<String, byte[]> PICTURES = new TreeMap<>();

    private static final Instant AT = Instant.parse("2026-01-01T12:00:00Z");

    static {
        for (String s : List.of("picture one", "picture two", "mask"))
            PICTURES.put(Sha256.hex(s.getBytes(StandardCharsets.UTF_8)), s.getBytes(StandardCharsets.UTF_8));
    }

    private Corpus() {}

    /** Files of a target by name, in order. */
    static Map<String, byte[]> of(String target) throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        try (Stream<Path> s = Files.list(FOLDER.resolve(target))) {
            for (Path p : s.sorted().toList()) files.put(p.getFileName().toString(), Files.readAllBytes(p));
        }
        return files;
    }

    static CameraFrame frame(FrameEncoding encoding, byte[] image, int width, int height) {
        return CameraFrame.newBuilder()
                .setFrameId("cam-1-7")
                .setCameraId("cam-1")
                .setLineId("line-1")
                .setProduct("bolt")
                .setCapturedAt(AT)
                .setSequence(7)
                .setEncoding(encoding)
                .setWidth(width)
                .setHeight(height)
                .setImage(ByteBuffer.wrap(image))
                .setAttributes(Map.of("station", "4", "exposure", "12 ms"))
                .build();
    }

    // --- how the seeds were made

    /** Writes every {@code seed-*} file; those of the key pair and its signature change every time. */
    static void write(Path folder) throws Exception {
        Map<String, byte[]> pictures = pictures();
        writeImages(folder, pictures);
        writeFrames(folder, pictures);
        writeLabels(folder, pictures);
        Path work = Files.createTempDirectory("corpus");
        writeKeysAndModels(folder, work);
        put(folder, "checkpoint", "seed-own.onnx", checkpoint(true));
        put(folder, "checkpoint", "seed-foreign.onnx", checkpoint(false));
        writeArrays(folder, work.resolve("weights"));
        Files.delete(work);
        writeSettings(folder);
        writeRegistryReplies(folder);
        writeJournals(folder);
        writeTables(folder);
    }

    private static void writeImages(Path folder, Map<String, byte[]> pictures) {
        pictures.forEach((name, bytes) -> put(folder, "image", name, bytes));
        for (String name : List.of("seed-rgb.png", "seed-grey.jpg", "seed-progressive.jpg", "seed-palette.png"))
            put(folder, "inspect", name, pictures.get(name));
        byte[] grey = grey();
        put(folder, "raw-pixels", "seed-grey.bin", rawPixels(0, 8, 6, grey));
        put(folder, "raw-pixels", "seed-rgb.bin", rawPixels(1, 4, 4, grey));
        put(folder, "raw-pixels", "seed-bgr.bin", rawPixels(2, 2, 8, grey));
    }

    private static byte[] grey() {
        byte[] grey = new byte[48];
        for (int i = 0; i < grey.length; i++) grey[i] = (byte) (5 * i);
        return grey;
    }

    private static byte[] rawPixels(int kind, int width, int height, byte[] pixels) {
        return ByteBuffer.allocate(9 + pixels.length)
                .put((byte) kind)
                .putInt(width)
                .putInt(height)
                .put(pixels)
                .array();
    }

    private static void writeFrames(Path folder, Map<String, byte[]> pictures) throws IOException {
        byte[] grey = grey();
        byte[] raw = Schemas.wire(frame(FrameEncoding.GRAY8, grey, 8, 6));
        byte[] png = Schemas.wire(frame(FrameEncoding.PNG, pictures.get("seed-grey.png"), 0, 0));
        byte[] bare = Schemas.wire(CameraFrame.newBuilder(frame(FrameEncoding.RGB8, grey, 4, 4))
                .setProduct(null)
                .setAttributes(Map.of())
                .build());
        for (String target : List.of("frame-record", "inspect")) {
            put(folder, target, "seed-raw.bin", raw);
            put(folder, target, "seed-png.bin", png);
            put(folder, target, "seed-bare.bin", bare);
        }
    }

    private static void writeLabels(Path folder, Map<String, byte[]> pictures) throws IOException {
        FrameLabel label = FrameLabel.newBuilder()
                .setFrameRef(new FrameRef("linesight.frames.v1", 0, 42L))
                .setFrameId("cam-1-7")
                .setCameraId("cam-1")
                .setProduct("bolt")
                .setLabel(LabelKind.ANOMALOUS)
                .setMaskPng(ByteBuffer.wrap(pictures.get("seed-grey.png")))
                .setAnnotator("anna")
                .setAt(AT)
                .setNote("a scratch")
                .build();
        put(folder, "label-record", "seed-mask.bin", Schemas.wire(label));
        put(
                folder,
                "label-record",
                "seed-normal.bin",
                Schemas.wire(FrameLabel.newBuilder(label)
                        .setLabel(LabelKind.NORMAL)
                        .setMaskPng(null)
                        .setProduct(null)
                        .setNote("")
                        .build()));
        put(
                folder,
                "label-csv",
                "seed-frame.csv",
                "frame,label,annotator,mask,note\nlinesight.frames.v1-0-42,anomalous,anna,m.png,\"a \"\"deep\"\" "
                        + "scratch, left\"\nlinesight.frames.v1-1-7,normal,,,\n");
        put(
                folder,
                "label-csv",
                "seed-place.csv",
                "\uFEFFtopic,partition,offset,label\r\nlinesight.frames.v1,0,42,normal\r\n\r\n"
                        + "linesight.frames.v1,3,9,retracted\r\n");
    }

    private static void writeKeysAndModels(Path folder, Path keys) throws Exception {
        KeyFiles.generate(keys.resolve("private"), keys.resolve("public"));
        put(folder, "key-file", "seed-public.pem", Files.readAllBytes(keys.resolve("public")));
        put(folder, "key-file", "seed-private.pem", Files.readAllBytes(keys.resolve("private")));
        CheckpointSigner signer = CheckpointSigner.load(keys.resolve("private"));
        for (String made : List.of("private", "public")) Files.delete(keys.resolve(made));
        ModelVersion manifest = manifest();
        ModelVersion signed = signer.sign(manifest);
        put(folder, "manifest", "seed-signed.bin", Schemas.wire(signed));
        put(folder, "manifest", "seed-unsigned.bin", Schemas.wire(manifest));
        put(
                folder,
                "manifest",
                "seed-file.bin",
                Schemas.wire(ModelVersion.newBuilder(manifest)
                        .setLocation("file:///nowhere/model.onnx")
                        .setChunks(0)
                        .setChunkBytes(0)
                        .setProducts(List.of())
                        .build()));

        ModelVersion second =
                signer.sign(ModelVersion.newBuilder(manifest).setVersion("v2").build());
        writeRollouts(folder, signed, second);
    }

    private static ModelVersion manifest() {
        return ModelVersion.newBuilder()
                .setVersion("v1")
                .setChannel("line")
                .setSha256("ab".repeat(32))
                .setBytes(1234)
                .setLocation("kafka:17")
                .setChunks(1)
                .setChunkBytes(921600)
                .setCreatedAt(AT)
                .setCreatedBy("trainer")
                .setParent("v0")
                .setDataset(new DatasetSummary("ff", 10, 2))
                .setGate(new GateVerdict(GateOutcome.PASSED, "better", 0.01, "v0"))
                .setProducts(List.of(
                        new ProductMetrics("bolt", 0.5, 0.1, 10, 2, 0.99, 0.0, 0.1, null, null, null),
                        new ProductMetrics("nut", 0.4, 0.2, 5, 0, null, null, null, 0.9, 0.1, 0.2)))
                .setNote("n")
                .build();
    }

    private static void writeRollouts(Path folder, ModelVersion signed, ModelVersion second) throws IOException {
        Rollout promote = Rollout.newBuilder()
                .setChannel("line")
                .setRevision(1)
                .setBasedOn(0)
                .setAction(RolloutAction.PROMOTE)
                .setMode(RolloutMode.ACTIVE)
                .setChampion("v1")
                .setBy("anna")
                .setAt(AT)
                .build();
        Rollout canary = Rollout.newBuilder(promote)
                .setRevision(2)
                .setBasedOn(1)
                .setAction(RolloutAction.CANARY)
                .setMode(RolloutMode.CANARY)
                .setChallenger("v2")
                .setCameras(List.of("cam", "cam-2"))
                .setProducts(List.of("bolt"))
                .setPercent(12.5)
                .build();
        Rollout pinned = Rollout.newBuilder(canary)
                .setRevision(3)
                .setBasedOn(2)
                .setAction(RolloutAction.PIN)
                .setPinned(true)
                .setReason("holidays")
                .build();
        ModelStatus status = ModelStatus.newBuilder()
                .setInstance("i")
                .setChannel("line")
                .setVersion("v1")
                .setRole(ModelRole.CHAMPION)
                .setState(ModelState.ACTIVE)
                .setAt(AT)
                .build();
        put(
                folder,
                "rollout",
                "seed-canary.bin",
                sequence(
                        Schemas.wire(signed),
                        Schemas.wire(second),
                        Schemas.wire(promote),
                        Schemas.wire(status),
                        Schemas.wire(canary)));
        put(
                folder,
                "rollout",
                "seed-pinned.bin",
                sequence(Schemas.wire(promote), Schemas.wire(canary), Schemas.wire(pinned)));
        put(folder, "rollout", "seed-first.bin", sequence(Schemas.wire(promote)));
    }

    /** State dicts and NumPy files; each is written to {@code file} first, which is deleted. */
    private static void writeArrays(Path folder, Path file) throws IOException {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        tensors.put("module.conv.weight", new Tensor(new float[] {1, 2, 3, 4, 5, 6}, 2, 3));
        tensors.put("module.conv.bias", new Tensor(new float[] {0.5f, -1}, 2));
        put(folder, "state-dict", "seed.safetensors", Files.readAllBytes(StateDictFiles.safetensors(file, tensors)));
        put(folder, "state-dict", "seed.pth", Files.readAllBytes(StateDictFiles.zip(file, tensors)));
        put(
                folder,
                "state-dict",
                "seed-plain.pth",
                Files.readAllBytes(StateDictFiles.zipOfPlainDictionary(file, tensors)));
        put(folder, "state-dict", "seed-legacy.pkl", Files.readAllBytes(StateDictFiles.legacy(file, tensors)));
        put(folder, "numpy", "seed-f4.npy", Npy.format(new NpyArray(new int[] {2, 3}, new float[] {1, 2, 3, 4, 5, 6})));
        put(folder, "numpy", "seed-i8.npy", Npy.format(new NpyArray(new int[] {3}, new long[] {1, -2, 3})));
        put(folder, "numpy", "seed-bool.npy", Npy.format(new NpyArray(new int[0], new boolean[] {true})));
        Npz.write(file, Map.of("a", new NpyArray(new int[] {4}, new byte[] {1, 2, 3, 4})));
        put(folder, "numpy", "seed-one.npz", Files.readAllBytes(file));
        Map<String, NpyArray> arrays = new TreeMap<>(Map.of(
                "x",
                new NpyArray(new int[] {1, 2}, new double[] {1, 2}),
                "y/z",
                new NpyArray(new int[] {0, 5}, new int[0])));
        Npz.write(file, arrays);
        put(folder, "numpy", "seed-two.npz", Files.readAllBytes(file));
        Files.delete(file);
    }

    private static void writeSettings(Path folder) {
        put(
                folder,
                "settings",
                "seed-serve.properties",
                "bootstrap.servers=localhost:9092\n"
                        + "schema.registry.url=http://u:p@localhost:8081/api,http://other:8081\n"
                        + "linesight.topics.prefix=line\n"
                        + "linesight.batch.max=8\nlinesight.batch.linger.ms=5\nlinesight.review.low=0.4\n"
                        + "linesight.review.high=0.6\nlinesight.metrics.port=9100\n"
                        + "kafka.security.protocol=SASL_SSL\n"
                        + "linesight.max.frame.bytes=8388608\nhttp.read.timeout.ms=1000\nmax.retries=2\n");
        put(
                folder,
                "settings",
                "seed-models.properties",
                "bootstrap.servers=localhost:9092\nschema.registry.url=http://localhost:8081\n"
                        + "linesight.models.patience.ms=30000\nlinesight.models.max.bytes=1000000\n"
                        + "linesight.models.unsigned=accept\nlinesight.models.http.authorization=Bearer "
                        + "x\nlinesight.models.trusted.keys=a.pub, "
                        + "b.pub\nbasic.auth.user.info=user:secret\nlinesight.topics.partitions=4\n");
    }

    private static void writeRegistryReplies(Path folder) throws IOException {
        String schema =
                new ObjectMapper().writeValueAsString(FrameRef.getClassSchema().toString());
        put(folder, "registry-reply", "seed-id.bin", "\0\0{\"schema\":" + schema + "}");
        put(
                folder,
                "registry-reply",
                "seed-latest.bin",
                "\0\1{\"subject\":\"s\",\"version\":3,\"id\":7,\"schemaType\":\"AVRO\",\"references\":[],\"schema\":"
                        + schema + "}");
        put(
                folder,
                "registry-reply",
                "seed-refers.bin",
                "\0\0{\"references\":[{\"name\":\"io.linesight.schemas.FrameRef\",\"subject\":\"other\",\"version\":1}],\"schema\":\"\\\"string\\\"\"}");
        put(folder, "registry-reply", "seed-versions.bin", "\0\2[1,2,3]");
        put(folder, "registry-reply", "seed-subjects.bin", "\0\3[\"a-value\",\"b-value\"]");
        put(
                folder,
                "registry-reply",
                "seed-check.bin",
                "\0\4{\"is_compatible\":false,\"messages\":[\"READER_FIELD_MISSING_DEFAULT_VALUE\"]}");
        put(folder, "registry-reply", "seed-register.bin", "\0\5{\"id\":12}");
        put(folder, "registry-reply", "seed-error.bin", "\3\0{\"error_code\":40403,\"message\":\"Schema not found\"}");
        put(
                folder,
                "registry-reply",
                "seed-http.bin",
                "\11\0HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: "
                        + "chunked\r\n\r\n5\r\n[1,2]\r\n0\r\n\r\n");
    }

    private static void writeJournals(Path folder) {
        List<String> shas = List.copyOf(PICTURES.keySet());
        put(
                folder,
                "store-journal",
                "seed-journal.jsonl",
                "{\"op\":\"bound\",\"to\":\"cluster/labels\"}\n"
                        + "{\"op\":\"put\",\"frame\":\"f-0-1\",\"product\":\"bolt\",\"anomalous\":false,\"origin\":\"PERSON\",\"annotator\":\"anna\",\"at\":1767268800000000,\"sha\":\""
                        + shas.get(0) + "\",\"bytes\":11,\"side\":\"TRAIN\",\"seq\":1,\"lp\":0,\"lo\":4}\n"
                        + "{\"op\":\"put\",\"frame\":\"f-0-2\",\"product\":\"nut\",\"anomalous\":true,\"origin\":\"PERSON\",\"annotator\":\"bob\",\"at\":1767268800000001,\"sha\":\""
                        + shas.get(1) + "\",\"bytes\":11,\"side\":\"HELD_OUT\",\"seq\":2,\"mask\":\"" + shas.get(2)
                        + "\",\"maskBytes\":4,\"lp\":0,\"lo\":5}\n{\"op\":\"pending\",\"frame\":\"f-0-3\",\"label\":\""
                        + Base64.getEncoder().encodeToString(new byte[] {0, 0, 0, 0, 2, 9})
                        + "\",\"at\":1767268800000002,\"lp\":0,\"lo\":6}\n"
                        + "{\"op\":\"positions\",\"offsets\":{\"0\":7,\"1\":2}}\n");
        put(
                folder,
                "store-journal",
                "seed-taken-back.jsonl",
                "{\"op\":\"known\",\"frame\":\"f-0-1\",\"lp\":0,\"lo\":1}\n"
                        + "{\"op\":\"retract\",\"frame\":\"f-0-1\",\"lp\":0,\"lo\":2}\n"
                        + "{\"op\":\"evict\",\"frame\":\"f-0-9\"}\n"
                        + "{\"op\":\"drop\",\"frame\":\"f-0-8\"}\n{\"op\":\"sequence\",\"seq\":40}\n");
    }

    private static void writeTables(Path folder) {
        put(
                folder,
                "visa-table",
                "seed-plain.csv",
                "object,split,label,image,mask\nbolt,train,normal,a.png,\nbolt,test,normal,b.png,\n"
                        + "bolt,test,anomaly,c.png,a.png\n");
        put(
                folder,
                "visa-table",
                "seed-quoted.csv",
                "\uFEFF\"mask\",\"image\",\"label\",\"split\",\"object\",\"more\"\r\n"
                        + "\"\",\"a.png\",\"normal\",\"train\",\"a \"\"b\"\"\",\"1,2\"\r\n");
        put(
                folder,
                "dead-letter",
                "seed-whole.bin",
                headers("CORRUPT_IMAGE", "PNG truncated", "linesight.frames.v1", "3", "123456"));
        put(folder, "dead-letter", "seed-new.bin", headers("SOMETHING_NEW", "", "t", "0", "0"));
    }

    private static byte[] headers(String... values) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (int i = 0; i < values.length; i++) {
            out.write(i);
            out.write(values[i].length());
            out.writeBytes(values[i].getBytes(StandardCharsets.UTF_8));
        }
        return out.toByteArray();
    }

    private static byte[] sequence(byte[]... records) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(new byte[5]);
        for (byte[] r : records) {
            out.writeBytes(ByteBuffer.allocate(2).putShort((short) r.length).array());
            out.writeBytes(r);
        }
        return out.toByteArray();
    }

    /** A graph of no sense with the properties of a checkpoint, as far as it can be without megabytes of weights. */
    private static byte[] checkpoint(boolean own) throws IOException {
        ModelProto.Builder m = ModelProto.newBuilder().setIrVersion(9);
        GraphProto.Builder g = GraphProto.newBuilder()
                .setName("g")
                .addInput(ValueInfoProto.newBuilder().setName("frames"))
                .addOutput(ValueInfoProto.newBuilder().setName("score"));
        g.addNode(NodeProto.newBuilder()
                .setOpType("Identity")
                .setName("encoder.in")
                .addInput("frames")
                .addOutput("encoder.image"));
        for (int i = 0; i < 3; i++)
            g.addNode(NodeProto.newBuilder()
                    .setOpType("Relu")
                    .setName("encoder.r" + i)
                    .addInput("encoder.image")
                    .addOutput("encoder.f" + i));
        g.addInitializer(TensorProto.newBuilder()
                .setName("teacher_norm.0.shift")
                .setDataType(1)
                .addDims(4)
                .setRawData(ByteString.copyFrom(new byte[16])));
        m.setGraph(g).addOpsetImportBuilder().setDomain("").setVersion(21);
        if (own) {
            m.addFunctionsBuilder().setName("f");
            Map<String, String> properties = new LinkedHashMap<>();
            properties.put("linesight.format", "1");
            properties.put(
                    "linesight.config", new ObjectMapper().writeValueAsString(MmadConfig.tiny(List.of(4, 8, 16))));
            properties.put(
                    "linesight.calibration",
                    "{\"fallback\":{\"threshold\":0.5,\"scale\":0.1},\"byProduct\":{\"bolt\":{\"threshold\":0.25,\"scale\":0.05,\"review\":{\"low\":0.1,\"high\":0.9}}}}");
            properties.put("linesight.encoder.name", "tiny");
            properties.put(
                    "linesight.encoder.sha256",
                    Encoder.extract(
                                    m.build(),
                                    MmadGraph.ENCODER_PREFIX,
                                    "image",
                                    List.of("f0", "f1", "f2"),
                                    List.of(4, 8, 16),
                                    "tiny")
                            .sha256());
            properties.put("linesight.encoder.boundary", "{\"input\":\"image\",\"outputs\":[\"f0\",\"f1\",\"f2\"]}");
            properties.put("linesight.version", "v1");
            properties.forEach((k, v) -> m.addMetadataProps(
                    StringStringEntryProto.newBuilder().setKey(k).setValue(v)));
        }
        return m.build().toByteArray();
    }

    private static Map<String, byte[]> pictures() throws IOException {
        Map<String, byte[]> out = new LinkedHashMap<>();
        out.put("seed-grey.png", image(BufferedImage.TYPE_BYTE_GRAY, "png", false));
        out.put("seed-rgb.png", image(BufferedImage.TYPE_INT_RGB, "png", false));
        out.put("seed-alpha.png", image(BufferedImage.TYPE_INT_ARGB, "png", false));
        out.put("seed-palette.png", image(BufferedImage.TYPE_BYTE_INDEXED, "png", false));
        out.put("seed-bits.png", image(BufferedImage.TYPE_BYTE_BINARY, "png", false));
        out.put("seed-16bit.png", image(BufferedImage.TYPE_USHORT_GRAY, "png", false));
        out.put("seed-interlaced.png", image(BufferedImage.TYPE_INT_RGB, "png", true));
        out.put("seed-colour.jpg", image(BufferedImage.TYPE_INT_RGB, "jpg", false));
        out.put("seed-grey.jpg", image(BufferedImage.TYPE_BYTE_GRAY, "jpg", false));
        out.put("seed-progressive.jpg", image(BufferedImage.TYPE_INT_RGB, "jpg", true));
        out.put("seed-other.bmp", image(BufferedImage.TYPE_INT_RGB, "bmp", false));
        out.put("seed-other.gif", image(BufferedImage.TYPE_BYTE_INDEXED, "gif", false));
        return out;
    }

    /** 16 x 12 pixels. */
    private static byte[] image(int type, String format, boolean progressive) throws IOException {
        BufferedImage image = new BufferedImage(16, 12, type);
        Graphics2D g = image.createGraphics();
        g.setColor(new Color(200, 120, 40));
        g.fillRect(2, 2, 9, 6);
        g.setColor(Color.WHITE);
        g.drawLine(0, 11, 15, 0);
        g.dispose();
        ImageWriter writer = ImageIO.getImageWritersByFormatName(format).next();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ImageOutputStream o = ImageIO.createImageOutputStream(out)) {
            writer.setOutput(o);
            ImageWriteParam p = writer.getDefaultWriteParam();
            if (progressive) p.setProgressiveMode(ImageWriteParam.MODE_DEFAULT);
            writer.write(null, new IIOImage(image, null, null), p);
        }
        writer.dispose();
        return out.toByteArray();
    }

    private static void put(Path folder, String target, String name, String content) {
        put(folder, target, name, content.getBytes(StandardCharsets.UTF_8));
    }

    private static void put(Path folder, String target, String name, byte[] content) {
        try {
            Files.createDirectories(folder.resolve(target));
            Files.write(folder.resolve(target).resolve(name), content);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** Names of the targets that have a folder. */
    static List<String> targets() throws IOException {
        List<String> names = new ArrayList<>();
        try (Stream<Path> s = Files.list(FOLDER)) {
            s.filter(Files::isDirectory).forEach(p -> names.add(p.getFileName().toString()));
        }
        return names;
    }
}
