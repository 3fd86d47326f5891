package io.linesight.streams;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.embedded.SharedPlatform;
import io.linesight.models.rollouts.Author;
import io.linesight.models.rollouts.ModelRegistryView;
import io.linesight.models.rollouts.RolloutException;
import io.linesight.models.rollouts.RolloutRules;
import io.linesight.models.signing.TrustedKeys;
import io.linesight.models.storage.StoredCheckpoint;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.ModelRole;
import io.linesight.schemas.ModelState;
import io.linesight.schemas.ModelStatus;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.Rollout;
import io.linesight.schemas.serde.AvroSerde;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Three instances in JVMs of their own follow the real registry while cameras keep sending and while they are killed at
 * the worst moments of a rollout. Every version scores the same frame differently, so every result shows whether it
 * comes from the version it names.
 */
@Timeout(600)
class FleetIT {
    private static final int PARTITIONS = 4;
    private static final int CAMERAS = 8;
    private static final List<String> NAMES = List.of("line-0", "line-1", "line-2");
    private static final Map<String, Float> GAINS = Map.of("v1", 1f, "v2", 1.5f, "v3", 2f, "v4", 2.5f);
    private static final long LOAD_MILLIS = 1_200;
    private static final int STAGGER_MILLIS = 2_000;

    @TempDir
    private Path folder;

    private final Map<String, ChildJvm> instances = new TreeMap<>();
    /** Of every start: which decision was in force, and when. */
    private final List<Launch> launches = new ArrayList<>();

    private final List<Settled> settled = new ArrayList<>();
    private String application;
    private Line line;
    private Desk desk;
    private Cameras cameras;

    private record Launch(String instance, long revision, Instant at) {}

    /** Frames from that number on, of every camera, were sent when the whole line had followed a decision. */
    private record Settled(long sequence, long revision) {}

    /** Sends until told to stop. */
    private static final class Cameras implements AutoCloseable {
        private final Line line;
        private final Pace pace;
        private volatile long sequence;

        Cameras(Line line) {
            this.line = line;
            pace = Pace.of("cameras", Duration.ofMillis(80), this::shoot);
        }

        private void shoot() {
            long next = sequence;
            // Before it is sent: whoever reads it knows that later frames have not been sent yet.
            sequence = next + 1;
            for (int c = 0; c < CAMERAS; c++)
                line.send(
                        c % PARTITIONS, Line.frame("cam" + c, next, value(next)).build());
        }

        @Override
        public void close() {
            pace.close();
            line.flush();
        }
    }

    private static int value(long sequence) {
        return (int) (sequence % 50) + 1;
    }

    private void launch(String name) throws Exception {
        Path file = folder.resolve(name + ".properties");
        if (!Files.exists(file)) {
            Properties properties = new Properties();
            properties.putAll(desk.settings(line, application, name));
            properties.putAll(Map.of(
                    "linesight.rollout.stagger.ms",
                    "" + STAGGER_MILLIS,
                    "num.stream.threads",
                    "1",
                    "commit.interval.ms",
                    "250",
                    // What a killed instance held is free again when these are over.
                    "transaction.timeout.ms",
                    "6000",
                    "kafka.consumer.session.timeout.ms",
                    "6000",
                    "kafka.consumer.heartbeat.interval.ms",
                    "500",
                    "linesight.drain.budget.ms",
                    "1000",
                    "linesight.drain.timeout.ms",
                    "5000",
                    "linesight.registry.retry.ms",
                    "3000",
                    "linesight.startup.timeout.ms",
                    "60000"));
            try (Writer out = Files.newBufferedWriter(file)) {
                properties.store(out, null);
            }
        }
        launches.add(new Launch(name, desk.channel().revision(), Instant.now()));
        instances.put(
                name,
                new ChildJvm(folder.resolve(name + ".log"), FleetInstance.class, file.toString(), "" + LOAD_MILLIS));
    }

    private String logs() {
        StringBuilder all = new StringBuilder();
        instances.forEach(
                (name, jvm) -> all.append("--- ").append(name).append('\n').append(jvm.said()));
        return all.toString();
    }

    private void awaitStatus(String name, String version, ModelState state, long revision) throws Exception {
        desk.awaitStatus(name, version, state, revision, this::logs);
    }

    /** Waits until all instances serve what was decided. */
    private void awaitSettled(Rollout decision) throws Exception {
        for (String name : NAMES) awaitStatus(name, decision.getChampion(), ModelState.ACTIVE, decision.getRevision());
        settled.add(new Settled(cameras.sequence, decision.getRevision()));
    }

    @Test
    @Tag("full")
    void shouldServeOneVersionPerDecisionWhenAllDieAtACommit() throws Exception {
        shouldServeOneVersionPerDecision("fleet", List.of("v1", "v2"), () -> {});
    }

    @Test
    @Tag("full")
    void shouldServeOneVersionPerDecisionWhateverDies() throws Exception {
        shouldServeOneVersionPerDecision("long-fleet", List.of("v1", "v2", "v3"), () -> {
            killWhileLoadingAndWhileWaiting();
            killRightAfterTheSwapWhilePeopleDisagree();
        });
    }

    private interface Chapter {
        void happen() throws Exception;
    }

    /** @param versions that score frames */
    private void shouldServeOneVersionPerDecision(String name, List<String> versions, Chapter chapter)
            throws Exception {
        application = name;
        try (Line fleet = new Line(SharedPlatform.kafka(), SharedPlatform.registry(), application, PARTITIONS);
                Desk people = new Desk(fleet, folder.resolve("desk"))) {
            line = fleet;
            desk = people;
            for (Map.Entry<String, Float> version : GAINS.entrySet())
                desk.publish(version.getKey(), ToyCheckpoint.bytes(version.getKey(), version.getValue()));
            Rollout first = desk.promote("v1");
            cameras = new Cameras(line);
            try {
                for (String instance : NAMES) launch(instance);
                awaitSettled(first);
                refuseWhatIsNotWhatWasPublished(SharedPlatform.kafka().bootstrapServers());
                chapter.happen();
                Instant dead = killWhileResultsAreCommitted();
                finish();
                checkResults(dead, versions);
                checkStatuses();
            } finally {
                instances.values().forEach(ChildJvm::close);
            }
        }
    }

    /** Somebody who checks nothing promotes four checkpoints that nobody should serve. */
    private void refuseWhatIsNotWhatWasPublished(String bootstrap) throws Exception {
        byte[] checkpoint = ToyCheckpoint.bytes("bad", 7);
        desk.publish("unsigned", checkpoint, Optional.empty());
        ModelVersion good = desk.publish("good", checkpoint, Optional.of(desk.signer));
        desk.registry.publish(ModelVersion.newBuilder(good).setVersion("forged").build());
        String chunks = desk.config.topics().modelChunks().name();
        byte[] changed = checkpoint.clone();
        changed[changed.length / 2] ^= 1;
        String tampered = sha256("tampered");
        String truncated = sha256("truncated");
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", bootstrap), new ByteArraySerializer(), new ByteArraySerializer())) {
            producer.send(new ProducerRecord<>(chunks, 0, (tampered + "/00000").getBytes(), changed))
                    .get();
            producer.send(new ProducerRecord<>(
                            chunks,
                            0,
                            (truncated + "/00000").getBytes(),
                            Arrays.copyOf(checkpoint, checkpoint.length / 2)))
                    .get();
        }
        int half = checkpoint.length / 2;
        desk.registry.publish(
                desk.signer.sign(new StoredCheckpoint("kafka:0", tampered, checkpoint.length, 1, checkpoint.length)
                        .into(ModelVersion.newBuilder(Desk.draft("tampered")))
                        .build()));
        desk.registry.publish(desk.signer.sign(new StoredCheckpoint("kafka:0", truncated, 2L * half, 2, half)
                .into(ModelVersion.newBuilder(Desk.draft("truncated")))
                .build()));
        Map<String, String> reasons = Map.of(
                "unsigned",
                "it is unsigned",
                "forged",
                "does not fit",
                "tampered",
                "are not those that were published",
                "truncated",
                "chunk 2 of 2 is gone");
        for (String version : reasons.keySet()) {
            Rollout bad = desk.promote(version);
            for (String name : NAMES) {
                ModelStatus refusal =
                        desk.awaitStatus(name, version, ModelState.REJECTED, bad.getRevision(), this::logs);
                assertThat(refusal.getReason()).contains(reasons.get(version));
                if (name.equals("line-0"))
                    System.out.println("FleetIT: " + version + " refused: " + refusal.getReason());
            }
        }
    }

    private static String sha256(String text) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes()));
    }

    private void killWhileLoadingAndWhileWaiting() throws Exception {
        Rollout second = desk.promote("v2");
        awaitStatus("line-1", "v2", ModelState.LOADING, second.getRevision());
        instances.get("line-1").kill();
        awaitStatus("line-2", "v2", ModelState.WARM, second.getRevision());
        instances.get("line-2").kill();
        assertThat(desk.status("line-2", "v1").orElseThrow().getState())
                .as("it still waits for its turn")
                .isEqualTo(ModelState.ACTIVE);
        launch("line-1");
        launch("line-2");
        awaitSettled(second);
    }

    private void killRightAfterTheSwapWhilePeopleDisagree() throws Exception {
        Rollout third = desk.promote("v3");
        awaitStatus("line-0", "v3", ModelState.ACTIVE, third.getRevision());
        instances.get("line-0").kill();
        launch("line-0");
        Rollout fourth = winner();
        // Back before the others are through with it.
        awaitStatus("line-1", fourth.getChampion(), ModelState.LOADING, fourth.getRevision());
        Rollout fifth = desk.rollback();
        assertThat(fifth.getChampion()).isEqualTo("v3");
        Desk.await(
                () -> NAMES.stream().allMatch(name -> plan(name).equals(fifth.getRevision() + " v3 null")),
                () -> "all plans are those of the rollback\n" + logs());
        settled.add(new Settled(cameras.sequence, fifth.getRevision()));
    }

    /** Two people decide at the same time, each looking at a view of their own. */
    private Rollout winner() throws Exception {
        ExecutorService both = Executors.newFixedThreadPool(2);
        List<Rollout> won = new ArrayList<>();
        try (ModelRegistryView other = ModelRegistryView.open(desk.config, TrustedKeys.unsignedAllowed())) {
            CyclicBarrier together = new CyclicBarrier(2);
            Future<Rollout> anna = both.submit(() -> decideTogether(desk.view, "v4", "anna", together));
            Future<Rollout> ben = both.submit(() -> decideTogether(other, "v1", "ben", together));
            for (Future<Rollout> decision : List.of(anna, ben)) {
                try {
                    won.add(decision.get());
                } catch (ExecutionException e) {
                    assertThat(e.getCause())
                            .isInstanceOf(RolloutException.class)
                            .hasMessageContaining("at the same time");
                }
            }
        } finally {
            both.shutdownNow();
        }
        assertThat(won).as("one of two wins").hasSize(1);
        return won.get(0);
    }

    private Rollout decideTogether(ModelRegistryView view, String version, String who, CyclicBarrier together)
            throws Exception {
        return desk.decide(view, known -> {
            var decision =
                    RolloutRules.promote(known, Desk.CHANNEL, version, Author.person(who, "mine is better"), false);
            try {
                together.await();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
            return decision;
        });
    }

    /** Revision, champion and challenger, as an instance sees them. */
    private String plan(String name) {
        ChildJvm jvm = instances.get(name);
        if (!jvm.said().contains(FleetInstance.RUNNING)) return "it starts";
        int before = jvm.said().lastIndexOf(FleetInstance.PLAN);
        try {
            jvm.tell(FleetInstance.SAY_PLAN);
            Desk.await(
                    () -> jvm.said().lastIndexOf(FleetInstance.PLAN) > before
                            && jvm.said().endsWith(".\n"),
                    () -> "a plan from\n" + jvm.said());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        String said = jvm.said().substring(jvm.said().lastIndexOf(FleetInstance.PLAN) + FleetInstance.PLAN.length());
        return said.substring(0, said.indexOf('.'));
    }

    /** @return when nobody ran any more */
    private Instant killWhileResultsAreCommitted() throws Exception {
        Rollout sixth = desk.promote("v2");
        awaitSettled(sixth);
        instances.get("line-0").tell(FleetInstance.HALT_WHILE_WRITING);
        instances.get("line-1").tell(FleetInstance.HALT_BEFORE_COMMIT);
        instances.get("line-2").tell(FleetInstance.HALT_AFTER_COMMIT);
        for (String name : NAMES)
            assertThat(instances.get(name).awaitExit())
                    .as(() -> name + "\n" + instances.get(name).said())
                    .isEqualTo(FleetInstance.HALTED);
        Instant dead = Instant.now();
        Rollout seventh = desk.promote("v1");
        for (String name : NAMES) launch(name);
        awaitSettled(seventh);
        return dead;
    }

    private void finish() throws Exception {
        long settledAt = cameras.sequence;
        Desk.await(() -> cameras.sequence > settledAt + 10, () -> "frames that arrive after all has settled");
        cameras.close();
        line.awaitCommitted(application, CAMERAS * cameras.sequence, Desk.TIMEOUT);
        String expected = desk.channel().revision() + " v1 null";
        assertThat(NAMES).allSatisfy(name -> {
            assertThat(plan(name)).as("plan of %s", name).isEqualTo(expected);
            assertThat(desk.view.state().latestStatus().get(name))
                    .extracting(ModelStatus::getVersion, ModelStatus::getState, ModelStatus::getRolloutRevision)
                    .containsExactly("v1", ModelState.ACTIVE, desk.channel().revision());
        });
        for (String name : NAMES) {
            instances.get(name).tell(FleetInstance.QUIT);
            assertThat(instances.get(name).awaitExit())
                    .as(() ->
                            "clean end of " + name + "\n" + instances.get(name).said())
                    .isZero();
        }
    }

    private void checkResults(Instant dead, List<String> versions) {
        List<Rollout> decisions = desk.channel().decisions();
        Map<String, List<Long>> sequences = new TreeMap<>();
        Map<String, Integer> counts = new TreeMap<>();
        Set<String> ids = new HashSet<>();
        int afterwards = 0;
        for (InspectionResult r : line.results()) {
            assertThat(ids.add(r.getResultId()))
                    .as("twice: %s", r.getResultId())
                    .isTrue();
            sequences.computeIfAbsent(r.getCameraId(), c -> new ArrayList<>()).add(r.getSequence());
            String version = r.getModelVersion();
            counts.merge(version, 1, Integer::sum);
            assertThat(GAINS).as("version of %s", r.getFrameId()).containsKey(version);
            float expected = GAINS.get(version) * value(r.getSequence());
            assertThat(r.getRawScore() / expected)
                    .as("score of %s by %s", r.getFrameId(), version)
                    .isBetween(0.999f, 1.001f);
            long atLeast = settled.stream()
                    .filter(s -> s.sequence <= r.getSequence())
                    .mapToLong(Settled::revision)
                    .max()
                    .orElse(1);
            assertThat(decisions)
                    .as(
                            "%s, sent when revision %s was followed everywhere and scored at %s, is scored by %s",
                            r.getFrameId(), atLeast, r.getScoredAt(), version)
                    .anySatisfy(d -> {
                        assertThat(d.getChampion()).isEqualTo(version);
                        assertThat(d.getRevision()).isGreaterThanOrEqualTo(atLeast);
                        assertThat(d.getAt()).isBeforeOrEqualTo(r.getScoredAt());
                    });
            if (r.getScoredAt().isAfter(dead)) {
                assertThat(version)
                        .as("version of %s, taken by an instance that started after all had died", r.getFrameId())
                        .isEqualTo("v1");
                afterwards++;
            }
        }
        assertThat(sequences).hasSize(CAMERAS);
        sequences.forEach((camera, numbers) -> {
            assertThat(numbers).hasSize((int) cameras.sequence);
            for (int i = 0; i < numbers.size(); i++)
                assertThat(numbers.get(i)).as("result %s of %s", i, camera).isEqualTo(i);
        });
        assertThat(counts.keySet()).containsAll(versions);
        assertThat(afterwards).isPositive();
        int attempts = line.read(line.topics.results(), "read_uncommitted").size();
        System.out.println("FleetIT: " + ids.size() + " results, by version " + counts + ", " + afterwards
                + " after everybody had died; " + (attempts - ids.size())
                + " of aborted transactions stayed invisible");
        assertThat(line.deadLetters()).isEmpty();
    }

    /** After a restart nobody serves anything older than what was in force by then. */
    private void checkStatuses() {
        AvroSerde<ModelStatus> serde =
                AvroSerde.of(ModelStatus.class, Map.of("schema.registry.url", line.registryUrl()), false);
        List<ModelStatus> all = line.read(line.topics.modelStatus(), "read_committed").stream()
                .map(r -> serde.deserializer().deserialize(r.topic(), r.value()))
                .toList();
        for (Launch launch : launches) {
            List<ModelStatus> later = all.stream()
                    .filter(s -> s.getInstance().equals(launch.instance)
                            && !s.getAt().isBefore(launch.at))
                    .toList();
            assertThat(later).as("what %s said", launch).isNotEmpty();
            assertThat(later.get(0).getState()).isEqualTo(ModelState.LOADING);
            assertThat(later.stream().filter(s -> s.getRole() == ModelRole.CHAMPION))
                    .allSatisfy(s -> assertThat(s.getRolloutRevision())
                            .as("%s by %s", s, launch)
                            .isGreaterThanOrEqualTo(launch.revision));
        }
        System.out.println("FleetIT: " + launches.size() + " starts, "
                + desk.channel().decisions().size() + " decisions, " + all.size() + " statuses");
    }
}
