package io.linesight.app.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PrincipalTest {
    private static final String ALLOWED_URLS = "org.apache.kafka.sasl.oauthbearer.allowed.urls";

    @TempDir
    Path folder;

    private static Principal of(String... settings) {
        Map<String, String> map = new HashMap<>(Map.of("bootstrap.servers", "kafka:9092"));
        for (int i = 0; i < settings.length; i += 2) map.put(settings[i], settings[i + 1]);
        return Principal.of(map, true);
    }

    private static Principal ofSasl(String mechanism, String jaas, String... more) {
        List<String> settings = new ArrayList<>(
                List.of("security.protocol", "SASL_SSL", "sasl.mechanism", mechanism, "sasl.jaas.config", jaas));
        settings.addAll(List.of(more));
        return of(settings.toArray(String[]::new));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            PLAIN         | plain.PlainLoginModule required username="bob" password="username=\\"eve\\"";
            PLAIN         | plain.PlainLoginModule required password="p" username=bob ;
            SCRAM-SHA-256 | scram.ScramLoginModule required username = "bob" password = "p";
            SCRAM-SHA-512 | scram.ScramLoginModule sufficient password=p username=bob;
            """)
    void shouldTakeTheUserNameHoweverItIsWritten(String mechanism, String jaas) {
        Principal principal = ofSasl(mechanism, "org.apache.kafka.common.security." + jaas);

        assertThat(principal.name()).isEqualTo("User:bob");
        assertThat(principal.source()).contains("user name in sasl.jaas.config", mechanism);
    }

    @Test
    void shouldKnowThatNobodyLogsInWithoutSecurity() {
        assertThat(of().name()).isEqualTo("User:ANONYMOUS");
        assertThat(of("security.protocol", "SSL").name()).isEqualTo("User:ANONYMOUS");
        assertThat(of("security.protocol", "SSL", "admin.security.protocol", "PLAINTEXT")
                        .source())
                .as("the doctor connects as an admin client")
                .contains("PLAINTEXT");
    }

    @Test
    void shouldTakeTheSubjectOfTheCertificate() throws Exception {
        Path store = folder.resolve("cam.p12");
        key(store, "cam", "CN=cam-7, OU=Line 2, O=Plant");
        String[] settings = {
            "security.protocol", "SSL",
            "ssl.keystore.location", store.toString(),
            "ssl.keystore.type", "PKCS12",
            "ssl.keystore.password", "secret1"
        };

        assertThat(of(settings).name()).isEqualTo("User:CN=cam-7,OU=Line 2,O=Plant");
        assertThat(of(settings).source()).contains("ssl.principal.mapping.rules");
        key(store, "other", "CN=cam-8");
        assertThat(of(settings).isKnown()).isFalse();
        assertThat(of(settings).source()).contains("2 certificates", "CN=cam-8");
        settings[7] = "wrong-1";
        assertThat(of(settings).toString()).contains("cannot be known", "key store cannot be read");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
            PLAIN         | plain.PlainLoginModule required username="KEY7" password="p"; | sa-...            | pkc-1.eu.confluent.cloud:9092
            PLAIN         | plain.PlainLoginModule required username="$ConnectionString" password="p"; | connection string | a.servicebus.windows.net:9093
            SCRAM-SHA-256 | scram.ScramLoginModule required username="t1" password="p" tokenauth="true"; | delegation token t1 | k:1
            PLAIN         | plain.PlainLoginModule required; | callback handler | k:1
            OAUTHBEARER   | oauthbearer.OAuthBearerLoginModule required; | callback handler | k:1
            """)
    void shouldSayWhyItCannotBeKnown(String mechanism, String jaas, String why, String broker) {
        Principal principal =
                ofSasl(mechanism, "org.apache.kafka.common.security." + jaas, "bootstrap.servers", broker);

        assertThat(principal.name()).isEqualTo(Principal.UNKNOWN);
        assertThat(principal.source()).contains(why);
    }

    @Test
    void shouldTakeTheFirstPartOfAKerberosPrincipal() {
        assertThat(ofSasl(
                                "GSSAPI",
                                "com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true "
                                        + "principal=\"inspect/host.plant.example@PLANT.EXAMPLE\";")
                        .name())
                .isEqualTo("User:inspect");
    }

    @Test
    void shouldLookIntoTheToken() throws Exception {
        String jaas = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required ";
        assertThat(ofSasl("OAUTHBEARER", jaas + "unsecuredLoginStringClaim_sub=\"line-2\";")
                        .name())
                .isEqualTo("User:line-2");
        String token = part("{\"alg\":\"none\"}") + "." + part("{\"sub\":\"9f1c\",\"exp\":4102444800}") + ".x";
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            byte[] body = ("{\"access_token\":\"" + token + "\"}").getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        String url = "http://localhost:" + server.getAddress().getPort() + "/token";
        String before = System.getProperty(ALLOWED_URLS);
        System.setProperty(ALLOWED_URLS, url);
        try {
            String client = jaas + "clientId=\"c\" clientSecret=\"s\";";
            Map<String, String> settings = Map.of(
                    "bootstrap.servers", "k:1",
                    "security.protocol", "SASL_PLAINTEXT",
                    "sasl.mechanism", "OAUTHBEARER",
                    "sasl.oauthbearer.token.endpoint.url", url,
                    "sasl.jaas.config", client);

            assertThat(Principal.of(settings, true).toString()).contains("User:9f1c", "claim 'sub'");
            assertThat(Principal.of(settings, false).source()).contains("not fetched");
        } finally {
            if (before == null) System.clearProperty(ALLOWED_URLS);
            else System.setProperty(ALLOWED_URLS, before);
            server.stop(0);
        }
    }

    private static String part(String json) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(json.getBytes(StandardCharsets.UTF_8));
    }

    private static void key(Path store, String alias, String name) throws Exception {
        Process keytool = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        alias,
                        "-keyalg",
                        "EC",
                        "-dname",
                        name,
                        "-keystore",
                        store.toString(),
                        "-storetype",
                        "PKCS12",
                        "-storepass",
                        "secret1")
                .redirectErrorStream(true)
                .start();
        String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(keytool.waitFor()).as(said).isZero();
    }
}
