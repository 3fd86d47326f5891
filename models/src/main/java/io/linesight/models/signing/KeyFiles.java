package io.linesight.models.signing;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Set;

/**
 * Ed25519 keys as PEM files: PKCS#8 ({@code BEGIN PRIVATE KEY}) and X.509 ({@code BEGIN PUBLIC KEY}), as {@code openssl
 * genpkey -algorithm ed25519} writes them too.
 */
public final class KeyFiles {
    private static final String ALGORITHM = "Ed25519";
    private static final int MAX_FILE_BYTES = 1 << 16;

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
        write(publicFile, "PUBLIC KEY", pair.getPublic().getEncoded());
        return id(pair.getPublic());
    }

    /** @throws IOException naming the file and the reason if it holds no Ed25519 public key */
    public static PublicKey readPublic(Path file) throws IOException {
        byte[] der = read(file, "PUBLIC KEY");
        try {
            return KeyFactory.getInstance(ALGORITHM).generatePublic(new X509EncodedKeySpec(der));
        } catch (GeneralSecurityException e) {
            throw new IOException(
                    file + " holds no Ed25519 public key: " + e.getMessage()
                            + "; 'linesight models keygen' makes a pair",
                    e);
        }
    }

    /** @throws IOException naming the file and the reason if it holds no Ed25519 private key */
    public static PrivateKey readPrivate(Path file) throws IOException {
        byte[] der = read(file, "PRIVATE KEY");
        try {
            return KeyFactory.getInstance(ALGORITHM).generatePrivate(new PKCS8EncodedKeySpec(der));
        } catch (GeneralSecurityException e) {
            throw new IOException(file + " holds no Ed25519 private key; 'linesight models keygen' makes a pair", e);
        }
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

    private static byte[] read(Path file, String kind) throws IOException {
        String pem;
        try {
            if (Files.isDirectory(file)) throw new IOException(file + " is a folder, a key file is needed");
            if (Files.size(file) > MAX_FILE_BYTES) throw new IOException(file + " is far too large for a key");
            pem = Files.readString(file, StandardCharsets.ISO_8859_1);
        } catch (NoSuchFileException e) {
            throw new NoSuchFileException(file.toString(), null, "there is no such key file");
        }
        String head = "-----BEGIN " + kind + "-----";
        int begin = pem.indexOf(head);
        int end = begin < 0 ? -1 : pem.indexOf("-----END " + kind + "-----", begin + head.length());
        if (end < 0) {
            String other = kind.startsWith("PRIVATE") ? "PUBLIC KEY" : "PRIVATE KEY";
            throw new IOException(file + " holds no " + kind.toLowerCase(java.util.Locale.ROOT) + " in PEM form"
                    + (pem.contains("BEGIN " + other)
                            ? ", but a " + other.toLowerCase(java.util.Locale.ROOT)
                                    + ": give the other file of the pair"
                            : ""));
        }
        try {
            return Base64.getMimeDecoder().decode(pem.substring(begin + head.length(), end));
        } catch (IllegalArgumentException e) {
            throw new IOException(file + " is damaged: its key is no Base64", e);
        }
    }
}
