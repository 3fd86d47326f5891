package io.linesight.models.signing;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Ed25519 keys as PEM files: PKCS#8 ({@code BEGIN PRIVATE KEY}) and X.509 ({@code BEGIN PUBLIC KEY}), as {@code openssl
 * genpkey -algorithm ed25519} writes them too.
 */
public final class KeyFiles {
    private static final String ALGORITHM = "Ed25519";
    private static final String MAKE = "; 'linesight models keygen' makes a pair";

    private KeyFiles() {}

    /**
     * Makes a new pair of keys. The private file is readable by its owner only.
     *
     * @return the key's id
     * @throws FileAlreadyExistsException if one of the files exists; nothing is written then, for a lost key cannot be
     *     had back
     * @throws IOException if a file cannot be written, or its file system knows no permissions
     */
    public static String generate(Path privateFile, Path publicFile) throws IOException {
        for (Path p : new Path[] {privateFile, publicFile}) {
            if (Files.exists(p))
                throw new FileAlreadyExistsException(p
                        + " exists; a key is never overwritten. Choose another name, or move it away; "
                        + "nothing was written");
        }
        KeyPair pair = newPair();
        try {
            write(
                    privateFile,
                    "PRIVATE KEY",
                    pair.getPrivate().getEncoded(),
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        } catch (UnsupportedOperationException e) {
            throw new IOException(
                    "the file system of " + privateFile
                            + " cannot keep a file from other users, so no private key was written there; choose "
                            + "another place",
                    e);
        }
        try {
            write(publicFile, "PUBLIC KEY", pair.getPublic().getEncoded());
        } catch (IOException e) {
            // Half a pair would be in the way of the next attempt.
            Files.deleteIfExists(privateFile);
            throw e;
        }
        return id(pair.getPublic());
    }

    /**
     * The only public key of a file.
     *
     * @throws IOException naming the file, the reason and what to do if it holds no Ed25519 public key, or several
     */
    public static PublicKey readPublic(Path file) throws IOException {
        List<PublicKey> keys = readPublicKeys(file);
        if (keys.size() > 1)
            throw new IOException(file + " holds " + keys.size() + " public keys, one is needed: keep each in a file");
        return keys.get(0);
    }

    /**
     * All public keys of a file, at least one.
     *
     * @throws IOException naming the file, the reason and what to do if one of them is no Ed25519 key, or there is none
     */
    public static List<PublicKey> readPublicKeys(Path file) throws IOException {
        List<PublicKey> keys = new ArrayList<>();
        for (byte[] der : KeyText.read(file).blocks("PUBLIC KEY")) {
            try {
                keys.add(KeyFactory.getInstance(ALGORITHM).generatePublic(new X509EncodedKeySpec(der)));
            } catch (GeneralSecurityException e) {
                throw new IOException(
                        file + " holds no Ed25519 public key: "
                                + otherAlgorithm(factory -> factory.generatePublic(new X509EncodedKeySpec(der)))
                                        .orElse(e.getMessage())
                                + MAKE,
                        e);
            }
        }
        return keys;
    }

    /**
     * The only private key of a file.
     *
     * @throws IOException naming the file, the reason and what to do if it holds no Ed25519 private key, or several
     */
    public static PrivateKey readPrivate(Path file) throws IOException {
        List<byte[]> keys = KeyText.read(file).blocks("PRIVATE KEY");
        if (keys.size() > 1)
            throw new IOException(file + " holds " + keys.size()
                    + " private keys, and nothing says which one signs: keep each in a file");
        byte[] der = keys.get(0);
        try {
            return KeyFactory.getInstance(ALGORITHM).generatePrivate(new PKCS8EncodedKeySpec(der));
        } catch (GeneralSecurityException e) {
            // The cause's message may show parts of the key.
            throw new IOException(
                    file + " holds no Ed25519 private key"
                            + otherAlgorithm(factory -> factory.generatePrivate(new PKCS8EncodedKeySpec(der)))
                                    .map(a -> ": " + a)
                                    .orElse("")
                            + MAKE,
                    e);
        }
    }

    private interface Parse {
        Key in(KeyFactory factory) throws GeneralSecurityException;
    }

    /** Of which other algorithm the key is, for people. */
    private static Optional<String> otherAlgorithm(Parse parse) {
        for (String algorithm : List.of("RSA", "EC", "DSA", "DH", "Ed448", "X25519", "X448", "RSASSA-PSS")) {
            try {
                parse.in(KeyFactory.getInstance(algorithm));
                return Optional.of("it is a key of " + algorithm);
            } catch (GeneralSecurityException e) {
                // none of this algorithm
            }
        }
        return Optional.empty();
    }

    /** First 16 hex digits of the SHA-256 of the key's X.509 encoding. */
    public static String id(PublicKey key) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(key.getEncoded()))
                    .substring(0, 16);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    static KeyPair newPair() {
        try {
            return KeyPairGenerator.getInstance(ALGORITHM).generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java has no Ed25519", e);
        }
    }

    private static void write(Path file, String kind, byte[] der, FileAttribute<?>... attributes) throws IOException {
        String pem = "-----BEGIN " + kind + "-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der) + "\n-----END " + kind + "-----\n";
        if (file.toAbsolutePath().getParent() != null)
            Files.createDirectories(file.toAbsolutePath().getParent());
        Set<OpenOption> create = Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        try (SeekableByteChannel channel = Files.newByteChannel(file, create, attributes)) {
            ByteBuffer bytes = ByteBuffer.wrap(pem.getBytes(StandardCharsets.US_ASCII));
            while (bytes.hasRemaining()) channel.write(bytes);
        }
    }
}
