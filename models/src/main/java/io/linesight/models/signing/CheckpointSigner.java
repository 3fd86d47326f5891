package io.linesight.models.signing;

import io.linesight.schemas.ModelVersion;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.interfaces.EdECPrivateKey;
import java.security.spec.NamedParameterSpec;

/** Signs manifests with one Ed25519 key. Thread-safe. Never shows the key. */
public final class CheckpointSigner {
    private static final String ALGORITHM = "Ed25519";
    private final PrivateKey privateKey;
    private final String keyId;

    private CheckpointSigner(PrivateKey privateKey, PublicKey publicKey) {
        this.privateKey = privateKey;
        keyId = KeyFiles.id(publicKey);
    }

    /** @throws IOException naming the file and the reason if it holds no Ed25519 private key */
    public static CheckpointSigner load(Path privateFile) throws IOException {
        return of(KeyFiles.readPrivate(privateFile));
    }

    /** @throws IllegalArgumentException if this is no Ed25519 key */
    public static CheckpointSigner of(PrivateKey key) {
        return new CheckpointSigner(key, publicKey(key));
    }

    /** First 16 hex digits of the SHA-256 of the public key. */
    public String keyId() {
        return keyId;
    }

    /** A copy of the manifest with key id and signature. */
    public ModelVersion sign(ModelVersion manifest) {
        try {
            return ModelVersion.newBuilder(manifest)
                    .setKeyId(keyId)
                    .setSignature(ByteBuffer.wrap(sign(privateKey, ManifestText.of(manifest))))
                    .build();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("signing with key " + keyId + " failed", e);
        }
    }

    @Override
    public String toString() {
        return "CheckpointSigner[" + keyId + "]";
    }

    /**
     * The JDK does not give the public half of a private key, but its generator computes it from the seed, which is
     * what the key is.
     */
    private static PublicKey publicKey(PrivateKey key) {
        if (!(key instanceof EdECPrivateKey ed) || !ed.getParams().getName().equals(ALGORITHM))
            throw new IllegalArgumentException("an Ed25519 private key is needed, this is " + key.getAlgorithm());
        byte[] seed = ed.getBytes()
                .orElseThrow(() ->
                        new IllegalArgumentException("the Ed25519 private key cannot be used outside its own store"));
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance(ALGORITHM);
            generator.initialize(new NamedParameterSpec(ALGORITHM), new SecureRandom() {
                @Override
                public void nextBytes(byte[] bytes) {
                    System.arraycopy(seed, 0, bytes, 0, seed.length);
                }
            });
            PublicKey publicKey = generator.generateKeyPair().getPublic();
            byte[] probe = {1, 2, 3};
            if (!verify(publicKey, probe, sign(key, probe)))
                throw new IllegalArgumentException(
                        "no public key could be found for this Ed25519 private key with this Java");
            return publicKey;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java has no Ed25519", e);
        }
    }

    private static byte[] sign(PrivateKey key, byte[] text) throws GeneralSecurityException {
        Signature s = Signature.getInstance(ALGORITHM);
        s.initSign(key);
        s.update(text);
        return s.sign();
    }

    static boolean verify(PublicKey key, byte[] text, byte[] signature) throws GeneralSecurityException {
        Signature s = Signature.getInstance(ALGORITHM);
        s.initVerify(key);
        s.update(text);
        return s.verify(signature);
    }
}
