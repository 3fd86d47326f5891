package io.linesight.app.doctor;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.schemas.clients.ClientSettings;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.SaslConfigs;
import org.apache.kafka.common.config.SslConfigs;
import org.apache.kafka.common.security.JaasContext;
import org.apache.kafka.common.security.oauthbearer.JwtRetriever;
import org.apache.kafka.common.security.ssl.DefaultSslEngineFactory;
import org.apache.kafka.common.utils.Utils;

/**
 * As whom a broker knows a client. Kafka has no request that tells, so it is read where the broker reads it: from the
 * user name, the certificate or the token that the client shows.
 *
 * @param name as ACLs have it, {@code User:...}; {@link #UNKNOWN} where it cannot be known
 * @param source where it is from, or why it cannot be known; half a sentence for people
 */
record Principal(String name, String source) {
    /** Stands for a name in commands. */
    static final String UNKNOWN = "User:<name>";

    private static final String ANONYMOUS = "User:ANONYMOUS";
    private static final ObjectMapper JSON = new ObjectMapper();

    boolean isKnown() {
        return !name.equals(UNKNOWN);
    }

    @Override
    public String toString() {
        return isKnown() ? name + " (" + source + ")" : "a principal that cannot be known here: " + source;
    }

    private static Principal unknown(String why) {
        return new Principal(UNKNOWN, why);
    }

    /**
     * Whom the settings of an admin client make it.
     *
     * @param askForToken whether a token may be fetched to look into it
     */
    static Principal of(Map<String, String> settings, boolean askForToken) {
        try {
            Map<String, Object> configs = AdminClientConfig.configDef().parse(ClientSettings.forAdmin(settings));
            String protocol = String.valueOf(configs.get(AdminClientConfig.SECURITY_PROTOCOL_CONFIG));
            return switch (protocol) {
                case "SSL" -> ofCertificate(configs);
                case "SASL_PLAINTEXT", "SASL_SSL" -> ofSasl(configs, askForToken);
                default -> new Principal(ANONYMOUS, "with security.protocol=" + protocol + " nobody logs in");
            };
        } catch (KafkaException | IllegalArgumentException e) {
            return unknown("the settings cannot be used: " + innermost(e));
        }
    }

    private static Principal ofCertificate(Map<String, Object> configs) {
        if (configs.get(SslConfigs.SSL_ENGINE_FACTORY_CLASS_CONFIG) != null)
            return unknown("ssl.engine.factory.class decides which certificate is shown");
        if (configs.get(SslConfigs.SSL_KEYSTORE_LOCATION_CONFIG) == null
                && configs.get(SslConfigs.SSL_KEYSTORE_CERTIFICATE_CHAIN_CONFIG) == null)
            return new Principal(ANONYMOUS, "no certificate is shown, ssl.keystore.location is not set");
        try (DefaultSslEngineFactory factory = new DefaultSslEngineFactory()) {
            factory.configure(configs);
            Set<String> subjects = subjects(factory.keystore());
            if (subjects.size() != 1)
                return unknown("the key store has " + subjects.size() + " certificates with a key"
                        + (subjects.isEmpty() ? "" : ", and the broker chooses: " + String.join("; ", subjects)));
            return new Principal(
                    "User:" + subjects.iterator().next(),
                    "the subject of the certificate; ssl.principal.mapping.rules of the broker may change it");
        } catch (KafkaException | GeneralSecurityException e) {
            return unknown("the key store cannot be read: " + innermost(e));
        }
    }

    private static Set<String> subjects(KeyStore store) throws GeneralSecurityException {
        Set<String> subjects = new TreeSet<>();
        for (String alias : Collections.list(store.aliases()))
            if (store.isKeyEntry(alias) && store.getCertificate(alias) instanceof X509Certificate certificate)
                subjects.add(certificate.getSubjectX500Principal().getName());
        return subjects;
    }

    private static Principal ofSasl(Map<String, Object> configs, boolean askForToken) {
        String mechanism = String.valueOf(configs.get(SaslConfigs.SASL_MECHANISM));
        List<AppConfigurationEntry> jaas =
                JaasContext.loadClientContext(configs).configurationEntries();
        return switch (mechanism) {
            case "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512" -> ofUser(configs, jaas, mechanism);
            case "GSSAPI" -> ofKerberos(jaas);
            case "OAUTHBEARER" -> ofToken(configs, jaas, askForToken);
            default -> unknown("sasl.mechanism=" + mechanism + " is that of a plug-in");
        };
    }

    private static Optional<String> option(List<AppConfigurationEntry> jaas, String option) {
        return jaas.stream()
                .map(entry -> entry.getOptions().get(option))
                .filter(value -> value != null)
                .map(Object::toString)
                .findFirst();
    }

    private static Principal ofUser(Map<String, Object> configs, List<AppConfigurationEntry> jaas, String mechanism) {
        Optional<String> user = option(jaas, "username");
        if (user.isEmpty()) return unknown("sasl.jaas.config has no username; a callback handler gives it");
        if (option(jaas, "tokenauth").filter("true"::equals).isPresent())
            return unknown("it is the owner of delegation token " + user.get());
        boolean isApiKey = String.valueOf(configs.get(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG))
                .contains(".confluent.cloud");
        if (isApiKey)
            return unknown("the user name " + user.get() + " is an API key, and the principal is its owner, sa-... or "
                    + "u-... ('confluent api-key list' shows it)");
        if (user.get().equals("$ConnectionString"))
            return unknown("a connection string has rights of its own, and ACLs do not count");
        return new Principal("User:" + user.get(), "the user name in sasl.jaas.config, " + mechanism);
    }

    private static Principal ofKerberos(List<AppConfigurationEntry> jaas) {
        Optional<String> principal = option(jaas, "principal");
        if (principal.isEmpty()) return unknown("it is that of the Kerberos ticket; 'klist' shows it");
        return new Principal(
                "User:" + principal.get().split("[/@]", 2)[0],
                "the first part of the Kerberos principal " + principal.get()
                        + "; sasl.kerberos.principal.to.local.rules of the broker may change it");
    }

    private static Principal ofToken(
            Map<String, Object> configs, List<AppConfigurationEntry> jaas, boolean askForToken) {
        Optional<String> unsecured = option(jaas, "unsecuredLoginStringClaim_sub");
        if (unsecured.isPresent())
            return new Principal("User:" + unsecured.get(), "the claim 'sub' of the unsecured token");
        if (configs.get(SaslConfigs.SASL_LOGIN_CALLBACK_HANDLER_CLASS) != null
                        && !String.valueOf(configs.get(SaslConfigs.SASL_LOGIN_CALLBACK_HANDLER_CLASS))
                                .contains("OAuthBearerLoginCallbackHandler")
                || configs.get(SaslConfigs.SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL) == null)
            return unknown("it is in the token, which a callback handler gets");
        if (!askForToken) return unknown("it is in the token, which was not fetched");
        Object type = configs.get(SaslConfigs.SASL_OAUTHBEARER_JWT_RETRIEVER_CLASS);
        try (JwtRetriever retriever = Utils.newInstance(
                String.valueOf(type instanceof Class<?> c ? c.getName() : type), JwtRetriever.class)) {
            retriever.configure(configs, "OAUTHBEARER", jaas);
            JsonNode sub = claim(retriever.retrieve());
            return sub.isTextual()
                    ? new Principal(
                            "User:" + sub.asText(),
                            "the claim 'sub' of the token; sasl.oauthbearer.sub.claim.name of the broker may name another")
                    : unknown("the token has no claim 'sub'");
        } catch (IOException | ReflectiveOperationException | RuntimeException e) {
            return unknown("it is in the token, which could not be fetched: " + innermost(e));
        }
    }

    private static JsonNode claim(String token) throws IOException {
        String[] parts = token.split("\\.");
        if (parts.length < 2) throw new IOException("it is no JWT");
        return JSON.readTree(Base64.getUrlDecoder().decode(parts[1])).path("sub");
    }

    private static String innermost(Throwable e) {
        Throwable cause = e;
        while (cause.getCause() != null) cause = cause.getCause();
        return cause.getMessage() == null ? cause.toString() : cause.getMessage();
    }
}
