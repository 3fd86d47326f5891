package io.linesight.streams.config;

import io.linesight.models.storage.ModelsConfig;
import io.linesight.schemas.clients.KafkaNames;
import io.linesight.schemas.clients.SettingNames;
import io.linesight.schemas.registry.ConfluentKeys;
import io.linesight.schemas.registry.SchemaRegistryClient;
import io.linesight.schemas.serde.SerdeFactory;
import io.linesight.schemas.topics.Topics;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.streams.StreamsConfig;

/**
 * One file of settings as every command understands it. A setting of Kafka's clients means the same with and without
 * the prefix {@code kafka.}; one file may hold settings of all commands, so a key that another command reads is no
 * mistake. What nobody reads is a warning, or a problem where it decides how a connection is protected.
 *
 * @param settings under their one name ({@link SettingNames#of}), trimmed
 * @param names how each was written
 * @param problems what must be fixed before anything starts: one sentence each, which names the key as it was written
 * @param warnings what is ignored: one sentence each
 */
public record SettingsCheck(
        Map<String, String> settings, Map<String, String> names, List<String> problems, List<String> warnings) {

    /** What Linesight itself decides for its clients; a file made for one client may hold it all the same. */
    private static final Map<String, Decided> DECIDED = decided();

    private static final Set<String> KAFKA = kafka();

    /** @param value what it is here; empty where no value is the same */
    private record Decided(String value, String instead) {}

    public SettingsCheck {
        settings = Map.copyOf(settings);
        names = Map.copyOf(names);
        problems = List.copyOf(problems);
        warnings = List.copyOf(warnings);
    }

    private static Map<String, Decided> decided() {
        Map<String, Decided> keys = new TreeMap<>();
        keys.put(
                "group.id",
                new Decided("", "the group is application.id for 'serve' and the option --group for 'train'"));
        String transactions = "'serve' names its transactions by application.id";
        keys.put("transactional.id", new Decided("", transactions));
        keys.put("enable.auto.commit", new Decided("false", "offsets are committed with the results"));
        keys.put("auto.commit.interval.ms", new Decided("", "commit.interval.ms is the setting of 'serve'"));
        keys.put("isolation.level", new Decided("read_committed", "only committed records are read"));
        keys.put("enable.idempotence", new Decided("true", "no record is written twice"));
        keys.put("acks", new Decided("all", "every record is acknowledged by all replicas"));
        for (String key : List.of("key.serializer", "value.serializer", "key.deserializer", "value.deserializer"))
            keys.put(key, new Decided("", "linesight.serde.class is the setting"));
        return keys;
    }

    private static Set<String> kafka() {
        Set<String> names = new TreeSet<>(KafkaNames.ofClients());
        names.addAll(StreamsConfig.configDef().names());
        return names;
    }

    private static Set<String> ours() {
        Set<String> names = new TreeSet<>(InspectionConfig.keys());
        names.addAll(Topics.definition().names());
        names.addAll(ModelsConfig.definition().names());
        names.addAll(SchemaRegistryClient.definition().names());
        names.addAll(SerdeFactory.definition().names());
        return names;
    }

    /** Checks settings as they were written. */
    public static SettingsCheck of(Map<String, ?> given) {
        Map<String, String> settings = new TreeMap<>();
        Map<String, String> names = new TreeMap<>();
        // The name without prefix comes last, so it is the one that counts where two contradict each other.
        new TreeMap<String, Object>(given).forEach((name, value) -> {
            String one = SettingNames.of(name);
            if (value == null || settings.containsKey(one) && !name.equals(one)) return;
            settings.put(one, value.toString().trim());
            names.put(one, name);
        });
        List<String> problems = new ArrayList<>(SettingNames.conflicts(given));
        List<String> warnings = new ArrayList<>();
        Set<String> known = new HashSet<>(ours());
        known.addAll(KAFKA);
        settings.forEach((one, value) -> judge(one, names.get(one), value, known, problems, warnings));
        return new SettingsCheck(settings, names, problems, warnings);
    }

    private static void judge(
            String one, String written, String value, Set<String> known, List<String> problems, List<String> warnings) {
        Decided decided = DECIDED.get(one);
        if (decided != null) {
            if (!value.equalsIgnoreCase(decided.value) && !(one.equals("acks") && value.equals("-1")))
                warnings.add("Setting " + written + " is ignored: " + decided.instead);
            return;
        }
        if (known.contains(one) || isKafka(one) || isSerde(one)) return;
        String plain = KafkaNames.withoutClient(one);
        String meant = KafkaNames.inJava(plain).orElseGet(() -> NearMiss.of(plain, known)
                .map(k -> "did you mean " + k + "?")
                .orElse(""));
        boolean passedOn = isExplicit(one, written);
        if (KafkaNames.isSecurity(one) && !(passedOn && meant.isEmpty())) {
            problems.add("Security setting " + written + " is unknown to Kafka's clients and would protect nothing"
                    + (meant.isEmpty()
                            ? "; if a plug-in reads it, write " + SettingNames.KAFKA_PREFIX + one
                            : "; " + meant));
        } else if (passedOn) {
            if (!meant.isEmpty())
                warnings.add("Unknown setting " + written + " is passed to Kafka's clients as it is; " + meant);
        } else {
            warnings.add("Unknown setting " + written + " is ignored" + (meant.isEmpty() ? "" : "; " + meant));
        }
    }

    private static boolean isExplicit(String one, String written) {
        return written.equals(SettingNames.KAFKA_PREFIX + one);
    }

    /** Whether Kafka's clients or Kafka Streams know the setting, with or without a client's prefix. */
    static boolean isKafka(String name) {
        return KAFKA.contains(KafkaNames.withoutClient(name)) || name.startsWith(StreamsConfig.TOPIC_PREFIX);
    }

    /** Whether the setting is for the serdes. */
    static boolean isSerde(String name) {
        return ConfluentKeys.isKnown(name);
    }

    /** Whether the setting goes to Kafka Streams and its clients. */
    boolean isForKafka(String name) {
        return !DECIDED.containsKey(name)
                && (isKafka(name) || isExplicit(name, names.getOrDefault(name, name)) && !isSerde(name));
    }
}
