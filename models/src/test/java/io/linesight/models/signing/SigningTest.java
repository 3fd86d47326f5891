package io.linesight.models.signing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.models.Manifests;
import io.linesight.models.signing.Verification.Outcome;
import io.linesight.models.storage.ModelsConfig;
import io.linesight.schemas.ModelVersion;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.apache.avro.generic.IndexedRecord;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

class SigningTest {
    private final KeyPair pair = KeyFiles.newPair();
    private final CheckpointSigner signer = CheckpointSigner.of(pair.getPrivate());
    private final TrustedKeys trusted = TrustedKeys.of(List.of(pair.getPublic()));

    @TempDir
    Path dir;

    @Test
    void shouldAcceptWhatATrustedKeySigned() {
        ModelVersion signed = signer.sign(Manifests.manifest("v1").build());
        Verification v = trusted.verify(signed);
        assertThat(v.accepted()).isTrue();
        assertThat(v.outcome()).isEqualTo(Outcome.SIGNED);
        assertThat(signed.getKeyId())
                .isEqualTo(KeyFiles.id(pair.getPublic()))
                .matches("[0-9a-f]{16}")
                .isEqualTo(signer.keyId());
        // A reader must not have been moved: the same record is verified many times.
        assertThat(trusted.verify(signed).accepted()).isTrue();
    }

    /** Every field there is, found by the schema, so that one that is added later and not covered is noticed here. */
    @TestFactory
    Stream<DynamicTest> shouldNoticeAChangeOfEveryField() {
        List<String> paths = new ArrayList<>();
        fields(Manifests.manifest("v1").build(), "", (path, apply) -> paths.add(path));
        assertThat(paths)
                .hasSizeGreaterThan(30)
                .contains(
                        "sha256",
                        "location",
                        "dataset.fingerprint",
                        "gate.outcome",
                        "products.threshold",
                        "products.scale");
        return paths.stream()
                .map(path -> DynamicTest.dynamicTest(path, () -> {
                    ModelVersion signed = signer.sign(Manifests.manifest("v1").build());
                    fields(signed, "", (p, change) -> {
                        if (p.equals(path)) change.run();
                    });
                    Verification v = trusted.verify(signed);
                    assertThat(v.accepted()).as(path).isFalse();
                    assertThat(v.outcome())
                            .isEqualTo(path.equals("keyId") ? Outcome.UNKNOWN_KEY : Outcome.DOES_NOT_FIT);
                    assertThat(v.message()).isNotBlank();
                }));
    }

    private static void fields(IndexedRecord record, String prefix, BiConsumer<String, Runnable> visit) {
        for (Schema.Field f : record.getSchema().getFields()) {
            Object value = record.get(f.pos());
            String path = prefix + f.name();
            if (value instanceof IndexedRecord inner) {
                fields(inner, path + ".", visit);
            } else if (value instanceof List<?> list) {
                fields((IndexedRecord) list.get(0), path + ".", visit);
                visit.accept(path + "[]", () -> record.put(f.pos(), List.of()));
            } else {
                visit.accept(path, () -> record.put(f.pos(), other(value)));
                if (f.schema().isUnion()) visit.accept(path + "=null", () -> record.put(f.pos(), null));
            }
        }
    }

    private static Object other(Object value) {
        if (value instanceof String s) return s + " ";
        if (value instanceof Integer i) return i + 1;
        if (value instanceof Long l) return l + 1;
        if (value instanceof Double d) return Math.nextUp(d);
        if (value instanceof Instant t) return t.plusNanos(1000);
        if (value instanceof ByteBuffer b) {
            byte[] copy = new byte[b.remaining()];
            b.duplicate().get(copy);
            copy[5] ^= 1;
            return ByteBuffer.wrap(copy);
        }
        if (value instanceof Enum<?> e)
            return e.getDeclaringClass()
                    .getEnumConstants()[
                    (e.ordinal() + 1) % e.getDeclaringClass().getEnumConstants().length];
        throw new AssertionError(value);
    }

    @Test
    void shouldTellTheReasonsOfRefusalApart() {
        ModelVersion unsigned = Manifests.manifest("v1").build();
        assertThat(trusted.verify(unsigned))
                .extracting(Verification::outcome, Verification::accepted)
                .containsExactly(Outcome.UNSIGNED, false);
        assertThat(trusted.verify(unsigned).message()).contains("unsigned", signer.keyId());
        ModelVersion foreign =
                CheckpointSigner.of(KeyFiles.newPair().getPrivate()).sign(unsigned);
        assertThat(trusted.verify(foreign))
                .extracting(Verification::outcome, Verification::accepted)
                .containsExactly(Outcome.UNKNOWN_KEY, false);
        assertThat(trusted.verify(foreign).message()).contains(foreign.getKeyId(), "not among the trusted");
        ModelVersion cut = ModelVersion.newBuilder(signer.sign(unsigned))
                .setSignature(ByteBuffer.wrap(new byte[7]))
                .build();
        assertThat(trusted.verify(cut).outcome()).isEqualTo(Outcome.DOES_NOT_FIT);
        ModelVersion noKey =
                ModelVersion.newBuilder(signer.sign(unsigned)).setKeyId("").build();
        assertThat(trusted.verify(noKey).accepted()).isFalse();
    }

    @Test
    void shouldAllowUnsignedOnlyWhenToldAndNeverWhatDoesNotFit() {
        assertThatThrownBy(() -> TrustedKeys.of(List.of()))
                .hasMessageContaining(ModelsConfig.TRUSTED_KEYS)
                .hasMessageContaining(ModelsConfig.UNSIGNED);
        TrustedKeys lax = TrustedKeys.orUnsigned(List.of(pair.getPublic()));
        ModelVersion plain = Manifests.manifest("v1").build();
        assertThat(lax.verify(plain).accepted()).isTrue();
        assertThat(TrustedKeys.unsignedAllowed().verify(plain).accepted()).isTrue();
        ModelVersion changed =
                ModelVersion.newBuilder(signer.sign(plain)).setBytes(1).build();
        assertThat(lax.verify(changed).accepted()).isFalse();
    }

    @Test
    void shouldTrustSeveralKeysSoThatOneCanFollowAnother() {
        KeyPair next = KeyFiles.newPair();
        TrustedKeys both = TrustedKeys.of(List.of(pair.getPublic(), next.getPublic()));
        assertThat(both.verify(signer.sign(Manifests.manifest("v1").build())).accepted())
                .isTrue();
        assertThat(both.verify(CheckpointSigner.of(next.getPrivate())
                                .sign(Manifests.manifest("v2").build()))
                        .accepted())
                .isTrue();
    }

    @Test
    void shouldKeepTheCanonicalTextAsItIs() {
        String text = new String(
                ManifestText.of(Manifests.manifest("v\"1\n").setParent(null).build()), StandardCharsets.UTF_8);
        assertThat(text)
                .startsWith("linesight-model-manifest-1\nversion=\"v\\u00221\\u000a\"\nchannel=\"line\"\n")
                .contains(
                        "\nparent=null\n",
                        "\ncreatedAt=1767323045000006\n",
                        "\nbytes=2000000\n",
                        "\nthreshold=0x1.0p-2\n",
                        "\ngate.outcome=\"PASSED\"\n",
                        "\nproducts=1\n")
                .endsWith("\n");
        assertThat(text.lines().count()).isEqualTo(31);
    }

    @Test
    void shouldWriteKeysThatOnlyTheOwnerReads() throws IOException {
        Path secret = dir.resolve("keys/private.pem");
        Path open = dir.resolve("keys/public.pem");
        String id = KeyFiles.generate(secret, open);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(secret)))
                .isEqualTo("rw-------");
        assertThat(CheckpointSigner.load(secret).keyId())
                .isEqualTo(id)
                .isEqualTo(KeyFiles.id(KeyFiles.readPublic(open)));
        TrustedKeys fromConfig = TrustedKeys.of(ModelsConfig.of(Map.of(ModelsConfig.TRUSTED_KEYS, open.toString())));
        assertThat(fromConfig
                        .verify(CheckpointSigner.load(secret)
                                .sign(Manifests.manifest("v").build()))
                        .accepted())
                .isTrue();
        assertThatThrownBy(() -> KeyFiles.generate(secret, open))
                .isInstanceOf(FileAlreadyExistsException.class)
                .hasMessageContaining("never overwritten");
        assertThatThrownBy(() -> KeyFiles.generate(dir.resolve("other.pem"), open))
                .isInstanceOf(FileAlreadyExistsException.class);
        assertThat(dir.resolve("other.pem")).doesNotExist();
        assertThatThrownBy(() -> CheckpointSigner.load(open)).hasMessageContaining("give the other file");
        assertThatThrownBy(() -> KeyFiles.readPublic(secret)).hasMessageContaining("give the other file");
    }

    @Test
    void shouldSayWhatIsWrongWithAKeyFile() throws IOException {
        assertThatThrownBy(() -> KeyFiles.readPublic(dir.resolve("none.pem"))).hasMessageContaining("no such key file");
        assertThatThrownBy(() -> KeyFiles.readPublic(dir)).hasMessageContaining("folder");
        Path garbage =
                Files.writeString(dir.resolve("g.pem"), "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
        assertThatThrownBy(() -> KeyFiles.readPublic(garbage))
                .hasMessageContaining("g.pem")
                .hasMessageContaining("no Ed25519 public key");
        Path big = Files.write(dir.resolve("big.pem"), new byte[1 << 20]);
        assertThatThrownBy(() -> KeyFiles.readPrivate(big)).hasMessageContaining("too large");
    }

    @Test
    void shouldReadKeysOfOpenssl() throws IOException {
        // openssl genpkey -algorithm ed25519; the pair of RFC 8410's appendix.
        Path secret = Files.writeString(
                dir.resolve("o.pem"),
                "-----BEGIN PRIVATE "
                        + "KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END "
                        + "PRIVATE KEY-----\n");
        Path open = Files.writeString(
                dir.resolve("op.pem"),
                "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END "
                        + "PUBLIC KEY-----\n");
        assertThat(CheckpointSigner.load(secret).keyId()).isEqualTo(KeyFiles.id(KeyFiles.readPublic(open)));
    }

    @Test
    void shouldHideSecrets() throws IOException {
        ModelsConfig config = ModelsConfig.of(
                Map.of("sasl.jaas.config", "password=hunter2", ModelsConfig.HTTP_AUTHORIZATION, "Bearer hunter2"));
        assertThat(config.toString()).doesNotContain("hunter2").contains("sasl.jaas.config", "[hidden]");
        assertThat(signer.toString()).isEqualTo("CheckpointSigner[" + signer.keyId() + "]");
        assertThatThrownBy(() -> ModelsConfig.of(Map.of(ModelsConfig.TIMEOUT_MS, "soon")))
                .hasMessageContaining(ModelsConfig.TIMEOUT_MS);
        assertThatThrownBy(() -> ModelsConfig.of(Map.of(ModelsConfig.UNSIGNED, "maybe")))
                .hasMessageContaining("neither accept nor refuse");
    }
}
