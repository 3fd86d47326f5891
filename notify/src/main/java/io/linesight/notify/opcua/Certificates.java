package io.linesight.notify.opcua;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Period;
import java.util.List;
import java.util.Set;
import org.eclipse.milo.opcua.stack.core.NodeIds;
import org.eclipse.milo.opcua.stack.core.security.CertificateManager;
import org.eclipse.milo.opcua.stack.core.security.CertificateQuarantine;
import org.eclipse.milo.opcua.stack.core.security.DefaultApplicationGroup;
import org.eclipse.milo.opcua.stack.core.security.DefaultCertificateManager;
import org.eclipse.milo.opcua.stack.core.security.DefaultServerCertificateValidator;
import org.eclipse.milo.opcua.stack.core.security.FileBasedCertificateQuarantine;
import org.eclipse.milo.opcua.stack.core.security.FileBasedTrustListManager;
import org.eclipse.milo.opcua.stack.core.security.KeyStoreCertificateStore;
import org.eclipse.milo.opcua.stack.core.security.RsaSha256CertificateFactory;
import org.eclipse.milo.opcua.stack.core.util.SelfSignedCertificateBuilder;
import org.eclipse.milo.opcua.stack.core.util.validation.ValidationCheck;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The server's own certificate, made at the first start, and the certificates of clients that are trusted. All lie in
 * one folder that only its owner can read: {@code server.p12}, {@code server.der} to hand out, {@code trusted/certs},
 * and {@code rejected} with the certificates of clients that are not trusted yet.
 */
final class Certificates implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Certificates.class);
    private static final Period VALIDITY = Period.ofYears(10);
    /** The folder's permissions guard the key: a password that lies beside it would guard nothing. */
    private static final char[] KEY_STORE_PASSWORD = "linesight".toCharArray();

    private final FileBasedTrustListManager trusted;
    private final CertificateManager manager;
    private final X509Certificate own;

    private Certificates(FileBasedTrustListManager trusted, CertificateManager manager, X509Certificate own) {
        this.trusted = trusted;
        this.manager = manager;
        this.own = own;
    }

    /**
     * Opens the folder, and makes what it lacks.
     *
     * @param uri of the application
     * @param host that the certificate is for
     */
    static Certificates open(Path folder, String uri, String host) throws IOException {
        makePrivate(folder);
        FileBasedTrustListManager trusted = FileBasedTrustListManager.createAndInitialize(folder);
        try {
            KeyStoreCertificateStore store = new KeyStoreCertificateStore(new KeyStoreCertificateStore.Settings(
                    folder.resolve("server.p12"), () -> KEY_STORE_PASSWORD, alias -> KEY_STORE_PASSWORD));
            store.initialize();
            CertificateQuarantine rejected = new Rejected(folder.resolve("rejected"));
            DefaultApplicationGroup group = DefaultApplicationGroup.createAndInitialize(
                    trusted,
                    store,
                    new SelfSigned(uri, host),
                    new DefaultServerCertificateValidator(
                            trusted, Set.of(ValidationCheck.APPLICATION_URI, ValidationCheck.VALIDITY), rejected));
            X509Certificate own = group.getCertificateChain(NodeIds.RsaSha256ApplicationCertificateType)
                    .map(chain -> chain[0])
                    .orElseThrow(() -> new IOException("there is no certificate in " + folder.resolve("server.p12")));
            Files.write(folder.resolve("server.der"), own.getEncoded());
            return new Certificates(trusted, new DefaultCertificateManager(rejected, group), own);
        } catch (IOException e) {
            trusted.close();
            throw e;
        } catch (Exception e) {
            trusted.close();
            throw new IOException("cannot use " + folder.resolve("server.p12") + ": " + e.getMessage(), e);
        }
    }

    private static void makePrivate(Path folder) throws IOException {
        Files.createDirectories(folder);
        if (folder.getFileSystem().supportedFileAttributeViews().contains("posix"))
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
    }

    CertificateManager manager() {
        return manager;
    }

    X509Certificate own() {
        return own;
    }

    @Override
    public void close() {
        try {
            trusted.close();
        } catch (IOException e) {
            LOG.debug("The list of trusted certificates was not closed", e);
        }
    }

    private static final class SelfSigned extends RsaSha256CertificateFactory {
        private final String uri;
        private final String host;

        SelfSigned(String uri, String host) {
            this.uri = uri;
            this.host = host;
        }

        @Override
        protected X509Certificate[] createRsaSha256CertificateChain(KeyPair keys) throws Exception {
            SelfSignedCertificateBuilder builder = new SelfSignedCertificateBuilder(keys)
                    .setCommonName("Linesight")
                    .setOrganization("Linesight")
                    .setApplicationUri(uri)
                    .setValidityPeriod(VALIDITY);
            if (host.matches("[0-9.]+|.*:.*")) builder.addIpAddress(host);
            else builder.addDnsName(host);
            return new X509Certificate[] {builder.build()};
        }
    }

    /** Says what to do about a certificate that is not trusted. */
    private static final class Rejected implements CertificateQuarantine {
        private final Path folder;
        private final CertificateQuarantine files;

        Rejected(Path folder) throws IOException {
            this.folder = folder;
            files = FileBasedCertificateQuarantine.create(folder);
        }

        @Override
        public List<X509Certificate> getRejectedCertificates() {
            return files.getRejectedCertificates();
        }

        @Override
        public void addRejectedCertificate(X509Certificate certificate) {
            files.addRejectedCertificate(certificate);
            LOG.warn(
                    "The client certificate of {} is not trusted. It lies in {}; move it to {} when it is one of yours",
                    certificate.getSubjectX500Principal(),
                    folder,
                    folder.resolveSibling("trusted").resolve("certs"));
        }

        @Override
        public void removeRejectedCertificate(X509Certificate certificate) {
            files.removeRejectedCertificate(certificate);
        }
    }
}
