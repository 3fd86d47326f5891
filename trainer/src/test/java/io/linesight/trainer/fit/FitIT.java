package io.linesight.trainer.fit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.mmad.architecture.MapKind;
import io.linesight.mmad.architecture.MmadConfig;
import io.linesight.mmad.architecture.Weights;
import io.linesight.mmad.checkpoint.Checkpoint;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.encoder.EncoderSession;
import io.linesight.mmad.image.Preprocess;
import io.linesight.mmad.runtime.ScorerOptions;
import io.linesight.mmad.score.OrtScorer;
import io.linesight.mmad.score.Scorer;
import io.linesight.mmad.score.Scores;
import io.linesight.mmad.score.SelfTest;
import io.linesight.trainer.calibration.CalibrationRule;
import io.linesight.trainer.calibration.CheckpointFinisher;
import io.linesight.trainer.calibration.Recalibration;
import io.linesight.trainer.calibration.TrainingScores;
import io.linesight.trainer.dataset.ImageRules;
import io.linesight.trainer.dataset.TextureSource;
import io.linesight.trainer.dataset.TrainingSet;
import io.linesight.trainer.evaluate.Evaluate;
import io.linesight.trainer.evaluate.EvaluateOptions;
import io.linesight.trainer.evaluate.EvaluationReport;
import io.linesight.trainer.folders.DatasetException;
import io.linesight.trainer.folders.ImageSource;
import io.linesight.trainer.network.EvalMap;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Training end to end on rendered textures, and what comes out of it through ONNX Runtime. */
class FitIT {
    private static final ScorerOptions CPU = ScorerOptions.defaults().withDevice("cpu");

    @TempDir
    Path dir;

    private static PrintStream silent() {
        return new PrintStream(new ByteArrayOutputStream());
    }

    private FitOptions options(ImageSource source) {
        return FitOptions.of(source, dir.resolve("m.onnx"))
                .network(n -> n.withPreset("tiny"))
                .session(s -> s.withProgress(silent()));
    }

    @Test
    void shouldLearnATextureAndFindItsDefects() throws Exception {
        shouldLearnATexture(16, 10, 1.5);
    }

    @Test
    @Tag("full")
    void shouldLearnATextureToTheEnd() throws Exception {
        shouldLearnATexture(16, 30, 2.5);
    }

    @Test
    @Tag("full")
    void shouldLearnATextureAtEveryStride() throws Exception {
        shouldLearnATexture(4, 30, 2.5);
    }

    private void shouldLearnATexture(int finestStride, int epochs, double lossFallsBy) throws Exception {
        TextureSource source = new TextureSource(20, 6);
        FitResult result = Fit.run(options(source)
                .network(n -> n.withFinestStride(finestStride))
                .training(t -> t.withEpochs(epochs)
                        .withBatch(4)
                        .withLearningRate(0.0025)
                        .withSeed(1))
                .session(s -> s.withCommand("fit test")));

        assertThat(result.lastLoss()).as("loss falls").isLessThan(result.firstLoss() / lossFallsBy);
        assertThat(result.images()).isEqualTo(16);
        assertThat(result.heldOut()).containsEntry("weave", 4);
        List<String> lines = Files.readAllLines(dir.resolve("m.metrics.jsonl"));
        assertThat(lines).hasSize(4 * epochs);
        JsonNode last = new ObjectMapper().readTree(lines.get(4 * epochs - 1));
        assertThat(last.get("learningRate").asDouble()).isCloseTo(0.00025, within(1e-9));
        assertThat(result.info().properties())
                .containsEntry("linesight.provenance.command", "fit test")
                .containsEntry("linesight.provenance.seed", "1");

        EvaluationReport report = Evaluate.run(EvaluateOptions.of(dir.resolve("m.onnx"), source)
                .withScorer(CPU)
                .withProgress(silent())
                .withScores(dir.resolve("scores.csv"))
                .withHeatmaps(dir.resolve("heatmaps")));
        assertThat(report.mean().imageAuroc()).isGreaterThan(0.8);
        assertThat(report.mean().pixelAuroc()).isGreaterThan(0.95);
        assertThat(Files.readAllLines(dir.resolve("scores.csv"))).hasSize(13);
        assertThat(dir.resolve("heatmaps/weave/patch/0.png")).exists();
        JsonNode json = new ObjectMapper().readTree(report.toJson());
        assertThat(json.get("categories").get(0).get("category").asText()).isEqualTo("weave");
        assertThat(json.get("mean").get("aupro").isNumber()).isTrue();
        assertThat(report.table()).contains("weave").contains("mean");
        shouldScoreLikeTheTrainedNetwork(source, "weave");
    }

    @Test
    void shouldWhitenEveryProductByItselfAndScoreByTheHighestPixelsWithoutTheFinestStride() throws Exception {
        TextureSource source = new TextureSource(24, 6, List.of("mesh", "weave"));
        Fit.run(options(source)
                .training(t -> t.withEpochs(2))
                .network(n -> n.withMap(MapKind.WHITENED).withFinestStride(8).withTopShare(0.05)));
        assertThat(Checkpoint.read(dir.resolve("m.onnx")).config())
                .returns(1, MmadConfig::finest)
                .returns(0.05, MmadConfig::topShare)
                .returns(2, MmadConfig::groups);
        assertThat(Checkpoint.read(dir.resolve("m.onnx")).weights().has("net_s.layers_up.3.upsample.expand.weight"))
                .as("the level at stride 4")
                .isFalse();
        // Two passes teach a network next to nothing; what it gets wrong on all normal images must not matter.
        EvaluationReport report = Evaluate.run(EvaluateOptions.of(dir.resolve("m.onnx"), source)
                .withScorer(CPU)
                .withProgress(silent()));
        assertThat(report.mean().imageAuroc()).isGreaterThan(0.9);
        shouldScoreLikeTheTrainedNetwork(source, "mesh");
        shouldScoreLikeTheTrainedNetwork(source, "weave");
        // Going on with other products needs other statistics.
        TextureSource one = new TextureSource(12, 0, List.of("mesh"));
        Path before = Files.move(dir.resolve("m.onnx"), dir.resolve("before.onnx"));
        Fit.run(options(one).network(n -> n.withFrom(before)).training(t -> t.withEpochs(1)));
        assertThat(Checkpoint.read(dir.resolve("m.onnx")).config().groups()).isEqualTo(1);
        shouldScoreLikeTheTrainedNetwork(source, "weave");
    }

    @Test
    @Tag("full")
    void shouldFitTheMapAloneAndLeaveTheNetworkAsItIs() throws Exception {
        TextureSource source = new TextureSource(24, 6, List.of("mesh", "weave"));
        Fit.run(options(source).training(t -> t.withEpochs(2).withSeed(3)).network(n -> n.withMap(MapKind.WHITENED)
                .withFinestStride(8)));
        Path first = Files.move(dir.resolve("m.onnx"), dir.resolve("first.onnx"));
        Files.delete(dir.resolve("m.metrics.jsonl"));
        FitResult result =
                Fit.run(options(source).network(n -> n.withFrom(first).withMapOnly(true)));
        assertThat(result.steps()).isZero();
        assertThat(dir.resolve("m.metrics.jsonl"))
                .as("no step, no record of steps")
                .doesNotExist();
        Weights before = Checkpoint.read(first).weights();
        Weights after = Checkpoint.read(dir.resolve("m.onnx")).weights();
        assertThat(after.names()).isEqualTo(before.names());
        for (String name : before.names())
            assertThat(after.get(name).data())
                    .as(name)
                    .containsExactly(before.get(name).data(), within(1e-3f));
        for (String name : before.names())
            if (!name.startsWith("anomaly_map."))
                assertThat(after.get(name).data())
                        .as(name)
                        .isEqualTo(before.get(name).data());
        Map<String, String> facts = result.info().properties();
        assertThat(facts)
                .containsEntry("linesight.provenance.mapOnly", "true")
                .containsEntry(
                        "linesight.provenance.parent",
                        Checkpoint.read(first).info().version())
                .as("how the network came about")
                .containsEntry("linesight.provenance.seed", "3")
                .containsEntry("linesight.provenance.epochs", "2.00");

        Fit.run(options(new TextureSource(12, 0, List.of("mesh")))
                .network(n -> n.withFrom(first).withMapOnly(true).withMap(MapKind.COSINE))
                .session(s -> s.withStopWhen(() -> !delete(first))));
        assertThat(first).as("read once, before the images").doesNotExist();
        assertThat(Checkpoint.read(dir.resolve("m.onnx")).config())
                .as("another map")
                .returns(MapKind.COSINE, MmadConfig::map);
        assertThatThrownBy(() -> options(source)
                        .network(n -> n.withMapOnly(true))
                        .training(t -> t.withMinutes(1))
                        .validate())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("give neither --minutes nor --epochs")
                .hasMessageContaining("say which");
    }

    @Test
    @Tag("full")
    void shouldSayHowNewImagesScoreByThoseThatTheMapDoesNotKnow() throws Exception {
        // So few images that a covariance all but knows each of them.
        TextureSource source = new TextureSource(12, 6);
        FitResult result = Fit.run(
                options(source).training(t -> t.withEpochs(2).withSeed(3)).network(n -> n.withMap(MapKind.WHITENED)
                        .withFinestStride(8)));
        double[] asNew = TrainingScores.of(result.info()).get("weave");
        assertThat(asNew).hasSize(result.images());
        double known = 0;
        double held = 0;
        try (Scorer scorer = OrtScorer.open(dir.resolve("m.onnx"), CPU)) {
            TrainingSet set = TrainingSet.of(source, false, silent());
            known = average(
                    CheckpointFinisher.training(scorer, "weave", set.training().get("weave"), 1));
            held = average(CheckpointFinisher.score(
                    scorer, "weave", set.read("weave", set.heldOut().get("weave"))));
        }
        // The network itself knows them too, so they still score a little less than new ones.
        assertThat(average(asNew)).isGreaterThan(known);
        assertThat(Math.abs(average(asNew) - held))
                .as("as new " + average(asNew) + ", held out " + held + ", by the model itself " + known)
                .isLessThan(Math.abs(known - held));
        CheckpointInfo again = Recalibration.run(
                        dir.resolve("m.onnx"),
                        dir.resolve("again.onnx"),
                        source,
                        Recalibration.Normals.HELD_OUT,
                        false,
                        CalibrationRule.defaults(),
                        CPU,
                        silent())
                .info();
        assertThat(again.calibration().byProduct().get("weave").threshold())
                .as("the same images and rule give the same threshold")
                .isCloseTo(result.info().calibration().byProduct().get("weave").threshold(), within(1e-4));
    }

    private static double average(double[] x) {
        return java.util.Arrays.stream(x).average().orElseThrow();
    }

    private void shouldScoreLikeTheTrainedNetwork(TextureSource source, String category) throws Exception {
        Path file = dir.resolve("m.onnx");
        byte[] frame =
                Preprocess.toModelInput(source.test(category).get(1).image().read());
        MmadConfig config = Checkpoint.read(file).config();
        float[][] features;
        try (EncoderSession session = EncoderSession.open(Checkpoint.read(file).encoder(), CPU)) {
            features = session.features(List.of(frame));
        }
        float[] expected = EvalMap.of(config, Checkpoint.read(file).weights(), features);
        try (Scorer scorer = OrtScorer.open(file, CPU)) {
            Scores scores = scorer.score(List.of(frame));
            float[] actual = scores.map(0);
            double worst = 0;
            for (int i = 0; i < actual.length; i++) worst = Math.max(worst, Math.abs(actual[i] - expected[i]));
            assertThat(worst).isLessThan(1e-4 * Math.max(1, scores.raw()[0]));
            assertThat((double) scores.raw()[0]).isCloseTo(scoreOf(actual, config.topShare()), within(1e-5));
            assertThat(scorer.info().properties())
                    .as("what an instance compares with before it serves the file")
                    .containsKey(SelfTest.PROPERTY);
            SelfTest.check(scorer);
        }
    }

    private static double scoreOf(float[] map, double share) {
        if (share == 0) {
            double max = Double.NEGATIVE_INFINITY;
            for (float v : map) max = Math.max(max, v);
            return max;
        }
        double[] coarse = new double[64 * 64];
        for (int i = 0; i < coarse.length; i++) coarse[i] = map[i / 64 * 4 * 256 + i % 64 * 4];
        java.util.Arrays.sort(coarse);
        return java.util.Arrays.stream(coarse, coarse.length - (int) Math.round(share * coarse.length), coarse.length)
                .average()
                .orElseThrow();
    }

    @Test
    void shouldGiveTheSameLossForTheSameSeed() throws Exception {
        double[] loss = new double[3];
        for (int i = 0; i < 3; i++) {
            int seed = i == 2 ? 8 : 7;
            loss[i] = Fit.run(options(new TextureSource(12, 0))
                            .network(n -> n.withFinestStride(16))
                            .training(t -> t.withEpochs(2).withBatch(4).withSeed(seed)))
                    .lastLoss();
        }
        assertThat(loss[1]).isEqualTo(loss[0]);
        assertThat(loss[2]).isNotEqualTo(loss[0]);
    }

    /**
     * Rises for two steps, falls along half a cosine, stops when it learns no more; every image in three guises, kept
     * for the next run.
     */
    @Test
    @Tag("full")
    void shouldStopEarlyWithTheBestWeightsOfChangedCopies() throws Exception {
        Path cache = dir.resolve("cache");
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        FitOptions options = options(new TextureSource(16, 0))
                .network(n -> n.withMap(MapKind.COSINE).withFinestStride(16))
                .training(t -> t.withBatch(4)
                        .withEpochs(40)
                        .withSeed(3)
                        .withSchedule(FitOptions.Schedule.COSINE, 2)
                        .withLearningRate(0.05)
                        .withEarlyStop(1, 2))
                .data(d -> d.withAugment(List.of(FitOptions.Change.FLIP, FitOptions.Change.BRIGHTNESS), 2)
                        .withRules(ImageRules.defaults().surveyed()))
                .features(f -> f.withCache(cache))
                .session(s -> s.withProgress(new PrintStream(said, true)));
        FitResult first = Fit.run(options);
        List<JsonNode> lines = new ArrayList<>();
        for (String line : Files.readAllLines(dir.resolve("m.metrics.jsonl")))
            lines.add(new ObjectMapper().readTree(line));
        assertThat(lines).hasSizeLessThan(80).hasSize((int) first.steps());
        assertThat(lines.get(0).get("learningRate").asDouble()).isCloseTo(0.025, within(1e-9));
        assertThat(lines.get(lines.size() - 1).get("learningRate").asDouble()).isLessThan(0.05);
        double min = Double.MAX_VALUE;
        int step = 0;
        for (JsonNode n : lines) {
            assertThat(n.has("validationLoss")).isEqualTo(n.get("step").asInt() % 2 == 0);
            if (n.has("validationLoss") && n.get("validationLoss").asDouble() < min) {
                min = n.get("validationLoss").asDouble();
                step = n.get("step").asInt();
            }
        }
        assertThat(first.steps()).isEqualTo(step + 2);
        assertThat(first.info().properties())
                .containsEntry("linesight.provenance.weightsOfStep", "" + step)
                .containsEntry("linesight.provenance.augment", "flip,brightness x2");
        assertThat(first.images()).isEqualTo(8);
        assertThat(said.toString())
                .contains("stopping early")
                .contains("weave")
                .contains("memory: about")
                .doesNotContain("known already");

        Fit.run(options.training(t -> t.withEpochs(1)));
        assertThat(said.toString()).contains("features of 28 of 28 images were known already");
    }

    @Test
    @Tag("full")
    void shouldShowSmallCategoriesAsOftenAsBigOnes() throws Exception {
        ImageSource uneven = new ImageSource() {
            @Override
            public String name() {
                return "uneven";
            }

            @Override
            public List<String> categories() {
                return List.of("big", "little");
            }

            @Override
            public List<Sample> train(String category) {
                List<Sample> all = new TextureSource(17, 0).train("weave");
                return category.equals("big") ? all.subList(0, 14) : all.subList(14, 17);
            }
        };
        double[] loss = new double[3];
        for (int i = 0; i < 3; i++) {
            boolean balance = i < 2;
            loss[i] = Fit.run(options(uneven)
                            .network(n -> n.withMap(MapKind.COSINE).withFinestStride(16))
                            .training(t -> t.withEpochs(1).withBatch(4))
                            .data(d -> d.withBalance(balance)))
                    .lastLoss();
        }
        assertThat(loss[1]).isEqualTo(loss[0]);
        assertThat(loss[2]).isNotEqualTo(loss[0]);
    }

    @Test
    void shouldRejectToLearnFromWhatIsMeasuredOn() {
        TextureSource source = new TextureSource(8, 0);
        ImageSource leaking = new ImageSource() {
            @Override
            public String name() {
                return "leaking";
            }

            @Override
            public List<String> categories() {
                return List.of("weave");
            }

            @Override
            public List<Sample> train(String category) {
                return source.train(category);
            }

            @Override
            public List<Sample> test(String category) {
                return List.of(Sample.normal("good/t", () -> TextureSource.weave(2, false)));
            }
        };
        Path run = dir.resolve("m.onnx.fit");
        assertThatThrownBy(() -> Fit.run(options(leaking)
                        .training(t -> t.withEpochs(1))
                        .data(d -> d.withRules(ImageRules.defaults().surveyed()))
                        .output(o -> o.withRunFolder(run))))
                .isInstanceOf(DatasetException.class)
                .hasMessageContaining("weave/good/t (test) is weave/train/2")
                .hasMessageContaining("--allow-leakage");
        assertThat(run).doesNotExist();
        assertThat(dir.resolve("m.onnx")).doesNotExist();
    }

    @Test
    void shouldNameUnreadableImagesAndWriteNothing() {
        ImageSource broken = new ImageSource() {
            @Override
            public String name() {
                return "broken";
            }

            @Override
            public List<String> categories() {
                return List.of("weave");
            }

            @Override
            public List<Sample> train(String category) {
                return List.of(
                        Sample.normal("a.png", () -> TextureSource.weave(1, false)),
                        Sample.normal("b.png", () -> {
                            throw new IOException("truncated");
                        }),
                        Sample.normal("c.png", () -> TextureSource.weave(2, false)));
            }
        };
        assertThatThrownBy(() -> Fit.run(options(broken).training(t -> t.withEpochs(1))))
                .isInstanceOf(DatasetException.class)
                .hasMessageContaining("weave/b.png (truncated)")
                .hasMessageContaining("--skip-unreadable");
        assertThat(dir.resolve("m.onnx")).doesNotExist();
    }

    private static boolean delete(Path file) {
        try {
            Files.deleteIfExists(file);
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
