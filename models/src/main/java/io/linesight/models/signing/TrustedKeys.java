package io.linesight.models.signing;

import io.linesight.models.signing.Verification.Outcome;
import io.linesight.models.storage.ModelsConfig;
import io.linesight.schemas.ModelVersion;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The public keys whose signatures are trusted: one or more, or explicitly none. Immutable, thread-safe.
 *
 * <p>Where unsigned versions are allowed, signatures by unknown keys are accepted as well, since whoever can write the
 * topic could leave the signature out; a signature that names a trusted key and does not fit is rejected always.
 */
public final class TrustedKeys {
    private final Map<String, PublicKey> keys;
    private final boolean unsignedAllowed;

    private TrustedKeys(Collection<PublicKey> keys, boolean unsignedAllowed) {
        this.keys = new TreeMap<>();
        keys.forEach(k -> this.keys.put(KeyFiles.id(k), k));
        this.unsignedAllowed = unsignedAllowed;
        if (keys.isEmpty() && !unsignedAllowed) {
            throw new IllegalArgumentException(
                    "no trusted key is given, so every checkpoint would be rejected: name public keys with "
                            + ModelsConfig.TRUSTED_KEYS + ", or allow unsigned checkpoints with "
                            + ModelsConfig.UNSIGNED + "=accept");
        }
    }

    /** Only what one of these keys signed. */
    public static TrustedKeys of(Collection<PublicKey> keys) {
        return new TrustedKeys(keys, false);
    }

    /** Everything but what names one of these keys and does not fit; the keys may be none. */
    public static TrustedKeys orUnsigned(Collection<PublicKey> keys) {
        return new TrustedKeys(keys, true);
    }

    /** Everything; nothing is checked. */
    public static TrustedKeys unsignedAllowed() {
        return new TrustedKeys(List.of(), true);
    }

    /**
     * As configured; a file may hold several keys.
     *
     * @throws IllegalArgumentException if there is neither a key nor the permission to do without
     * @throws IOException naming the file if a key cannot be read
     */
    public static TrustedKeys of(ModelsConfig config) throws IOException {
        List<PublicKey> keys = new ArrayList<>();
        for (String file : config.trustedKeys()) keys.addAll(KeyFiles.readPublicKeys(Path.of(file)));
        return new TrustedKeys(keys, config.unsignedAllowed());
    }

    /** Verifies the manifest's signature, not the checkpoint's bytes. */
    public Verification verify(ModelVersion manifest) {
        String keyId = manifest.getKeyId();
        ByteBuffer given = manifest.getSignature().duplicate();
        byte[] signature = new byte[given.remaining()];
        given.get(signature);
        if (keyId.isEmpty() && signature.length == 0) {
            return new Verification(
                    Outcome.UNSIGNED,
                    unsignedAllowed
                            ? "it is unsigned, which is allowed here"
                            : "it is unsigned; publish it with a key that is trusted here (" + names() + ")",
                    unsignedAllowed);
        }
        PublicKey key = keys.get(keyId);
        if (key == null) {
            return new Verification(
                    Outcome.UNKNOWN_KEY,
                    "it is signed by key " + quoted(keyId) + ", which is not among the trusted ones (" + names() + ")"
                            + (unsignedAllowed
                                    ? "; unsigned versions are allowed here, so it is taken unchecked"
                                    : "; add the public key if it is one of yours"),
                    unsignedAllowed);
        }
        boolean fits;
        try {
            fits = CheckpointSigner.verify(key, ManifestText.of(manifest), signature);
        } catch (GeneralSecurityException e) {
            fits = false; // not even the form of a signature
        }
        return fits
                ? new Verification(Outcome.SIGNED, "it is signed by key " + keyId, true)
                : new Verification(
                        Outcome.DOES_NOT_FIT,
                        "its signature by key " + keyId
                                + " does not fit: the manifest was changed after it was signed. Publish it again",
                        false);
    }

    /** Ids of the trusted keys. */
    public List<String> keyIds() {
        return List.copyOf(keys.keySet());
    }

    private String names() {
        return keys.isEmpty() ? "none are configured" : String.join(", ", keys.keySet());
    }

    /** A key id comes from the topic, where anybody may have written it. */
    private static String quoted(String keyId) {
        return keyId.matches("[0-9a-zA-Z]{1,64}") ? keyId : "'?'";
    }

    @Override
    public String toString() {
        return "TrustedKeys[" + names() + (unsignedAllowed ? ", unsigned allowed" : "") + "]";
    }
}
