package io.linesight.models.rollouts;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.models.Manifests;
import io.linesight.models.signing.TrustedKeys;
import io.linesight.schemas.GateOutcome;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.Rollout;
import io.linesight.schemas.RolloutAction;
import io.linesight.schemas.RolloutMode;
import java.time.Instant;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class RolloutRulesTest {
    private static final Author ANNA = new Author("anna", false, "new lamps", Instant.parse("2026-02-03T04:05:06Z"));
    private static final Author SILENT = new Author("anna", false, "", Instant.parse("2026-02-03T04:05:06Z"));
    private static final Author GUARD = new Author("guard", true, "error rate", Instant.parse("2026-02-03T04:05:06Z"));
    private final RegistryFold fold = new RegistryFold(TrustedKeys.unsignedAllowed());
    private long offset;

    @BeforeEach
    void publish() {
        for (String v : List.of("a", "b", "c")) fold.version(v, Manifests.with(v, GateOutcome.PASSED));
        fold.version("bad", Manifests.with("bad", GateOutcome.FAILED));
        fold.version("new", Manifests.with("new", GateOutcome.NOT_JUDGED));
        fold.version(
                "other",
                ModelVersion.newBuilder(Manifests.with("other", GateOutcome.PASSED))
                        .setChannel("press")
                        .build());
    }

    private Rollout take(Function<RegistryState, Decision> rule) {
        Decision d = rule.apply(fold.snapshot());
        assertThat(d).isInstanceOf(Decision.Next.class);
        Rollout r = ((Decision.Next) d).rollout();
        fold.rollout(offset++, "line", r);
        assertThat(fold.snapshot().channel("line").inForce()).contains(r);
        return r;
    }

    private String reject(Function<RegistryState, Decision> rule) {
        Decision d = rule.apply(fold.snapshot());
        assertThat(d).isInstanceOf(Decision.Rejected.class);
        return ((Decision.Rejected) d).reason();
    }

    private static Function<RegistryState, Decision> promote(String version, Author by, boolean force) {
        return s -> RolloutRules.promote(s, "line", version, by, force);
    }

    private static Function<RegistryState, Decision> promote(String version) {
        return promote(version, ANNA, false);
    }

    private static Function<RegistryState, Decision> shadow(String version, double percent) {
        return s -> RolloutRules.shadow(s, "line", version, percent, ANNA, false);
    }

    private static Function<RegistryState, Decision> canary(
            String version, List<String> cameras, List<String> products, double percent) {
        return s -> RolloutRules.canary(s, "line", version, cameras, products, percent, ANNA, false);
    }

    private static Function<RegistryState, Decision> rollback(Author by) {
        return s -> RolloutRules.rollback(s, "line", by);
    }

    private static Function<RegistryState, Decision> withdraw(Author by) {
        return s -> RolloutRules.withdraw(s, "line", by);
    }

    private static Function<RegistryState, Decision> pin(Author by) {
        return s -> RolloutRules.pin(s, "line", by);
    }

    private static Function<RegistryState, Decision> unpin(Author by) {
        return s -> RolloutRules.unpin(s, "line", by);
    }

    @Test
    void shouldPromoteAFirstAndANextVersion() {
        Rollout first = take(promote("a"));
        assertThat(first)
                .extracting(
                        Rollout::getRevision,
                        Rollout::getBasedOn,
                        Rollout::getAction,
                        Rollout::getMode,
                        Rollout::getChampion,
                        Rollout::getPrevious,
                        Rollout::getChallenger,
                        Rollout::getBy,
                        Rollout::getReason,
                        Rollout::getAutomatic)
                .containsExactly(
                        1L, 0L, RolloutAction.PROMOTE, RolloutMode.ACTIVE, "a", null, null, "anna", "new lamps", false);
        Rollout second = take(promote("b"));
        assertThat(second)
                .extracting(Rollout::getRevision, Rollout::getBasedOn, Rollout::getChampion, Rollout::getPrevious)
                .containsExactly(2L, 1L, "b", "a");
    }

    @Test
    void shouldEndATrialByPromotion() {
        take(promote("a"));
        take(canary("b", List.of("cam1"), List.of("flange"), 25));
        assertThat(take(promote("b")))
                .extracting(
                        Rollout::getMode,
                        Rollout::getChallenger,
                        Rollout::getCameras,
                        Rollout::getProducts,
                        Rollout::getPercent,
                        Rollout::getPrevious)
                .containsExactly(RolloutMode.ACTIVE, null, List.of(), List.of(), 0.0, "a");
    }

    @Test
    void shouldRollBackStepByStepAndThenReject() {
        take(promote("a"));
        assertThat(reject(rollback(ANNA))).contains("no previous champion", "promote");
        take(promote("b"));
        take(promote("c"));
        take(shadow("new", 10));
        assertThat(take(rollback(ANNA)))
                .extracting(Rollout::getChampion, Rollout::getPrevious, Rollout::getChallenger, Rollout::getMode)
                .containsExactly("b", "a", null, RolloutMode.ACTIVE);
        assertThat(take(rollback(GUARD)))
                .extracting(Rollout::getChampion, Rollout::getPrevious)
                .containsExactly("a", null);
        assertThat(reject(rollback(ANNA))).contains("no previous");
        take(promote("c"));
        assertThat(take(rollback(ANNA)).getChampion()).isEqualTo("a");
    }

    @Test
    void shouldNotRollBackToAVersionThatIsGone() {
        take(promote("a"));
        take(promote("b"));
        take(promote("c"));
        fold.version("a", null);
        assertThat(take(rollback(ANNA)).getPrevious()).as("a is gone").isNull();
        fold.version("c", Manifests.with("c", GateOutcome.PASSED));
        take(promote("c"));
        fold.version("b", null);
        assertThat(reject(rollback(ANNA))).contains("no version b");
    }

    @Test
    void shouldTryAChallenger() {
        take(promote("a"));
        assertThat(take(shadow("b", 12.5)))
                .extracting(Rollout::getMode, Rollout::getChampion, Rollout::getChallenger, Rollout::getPercent)
                .containsExactly(RolloutMode.SHADOW, "a", "b", 12.5);
        assertThat(take(canary("b", List.of("cam1"), List.of("board"), 0)))
                .extracting(Rollout::getMode, Rollout::getChallenger, Rollout::getCameras, Rollout::getProducts)
                .containsExactly(RolloutMode.CANARY, "b", List.of("cam1"), List.of("board"));
        assertThat(take(shadow("c", 100)))
                .extracting(Rollout::getChallenger, Rollout::getCameras)
                .containsExactly("c", List.of());
        assertThat(take(withdraw(GUARD)))
                .extracting(Rollout::getMode, Rollout::getChallenger, Rollout::getChampion, Rollout::getAutomatic)
                .containsExactly(RolloutMode.ACTIVE, null, "a", true);
        assertThat(reject(withdraw(ANNA))).contains("no challenger");
    }

    @Test
    void shouldRejectMeaninglessTrials() {
        assertThat(reject(shadow("b", 10))).contains("no champion", "promote a version first");
        take(promote("a"));
        assertThat(reject(shadow("a", 10))).contains("cannot challenge itself");
        for (double p : new double[] {0, -1, 100.1, Double.NaN})
            assertThat(reject(shadow("b", p))).contains("percent");
        for (double p : new double[] {-1, 101, Double.NaN})
            assertThat(reject(canary("b", List.of("cam1"), List.of(), p))).contains("percent");
        assertThat(reject(canary("b", List.of(), List.of(), 0))).contains("name cameras, products or a percentage");
        assertThat(reject(canary("b", List.of(" "), List.of(), 0))).contains("no name");
        assertThat(reject(promote("a"))).contains("champion of 'line' already");
    }

    static Stream<Arguments> namingRules() {
        return Stream.of(
                Arguments.of("promote", (Naming) (s, v, by, force) -> RolloutRules.promote(s, "line", v, by, force)),
                Arguments.of("shadow", (Naming) (s, v, by, force) -> RolloutRules.shadow(s, "line", v, 5, by, force)),
                Arguments.of("canary", (Naming)
                        (s, v, by, force) -> RolloutRules.canary(s, "line", v, List.of(), List.of(), 5, by, force)));
    }

    private interface Naming {
        Decision apply(RegistryState known, String version, Author by, boolean force);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("namingRules")
    void shouldOnlyNameVersionsThatAreFit(String name, Naming rule) {
        take(promote("a"));
        assertThat(reject(s -> rule.apply(s, "nowhere", ANNA, true))).contains("no version nowhere", "list");
        assertThat(reject(s -> rule.apply(s, "bad", ANNA, false))).contains("failed its gate: because", "force");
        assertThat(reject(s -> rule.apply(s, "bad", SILENT, true))).contains("needs a reason");
        assertThat(reject(s -> rule.apply(s, "bad", GUARD, true))).contains("only a person");
        assertThat(reject(s -> rule.apply(s, "other", ANNA, false))).contains("made for the channel 'press'");
        assertThat(reject(s -> rule.apply(s, "new", GUARD, false))).contains("has not passed a gate (NOT_JUDGED)");
        assertThat(rule.apply(fold.snapshot(), "new", ANNA, false)).isInstanceOf(Decision.Next.class);
        assertThat(rule.apply(fold.snapshot(), "b", GUARD, false)).isInstanceOf(Decision.Next.class);
        assertThat(rule.apply(fold.snapshot(), "other", ANNA, true)).isInstanceOf(Decision.Next.class);
        assertThat(((Decision.Next) rule.apply(fold.snapshot(), "bad", ANNA, true))
                        .rollout()
                        .getReason())
                .isEqualTo("new lamps");
    }

    @Test
    void shouldNotNameWhatIsNotTrusted() {
        RegistryFold strict = new RegistryFold(TrustedKeys.of(List.of(key())));
        strict.version("a", Manifests.with("a", GateOutcome.PASSED));
        Decision d = RolloutRules.promote(strict.snapshot(), "line", "a", ANNA, true);
        assertThat(((Decision.Rejected) d).reason()).contains("a is not trusted", "unsigned");
    }

    private static java.security.PublicKey key() {
        try {
            return java.security.KeyPairGenerator.getInstance("Ed25519")
                    .generateKeyPair()
                    .getPublic();
        } catch (java.security.GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    static Stream<Arguments> everyChange() {
        return Stream.of(
                Arguments.of("promote", (ByAuthor) (s, by) -> RolloutRules.promote(s, "line", "c", by, false)),
                Arguments.of("forced promote", (ByAuthor) (s, by) -> RolloutRules.promote(s, "line", "bad", by, true)),
                Arguments.of("shadow", (ByAuthor) (s, by) -> RolloutRules.shadow(s, "line", "c", 5, by, false)),
                Arguments.of("canary", (ByAuthor)
                        (s, by) -> RolloutRules.canary(s, "line", "c", List.of(), List.of(), 5, by, false)),
                Arguments.of("withdraw", (ByAuthor) (s, by) -> RolloutRules.withdraw(s, "line", by)),
                Arguments.of("pin", (ByAuthor) (s, by) -> RolloutRules.pin(s, "line", by)));
    }

    private interface ByAuthor {
        Decision apply(RegistryState known, Author by);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("everyChange")
    void shouldLeaveAPinnedChannelAlone(String name, ByAuthor rule) {
        take(promote("a"));
        take(promote("b"));
        take(shadow("c", 5));
        take(pin(ANNA));
        assertThat(reject(s -> rule.apply(s, ANNA)))
                .contains("pinned by anna since 2026-02-03T04:05:06Z (new lamps)", "'unpin' it first");
        assertThat(reject(s -> rule.apply(s, GUARD))).contains("pinned by anna", "until a person unpins it");
    }

    @Test
    void shouldOnlyRollBackAndUnpinAPinnedChannelByHand() {
        assertThat(reject(pin(ANNA))).contains("nothing to pin");
        assertThat(reject(unpin(ANNA))).contains("not pinned");
        take(promote("a"));
        take(promote("b"));
        assertThat(take(pin(ANNA)))
                .extracting(Rollout::getChampion, Rollout::getPinned, Rollout::getAction)
                .containsExactly("b", true, RolloutAction.PIN);
        assertThat(reject(rollback(GUARD))).contains("pinned by anna");
        assertThat(reject(unpin(GUARD))).contains("until a person");
        assertThat(take(rollback(ANNA)))
                .extracting(Rollout::getChampion, Rollout::getPinned)
                .containsExactly("a", true);
        assertThat(take(unpin(ANNA)))
                .extracting(Rollout::getChampion, Rollout::getPinned, Rollout::getAction)
                .containsExactly("a", false, RolloutAction.UNPIN);
        take(promote("c"));
    }
}
