package io.linesight.models.rollouts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.linesight.embedded.EmbeddedKafka;
import io.linesight.embedded.EmbeddedRegistry;
import io.linesight.embedded.GuardedKafka;
import io.linesight.embedded.SharedPlatform;
import io.linesight.models.signing.CheckpointSigner;
import io.linesight.models.signing.KeyFiles;
import io.linesight.models.signing.TrustedKeys;
import io.linesight.models.storage.CheckpointStore;
import io.linesight.models.storage.CheckpointStoreException;
import io.linesight.models.storage.CheckpointStores;
import io.linesight.models.storage.ModelsConfig;
import io.linesight.models.storage.StoredCheckpoint;
import io.linesight.schemas.ModelRole;
import io.linesight.schemas.ModelState;
import io.linesight.schemas.ModelStatus;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.Rollout;
import io.linesight.schemas.RolloutMode;
import io.linesight.schemas.topics.TopicAdmin;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** Versions, rollouts and housekeeping on a real broker and registry. */
class ModelRegistryIT {
    private static final Duration LONG = Duration.ofSeconds(60);

    private static EmbeddedKafka kafka;
    private static EmbeddedRegistry schemas;

    @TempDir
    Path dir;

    private Models models;
    private ModelRegistry registry;
    private ModelRegistryView view;
    private RolloutWriter writer;

    @BeforeAll
    static void startPlatform() {
        kafka = SharedPlatform.kafka();
        schemas = SharedPlatform.registry();
    }

    @BeforeEach
    void open(TestInfo test) {
        models = new Models(
                kafka.bootstrapServers(),
                schemas.url(),
                "registry." + test.getTestMethod().orElseThrow().getName());
        registry = models.registry();
        view = models.view();
        writer = new RolloutWriter(registry, view, LONG);
    }

    @AfterEach
    void close() {
        view.close();
        registry.close();
        models.close();
    }

    private Rollout promote(String version) throws Exception {
        return writer.decide("line", s -> RolloutRules.promote(s, "line", version, Author.person("anna", "r"), false));
    }

    private RegistryState state() throws InterruptedException {
        assertThat(view.awaitCaughtUp(LONG)).isTrue();
        return view.state();
    }

    @Test
    void shouldShowWhatWasWrittenToEveryReader() throws Exception {
        registry.publish(Models.draft("a").build());
        registry.publish(Models.draft("b").build());
        promote("a");
        promote("b");
        registry.report(ModelStatus.newBuilder()
                        .setInstance("i1")
                        .setChannel("line")
                        .setVersion("b")
                        .setRole(ModelRole.CHAMPION)
                        .setState(ModelState.ACTIVE)
                        .setAt(Instant.now())
                        .build())
                .join();
        try (ModelRegistryView late = models.view()) {
            assertThat(late.awaitCaughtUp(LONG)).isTrue();
            assertThat(late.state()).isEqualTo(state());
            assertThat(late.state().channel("line").inForce().orElseThrow())
                    .extracting(Rollout::getChampion, Rollout::getPrevious)
                    .containsExactly("b", "a");
            assertThat(late.state().latestStatus().get("i1").getState()).isEqualTo(ModelState.ACTIVE);
        }
    }

    @Test
    void shouldTellListenersOnlyWholeStates() throws Exception {
        registry.publish(Models.draft("a").build());
        promote("a");
        List<RegistryState> seen = new CopyOnWriteArrayList<>();
        List<RegistryState> broken = new CopyOnWriteArrayList<>();
        try (ModelRegistryView late = models.view()) {
            List<RegistryState> survived = new CopyOnWriteArrayList<>();
            late.listen(s -> {
                survived.add(s);
                if (survived.size() == 1) throw new IllegalStateException("a listener's own mistake");
            });
            ModelRegistryView.Subscription subscription = late.listen(s -> {
                seen.add(s);
                s.channel("line").inForce().ifPresent(r -> {
                    if (s.objection(r).isPresent()) broken.add(s);
                });
            });
            for (int i = 0; i < 30; i++) {
                registry.publish(Models.draft("v" + i).build());
                promote("v" + i);
            }
            assertThat(late.awaitCaughtUp(LONG)).isTrue();
            await(() ->
                    !seen.isEmpty() && seen.get(seen.size() - 1).channel("line").revision() == 31);
            assertThat(survived).as("a listener that failed is called again").hasSizeGreaterThan(1);
            assertThat(broken).as("a rollout before the manifest it names").isEmpty();
            assertThat(seen.get(0).channel("line").revision())
                    .as("none of the past")
                    .isPositive();
            subscription.close();
            int before = seen.size();
            registry.publish(Models.draft("x").build());
            assertThat(late.awaitCaughtUp(LONG)).isTrue();
            // One that comes later is told after all that came before it.
            AtomicInteger told = new AtomicInteger();
            late.listen(s -> told.incrementAndGet());
            await(() -> told.get() > 0);
            assertThat(seen).hasSize(before);
        }
    }

    @Test
    void shouldHaveTheSameWinnerInEveryViewWhenTwoDecideAtOnce() throws Exception {
        for (String v : List.of("a", "b", "c")) registry.publish(Models.draft(v).build());
        promote("a");
        int overtaken = 0;
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try (ModelRegistryView other = models.view()) {
            RolloutWriter second = new RolloutWriter(registry, other, LONG);
            for (int round = 0; round < 15; round++) {
                CyclicBarrier both = new CyclicBarrier(2);
                List<Future<Rollout>> results = new ArrayList<>();
                for (RolloutWriter w : List.of(writer, second)) {
                    String by = w == writer ? "anna" : "ben";
                    results.add(threads.submit(() -> w.decide("line", s -> {
                        var next = s.channel("line")
                                        .inForce()
                                        .orElseThrow()
                                        .getChampion()
                                        .equals(by.equals("anna") ? "b" : "c")
                                ? "a"
                                : by.equals("anna") ? "b" : "c";
                        var decision = RolloutRules.promote(s, "line", next, Author.person(by, "r"), false);
                        await(both);
                        return decision;
                    })));
                }
                int won = 0;
                for (Future<Rollout> f : results) {
                    try {
                        f.get();
                        won++;
                    } catch (java.util.concurrent.ExecutionException e) {
                        assertThat(e.getCause())
                                .isInstanceOf(RolloutException.class)
                                .hasMessageContaining("another rollout was decided at the same time by")
                                .hasMessageContaining("decide again");
                        assertThat(((RolloutException) e.getCause()).kind()).isEqualTo(RolloutException.Kind.OVERTAKEN);
                        overtaken++;
                    }
                }
                assertThat(won).isEqualTo(1);
                assertThat(other.awaitCaughtUp(LONG)).isTrue();
                assertThat(other.state().channel("line")).isEqualTo(state().channel("line"));
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(overtaken).isEqualTo(15);
        assertThat(state().channel("line").revision()).isEqualTo(16);
        assertThat(state().channel("line").history()).hasSize(31);
    }

    private static void await(CyclicBarrier barrier) {
        try {
            barrier.await();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static void await(Callable<Boolean> condition) throws Exception {
        Awaitility.await().atMost(LONG).pollInterval(Duration.ofMillis(20)).until(condition);
    }

    @Test
    void shouldRejectByTheRulesAndWriteNothing() throws Exception {
        RolloutException e = catchThrowableOfType(RolloutException.class, () -> promote("nowhere"));
        assertThat(e.kind()).isEqualTo(RolloutException.Kind.REJECTED);
        assertThat(e).hasMessageContaining("no version nowhere");
        assertThatThrownBy(
                        () -> writer.decide("line", s -> RolloutRules.rollback(s, "line", Author.person("anna", ""))))
                .hasMessageContaining("no previous champion");
        assertThat(state().channel("line").history()).isEmpty();
    }

    @Test
    void shouldContinueAfterUnreadableRecords() throws Exception {
        registry.publish(Models.draft("a").build());
        models.raw(models.config.topics().models().name(), "b", new byte[] {1, 2, 3});
        models.raw(models.config.topics().rollouts().name(), "line", new byte[] {0, 0, 0, 0, 99, 1});
        models.raw(models.config.topics().rollouts().name(), "line", null);
        models.raw(models.config.topics().modelStatus().name(), "x", "text".getBytes());
        promote("a");
        RegistryState s = state();
        assertThat(s.versions()).containsOnlyKeys("a");
        assertThat(s.channel("line").history())
                .extracting(HistoryEntry::counted)
                .containsExactly(false, false, true);
        assertThat(s.channel("line").history().get(0).rejection()).contains("cannot be read");
    }

    @Test
    void shouldKeepLastStateWhileBrokerIsUnavailableAndResumeAfterwards() throws Exception {
        Path folder = dir.resolve("own");
        EmbeddedKafka own = EmbeddedKafka.in(folder).start();
        int port = own.port();
        EmbeddedRegistry ownSchemas = EmbeddedRegistry.start(own.bootstrapServers(), 0);
        int schemaPort = ownSchemas.port();
        try (Models m = new Models(
                        own.bootstrapServers(), ownSchemas.url(), "restart", ModelsConfig.TIMEOUT_MS, "3000");
                ModelRegistryView v = m.view()) {
            try (ModelRegistry r = m.registry()) {
                r.publish(Models.draft("a").build());
                new RolloutWriter(r, v, LONG)
                        .decide("line", s -> RolloutRules.promote(s, "line", "a", Author.person("anna", ""), false));
                ownSchemas.close();
                own.close();
                await(() -> !v.connected());
                assertThat(v.awaitCaughtUp(Duration.ofMillis(500))).isFalse();
                assertThat(v.state().channel("line").inForce().orElseThrow().getChampion())
                        .isEqualTo("a");
                RolloutWriter w = new RolloutWriter(r, v, Duration.ofMillis(500));
                RolloutException e = catchThrowableOfType(
                        RolloutException.class,
                        () -> w.decide("line", s -> RolloutRules.pin(s, "line", Author.person("anna", ""))));
                assertThat(e.kind()).isEqualTo(RolloutException.Kind.UNAVAILABLE);
                assertThat(e).hasMessageContaining("nothing was decided");
                own = EmbeddedKafka.in(folder).port(port).start();
                ownSchemas = EmbeddedRegistry.start(own.bootstrapServers(), schemaPort);
                assertThat(v.awaitCaughtUp(LONG)).isTrue();
                assertThat(v.connected()).isTrue();
                new RolloutWriter(r, v, LONG)
                        .decide("line", s -> RolloutRules.pin(s, "line", Author.person("anna", "")));
                assertThat(v.state().channel("line").inForce().orElseThrow().getPinned())
                        .isTrue();
            }
        } finally {
            ownSchemas.close();
            own.close();
        }
    }

    @Test
    void shouldWaitForTheSchemaRegistryInsteadOfPassingRecordsOver() throws Exception {
        registry.publish(Models.draft("a").build());
        Map<String, Object> settings = new HashMap<>(models.config.settings());
        EmbeddedRegistry second = EmbeddedRegistry.start(kafka.bootstrapServers(), 0);
        int port = second.port();
        second.close();
        settings.put("schema.registry.url", "http://localhost:" + port);
        try (ModelRegistryView v = ModelRegistryView.open(ModelsConfig.of(settings), TrustedKeys.unsignedAllowed())) {
            await(() -> !v.connected());
            assertThat(v.state().versions()).isEmpty();
            second = EmbeddedRegistry.start(kafka.bootstrapServers(), port);
            assertThat(v.awaitCaughtUp(LONG)).isTrue();
            assertThat(v.state().versions()).containsOnlyKeys("a");
        } finally {
            second.close();
        }
    }

    @Test
    void shouldKeepReportingMissingRightsWhileEmptyTopicCanBeDescribed() throws Exception {
        try (GuardedKafka guarded = GuardedKafka.start(dir.resolve("guarded"));
                EmbeddedRegistry its = EmbeddedRegistry.start(guarded.bootstrapServers(), 0);
                Models m = new Models(guarded.bootstrapServers(), its.url(), "guarded")) {
            String topic = m.config.topics().rollouts().name();
            guarded.closeToReaders(topic);
            Logger logger = (Logger) LoggerFactory.getLogger(ModelRegistryView.class);
            ListAppender<ILoggingEvent> said = new ListAppender<>();
            said.start();
            Level before = logger.getLevel();
            logger.setLevel(Level.INFO);
            logger.addAppender(said);
            Duration heartbeat = Duration.ofMillis(200);
            try (ModelRegistryView v = ModelRegistryView.open(m.config, TrustedKeys.unsignedAllowed(), heartbeat)) {
                await(() -> !v.connected());
                // Said once, however often the broker says that it is there.
                Awaitility.await()
                        .during(heartbeat.multipliedBy(10))
                        .atMost(LONG)
                        .until(() -> v.obstacle().contains("does not allow it")
                                && v.obstacle().contains(topic)
                                && said.list.size() == 1);
                guarded.open(topic);
                await(v::connected);
                assertThat(v.awaitCaughtUp(LONG)).isTrue();
                assertThat(said.list)
                        .extracting(ILoggingEvent::getFormattedMessage)
                        .satisfiesExactly(
                                lost -> assertThat(lost).contains("does not allow it", topic),
                                found -> assertThat(found).contains("can be followed again"));
            } finally {
                logger.detachAppender(said);
                logger.setLevel(before);
            }
        }
    }

    @Test
    void shouldSayThatTopicsAreMissing() {
        Map<String, Object> settings = new HashMap<>(models.config.settings());
        settings.put("linesight.topics.prefix", "nobody");
        assertThatThrownBy(() -> ModelRegistryView.open(ModelsConfig.of(settings), TrustedKeys.unsignedAllowed()))
                .hasMessageContaining("has no topic nobody.models.v1")
                .hasMessageContaining("linesight topics");
        settings.put("bootstrap.servers", "localhost:1");
        settings.put(ModelsConfig.TIMEOUT_MS, "1500");
        assertThatThrownBy(() -> ModelRegistryView.open(ModelsConfig.of(settings), TrustedKeys.unsignedAllowed()))
                .hasMessageContaining("does not answer");
    }

    @Test
    void shouldPublishSignedVersionsAndNeverChangeOne() throws Exception {
        KeyFiles.generate(dir.resolve("key"), dir.resolve("pub"));
        TrustedKeys trusted = TrustedKeys.of(List.of(KeyFiles.readPublic(dir.resolve("pub"))));
        Path file = Models.file(dir.resolve("m"), 2_000_000, 1);
        Path other = Models.file(dir.resolve("o"), 1_000, 2);
        try (CheckpointStores stores = CheckpointStores.open(models.config);
                ModelRegistryView strict = ModelRegistryView.open(models.config, trusted)) {
            ModelPublisher publisher = new ModelPublisher(
                    stores, registry, view, Optional.of(CheckpointSigner.load(dir.resolve("key"))), LONG);
            ModelVersion m = publisher.publish(file, Models.draft("v1").build());
            assertThat(m.getChunks()).isEqualTo(3);
            assertThat(publisher.publish(file, Models.draft("v1").build()).getSha256())
                    .isEqualTo(m.getSha256());
            assertThatThrownBy(() -> publisher.publish(other, Models.draft("v1").build()))
                    .isInstanceOf(CheckpointStoreException.class)
                    .hasMessageContaining("a version is never changed");
            assertThatThrownBy(
                            () -> publisher.publish(other, Models.draft("../v").build()))
                    .hasMessageContaining("cannot be a version");
            new ModelPublisher(stores, registry, view, Optional.empty(), LONG)
                    .publish(other, Models.draft("plain").build());
            assertThat(strict.awaitCaughtUp(LONG)).isTrue();
            assertThat(strict.state().version("v1").orElseThrow().verification().accepted())
                    .isTrue();
            assertThat(strict.state()
                            .version("plain")
                            .orElseThrow()
                            .verification()
                            .accepted())
                    .isFalse();
            assertThat(stores.fetch(strict.state().version("v1").orElseThrow().manifest(), dir.resolve("got")))
                    .hasSameBinaryContentAs(file);
            // Decided by somebody who does not check: it counts for everybody, and who checks objects.
            promote("v1");
            Rollout bad = promote("plain");
            assertThat(strict.awaitCaughtUp(LONG)).isTrue();
            assertThat(strict.state().channel("line")).isEqualTo(state().channel("line"));
            assertThat(strict.state().objection(bad).orElseThrow()).contains("not trusted here", "unsigned");
        }
    }

    @Test
    void shouldShowNothingOfAnUploadThatWasCutOff() throws Exception {
        Path file = Models.file(dir.resolve("m"), 2_500_000, 3);
        try (CheckpointStores stores = CheckpointStores.open(models.config)) {
            CheckpointStore dies = new CheckpointStore() {
                @Override
                public StoredCheckpoint put(Path f) throws CheckpointStoreException {
                    stores.put(f);
                    throw new CheckpointStoreException(
                            CheckpointStoreException.Reason.UNREACHABLE, "the process died here");
                }

                @Override
                public Path fetch(ModelVersion manifest, Path targetDir) {
                    throw new AssertionError();
                }

                @Override
                public void delete(ModelVersion manifest) {
                    throw new AssertionError();
                }

                @Override
                public void close() {}
            };
            assertThatThrownBy(() -> new ModelPublisher(dies, registry, view, Optional.empty(), LONG)
                            .publish(file, Models.draft("v1").build()))
                    .hasMessageContaining("died");
            assertThat(state().versions()).isEmpty();
            ModelVersion m = new ModelPublisher(stores, registry, view, Optional.empty(), LONG)
                    .publish(file, Models.draft("v1").build());
            assertThat(stores.fetch(m, dir.resolve("got"))).hasSameBinaryContentAs(file);
        }
    }

    @Test
    void shouldRemoveOnlyWhatNobodyNeeds() throws Exception {
        try (CheckpointStores stores = CheckpointStores.open(models.config)) {
            ModelPublisher publisher = new ModelPublisher(stores, registry, view, Optional.empty(), LONG);
            Instant old = Instant.now().minus(Duration.ofDays(30));
            publishOldAndYoung(publisher, old);
            StoredCheckpoint cut = stores.put(Models.file(dir.resolve("cut"), 1000, 70));
            promote("v1");
            promote("v2");
            promote("v3");
            writer.decide(
                    "line",
                    s -> RolloutRules.canary(
                            s, "line", "v5", List.of("cam1"), List.of(), 0, Author.person("anna", ""), false));
            report("i1", "v6", ModelState.WARM, Instant.now());
            report("i2", "v4", ModelState.ACTIVE, old);
            report("i2", "v1", ModelState.RETIRED, Instant.now());
            ModelJanitor janitor = new ModelJanitor(registry, view, stores, LONG);
            RegistryState before = state();
            List<ModelJanitor.Outcome> plan = janitor.collect(2, Duration.ofDays(7), true);
            assertThat(state()).as("dry").isEqualTo(before);
            assertThat(plan.stream().filter(ModelJanitor.Outcome::removed).map(o -> o.manifest()
                            .getVersion()))
                    .containsExactlyInAnyOrder("v0", "v1", "v4");
            List<ModelJanitor.Outcome> done = janitor.collect(2, Duration.ofDays(7), false);
            assertThat(done)
                    .extracting(o -> o.manifest().getVersion() + o.removed() + o.bytes())
                    .isEqualTo(plan.stream()
                            .map(o -> o.manifest().getVersion() + o.removed() + o.bytes())
                            .toList());
            assertThat(state().versions()).containsOnlyKeys("v2", "v3", "v5", "v6", "v7", "young");
            assertThat(state().statuses()).extracting(ModelStatus::getVersion).containsExactly("v6");
            for (String v : state().versions().keySet())
                assertThat(stores.fetch(state().version(v).orElseThrow().manifest(), dir.resolve("check")))
                        .exists();
            checkChunksRemoved(before, "v4", "v1");
            // The history outlives what it tells about.
            assertThat(state().channel("line").revision()).isEqualTo(4);
            assertThat(state().channel("line").inForce().orElseThrow().getMode())
                    .isEqualTo(RolloutMode.CANARY);
            try (ModelRegistryView late = models.view()) {
                assertThat(late.awaitCaughtUp(LONG)).isTrue();
                assertThat(late.state().channels()).isEqualTo(state().channels());
            }
            checkUploadsRemoved(janitor, cut);
            assertThat(janitor.collect(0, Duration.ZERO, false).stream()
                            .filter(ModelJanitor.Outcome::removed)
                            .map(o -> o.manifest().getVersion()))
                    .containsExactlyInAnyOrder("v6", "v7", "young");
            assertThat(state().versions()).containsOnlyKeys("v2", "v3", "v5");
        }
    }

    /** Eight old versions, the first and the sixth of the same bytes, and a young one. */
    private void publishOldAndYoung(ModelPublisher publisher, Instant old) throws Exception {
        Path shared = Models.file(dir.resolve("shared"), 1_500_000, 50);
        for (int i = 0; i < 8; i++) {
            Path file = i == 0 || i == 5 ? shared : Models.file(dir.resolve("m" + i), 1_000_000, i);
            publisher.publish(
                    file, Models.draft("v" + i).setCreatedAt(old.plusSeconds(i)).build());
        }
        publisher.publish(
                Models.file(dir.resolve("young"), 1000, 60),
                Models.draft("young").build());
    }

    /** The tombstones in the chunk topic are those of both chunks of these versions. */
    private void checkChunksRemoved(RegistryState before, String... versions) throws Exception {
        List<String> keys = new ArrayList<>();
        for (String version : versions) {
            String sha256 = before.version(version).orElseThrow().manifest().getSha256();
            keys.add(Models.chunkKey(sha256, 0));
            keys.add(Models.chunkKey(sha256, 1));
        }
        assertThat(models.records(models.config.topics().modelChunks().name()).stream()
                        .filter(r -> r.value() == null)
                        .map(r -> new String(r.key())))
                .containsExactlyInAnyOrderElementsOf(keys);
    }

    private static void checkUploadsRemoved(ModelJanitor janitor, StoredCheckpoint cut) throws Exception {
        assertThat(janitor.collectUploads(Duration.ofHours(1), false))
                .as("too young")
                .isEmpty();
        assertThat(janitor.collectUploads(Duration.ofMillis(1), true))
                .extracting(u -> u.sha256())
                .containsExactly(cut.sha256());
        assertThat(janitor.collectUploads(Duration.ofMillis(1), false)).hasSize(1);
        assertThat(janitor.collectUploads(Duration.ofMillis(1), false)).isEmpty();
    }

    private void report(String instance, String version, ModelState state, Instant at) {
        registry.report(ModelStatus.newBuilder()
                        .setInstance(instance)
                        .setChannel("line")
                        .setVersion(version)
                        .setRole(ModelRole.CHAMPION)
                        .setState(state)
                        .setAt(at)
                        .build())
                .join();
    }

    @Test
    void shouldReadRecreatedTopicFromItsStart() throws Exception {
        registry.publish(Models.draft("a").build());
        promote("a");
        writer.decide("line", s -> RolloutRules.pin(s, "line", Author.person("anna", "")));
        try (org.apache.kafka.clients.admin.Admin admin =
                org.apache.kafka.clients.admin.Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
            admin.deleteTopics(List.of(models.config.topics().rollouts().name()))
                    .all()
                    .get();
            await(() -> !admin.listTopics()
                    .names()
                    .get()
                    .contains(models.config.topics().rollouts().name()));
            TopicAdmin.ensure(admin, List.of(models.config.topics().rollouts()));
        }
        await(() -> view.awaitCaughtUp(Duration.ofSeconds(1))
                && view.state().channel("line").inForce().isEmpty());
        promote("a");
        assertThat(state().channel("line").revision()).isEqualTo(1);
    }
}
