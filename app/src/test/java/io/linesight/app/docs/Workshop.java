package io.linesight.app.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.embedded.EmbeddedKafka;
import io.linesight.embedded.EmbeddedRegistry;
import io.linesight.mmad.encoder.FilterBankEncoder;
import io.linesight.mmad.statedict.RandomResNet;
import io.linesight.mmad.statedict.StateDictFiles;
import io.linesight.schemas.topics.Topics;
import io.linesight.simulator.Lamp;
import io.linesight.simulator.SimulatedDataset;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.awaitility.Awaitility;

/**
 * A folder with the launcher in it, a broker and a registry: commands are executed there by a shell, as somebody would
 * who reads the documents.
 */
final class Workshop implements AutoCloseable {
    private static final Duration TIMEOUT = Duration.ofMinutes(5);
    private static final List<String> PRODUCTS = List.of("flange", "board");
    private static final int TRAIN = 12;
    private static final int TEST = 4;
    private static final Pattern PUBLISHED = Pattern.compile("Published (\\S+) for");

    private static final Pattern WITHOUT_VECTORS =
            Pattern.compile("linesight (topics|models|audit|doctor|replay|label|simulate|encoder|--version)");

    /** What a command has done. */
    record Outcome(String executed, int exit, double seconds, String said) {}

    final Path dir;
    private final Path logs;
    private final EmbeddedKafka kafka;
    private final EmbeddedRegistry registry;
    private final int metricsPort;
    private String version = "VERSION";

    Workshop(Path folder) throws IOException {
        dir = Files.createDirectories(folder.resolve("work"));
        logs = Files.createDirectories(folder.resolve("logs"));
        kafka = EmbeddedKafka.in(folder.resolve("kafka")).start();
        registry = EmbeddedRegistry.start(kafka.bootstrapServers(), 0);
        try (ServerSocket free = new ServerSocket(0)) {
            metricsPort = free.getLocalPort();
        }
        Files.createSymbolicLink(dir.resolve("linesight"), Documentation.ROOT.resolve("linesight"));
        Files.writeString(
                dir.resolve("line.properties"),
                "bootstrap.servers=" + kafka.bootstrapServers() + "\nschema.registry.url=" + registry.url()
                        + "\nlinesight.models.trusted.keys=line.pub\n");
    }

    /**
     * The command for this folder: addresses that exist, the version published last, and minutes and sizes that a test
     * can wait for.
     */
    String fitted(Rule rule) {
        String c = rule.command()
                .replace("localhost:9092", kafka.bootstrapServers())
                .replace("kafka:9092", kafka.bootstrapServers())
                .replace("http://localhost:8081", registry.url())
                .replace("http://registry:8081", registry.url())
                .replace("VERSION", version)
                .replace("9404", Integer.toString(metricsPort));
        if (c.startsWith("./linesight fit ")) {
            c = c.replaceAll("--(minutes|epochs) \\S+", "--epochs 1").replace("--preset small", "--preset tiny");
            if (c.contains("patchcore")) {
                c += " --bank 500";
            } else if (c.contains("retrieval")) {
                c += " --encoder filters";
            } else if (!c.contains("--from")) {
                for (String smaller :
                        List.of("--preset tiny", "--encoder filters", "--map cosine", "--finest-stride 16")) {
                    if (!c.contains(smaller.substring(0, smaller.indexOf(' ') + 1))) c += " " + smaller;
                }
            }
        } else if (c.startsWith("./linesight simulate ")) {
            c = c.replaceAll("--train \\d+", "--train " + TRAIN).replaceAll("--test \\d+", "--test " + TEST)
                    + " --products " + String.join(",", PRODUCTS);
        } else if (c.startsWith("./linesight train ") && !c.contains("--import") && !c.contains("--export")) {
            c += " --minutes 0.1";
        } else if (c.startsWith("./linesight demo ")) {
            c = c.replaceAll("--for \\S+", "--for 10s");
        } else if (c.matches("./linesight models (publish|shadow|canary|promote|rollback|pin|history|gc)( .*)?")
                && !c.contains(" -c ")) {
            c += " -c line.properties"; // "all of these with -b and -r, or -c line.properties"
        }
        for (Rule.Change change : rule.changes())
            c = change.part().matcher(c).replaceFirst(Matcher.quoteReplacement(change.by()));
        return c;
    }

    private Process start(String command, String input, Path log) throws IOException {
        ProcessBuilder shell = new ProcessBuilder("bash", "-c", command)
                .directory(dir.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .redirectInput(Files.writeString(logs.resolve("input"), input).toFile());
        Map<String, String> environment = shell.environment();
        environment.keySet().removeIf(k -> k.startsWith("LINESIGHT_") || k.equals("CLASSPATH"));
        environment.put("HOME", dir.toString());
        environment.put("JAVA_HOME", System.getProperty("java.home"));
        environment.put("LINESIGHT_NO_BUILD", "1");
        // Most start quickly without the second compiler; the vectors of what scores or trains are slow without it.
        environment.put(
                "LINESIGHT_JAVA_OPTS",
                "-Xmx768m" + (WITHOUT_VECTORS.matcher(command).find() ? " -XX:TieredStopAtLevel=1" : ""));
        // Not the machine's temporary folder, where others may serve too.
        environment.put("LINESIGHT_SET_STATE_DIR", dir.resolve("state").toString());
        environment.put(
                "LINESIGHT_SET_LINESIGHT_MODELS_DIR", dir.resolve("models").toString());
        return shell.start();
    }

    /** Executes a command to its end. */
    Outcome run(Rule rule) throws Exception {
        rule.before().in(this);
        String command = fitted(rule);
        long began = System.nanoTime();
        Outcome outcome = rule.patient()
                ? Awaitility.await(command)
                        .atMost(TIMEOUT)
                        .pollInterval(Duration.ofMillis(500))
                        .until(() -> runOnce(command, rule.input(), began), o -> o.said.contains(rule.detail()))
                : runOnce(command, rule.input(), began);
        assertThat(rule.exits())
                .as("exit status of %s\n%s", command, outcome.said)
                .contains(outcome.exit);
        assertThat(outcome.said).as(command).contains(rule.detail()).doesNotContain("\tat ");
        Matcher published = PUBLISHED.matcher(outcome.said);
        if (published.find()) version = published.group(1);
        return outcome;
    }

    private Outcome runOnce(String command, String input, long began) throws Exception {
        Path log = Files.createTempFile(logs, "run", ".log");
        Process process = start(command, input, log);
        try {
            if (!process.waitFor(TIMEOUT.toSeconds(), TimeUnit.SECONDS))
                throw new AssertionError(command + " still runs after " + TIMEOUT + ":\n" + Files.readString(log));
        } finally {
            stop(process);
        }
        return new Outcome(command, process.exitValue(), (System.nanoTime() - began) / 1e9, Files.readString(log));
    }

    interface Meanwhile {
        void go() throws Exception;
    }

    /** Starts a command, awaits that it works, and stops it in order. */
    Outcome serve(Rule rule, Meanwhile meanwhile) throws Exception {
        rule.before().in(this);
        String command = fitted(rule);
        long began = System.nanoTime();
        Path log = Files.createTempFile(logs, "serve", ".log");
        Process process = start("exec " + command, rule.input(), log);
        try {
            Awaitility.await(command)
                    .atMost(TIMEOUT)
                    .until(() -> Files.readString(log).contains(rule.detail()) || !process.isAlive());
            assertThat(Files.readString(log)).as("%s while it runs", command).contains(rule.detail());
            meanwhile.go();
            process.destroy(); // SIGTERM
            assertThat(process.waitFor(TIMEOUT.toSeconds(), TimeUnit.SECONDS))
                    .as("%s ends when it is asked to:\n%s", command, Files.readString(log))
                    .isTrue();
            String said = Files.readString(log);
            assertThat(process.exitValue())
                    .as("exit status of %s\n%s", command, said)
                    .isZero();
            assertThat(said).as(command).doesNotContain("\tat ");
            return new Outcome(command, 0, (System.nanoTime() - began) / 1e9, said);
        } finally {
            stop(process);
        }
    }

    private static void stop(Process process) throws InterruptedException {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly().waitFor();
    }

    void copy(String from, String to) throws IOException {
        Files.copy(dir.resolve(from), dir.resolve(to), StandardCopyOption.REPLACE_EXISTING);
    }

    /** Images of another day. */
    /** A file of users of the OPC UA server. */
    void users() throws IOException {
        Path file = Files.writeString(dir.resolve("opcua.users"), "eva=correct horse\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    }

    void simulate(String folder, long seed) throws IOException {
        SimulatedDataset.export(dir.resolve(folder), PRODUCTS, TRAIN, TEST, seed, Lamp.TUBE);
    }

    /** The simulated parts as VisA's layout has them. */
    void visa() throws IOException {
        Path root = dir.resolve("VisA");
        List<String> table = new ArrayList<>(List.of("object,split,label,image,mask"));
        for (String product : PRODUCTS) {
            Path images = Files.createDirectories(root.resolve(product));
            try (Stream<Path> files = Files.walk(dir.resolve("parts").resolve(product))) {
                for (Path f : files.filter(f -> f.toString().endsWith(".jpg"))
                        .sorted()
                        .toList()) {
                    String kind = f.getParent().getFileName().toString();
                    String split = f.getParent().getParent().getFileName().toString();
                    String name = split + "-" + kind + "-" + f.getFileName();
                    Files.copy(f, images.resolve(name));
                    String mask = "";
                    if (!kind.equals("good")) {
                        mask = product + "/" + name.replace(".jpg", "_mask.png");
                        Files.copy(
                                dir.resolve("parts")
                                        .resolve(product)
                                        .resolve("ground_truth")
                                        .resolve(kind)
                                        .resolve(f.getFileName().toString().replace(".jpg", "_mask.png")),
                                root.resolve(mask));
                    }
                    table.add(product + "," + split + "," + (kind.equals("good") ? "normal" : "anomaly") + "," + product
                            + "/" + name + "," + mask);
                }
            }
        }
        Files.write(Files.createDirectories(root.resolve("split_csv")).resolve("1cls.csv"), table);
    }

    /** The checkpoint that ships with the program. */
    void bundledModel() throws IOException {
        Files.copy(
                Documentation.ROOT.resolve("demo/src/main/resources/io/linesight/demo/demo.onnx"),
                dir.resolve("m.onnx"));
    }

    /** In the place of a distilled one. */
    void encoders() throws IOException {
        FilterBankEncoder.create().save(dir.resolve("small.onnx"));
    }

    /** A small network under the large one's name: which it is, the tensors tell. */
    void weights() throws IOException {
        StateDictFiles.zip(dir.resolve("wide_resnet50_2.pth"), RandomResNet.tensors("resnet18", 3));
    }

    /** Labels of frames that were really sent. */
    void labels() throws IOException {
        String topic = Topics.defaults().frames().name();
        List<String> lines = new ArrayList<>(List.of("frame,label,annotator,mask,note"));
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(
                Map.of(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.bootstrapServers()),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                    .map(p -> new TopicPartition(topic, p.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            for (int i = 0; i < 60 && lines.size() < 4; i++) {
                for (ConsumerRecord<byte[], byte[]> r : consumer.poll(Duration.ofSeconds(1))) {
                    if (lines.size() < 4)
                        lines.add(topic + "-" + r.partition() + "-" + r.offset() + ",normal,anna,,\"looked at, fine\"");
                }
            }
        }
        assertThat(lines).hasSize(4);
        Files.write(dir.resolve("labels.csv"), lines);
    }

    @Override
    public void close() {
        registry.close();
        kafka.close();
    }
}
