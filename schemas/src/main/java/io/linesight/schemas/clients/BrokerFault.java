package io.linesight.schemas.clients;

import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import javax.net.ssl.SSLException;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.SslAuthenticationException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.TransactionalIdAuthorizationException;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.jspecify.annotations.Nullable;

/**
 * Why a broker could not be used, read from the chain of causes, and what to do about it. Kafka says most of these
 * things somewhere in the chain, in words for its own developers; a user who mistyped a password should not have to
 * look for them.
 */
public enum BrokerFault {
    /** No answer at all, in time. */
    SILENT("Check bootstrap.servers, that the broker runs, and that no firewall is between"),
    /** None of the host names can be resolved. */
    UNKNOWN_HOST("Correct the host names in bootstrap.servers, or the name service of this machine"),
    /** User or password are wrong, or the mechanism is not the broker's. */
    WRONG_CREDENTIALS(
            "Check user and password in sasl.jaas.config, and that sasl.mechanism is one the broker has; then "
                    + "start again"),
    /** The broker's certificate, or ours, is past its end or before its beginning. */
    EXPIRED_CERTIFICATE(
            "Renew the certificate (the date is in the message), put it where the broker or ssl.keystore.location "
                    + "has it, and start again;"
                    + " when the date is wrong instead, set this machine's clock"),
    /** Whoever signed the broker's certificate is not known here. */
    UNTRUSTED_CERTIFICATE(
            "Put the certificate of the authority that signed the broker's into ssl.truststore.location; never "
                    + "switch the check off"),
    /** The certificate was made out to another name. */
    WRONG_NAME("Use the host name that is in the broker's certificate in bootstrap.servers, or have the certificate "
            + "made out to this one"),
    /** TLS is spoken to a listener without it. */
    TLS_AGAINST_PLAIN(
            "Set security.protocol to PLAINTEXT or SASL_PLAINTEXT, or use the port of the broker's TLS listener"),
    /** The broker wants a certificate of ours, or none of the ciphers fit. */
    TLS_REJECTED("Check ssl.keystore.location (does the broker want a certificate of the client?) and "
            + "ssl.enabled.protocols; then start again"),
    /** The principal may not do it. */
    NOT_ALLOWED("Give the principal the operation: 'linesight doctor --acls' prints the kafka-acls commands of all "
            + "it needs"),
    /** The broker is too old for what was asked. */
    TOO_OLD("Use a broker of Kafka 3.3 or newer"),
    /** A setting of the client is wrong. */
    WRONG_SETTING("Correct the setting; nothing was sent"),
    /** Anything else. */
    OTHER("The message is the broker's own; its log has more");

    private static final int MAX_CAUSES = 20;

    // From the most telling sign to the least: a certificate that expired also looks untrusted and fails the log-in.
    private static final List<Function<Throwable, @Nullable BrokerFault>> SIGNS = List.of(
            BrokerFault::byCertificateDate,
            BrokerFault::byTlsMessage,
            BrokerFault::byCertificatePath,
            BrokerFault::byType,
            BrokerFault::byTimeout);

    private final String fix;

    BrokerFault(String fix) {
        this.fix = fix;
    }

    /** What to do, one sentence without its full stop. */
    public String fix() {
        return fix;
    }

    /** The fault that the chain of causes speaks of; the most telling one of it. */
    public static BrokerFault of(Throwable thrown) {
        List<Throwable> chain = chain(thrown);
        for (Function<Throwable, @Nullable BrokerFault> sign : SIGNS) {
            for (Throwable t : chain) {
                BrokerFault fault = sign.apply(t);
                if (fault != null) return fault;
            }
        }
        return OTHER;
    }

    private static @Nullable BrokerFault byCertificateDate(Throwable t) {
        return t instanceof CertificateExpiredException || t instanceof CertificateNotYetValidException
                ? EXPIRED_CERTIFICATE
                : null;
    }

    private static @Nullable BrokerFault byTlsMessage(Throwable t) {
        boolean tls = t instanceof SSLException
                || t instanceof SslAuthenticationException
                || t instanceof CertificateException;
        if (!tls) return null;
        String said = message(t);
        if (said.contains("certificate_expired") || said.contains("notafter")) return EXPIRED_CERTIFICATE;
        if (said.contains("unrecognized ssl message") || said.contains("not an ssl/tls record"))
            return TLS_AGAINST_PLAIN;
        if (said.contains("no subject alternative") || said.contains("no name matching")) return WRONG_NAME;
        return null;
    }

    private static @Nullable BrokerFault byCertificatePath(Throwable t) {
        String said = message(t);
        return said.contains("unable to find valid certification path")
                        || said.contains("path validation failed")
                        || said.contains("unknown_ca")
                ? UNTRUSTED_CERTIFICATE
                : null;
    }

    private static @Nullable BrokerFault byType(Throwable t) {
        if (t instanceof SslAuthenticationException || t instanceof SSLException) return TLS_REJECTED;
        if (t instanceof AuthenticationException) return WRONG_CREDENTIALS;
        if (t instanceof AuthorizationException) return NOT_ALLOWED;
        if (t instanceof UnsupportedVersionException) return TOO_OLD;
        if (t instanceof ConfigException)
            return message(t).contains("resolvable bootstrap") ? UNKNOWN_HOST : WRONG_SETTING;
        return null;
    }

    private static @Nullable BrokerFault byTimeout(Throwable t) {
        return t instanceof org.apache.kafka.common.errors.TimeoutException
                        || t instanceof java.util.concurrent.TimeoutException
                ? SILENT
                : null;
    }

    private static String message(Throwable t) {
        return String.valueOf(t.getMessage()).toLowerCase(Locale.ROOT);
    }

    /** One line for people: what was rejected, by whom, why, and what to do. */
    public static String explain(String bootstrapServers, Throwable thrown) {
        BrokerFault fault = of(thrown);
        String reason = reason(thrown);
        String what =
                switch (fault) {
                    case SILENT -> "No Kafka broker answered at " + bootstrapServers;
                    case UNKNOWN_HOST -> "No broker of bootstrap.servers=" + bootstrapServers + " has an address";
                    case WRONG_CREDENTIALS ->
                        "The broker at " + bootstrapServers + " does not accept these credentials: " + reason;
                    case EXPIRED_CERTIFICATE ->
                        "A certificate on the way to " + bootstrapServers + " has expired or is not valid yet: "
                                + reason;
                    case UNTRUSTED_CERTIFICATE ->
                        "The certificate of the broker at " + bootstrapServers
                                + " is signed by nobody who is trusted here: " + reason;
                    case WRONG_NAME ->
                        "The certificate of the broker at " + bootstrapServers + " was made out to another name: "
                                + reason;
                    case TLS_AGAINST_PLAIN ->
                        "The broker at " + bootstrapServers + " does not speak TLS on that port: " + reason;
                    case TLS_REJECTED -> "TLS with the broker at " + bootstrapServers + " failed: " + reason;
                    case NOT_ALLOWED ->
                        "The broker at " + bootstrapServers + " does not allow it: " + rejected(thrown, reason);
                    case TOO_OLD -> "The broker at " + bootstrapServers + " is too old: " + reason;
                    case WRONG_SETTING -> "Kafka's client rejects a setting: " + reason;
                    case OTHER -> "Kafka at " + bootstrapServers + " cannot be used: " + reason;
                };
        return what + ". " + fault.fix;
    }

    /** The innermost message that says anything: the outer ones are wrapping. */
    private static String reason(Throwable thrown) {
        String best = thrown.toString();
        for (Throwable t : chain(thrown)) {
            if (t.getMessage() == null || t.getMessage().isBlank()) continue;
            String said = t.getMessage();
            // Wrappers repeat their cause's class; what comes after is theirs.
            best = t.getCause() != null && said.equals(t.getCause().toString()) ? best : said;
        }
        return best.replaceAll("\\.\\s*$", "");
    }

    /** Kafka names what was rejected in a list, or not at all: then whoever asked has said what for. */
    private static String rejected(Throwable thrown, String reason) {
        String resource = resource(thrown);
        if (!resource.isEmpty()) return reason + resource;
        String outer = String.valueOf(thrown.getMessage()).replaceAll("\\.\\s*$", "");
        return outer.contains(reason) ? outer : reason;
    }

    private static String resource(Throwable thrown) {
        for (Throwable t : chain(thrown)) {
            if (t instanceof TopicAuthorizationException e
                    && !e.unauthorizedTopics().isEmpty())
                return " (topics " + String.join(", ", e.unauthorizedTopics()) + ")";
            if (t instanceof GroupAuthorizationException e && e.groupId() != null)
                return " (group " + e.groupId() + ")";
            if (t instanceof TransactionalIdAuthorizationException) return " (transactional id)";
        }
        return "";
    }

    private static List<Throwable> chain(Throwable thrown) {
        List<Throwable> chain = new ArrayList<>();
        for (Throwable t = thrown; t != null && chain.size() < MAX_CAUSES && !chain.contains(t); t = t.getCause())
            chain.add(t);
        return chain;
    }
}
