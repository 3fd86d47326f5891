package io.linesight.models.signing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.models.storage.ModelsConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.util.Base64;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Key files as people have them. */
class KeyFilesTest {
    @TempDir
    Path dir;

    private final KeyPair pair = KeyFiles.newPair();

    private static String pem(String label, byte[] content) {
        return "-----BEGIN " + label + "-----\n" + Base64.getMimeEncoder().encodeToString(content) + "\n-----END "
                + label + "-----\n";
    }

    private Path file(String content) throws IOException {
        return Files.writeString(dir.resolve("key.pem"), content);
    }

    @Test
    void shouldTrustEveryKeyOfAFile() throws IOException {
        KeyPair next = KeyFiles.newPair();
        Path both = file(pem("PUBLIC KEY", pair.getPublic().getEncoded()) + "\nsince May:\n"
                + pem("PUBLIC KEY", next.getPublic().getEncoded()));
        assertThat(TrustedKeys.of(ModelsConfig.of(Map.of(ModelsConfig.TRUSTED_KEYS, both.toString())))
                        .keyIds())
                .containsExactlyInAnyOrder(KeyFiles.id(pair.getPublic()), KeyFiles.id(next.getPublic()));
        assertThatThrownBy(() -> KeyFiles.readPublic(both)).hasMessageContainingAll("2 public keys", "one is needed");
    }

    @Test
    void shouldRejectTwoPrivateKeysInOneFile() throws IOException {
        Path both = file(pem("PRIVATE KEY", pair.getPrivate().getEncoded())
                + pem("PRIVATE KEY", KeyFiles.newPair().getPrivate().getEncoded()));
        assertThatThrownBy(() -> CheckpointSigner.load(both))
                .hasMessageContainingAll("2 private keys", "which one signs", "key.pem");
    }

    @Test
    void shouldReadAPairInOneFileAndTextsAroundIt() throws IOException {
        String text = "Bag Attributes\r\n    friendlyName: line\r\n"
                + pem("PRIVATE KEY", pair.getPrivate().getEncoded()) + "\r\n"
                + pem("PUBLIC KEY", pair.getPublic().getEncoded());
        String id = KeyFiles.id(pair.getPublic());
        assertThat(CheckpointSigner.load(file(text)).keyId()).isEqualTo(id);
        assertThat(KeyFiles.id(KeyFiles.readPublic(file(text)))).isEqualTo(id);
        Path utf16 = Files.write(dir.resolve("utf16.pem"), text.getBytes(StandardCharsets.UTF_16));
        assertThat(CheckpointSigner.load(utf16).keyId()).isEqualTo(id);
        Path utf8 = file("\uFEFF" + text);
        assertThat(CheckpointSigner.load(utf8).keyId()).isEqualTo(id);
    }

    @Test
    void shouldNameWhatIsNoPrivateKeyOfOursAndSayWhatToDo() throws IOException {
        byte[] bytes = new byte[48];
        Map<String, String> wrong = Map.of(
                pem("ENCRYPTED PRIVATE KEY", bytes),
                "openssl pkey -in",
                pem("OPENSSH PRIVATE KEY", bytes),
                "OpenSSH's form",
                pem("RSA PRIVATE KEY", bytes),
                "one of RSA",
                "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END EC PRIVATE KEY-----\n",
                "one of EC",
                pem("CERTIFICATE", bytes),
                "give the private key that belongs to it",
                pem("PGP PRIVATE KEY BLOCK", bytes),
                "PGP PRIVATE KEY BLOCK",
                "PuTTY-User-Key-File-3: ssh-ed25519\n",
                "key of PuTTY",
                "-----BEGIN PRIVATE KEY-----\nMC4CAQ",
                "cut off",
                "",
                "the file is empty");
        for (Map.Entry<String, String> e : wrong.entrySet())
            assertThatThrownBy(() -> CheckpointSigner.load(file(e.getKey())))
                    .as(e.getKey())
                    .isInstanceOf(IOException.class)
                    .hasMessageContainingAll("key.pem", "no private key in PEM form", e.getValue());
    }

    @Test
    void shouldNameWhatIsNoPublicKeyOfOursAndSayWhatToDo() throws IOException {
        byte[] bytes = new byte[48];
        Map<String, String> wrong = Map.of(
                pem("CERTIFICATE", bytes) + pem("CERTIFICATE", bytes),
                "openssl x509 -in",
                "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI line@plant\n",
                "OpenSSH's form",
                "ecdsa-sha2-nistp256 AAAA x\n",
                "OpenSSH's form",
                pem("RSA PUBLIC KEY", bytes),
                "one of RSA",
                pem("ENCRYPTED PRIVATE KEY", bytes),
                "-pubout",
                pem("CERTIFICATE REQUEST", bytes),
                "CERTIFICATE REQUEST");
        for (Map.Entry<String, String> e : wrong.entrySet())
            assertThatThrownBy(() -> KeyFiles.readPublicKeys(file(e.getKey())))
                    .as(e.getKey())
                    .isInstanceOf(IOException.class)
                    .hasMessageContainingAll("key.pem", "no public key in PEM form", e.getValue());
        Path der = Files.write(dir.resolve("key.der"), pair.getPublic().getEncoded());
        assertThatThrownBy(() -> KeyFiles.readPublic(der)).hasMessageContaining("-inform DER");
    }

    @Test
    void shouldNameTheAlgorithmOfAKeyThatIsNotEd25519() throws Exception {
        for (String algorithm : new String[] {"RSA", "EC", "X25519", "Ed448"}) {
            KeyPair other = KeyPairGenerator.getInstance(algorithm).generateKeyPair();
            assertThatThrownBy(() -> CheckpointSigner.load(
                            file(pem("PRIVATE KEY", other.getPrivate().getEncoded()))))
                    .hasMessageContainingAll("a key of " + algorithm, "models keygen");
            assertThatThrownBy(() -> KeyFiles.readPublic(
                            file(pem("PUBLIC KEY", other.getPublic().getEncoded()))))
                    .hasMessageContainingAll("a key of " + algorithm, "models keygen");
        }
    }

    @Test
    void shouldLeaveNoHalfOfAPairBehind() throws IOException {
        Path blocked = Files.createFile(dir.resolve("file"));
        assertThatThrownBy(() -> KeyFiles.generate(dir.resolve("a.key"), blocked.resolve("a.pub")))
                .isInstanceOf(IOException.class);
        assertThat(dir.resolve("a.key")).doesNotExist();
    }
}
