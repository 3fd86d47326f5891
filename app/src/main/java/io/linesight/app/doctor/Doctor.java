package io.linesight.app.doctor;

import io.linesight.app.doctor.Problem.Severity;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.ImageLimits;
import io.linesight.mmad.image.RgbImage;
import io.linesight.mmad.onnx.OnnxRuntime;
import io.linesight.mmad.runtime.DeviceChooser;
import io.linesight.models.storage.ModelsConfig;
import io.linesight.schemas.clients.BrokerFault;
import io.linesight.schemas.clients.ClientSettings;
import io.linesight.schemas.clients.DaemonThreads;
import io.linesight.schemas.clients.GroupMembers;
import io.linesight.schemas.registry.Compatibility;
import io.linesight.schemas.registry.RegisteredSchema;
import io.linesight.schemas.registry.RegistryException;
import io.linesight.schemas.registry.SchemaRegistryClient;
import io.linesight.schemas.topics.TopicSpec;
import io.linesight.schemas.topics.Topics;
import io.linesight.trainer.torch.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaCompatibility.SchemaCompatibilityType;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.GroupIdNotFoundException;

/**
 * Looks at a cluster, a registry and this machine, and says what is wrong and how to mend it. Changes nothing but
 * temporary files that it removes again. Every check runs by itself: one that cannot run says why, and the others go
 * on. Ends within the timeout, whatever hangs.
 *
 * <p>Use once, from one thread.
 */
public final class Doctor {
    static final Duration CLOCK_LIMIT = Duration.ofSeconds(5);
    static final long LAG_LIMIT = 1_000;
    private static final long LEAST_FREE = 1L << 30;

    private final DoctorOptions options;
    private final Needs needs;
    private final List<CheckResult> results = new ArrayList<>();
    private Map<String, TopicView> topics = Map.of();

    /** A check: adds what it finds and returns what it saw. */
    private interface Check {
        String run(List<Finding> found) throws Exception;
    }

    /** A check that does not apply here. */
    private static final class NotRun extends Exception {
        private static final long serialVersionUID = 1L;

        NotRun(String why) {
            super(why);
        }
    }

    public Doctor(DoctorOptions options) {
        this.options = options;
        needs = Needs.of(
                options.part(), options.topics(), options.follows(), options.applicationId(), options.trainerGroup());
    }

    /** The commands that give a principal the least that is needed; comments begin with {@code #}. */
    public List<String> aclCommands() {
        return needs.commands(options.bootstrap(), principal());
    }

    /** Runs everything; {@code told} hears each result as it comes. */
    public List<CheckResult> run(Consumer<CheckResult> told) {
        long deadline = System.nanoTime() + options.timeout().toNanos();
        // Daemons: a native library or a socket that hangs must not keep the process.
        ExecutorService threads = Executors.newCachedThreadPool(DaemonThreads.factory("linesight-doctor"));
        Consumer<CheckResult> note = r -> {
            results.add(r);
            told.accept(r);
        };
        try {
            // At most half the time: the others should have their say beside a broker that is silent.
            boolean broker =
                    one(threads, "broker", System.nanoTime() + options.timeout().toNanos() / 2, this::broker, note);
            onCluster(threads, broker, "topics", deadline, this::topics, note);
            onCluster(threads, broker, "rights", deadline, this::rights, note);
            onCluster(threads, broker, "group", deadline, this::group, note);
            one(threads, "registry", deadline, this::registry, note);
            one(threads, "clock", deadline, this::clock, note);
            one(threads, "natives", deadline, this::natives, note);
            one(threads, "device", deadline, this::device, note);
            one(threads, "folders", deadline, this::folders, note);
            // Last, for what it fetches may be large: with too little time for it, the others have had theirs.
            onCluster(threads, broker, "models", deadline, found -> models(found, deadline), note);
        } finally {
            threads.shutdownNow();
        }
        return List.copyOf(results);
    }

    private void onCluster(
            ExecutorService threads,
            boolean broker,
            String name,
            long deadline,
            Check check,
            Consumer<CheckResult> note) {
        if (broker) one(threads, name, deadline, check, note);
        else note.accept(new CheckResult(name, "", List.of(), "the broker cannot be used"));
    }

    private static boolean one(
            ExecutorService threads, String name, long deadline, Check check, Consumer<CheckResult> note) {
        List<Finding> found = new ArrayList<>();
        Future<String> running = threads.submit(() -> check.run(found));
        CheckResult result;
        try {
            result = new CheckResult(
                    name, running.get(Math.max(1, deadline - System.nanoTime()), TimeUnit.NANOSECONDS), found, null);
        } catch (TimeoutException e) {
            running.cancel(true);
            result = new CheckResult(name, "", List.of(), "no answer within the time that --timeout leaves it");
        } catch (ExecutionException e) {
            Throwable cause = e.getCause();
            result = new CheckResult(
                    name, "", found, cause instanceof NotRun ? cause.getMessage() : "it failed: " + cause);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            result = new CheckResult(name, "", List.of(), "interrupted");
        }
        note.accept(result);
        return result.passed();
    }

    // --- the cluster

    private Admin admin() {
        Map<String, Object> configs = ClientSettings.forAdmin(options.settings());
        // The first half of the time belongs to the broker, and TlsProbe needs some of it.
        long patience = Math.max(500, Math.min(10_000, options.timeout().toMillis() / 5));
        configs.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) patience);
        configs.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, (int) Math.min(patience, 5_000));
        return Admin.create(configs);
    }

    private String broker(List<Finding> found) throws InterruptedException {
        if (options.bootstrap().isBlank()) {
            found.add(Finding.of(
                    Problem.CONFIG_WRONG,
                    "bootstrap.servers",
                    "it is not set",
                    "pass --bootstrap HOST:PORT, or set it in the file given with --config"));
            return "";
        }
        ClusterReader.Cluster cluster;
        try (Admin admin = admin()) {
            cluster = new ClusterReader(admin).cluster();
        } catch (ExecutionException | KafkaException e) {
            found.add(unusable(e));
            return "";
        }
        boolean old = cluster.version().isEmpty() && !cluster.configs().isEmpty();
        if (old)
            found.add(Finding.of(
                    Problem.BROKER_OLD,
                    options.bootstrap(),
                    "it has no metadata.version, as Kafka in KRaft mode has from 3.3 on"));
        long least = options.topics().limits().deadLetterTopicBytes();
        for (String key : List.of("replica.fetch.max.bytes", "socket.request.max.bytes")) {
            String value = cluster.configs().get(key);
            // One broker fetches from nobody.
            if (value == null || Long.parseLong(value) >= least || key.startsWith("replica") && cluster.brokers() == 1)
                continue;
            found.add(Finding.of(
                    Problem.BROKER_TOO_SMALL,
                    options.bootstrap(),
                    key + " is " + value + ", and records may have " + least + " bytes"));
        }
        return "cluster " + cluster.id() + ", " + cluster.brokers() + (cluster.brokers() == 1 ? " broker" : " brokers")
                + ", metadata " + cluster.version().orElse("version not told");
    }

    private Finding unusable(Exception e) {
        BrokerFault fault = BrokerFault.of(e);
        String protocol = options.settings().getOrDefault("security.protocol", "PLAINTEXT");
        if (fault == BrokerFault.SILENT) {
            for (String server : options.bootstrap().split(",")) {
                TlsProbe.Answer answer = TlsProbe.ask(server.trim());
                if (answer == TlsProbe.Answer.TLS && !protocol.contains("SSL")) {
                    return Finding.of(
                            Problem.PLAIN_AGAINST_TLS,
                            server.trim(),
                            "it speaks TLS, and security.protocol is " + protocol);
                }
                if (answer == TlsProbe.Answer.NO_TLS && protocol.contains("SSL")) {
                    return Finding.of(
                            Problem.BROKER_UNUSABLE,
                            server.trim(),
                            "it listens and does not speak TLS, and security.protocol is " + protocol,
                            BrokerFault.TLS_AGAINST_PLAIN.mend());
                }
                if (answer == TlsProbe.Answer.NOTHING_LISTENS) {
                    return Finding.of(
                            Problem.BROKER_UNUSABLE,
                            server.trim(),
                            "nothing listens there",
                            "start the broker, or correct host and port in bootstrap.servers");
                }
            }
        }
        String why = BrokerFault.explain(options.bootstrap(), e);
        return Finding.of(
                Problem.BROKER_UNUSABLE,
                options.bootstrap(),
                why.substring(0, why.length() - fault.mend().length() - 2),
                fault.mend());
    }

    private Set<String> names() {
        return needs.topics().stream().map(n -> n.topic().name()).collect(Collectors.toCollection(LinkedHashSet::new));
    }

    private String topics(List<Finding> found) throws ExecutionException, InterruptedException {
        int brokers;
        try (Admin admin = admin()) {
            ClusterReader reader = new ClusterReader(admin);
            topics = reader.topics(names());
            brokers = admin.describeCluster().nodes().get().size();
        }
        found.addAll(new TopicRules(options.bootstrap(), options.topics()).check(needs.topics(), topics, brokers));
        long unread =
                topics.values().stream().filter(t -> t.configs().isEmpty()).count();
        return topics.size() + " of " + needs.topics().size() + " topics exist"
                + (unread == 0 ? "" : "; the settings of " + unread + " may not be read (DescribeConfigs)");
    }

    private String rights(List<Finding> found) throws ExecutionException, InterruptedException {
        found.addAll(TopicRules.rights(needs.topics(), topics));
        List<String> facts = new ArrayList<>();
        try (Admin admin = admin()) {
            ClusterReader reader = new ClusterReader(admin);
            for (String group : needs.groups()) {
                Set<AclOperation> allowed = reader.groupRights(group);
                if (allowed != null && !allowed.contains(AclOperation.ALL) && !allowed.contains(AclOperation.READ)) {
                    found.add(Finding.of(Problem.ACL_MISSING, "group " + group, "not allowed: READ"));
                }
                facts.add("group " + group + ": "
                        + (allowed == null ? "not used yet, so not known" : ClusterReader.names(allowed)));
            }
            for (String id : needs.transactionalIds()) {
                boolean seen = reader.transactionalIdSeen(id + "-doctor");
                if (!seen)
                    found.add(Finding.of(Problem.ACL_MISSING, "transactional id " + id + "*", "not allowed: WRITE"));
                facts.add("transactional id " + id + "*: "
                        + (seen ? "DESCRIBE; WRITE can only be known by writing" : "nothing"));
            }
        }
        if (!options.acls()) return "as " + principal();
        topics.values()
                .forEach(t -> facts.add(
                        0,
                        t.name() + ": "
                                + (t.allowed() == null
                                        ? "the broker does not say"
                                        : ClusterReader.names(t.allowed()))));
        return "as " + principal() + System.lineSeparator() + String.join(System.lineSeparator(), facts);
    }

    /** The principal that the settings speak of. */
    private String principal() {
        String jaas = options.settings().getOrDefault("sasl.jaas.config", "");
        java.util.regex.Matcher user =
                java.util.regex.Pattern.compile("username\\s*=\\s*\"([^\"]+)\"").matcher(jaas);
        return "User:"
                + (user.find()
                        ? user.group(1)
                        : options.settings()
                                        .getOrDefault("security.protocol", "")
                                        .equals("SSL")
                                ? "<the certificate's subject>"
                                : "<name>");
    }

    private String group(List<Finding> found) throws ExecutionException, InterruptedException, NotRun {
        if (options.part() == Part.CAMERA || options.part() == Part.TRAIN)
            throw new NotRun("only the inspection app has one that is shared");
        TopicView frames = topics.get(options.topics().frames().name());
        if (frames == null || frames.partitions() == 0)
            throw new NotRun("there is no topic of frames, or it may not be looked at");
        ClusterReader.Group group;
        long newest;
        try (Admin admin = admin()) {
            ClusterReader reader = new ClusterReader(admin);
            newest = reader.newest(frames);
            ahead(newest, Instant.now(), frames.name(), found);
            group = reader.group(options.applicationId(), frames);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof GroupIdNotFoundException) return options.applicationId() + " was never used";
            throw e;
        }
        shared(group.members(), options.applicationId(), frames.name(), found);
        if (group.lag() > LAG_LIMIT)
            found.add(Finding.of(
                    Problem.GROUP_LAG, options.applicationId(), group.lag() + " frames wait in " + frames.name()));
        return options.applicationId() + ": " + group.state() + ", "
                + group.members().size() + " stream threads, "
                + (group.lag() < 0 ? "nothing committed yet" : group.lag() + " frames wait");
    }

    static void shared(List<GroupMembers.Member> members, String applicationId, String frames, List<Finding> found) {
        List<GroupMembers.Member> foreign = GroupMembers.foreign(members, applicationId, Set.of(frames));
        for (GroupMembers.Member m : foreign)
            found.add(Finding.of(Problem.GROUP_SHARED, applicationId, "not an instance of this app: " + m));
    }

    static void ahead(long newestMillis, Instant now, String topic, List<Finding> found) {
        long ahead = newestMillis - now.toEpochMilli();
        if (newestMillis >= 0 && ahead > CLOCK_LIMIT.toMillis()) {
            found.add(Finding.of(
                    Problem.CAMERA_AHEAD,
                    topic,
                    "its newest record is " + ahead / 1000 + " s ahead of this machine's clock; the limit is "
                            + CLOCK_LIMIT.toSeconds() + " s"));
        }
    }

    // --- the registry

    private SchemaRegistryClient registry(String whatFor) throws NotRun {
        if (options.settings().getOrDefault("schema.registry.url", "").isBlank())
            throw new NotRun("schema.registry.url is not set, so " + whatFor + " (--registry)");
        Map<String, String> configs = new HashMap<>(options.settings());
        long patience = Math.max(500, Math.min(5_000, options.timeout().toMillis() / 5));
        configs.put("max.retries", "0");
        configs.put("http.connect.timeout.ms", "" + patience);
        configs.put("http.read.timeout.ms", "" + patience);
        return new SchemaRegistryClient(configs);
    }

    private String registry(List<Finding> found) throws NotRun {
        boolean registers = !options.settings()
                .getOrDefault("auto.register.schemas", "true")
                .equals("false");
        int there = 0;
        int wanted = 0;
        try {
            SchemaRegistryClient client = registry("no schema was looked at");
            Set<String> subjects = Set.copyOf(client.subjects());
            for (Need need : needs.topics()) {
                if (need.schema() == null) continue;
                wanted++;
                String subject = need.topic().name() + "-value";
                if (!subjects.contains(subject)) {
                    if (!registers && need.writes())
                        found.add(Finding.of(Problem.SCHEMA_MISSING, subject, "it is not registered"));
                    continue;
                }
                there++;
                schema(client, subject, need, found);
            }
        } catch (RegistryException | ConfigException e) {
            found.add(Finding.of(
                    Problem.REGISTRY_UNUSABLE, "schema.registry.url", Objects.toString(e.getMessage(), e.toString())));
            return "";
        }
        return there + " of " + wanted + " schemas are registered"
                + (there < wanted && registers ? "; the first writer registers the others" : "");
    }

    private static void schema(SchemaRegistryClient client, String subject, Need need, List<Finding> found) {
        try {
            RegisteredSchema newest = client.latest(subject);
            var read = SchemaCompatibility.checkReaderWriterCompatibility(need.schema(), newest.schema());
            Compatibility write =
                    need.writes() ? client.check(subject, need.schema()) : new Compatibility(true, List.of());
            if (read.getType() != SchemaCompatibilityType.COMPATIBLE) {
                found.add(Finding.of(
                        Problem.SCHEMA_INCOMPATIBLE,
                        subject,
                        "version " + newest.version() + " is " + newest.schema().getFullName()
                                + " and cannot be read as " + need.schema().getFullName()));
            } else if (!write.compatible()) {
                found.add(Finding.of(
                        Problem.SCHEMA_INCOMPATIBLE,
                        subject,
                        "the registry would refuse ours beside version " + newest.version() + ": "
                                + String.join("; ", write.reasons())));
            }
        } catch (RegistryException e) {
            if (e.kind() != RegistryException.Kind.UNUSABLE_SCHEMA) throw e;
            found.add(Finding.of(Problem.SCHEMA_INCOMPATIBLE, subject, e.getMessage()));
        }
        if (client.compatibilityOf(subject).filter("NONE"::equals).isPresent())
            found.add(Finding.of(Problem.SCHEMA_UNGUARDED, subject, "its compatibility is NONE"));
    }

    private String clock(List<Finding> found) throws NotRun {
        try {
            Instant before = Instant.now();
            Optional<Instant> theirs =
                    registry("there is nobody whose clock could be asked").clock();
            Instant after = Instant.now();
            if (theirs.isEmpty()) throw new NotRun("the registry tells no time");
            Duration skew = skew(theirs.get(), before, after);
            if (skew.abs().compareTo(CLOCK_LIMIT) > 0) {
                found.add(Finding.of(
                        Problem.CLOCK_SKEW,
                        "this machine",
                        "its clock is " + Math.abs(skew.toSeconds()) + " s "
                                + (skew.isNegative() ? "behind" : "ahead of") + " the registry's; the limit is "
                                + CLOCK_LIMIT.toSeconds() + " s"));
            }
            return "differs from the registry's by "
                    + (skew.isZero() ? "less than 1 s" : skew.abs().toSeconds() + " s") + ", limit "
                    + CLOCK_LIMIT.toSeconds() + " s";
        } catch (RegistryException | ConfigException e) {
            throw new NotRun("the registry, whose clock is compared, cannot be used");
        }
    }

    /** How far this machine's clock is ahead; the header has whole seconds and was written between the two times. */
    static Duration skew(Instant theirs, Instant before, Instant after) {
        if (before.isAfter(theirs.plusSeconds(1))) return Duration.between(theirs.plusSeconds(1), before);
        return after.isBefore(theirs) ? Duration.between(theirs, after) : Duration.ZERO;
    }

    private String models(List<Finding> found, long deadline) throws IOException, InterruptedException, NotRun {
        if (options.part() == Part.CAMERA) throw new NotRun("a camera has nothing to do with models");
        if (options.part() == Part.SERVE && !options.follows())
            throw new NotRun("without linesight.models.trusted.keys, serve does not follow a channel");
        Topics t = options.topics();
        for (TopicSpec topic : List.of(t.models(), t.modelChunks(), t.rollouts(), t.modelStatus())) {
            if (!topics.containsKey(topic.name())) throw new NotRun("there is no topic " + topic.name());
        }
        registry("nothing that was published can be read");
        Duration left = Duration.ofNanos(Math.max(1_000_000, deadline - System.nanoTime()));
        Map<String, Object> settings = new HashMap<>(options.settings());
        settings.put(ModelsConfig.PATIENCE_MS, "" + Math.max(500, left.toMillis() / 2));
        try {
            return new ModelCheck(ModelsConfig.of(settings)).run(left.dividedBy(2), found);
        } catch (IllegalArgumentException | KafkaException e) {
            throw new NotRun(e.getMessage());
        }
    }

    // --- this machine

    private String natives(List<Finding> found) {
        List<String> facts = new ArrayList<>();
        loads("ONNX Runtime", () -> OnnxRuntime.environment().getVersion(), facts, found);
        loads(
                "OpenCV",
                () -> {
                    ImageCodec.decode(
                            ImageCodec.encodeJpeg(new RgbImage(8, 8, new byte[192]), 90), ImageLimits.defaults());
                    return "decodes";
                },
                facts,
                found);
        if (options.part() == Part.TRAIN || options.part() == Part.ALL) {
            loads(
                    "libtorch",
                    () -> {
                        Torch.start(1);
                        return "loads";
                    },
                    facts,
                    found);
        }
        if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty())
            found.add(Finding.of(
                    Problem.VECTOR_MISSING,
                    "Java " + Runtime.version().feature(),
                    "jdk.incubator.vector is not there"));
        return String.join(", ", facts);
    }

    private interface Load {
        String load() throws Exception;
    }

    private static void loads(String name, Load load, List<String> facts, List<Finding> found) {
        try {
            facts.add(name + " " + load.load());
        } catch (Exception | LinkageError e) {
            found.add(Finding.of(Problem.NATIVE_MISSING, name, String.valueOf(e.getMessage())));
        }
    }

    private String device(List<Finding> found) {
        String device = options.device();
        boolean automatic = device.equals("auto");
        if (device.equals("cpu") || automatic && !DeviceChooser.builtWithCuda()) {
            return device + ": the CPU, " + Runtime.getRuntime().availableProcessors() + " processors"
                    + (automatic ? " (this build has no CUDA)" : "");
        }
        int index =
                automatic || !device.contains(":") ? 0 : Integer.parseInt(device.substring(device.indexOf(':') + 1));
        Optional<String> why = DeviceChooser.whyNoCuda(index);
        why.ifPresent(reason -> found.add(Finding.of(
                automatic ? Problem.DEVICE_FALLBACK : Problem.DEVICE_UNUSABLE, automatic ? "cuda:0" : device, reason)));
        return why.isPresent() ? "" : "cuda:" + index + ": ONNX Runtime's CUDA provider loads";
    }

    private String folders(List<Finding> found) throws NotRun {
        if (options.folders().isEmpty()) throw new NotRun("none is needed for that");
        List<String> facts = new ArrayList<>();
        options.folders().forEach((key, folder) -> {
            Path there = folder.toAbsolutePath();
            while (!Files.exists(there) && there.getParent() != null) there = there.getParent();
            try {
                Files.delete(Files.createTempFile(there, ".linesight-doctor", null));
                long free = Files.getFileStore(there).getUsableSpace();
                facts.add(folder + ": " + (free >> 30) + " GiB free");
                if (free < LEAST_FREE)
                    found.add(Finding.of(
                            Problem.DISK_LOW, folder.toString(), (free >> 20) + " MiB are free (" + key + ")"));
            } catch (IOException e) {
                found.add(Finding.of(
                        Problem.FOLDER_UNUSABLE, folder.toString(), "it cannot be written: " + e + " (" + key + ")"));
            }
        });
        return String.join(", ", facts);
    }

    /** Whether nothing stops and everything ran that had to. */
    public static boolean healthy(List<CheckResult> results) {
        return results.stream().allMatch(r -> r.findings().stream()
                        .noneMatch(f -> f.problem().severity() == Severity.STOPS))
                && results.stream()
                        .noneMatch(r -> r.notRun() != null
                                && (r.notRun().startsWith("it failed")
                                        || r.notRun().startsWith("no answer")));
    }
}
