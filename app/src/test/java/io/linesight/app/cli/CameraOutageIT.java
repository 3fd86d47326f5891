package io.linesight.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.cameras.Camera;
import io.linesight.cameras.CameraDriver;
import io.linesight.cameras.CameraShot;
import io.linesight.cameras.FramePublisher;
import io.linesight.cameras.SentFrames;
import io.linesight.embedded.SharedPlatform;
import io.linesight.schemas.FrameEncoding;
import io.linesight.schemas.FrameRef;
import io.linesight.schemas.clients.DaemonThreads;
import io.linesight.trainer.learning.LabelLine;
import io.linesight.trainer.learning.RegistryFront;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Cameras that start before the schema registry, or while it refuses them. */
@Timeout(300)
class CameraOutageIT {

    private static final class GreyCamera implements Camera {
        @Override
        public String id() {
            return "grey";
        }

        @Override
        public Optional<CameraShot> next() {
            return Optional.of(new CameraShot(
                    "flange", Instant.now(), FrameEncoding.GRAY8, 2, 2, new byte[] {1, 2, 3, 4}, Map.of()));
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = RegistryFront.Fault.class,
            names = {"LAGS"},
            mode = EnumSource.Mode.EXCLUDE)
    void shouldSendEveryFrameUnderItsNumberOnceTheRegistryAnswers(RegistryFront.Fault fault) {
        List<Long> numbers = Collections.synchronizedList(new ArrayList<>());
        List<Integer> rejected = Collections.synchronizedList(new ArrayList<>());
        SentFrames books = new SentFrames() {
            @Override
            public void sent(FrameRef ref, SentFrame sent) {
                numbers.add(sent.sequence());
            }

            @Override
            public void rejected() {
                rejected.add(1);
            }
        };
        try (LabelLine line = new LabelLine(SharedPlatform.kafka(), SharedPlatform.registry(), "camera-" + fault);
                RegistryFront front =
                        new RegistryFront(SharedPlatform.registry().url())) {
            front.answer(fault);
            Map<String, String> settings = new HashMap<>(line.settings);
            settings.put("schema.registry.url", front.url());
            try (FramePublisher publisher = new FramePublisher(settings, line.topics, "line")) {
                CameraDriver driver = new CameraDriver(new GreyCamera(), publisher, books, 50, 0, 3);
                DaemonThreads.start("camera", driver);
                LabelLine.await("asked again and again", () -> front.faults() > 1);
                assertThat(driver.failure()).isNull();
                assertThat(numbers).isEmpty();

                front.answer(null);

                LabelLine.await("all frames are sent", () -> numbers.size() == 3);
                assertThat(numbers).containsExactlyInAnyOrder(0L, 1L, 2L);
                assertThat(rejected).isEmpty();
                assertThat(driver.failure()).isNull();
            }
        }
    }
}
