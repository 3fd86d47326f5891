package io.linesight.app.monitoring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.linesight.app.cli.TrainerMetrics;
import io.linesight.cameras.CameraShot;
import io.linesight.demo.line.BundledModel;
import io.linesight.embedded.SharedPlatform;
import io.linesight.schemas.FrameEncoding;
import io.linesight.schemas.LabelKind;
import io.linesight.streams.InspectionApp;
import io.linesight.streams.alert.AlertsApp;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.routing.ModelControl;
import io.linesight.trainer.learning.FileChampionSource;
import io.linesight.trainer.learning.FolderChallengerSink;
import io.linesight.trainer.learning.LabelLine;
import io.linesight.trainer.learning.TrainerConfig;
import io.linesight.trainer.learning.TrainerService;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Dashboard and alert rules against what a running inspection app and a running trainer really export. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(600)
class MonitoringIT {
    private static final Path MONITORING = Path.of("..", "deploy", "monitoring");
    private static final Path ALERTS = MONITORING.resolve("prometheus/alerts.yml");
    private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int FRAMES = 12;

    private LabelLine line;
    private InspectionApp app;
    private TrainerService trainer;
    private TrainerMetrics trainerMetrics;
    private AlertsApp alerts;
    private Map<String, List<Map<String, String>>> exported;

    @BeforeAll
    void startEverythingAndScrape(@TempDir Path folder) throws Exception {
        line = new LabelLine(SharedPlatform.kafka(), SharedPlatform.registry(), "plant");
        Path model = BundledModel.unpack(folder).orElseThrow();
        Map<String, String> settings = new HashMap<>(line.settings);
        settings.putAll(Map.of(
                "linesight.checkpoint",
                model.toString(),
                "linesight.metrics.port",
                "0",
                "state.dir",
                folder.resolve("state").toString(),
                "linesight.device",
                "cpu"));
        app = new InspectionApp(InspectionConfig.of(settings), ModelControl.fixed(), null);
        app.start();
        assertThat(app.awaitRunning(Duration.ofSeconds(60))).isTrue();
        alerts = new AlertsApp(InspectionConfig.of(settings), app.meters());
        alerts.start();
        trainer = new TrainerService(
                TrainerConfig.of(line.settings, folder.resolve("trainer")),
                new FileChampionSource(model),
                new FolderChallengerSink(folder.resolve("out")),
                e -> {});
        trainer.start();
        trainerMetrics = TrainerMetrics.serve(0, trainer);
        for (int i = 0; i < FRAMES; i++) line.label(line.frame("flange", "good", i), LabelKind.NORMAL, null, "ann");
        line.raw("cam-x", new byte[] {1, 2, 3});
        LabelLine.await(
                "frames and labels",
                () -> get(appPort(), "/metrics")
                                .contains("linesight_dead_letters_total{code=\"NOT_CONFLUENT_WIRE\"} 1.0")
                        && trainer.counts().get("labels.normal") == FRAMES);
        // Exported from the first collection on, which a short test may not see by itself.
        System.gc();
        LabelLine.await("a collection of garbage in the metrics", () -> get(appPort(), "/metrics")
                .contains("jvm_gc_pause_seconds_sum"));
        String inspect = get(appPort(), "/metrics");
        String train = get(trainerMetrics.port(), "/metrics");
        Files.writeString(Path.of("target", "inspect-metrics.txt"), inspect);
        Files.writeString(Path.of("target", "trainer-metrics.txt"), train);
        exported = PromQl.samples(inspect + train);
    }

    @AfterAll
    void stop() throws Exception {
        for (AutoCloseable c : new AutoCloseable[] {trainerMetrics, trainer, alerts, app, line})
            if (c != null) c.close();
    }

    private int appPort() {
        return app.metricsPort().orElseThrow();
    }

    private static String get(int port, String path) {
        try {
            HttpResponse<String> answer = HttpClient.newHttpClient()
                    .send(
                            HttpRequest.newBuilder(URI.create("http://localhost:" + port + path))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString());
            assertThat(answer.statusCode()).as(path).isEqualTo(200);
            return answer.body();
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static List<JsonNode> alerts() throws IOException {
        List<JsonNode> alerts = new ArrayList<>();
        for (JsonNode group : YAML.readTree(ALERTS.toFile()).get("groups"))
            group.get("rules").forEach(alerts::add);
        return alerts;
    }

    /** Every expression of the dashboard by its panel. */
    private static Map<String, String> dashboard() throws IOException {
        Map<String, String> expressions = new LinkedHashMap<>();
        JsonNode board = JSON.readTree(
                MONITORING.resolve("grafana/dashboards/linesight.json").toFile());
        for (JsonNode panel : board.get("panels")) {
            for (JsonNode target : panel.path("targets"))
                expressions.put(
                        panel.get("title").asText() + " " + target.get("refId").asText(),
                        target.get("expr").asText());
        }
        for (JsonNode variable : board.path("templating").path("list")) {
            if (variable.get("type").asText().equals("query")) {
                expressions.put(
                        "variable " + variable.get("name").asText(),
                        variable.get("query").asText().replaceFirst("label_values\\((.*),\\s*\\w+\\)", "$1"));
            }
        }
        return expressions;
    }

    @Test
    void shouldAskOnlyForMetricsThatAreExported() throws IOException {
        Map<String, String> expressions = new LinkedHashMap<>(dashboard());
        for (JsonNode a : alerts())
            expressions.put("alert " + a.get("alert").asText(), a.get("expr").asText());
        assertThat(expressions).hasSizeGreaterThan(40);
        Map<String, List<String>> wrong = new LinkedHashMap<>();
        expressions.forEach((where, expression) -> {
            List<String> problems = PromQl.problems(expression, exported);
            if (!problems.isEmpty()) wrong.put(where + ": " + expression, problems);
        });
        assertThat(wrong).isEmpty();
    }

    @Test
    void shouldNoticeWhatIsNotExported() {
        assertThat(PromQl.problems(
                        "sum by (verdict) (rate(linesight_results_total{verdict=\"FAIL\"}[5m])) / 2 > 0.5", exported))
                .isEmpty();
        assertThat(PromQl.problems("rate(linesight_result_total[5m])", exported))
                .containsExactly("nobody exports linesight_result_total");
        assertThat(PromQl.problems("linesight_results_total{camera=\"c\"}", exported))
                .containsExactly("linesight_results_total has no label camera");
        assertThat(PromQl.problems("linesight_results_total{verdict=\"FAILED\"}", exported))
                .containsExactly("linesight_results_total has no verdict=FAILED");
        assertThat(PromQl.problems("sum by (product) (linesight_results_total)", exported))
                .containsExactly("no metric in it has the label product");
        assertThat(PromQl.problems("up == 0 and on (instance) linesight_ready == 0", exported))
                .isEmpty();
    }

    @Test
    void shouldSayInEveryAlertAndInTheRunbookWhatToDo() throws IOException {
        String runbook = Files.readString(Path.of("..", "docs", "operations.md"));
        assertThat(alerts()).hasSizeGreaterThanOrEqualTo(18).allSatisfy(a -> {
            assertThat(a.at("/labels/severity").asText()).isIn("page", "ticket");
            assertThat(a.at("/annotations/summary").asText()).isNotBlank();
            assertThat(a.at("/annotations/description").asText())
                    .as("says what to do")
                    .hasSizeGreaterThan(60);
            assertThat(runbook).contains("`" + a.get("alert").asText() + "`");
        });
        assertThat(alerts().stream().map(a -> a.get("alert").asText()).toList()).doesNotHaveDuplicates();
    }

    @Test
    void shouldKeepTheNumberOfSeriesWhateverCamerasAndProductsSend() throws Exception {
        List<String> before = ours();
        for (int i = 0; i < 40; i++)
            line.shot(
                    "cam-more-" + i,
                    new CameraShot("flange-" + i, Instant.now(), FrameEncoding.GRAY8, 8, 8, new byte[64], Map.of()));
        LabelLine.await("forty more cameras and products", () -> get(appPort(), "/metrics")
                .lines()
                .filter(l -> l.startsWith("linesight_frames_total "))
                .anyMatch(l -> Double.parseDouble(l.substring(l.indexOf(' '))) >= FRAMES + 1 + 40));
        assertThat(ours()).isEqualTo(before);
        assertThat(before).allSatisfy(series -> assertThat(series).doesNotContain("cam-", "flange"));
    }

    /** Name and labels of everything of ours, values left out. */
    private List<String> ours() {
        return new TreeSet<>(Stream.of(get(appPort(), "/metrics"), get(trainerMetrics.port(), "/metrics"))
                        .flatMap(String::lines)
                        .filter(l -> l.startsWith("linesight_"))
                        .map(l -> l.substring(0, l.lastIndexOf(' ')))
                        .toList())
                .stream().toList();
    }

    @Test
    void shouldAnswerProbes() {
        for (int port : new int[] {appPort(), trainerMetrics.port()}) {
            for (String path : List.of("/live", "/ready", "/health/live", "/health/ready"))
                assertThat(get(port, path)).isEqualTo("{\"status\":\"UP\"}");
        }
    }

    @Test
    void shouldPassPromtool() throws Exception {
        assumeTrue(
                Stream.of(System.getenv("PATH").split(":")).anyMatch(p -> Files.isExecutable(Path.of(p, "promtool"))),
                "promtool is not installed");
        for (List<String> check : List.of(
                List.of("check", "rules", ALERTS.toString()),
                List.of(
                        "check",
                        "config",
                        MONITORING.resolve("prometheus/prometheus.yml").toString()),
                List.of(
                        "test",
                        "rules",
                        MONITORING.resolve("prometheus/alerts-test.yml").toString()))) {
            List<String> command = new ArrayList<>(List.of("promtool"));
            command.addAll(check);
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            String said = new String(process.getInputStream().readAllBytes());
            assertThat(process.waitFor()).as(said).isZero();
        }
    }
}
