package io.linesight.mmad.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.ParameterSpec;
import io.linesight.mmad.architecture.ParameterSpecs;
import io.linesight.mmad.architecture.Weights;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.encoder.TinyEncoder;
import io.linesight.mmad.onnx.OnnxRuntime;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.mmad.score.OrtScorer;
import io.linesight.mmad.score.SelfTest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointsTest {
    private static final List<Integer> CHANNELS = List.of(8, 32, 24);
    private static final Calibration CALIBRATION =
            new Calibration(new ProductCalibration(0.25, 0.05), Map.of("bolt", new ProductCalibration(0.3, 0.02)));

    @TempDir
    static Path dir;

    private static MmadConfig config;
    private static Weights weights;
    private static Encoder encoder;
    private static Path file;
    private static CheckpointInfo written;

    @BeforeAll
    static void write() throws IOException {
        config = MmadConfig.tiny(CHANNELS);
        weights = new Weights();
        for (ParameterSpec p : ParameterSpecs.of(config)) {
            float offset = p.init() instanceof ParameterSpec.Init.Constant c ? c.value() : 0;
            float scale = p.init() instanceof ParameterSpec.Init.Constant ? 0.1f : 0.2f;
            weights.put(p.name(), ParityCheckpoint.tensor(p.name(), offset, scale, p.shape()));
        }
        encoder = TinyEncoder.create(CHANNELS, 17);
        file = dir.resolve("model.onnx");
        written = Checkpoints.write(
                file,
                new MmadModel(config, weights, encoder),
                CALIBRATION,
                Map.of("dataset", "abc", "linesight.parent", "v0"));
    }

    @Test
    void shouldGiveBackExactlyWhatWentIn() throws IOException {
        assertThat(Checkpoint.read(file).config()).isEqualTo(config);
        Weights read = Checkpoint.read(file).weights();
        assertThat(read.names())
                .containsExactlyElementsOf(ParameterSpecs.of(config).stream()
                        .map(ParameterSpec::name)
                        .toList());
        for (String name : read.names()) {
            assertThat(read.get(name).data())
                    .as(name)
                    .isEqualTo(weights.get(name).data());
            assertThat(read.get(name).shape())
                    .as(name)
                    .isEqualTo(weights.get(name).shape());
        }
        Encoder back = Checkpoint.read(file).encoder();
        assertThat(back.sha256()).isEqualTo(encoder.sha256());
        assertThat(back.onnx()).isEqualTo(encoder.onnx());
        assertThat(back.channels()).isEqualTo(CHANNELS);
        assertThat(back.name()).isEqualTo(encoder.name());
    }

    @Test
    void shouldTellItsMetadata() throws IOException {
        CheckpointInfo info = Checkpoint.read(file).info();
        assertThat(info).isEqualTo(written);
        assertThat(info.version()).matches("\\d{8}-\\d{6}-[0-9a-f]{8}");
        assertThat(info.calibration()).isEqualTo(CALIBRATION);
        assertThat(info.properties())
                .containsEntry("linesight.format", "1")
                .containsEntry("linesight.provenance.dataset", "abc")
                .containsEntry("linesight.parent", "v0")
                .containsEntry("linesight.encoder.sha256", encoder.sha256())
                .containsKeys("linesight.config", "linesight.createdAt", "linesight.version");
    }

    @Test
    void shouldWriteTheSameNetworkAgainFromItself() throws IOException {
        Path again = dir.resolve("again.onnx");
        Checkpoints.write(
                again,
                new MmadModel(
                        Checkpoint.read(file).config(),
                        Checkpoint.read(file).weights(),
                        Checkpoint.read(file).encoder()),
                CALIBRATION,
                Map.of());
        assertThat(ModelProto.parseFrom(Files.readAllBytes(again)).getGraph())
                .isEqualTo(ModelProto.parseFrom(Files.readAllBytes(file)).getGraph());
    }

    @Test
    void shouldRecalibrateInPlaceUnderANewVersion() throws IOException {
        Path copy = Files.copy(file, dir.resolve("recalibrated.onnx"));
        Calibration other = new Calibration(new ProductCalibration(0.9, 0.1), Map.of());
        CheckpointInfo info = Checkpoints.withCalibration(Checkpoint.read(copy), copy, other);
        assertThat(Checkpoint.read(copy).info()).isEqualTo(info);
        assertThat(info.calibration()).isEqualTo(other);
        assertThat(info.version()).isNotEqualTo(written.version());
        assertThat(info.properties()).containsEntry("linesight.parent", "v0");
        try (var files = Files.list(dir)) {
            assertThat(files.filter(p -> p.toString().endsWith(".tmp")))
                    .as("temporary files")
                    .isEmpty();
        }
    }

    @Test
    void shouldTellBandAndBasisOfThresholdsThatHaveThem() throws IOException {
        ProductCalibration full = new ProductCalibration(
                0.3,
                0.02,
                new ReviewBand(0.2, 0.7),
                new ThresholdBasis("evt", 0.01, 80, 3, 0.01, 0.04, 0.003, 0.02, 0.25),
                ScoreQuantiles.of(rate -> -Math.log(rate)));
        ProductCalibration part = new ProductCalibration(
                0.4, 0.02, null, new ThresholdBasis("student", 0.01, 5, 0, null, null, null, null, null));
        Calibration c = new Calibration(new ProductCalibration(0.25, 0.05), Map.of("bolt", full, "nut", part));
        Path copy = dir.resolve("band.onnx");
        CheckpointInfo info = Checkpoints.withCalibration(Checkpoint.read(file), copy, c);
        assertThat(info.calibration()).isEqualTo(c);
        assertThat(Checkpoint.read(copy).info().calibration().forProduct("bolt"))
                .isEqualTo(full);
        assertThat(info.calibration().forProduct("nut").band()).isEqualTo(ReviewBand.USUAL);
        // A reader that knows nothing of band and basis finds what it always found, and nothing where there is neither.
        JsonNode json = new ObjectMapper().readTree(info.properties().get(Checkpoints.CALIBRATION));
        assertThat(json.at("/byProduct/bolt/threshold").asDouble()).isEqualTo(0.3);
        assertThat(json.at("/byProduct/bolt/basis/method").asText()).isEqualTo("evt");
        assertThat(json.get("fallback").toString()).isEqualTo("{\"threshold\":0.25,\"scale\":0.05}");
    }

    @Test
    void shouldNeedItsFileOnlyOnce() throws IOException {
        Path copy = Files.copy(file, dir.resolve("once.onnx"));
        Checkpoint checkpoint = Checkpoint.read(copy);
        Files.delete(copy);

        assertThat(checkpoint.sha256()).isEqualTo(written.sha256());
        assertThat(checkpoint.info()).isEqualTo(written);
        MmadModel model = checkpoint.mmad();
        assertThat(model.config()).isEqualTo(config);
        assertThat(model.weights().names()).isEqualTo(checkpoint.weights().names());
        assertThat(model.encoder().sha256()).isEqualTo(encoder.sha256());
        try (OrtScorer scorer = OrtScorer.open(checkpoint, ScorerOptions.defaults())) {
            assertThat(scorer.info()).isSameAs(checkpoint.info());
            SelfTest.check(scorer);
        }
        Checkpoints.withCalibration(checkpoint, copy, CALIBRATION);
        assertThat(Checkpoint.read(copy).info().calibration()).isEqualTo(CALIBRATION);
    }

    @Test
    void shouldReadCalibrationsOfOlderAndNewerPrograms() throws IOException {
        Path copy = dir.resolve("other.onnx");
        String text =
                "{\"fallback\":{\"threshold\":0.25,\"scale\":0.05},\"byProduct\":{\"bolt\":{\"threshold\":0.3,\"scale\":0.02,\"tomorrow\":[1],\"basis\":{\"method\":\"magic\",\"normals\":7,\"more\":true}}}}";
        ModelProto model = Checkpoint.read(file).model();
        Map<String, String> properties = Properties.of(model);
        properties.put(Checkpoints.CALIBRATION, text);
        Files.write(copy, Properties.replace(model, properties).toByteArray());
        ProductCalibration bolt = Checkpoint.read(copy).info().calibration().forProduct("bolt");
        assertThat(bolt.threshold()).isEqualTo(0.3);
        assertThat(bolt.review()).isNull();
        assertThat(bolt.basis().method()).isEqualTo("magic");
        assertThat(Checkpoint.read(copy).info().calibration().fallback()).isEqualTo(new ProductCalibration(0.25, 0.05));
        properties.put(
                Checkpoints.CALIBRATION, text.replace("\"tomorrow\":[1]", "\"review\":{\"low\":0.7,\"high\":0.9}"));
        Files.write(copy, Properties.replace(model, properties).toByteArray());
        assertThatThrownBy(() -> Checkpoint.read(copy).info())
                .isInstanceOf(IOException.class)
                .hasMessageContaining("calibration")
                .hasMessageContaining("0.7");
    }

    @Test
    void shouldScoreEachFrameByItself() throws Exception {
        byte[] frames = new byte[2 * 3 * 256 * 256];
        new Random(7).nextBytes(frames);
        OrtEnvironment env = OnnxRuntime.environment();
        try (OrtSession session = env.createSession(file.toString())) {
            float[][] both = run(env, session, frames, 2);
            assertThat(both[0]).hasSize(2 * 256 * 256);
            assertThat(both[1]).hasSize(2);
            float max = 0;
            for (int i = 256 * 256; i < both[0].length; i++) max = Math.max(max, both[0][i]);
            assertThat(both[1][1]).isEqualTo(max).isBetween(0.01f, 2f);
            float[][] second = run(env, session, Arrays.copyOfRange(frames, frames.length / 2, frames.length), 1);
            assertThat((double) second[1][0]).isCloseTo(both[1][1], org.assertj.core.data.Offset.offset(1e-5));
        }
    }

    private static float[][] run(OrtEnvironment env, OrtSession session, byte[] frames, int n) throws Exception {
        try (OnnxTensor in = OnnxTensor.createTensor(
                        env, ByteBuffer.wrap(frames), new long[] {n, 3, 256, 256}, OnnxJavaType.UINT8);
                OrtSession.Result r = session.run(Map.of("frames", in))) {
            return new float[][] {floats(r, "anomaly_map"), floats(r, "score")};
        }
    }

    private static float[] floats(OrtSession.Result r, String name) {
        var b = ((OnnxTensor) r.get(name).orElseThrow()).getFloatBuffer();
        float[] values = new float[b.remaining()];
        b.get(values);
        return values;
    }

    @Test
    void shouldSayWhatIsWrongWithAFile() throws IOException {
        assertThatThrownBy(() -> Checkpoint.read(dir.resolve("none.onnx")).info())
                .isInstanceOf(NoSuchFileException.class)
                .hasMessageContaining("no such checkpoint");
        Path empty = Files.createFile(dir.resolve("empty.onnx"));
        assertThatThrownBy(() -> Checkpoint.read(empty).info())
                .isInstanceOf(IOException.class)
                .hasMessageContaining("empty");
        Path text = Files.writeString(dir.resolve("text.onnx"), "this is no model, it only says it is");
        assertThatThrownBy(() -> Checkpoint.read(text).info())
                .isInstanceOf(IOException.class)
                .hasMessageContaining("not an ONNX");
        Path foreign = Files.write(dir.resolve("foreign.onnx"), encoder.onnx());
        assertThatThrownBy(() -> Checkpoint.read(foreign).weights())
                .isInstanceOf(IOException.class)
                .hasMessageContaining("not a checkpoint written by Linesight");
        CheckpointInfo info = Checkpoint.read(foreign).info();
        assertThat(info.calibration().fallback().threshold()).isEqualTo(0.5);
        assertThat(info.version()).startsWith("sha-");
    }

    @Test
    void shouldNoticeTruncationWhereverItHappens() throws IOException {
        byte[] whole = Files.readAllBytes(file);
        for (int i = 1; i < 20; i++) {
            Path cut = Files.write(dir.resolve("cut.onnx"), Arrays.copyOf(whole, (int) ((long) whole.length * i / 20)));
            assertThatThrownBy(() -> Checkpoint.read(cut).weights())
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("cut.onnx");
        }
        for (int less = 1; less < 4000; less += 37) {
            Path cut = Files.write(dir.resolve("cut.onnx"), Arrays.copyOf(whole, whole.length - less));
            assertThatThrownBy(() -> Checkpoint.read(cut).weights())
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("truncated");
        }
    }

    @Test
    void shouldRejectWeightsAndEncodersThatDoNotFit() {
        MmadConfig base = MmadConfig.base(CHANNELS);
        assertThatThrownBy(() -> Checkpoints.write(
                        dir.resolve("x.onnx"), new MmadModel(base, weights, encoder), CALIBRATION, Map.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("more");
        MmadConfig other = MmadConfig.tiny(List.of(64, 128, 256));
        assertThatThrownBy(() -> Checkpoints.write(
                        dir.resolve("x.onnx"), new MmadModel(other, weights, encoder), CALIBRATION, Map.of()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("[64, 128, 256]");
        assertThat(dir.resolve("x.onnx")).doesNotExist();
    }
}
