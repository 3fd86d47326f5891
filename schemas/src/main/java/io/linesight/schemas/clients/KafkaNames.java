package io.linesight.schemas.clients;

import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;

/** Names of the settings of Kafka's clients, as they stand in a file for one of them. */
public final class KafkaNames {
    private static final Pattern CLIENT_PREFIX =
            Pattern.compile("((main|restore|global)\\.)?consumer\\.|producer\\.|admin\\.");
    private static final Pattern SECURITY =
            Pattern.compile("(" + CLIENT_PREFIX.pattern() + ")?(security|sasl|ssl)\\..+");
    private static final Set<String> CLIENTS = clients();

    /** Names in files for other languages' clients, and how Java's clients are told the same. */
    private static final Map<String, String> FOREIGN = Map.of(
            "sasl.mechanisms",
            "Java's clients call it sasl.mechanism",
            "sasl.username",
            jaas(),
            "sasl.password",
            jaas(),
            "ssl.ca.location",
            "Java's clients take ssl.truststore.location with ssl.truststore.type=PEM",
            "ssl.ca.pem",
            "Java's clients take ssl.truststore.certificates with ssl.truststore.type=PEM",
            "ssl.certificate.location",
            keyStore(),
            "ssl.key.location",
            keyStore(),
            "enable.ssl.certificate.verification",
            "certificates are always verified by Java's clients");

    private KafkaNames() {}

    private static String jaas() {
        return "Java's clients take user and password in sasl.jaas.config=org.apache.kafka.common.security.plain."
                + "PlainLoginModule required username=\"...\" password=\"...\";";
    }

    private static String keyStore() {
        return "Java's clients take one file with key and certificates in ssl.keystore.location, with "
                + "ssl.keystore.type=PEM";
    }

    private static Set<String> clients() {
        Set<String> names = new TreeSet<>(ConsumerConfig.configNames());
        names.addAll(ProducerConfig.configNames());
        names.addAll(AdminClientConfig.configNames());
        return names;
    }

    /** Names that a consumer, a producer or an admin client knows; without prefixes. */
    public static Set<String> ofClients() {
        return Set.copyOf(CLIENTS);
    }

    /** The name without the prefix that directs it to one kind of client: {@code consumer.}, {@code admin.}, ... */
    public static String withoutClient(String name) {
        return CLIENT_PREFIX.matcher(name).lookingAt()
                ? CLIENT_PREFIX.matcher(name).replaceFirst("")
                : name;
    }

    /** Whether the setting decides how a connection is protected: {@code security.*}, {@code sasl.*}, {@code ssl.*}. */
    public static boolean isSecurity(String name) {
        return SECURITY.matcher(name).matches() || name.equals("enable.ssl.certificate.verification");
    }

    /** For a name of another language's client, how Java's clients are told the same. */
    public static Optional<String> inJava(String name) {
        return Optional.ofNullable(FOREIGN.get(name));
    }
}
