package io.linesight.containers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** An authority of the test's own and what it signs for localhost, made with the JDK's keytool. */
final class Certificates {
    static final String PASSWORD = "changeit";
    private final Path dir;

    Certificates(Path dir) throws Exception {
        this.dir = dir;
        keytool(
                "-genkeypair",
                "-alias",
                "ca",
                "-keyalg",
                "EC",
                "-dname",
                "CN=test authority",
                "-ext",
                "bc:c",
                "-startdate",
                "-30d",
                "-validity",
                "365",
                "-keystore",
                "ca.p12");
        keytool("-exportcert", "-alias", "ca", "-rfc", "-file", "ca.pem", "-keystore", "ca.p12");
        keytool("-importcert", "-noprompt", "-alias", "ca", "-file", "ca.pem", "-keystore", "trust.p12");
    }

    /** Trusts the authority. */
    Path trust() {
        return dir.resolve("trust.p12");
    }

    /** A key store with a certificate that began so many days ago and is good for so many from then. */
    byte[] server(String name, int begunDaysAgo, int days) throws Exception {
        keytool("-genkeypair", "-alias", "server", "-keyalg", "EC", "-dname", "CN=localhost", "-keystore", name);
        keytool("-certreq", "-alias", "server", "-file", name + ".csr", "-keystore", name);
        keytool(
                "-gencert",
                "-alias",
                "ca",
                "-ext",
                "SAN=dns:localhost",
                "-startdate",
                "-" + begunDaysAgo + "d",
                "-validity",
                "" + days,
                "-infile",
                name + ".csr",
                "-outfile",
                name + ".cer",
                "-keystore",
                "ca.p12");
        keytool("-importcert", "-noprompt", "-alias", "ca", "-file", "ca.pem", "-keystore", name);
        keytool("-importcert", "-noprompt", "-alias", "server", "-file", name + ".cer", "-keystore", name);
        return Files.readAllBytes(dir.resolve(name));
    }

    private void keytool(String... args) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString()));
        command.addAll(List.of(args));
        command.addAll(List.of("-storetype", "PKCS12", "-storepass", PASSWORD));
        Path log = dir.resolve("keytool.log");
        Process p = new ProcessBuilder(command)
                .directory(dir.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        if (!p.waitFor(60, TimeUnit.SECONDS) || p.exitValue() != 0)
            throw new IOException("keytool failed: " + String.join(" ", args) + "\n" + Files.readString(log));
    }
}
