package io.linesight.app.line;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.app.cli.Linesight;
import io.linesight.embedded.SharedPlatform;
import io.linesight.schemas.InspectionResult;
import io.linesight.schemas.ModelState;
import io.linesight.schemas.Rollout;
import io.linesight.streams.ChildJvm;
import io.linesight.streams.Desk;
import io.linesight.streams.Line;
import io.linesight.streams.ToyCheckpoint;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The command {@code serve} as a process: it follows rollouts without a checkpoint of its own, ends on SIGTERM, and
 * says why where it cannot start.
 */
@Timeout(600)
class ServeIT {
    private static final String INSTANCE = "line-0";

    @TempDir
    private Path folder;

    private Line line;
    private Desk desk;

    private ChildJvm serve(String name, String... options) throws Exception {
        List<String> arguments = new ArrayList<>(List.of("serve"));
        Map<String, String> settings = desk.settings(line, "serve", INSTANCE);
        settings.remove("linesight.models.trusted.keys");
        settings.forEach((k, v) -> arguments.addAll(List.of("--set", k + "=" + v)));
        arguments.addAll(List.of(options));
        return new ChildJvm(folder.resolve(name + ".log"), Linesight.class, arguments.toArray(String[]::new));
    }

    private void inspect(long first) throws Exception {
        for (long i = first; i < first + 20; i++)
            line.send(0, Line.frame("cam", i, 10).build());
        line.flush();
        line.awaitCommitted("serve", first + 20, Desk.TIMEOUT);
    }

    @Test
    void shouldFollowItsChannelUntilItIsStoppedAndSayWhyItCannot() throws Exception {
        try (Line serving = new Line(SharedPlatform.kafka(), SharedPlatform.registry(), "serve", 1);
                Desk people = new Desk(serving, folder.resolve("desk"))) {
            line = serving;
            desk = people;
            desk.publish("v1", ToyCheckpoint.bytes("v1", 1));
            desk.publish("v2", ToyCheckpoint.bytes("v2", 2));
            Rollout first = desk.promote("v1");
            String trust = desk.publicKey.toString();
            Path nowhere = folder.resolve("nowhere.pub");
            try (ChildJvm good = serve("good", "--trust", trust, "--instance", INSTANCE);
                    ChildJvm keyless = serve("keyless", "--trust", nowhere.toString());
                    ChildJvm empty = serve("empty", "--trust", trust, "--channel", "press")) {
                good.awaitSaying("with model v1, instance line-0 of channel 'default'. Ctrl-C stops");
                desk.awaitStatus(INSTANCE, "v1", ModelState.ACTIVE, first.getRevision(), good::said);
                inspect(0);
                Rollout second = desk.promote("v2");
                desk.awaitStatus(INSTANCE, "v2", ModelState.ACTIVE, second.getRevision(), good::said);
                inspect(20);
                good.terminate();
                assertThat(good.awaitExit()).as(good::said).isZero();
                desk.awaitStatus(INSTANCE, "v2", ModelState.RETIRED, second.getRevision(), good::said);
                assertRejected(keyless, nowhere + "", "there is no such key file", "Nothing was started");
                assertRejected(
                        empty, "The channel 'press' has no champion: promote a version there", "give a model file");
            }
            assertThat(line.results())
                    .extracting(InspectionResult::getSequence)
                    .containsExactlyElementsOf(LongStream.range(0, 40).boxed().toList());
            assertThat(line.results()).allSatisfy(r -> {
                assertThat(r.getModelVersion()).isEqualTo(r.getSequence() < 20 ? "v1" : "v2");
                assertThat(r.getRawScore()).isCloseTo(r.getSequence() < 20 ? 10f : 20f, Offset.offset(0.01f));
            });
        }
    }

    private static void assertRejected(ChildJvm serve, String... why) throws Exception {
        assertThat(serve.awaitExit()).as(serve::said).isEqualTo(1);
        String error = serve.said()
                .lines()
                .filter(l -> l.startsWith("linesight: "))
                .findFirst()
                .orElse("");
        System.out.println("ServeIT: " + error);
        assertThat(error).as(serve::said).contains(why);
        assertThat(serve.said()).as("no stack trace").doesNotContain("\tat ");
    }
}
