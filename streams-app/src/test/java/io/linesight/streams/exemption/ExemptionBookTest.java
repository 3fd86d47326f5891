package io.linesight.streams.exemption;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.mmad.checkpoint.Calibration;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.Checkpoints;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.schemas.ExemptedCell;
import io.linesight.schemas.Exemption;
import io.linesight.schemas.ExemptionState;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.topics.FrameKeys;
import io.linesight.streams.exemption.ExemptionBook.Ignored;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ExemptionBookTest {
    private static final String ENCODER = "aa";

    private final ExemptionBook book = new ExemptionBook("line", 3);
    private long offset;

    private static CheckpointInfo model(String sha, String encoder, String learned) {
        Map<String, String> properties = new HashMap<>(Map.of(Checkpoints.ENCODER_SHA256, encoder));
        if (!learned.isEmpty()) properties.put(Checkpoints.LEARNED_FRAMES, learned);
        return new CheckpointInfo(
                "v-" + sha, sha, new Calibration(new ProductCalibration(0.5, 0.1), Map.of()), properties);
    }

    private static Exemption.Builder exemption(long frame) {
        ByteBuffer feature = ByteBuffer.wrap(new byte[] {1, 2, 3});
        return Exemption.newBuilder()
                .setChannel("line")
                .setProduct("bolt")
                .setFrameRef(new FrameRef("frames", 0, frame))
                .setState(ExemptionState.ACTIVE)
                .setEncoderSha256(ENCODER)
                .setCells(List.of(
                        new ExemptedCell(8, 1, 1, true, 0.1, feature), new ExemptedCell(16, 0, 0, true, 0.1, feature)))
                .setBy("anna")
                .setAt(Instant.EPOCH);
    }

    private void read(Exemption e) {
        book.read(offset++, ExemptionRecords.key(e), e, true);
    }

    private ExemptionBook.InForce inForce() {
        return book.inForce(model("m", ENCODER, ""));
    }

    private int size(String product) {
        return inForce().byProduct().containsKey(product)
                ? inForce().byProduct().get(product).size()
                : 0;
    }

    @Test
    void shouldTakeTheLatestWordOnEveryFrame() {
        read(exemption(1).build());
        read(exemption(2).build());
        read(exemption(1).setProduct("nut").build());
        assertThat(size("bolt")).isEqualTo(2);
        assertThat(size("nut")).isEqualTo(1);
        read(ExemptionRecords.removed(exemption(1).build(), new ExemptionRecords.Word("bob", "a scratch"), false));
        assertThat(size("bolt")).isEqualTo(1);
        assertThat(size("nut")).isEqualTo(1);
        book.read(offset++, ExemptionRecords.key(exemption(2).build()), null, true);
        assertThat(inForce().byProduct()).containsOnlyKeys("nut");
        assertThat(inForce().revision()).isEqualTo(5);
        assertThat(inForce().ignored()).isEmpty();
    }

    @Test
    void shouldPassOverOtherChannelsButCountTheirRecords() {
        read(exemption(1).setChannel("press").build());
        read(exemption(1).setChannel("line2").build());
        assertThat(book.isEmpty()).isTrue();
        assertThat(inForce().revision()).isEqualTo(2);
    }

    @Test
    void shouldPassOverWhatItHasRead() {
        read(exemption(1).build());
        read(ExemptionRecords.removed(exemption(1).build(), new ExemptionRecords.Word("bob", ""), false));
        book.read(0, ExemptionRecords.key(exemption(1).build()), exemption(1).build(), true);
        assertThat(book.isEmpty()).isTrue();
    }

    @Test
    void shouldPassOverOtherEncodersAndWhatTheModelHasLearned() {
        read(exemption(1).build());
        read(exemption(2).setEncoderSha256("bb").build());
        read(exemption(3).build());
        String learned = Checkpoints.learnedName(FrameKeys.of(new FrameRef("frames", 0, 3L)));
        ExemptionBook.InForce now = book.inForce(model("m", ENCODER, "0123456789ab," + learned));
        assertThat(now.size()).isEqualTo(1);
        assertThat(now.ignored()).isEqualTo(Map.of(Ignored.OTHER_ENCODER, 1, Ignored.LEARNED, 1));
        assertThat(book.inForce(model("o", "bb", "")).size()).isEqualTo(1);
        assertThat(book.inForce(model("f", "", "")).size())
                .as("a foreign model")
                .isZero();
    }

    @Test
    void shouldCountTheNewestOfTooMany() {
        for (int i = 0; i < 5; i++) read(exemption(i).build());
        assertThat(size("bolt")).isEqualTo(3);
        assertThat(inForce().ignored()).isEqualTo(Map.of(Ignored.TOO_MANY, 2));
        read(exemption(0).setReason("again").build());
        assertThat(book.active()).hasSize(5);
        assertThat(book.active().get(4).getFrameRef().getOffset())
                .as("newest last")
                .isZero();
    }

    @Test
    void shouldNotCountWhatMakesNoSense() {
        ByteBuffer feature = ByteBuffer.wrap(new byte[] {1});
        List<Exemption> wrong = new ArrayList<>();
        for (double radius : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY, 3})
            wrong.add(exemption(1)
                    .setCells(List.of(
                            new ExemptedCell(8, 1, 1, true, 0.1, feature),
                            new ExemptedCell(16, 0, 0, true, radius, feature)))
                    .build());
        wrong.add(exemption(1).setCells(List.of()).build());
        wrong.add(exemption(1)
                .setCells(List.of(
                        new ExemptedCell(8, 1, 1, true, 0.1, feature), new ExemptedCell(16, 16, 0, true, 0.1, feature)))
                .build());
        wrong.add(exemption(1)
                .setCells(List.of(
                        new ExemptedCell(8, 1, 1, true, 0.1, ByteBuffer.allocate(0)),
                        new ExemptedCell(16, 1, 0, true, 0.1, feature)))
                .build());
        wrong.add(exemption(1)
                .setCells(List.of(
                        new ExemptedCell(4, 1, 1, true, 0.1, feature), new ExemptedCell(16, 1, 0, true, 0.1, feature)))
                .build());
        for (Exemption e : wrong) {
            read(exemption(1).build());
            read(e);
            assertThat(inForce().size()).as("%s", e).isZero();
            assertThat(inForce().ignored()).as("%s", e).isEqualTo(Map.of(Ignored.DAMAGED, 1));
        }
        read(exemption(1).build());
        assertThat(inForce().ignored()).as("replaced by one that makes sense").isEmpty();
        book.read(offset++, ExemptionRecords.key(exemption(1).build()), null, false);
        assertThat(inForce().ignored()).as("bytes that are no record").isEqualTo(Map.of(Ignored.DAMAGED, 1));
        book.read(offset++, "line/bolt/frames-0-9", exemption(8).build(), true);
        assertThat(inForce().size()).as("about another frame than its key").isZero();
    }

    @Test
    void shouldSayWhenARevisionIsRead() throws Exception {
        assertThat(book.awaitRevision(0, Duration.ZERO)).isTrue();
        assertThat(book.awaitRevision(1, Duration.ofMillis(1))).isFalse();
        CompletableFuture<Boolean> waiting = CompletableFuture.supplyAsync(() -> {
            try {
                return book.awaitRevision(2, Duration.ofMinutes(2));
            } catch (InterruptedException e) {
                return false;
            }
        });
        read(exemption(1).build());
        read(exemption(2).build());
        assertThat(waiting.get(2, TimeUnit.MINUTES)).isTrue();
    }

    @Test
    void shouldHoldTenThousandAndComputeTheProductOnce() {
        for (int i = 0; i < 10_000; i++) read(exemption(i).build());
        assertThat(inForce()).isSameAs(inForce());
        assertThat(inForce().size()).isEqualTo(3);
        assertThat(inForce().ignored()).isEqualTo(Map.of(Ignored.TOO_MANY, 9_997));
    }
}
