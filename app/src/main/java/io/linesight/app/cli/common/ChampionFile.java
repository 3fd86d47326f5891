package io.linesight.app.cli.common;

import io.linesight.models.storage.ModelsConfig;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.Rollout;
import io.linesight.streams.routing.FollowedChannel;
import io.linesight.streams.serving.ModelRejectedException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options that name the checkpoint in service: a file, or by default the channel's champion; gets it. */
public final class ChampionFile {
    @Option(
            names = "--model",
            paramLabel = "FILE",
            description = "Checkpoint in service. Default: the channel's champion.")
    private @Nullable Path model;

    @Option(
            names = "--trust",
            paramLabel = "PUBLIC.PEM",
            description = "Public key whose signatures count (linesight.models.trusted.keys); may be repeated.")
    private List<Path> trust = new ArrayList<>();

    /**
     * A checkpoint.
     *
     * @param version that results name; null where the file itself tells
     */
    public record Got(Path file, @Nullable String version) {}

    /**
     * Gets it, the champion by a download into a folder.
     *
     * @param who does it, for the log of the registry
     * @throws UserError when it cannot be had
     */
    public Got get(Map<String, String> given, String channel, String who, Path folder) throws InterruptedException {
        if (model != null) return new Got(model, null);
        Map<String, String> settings = new HashMap<>(given);
        if (!trust.isEmpty())
            settings.put(
                    ModelsConfig.TRUSTED_KEYS,
                    trust.stream().map(Path::toString).collect(Collectors.joining(",")));
        try (FollowedChannel followed = FollowedChannel.open(settings, channel, who)) {
            String version = followed.control()
                    .feed()
                    .current()
                    .map(Rollout::getChampion)
                    .orElse(null);
            if (version == null)
                throw new UserError("channel '" + channel
                        + "' has no champion; give the checkpoint that serves with --model. Nothing was done");
            ModelVersion manifest = followed.control().feed().version(version).orElseThrow();
            followed.control().trust().check(manifest);
            return new Got(followed.control().source().fetch(manifest, folder), version);
        } catch (IOException | IllegalArgumentException | KafkaException e) {
            throw new UserError(
                    "the champion of channel '" + channel + "' cannot be had: " + e.getMessage()
                            + ". Give it with --model. Nothing was done",
                    e);
        } catch (ModelRejectedException e) {
            throw new UserError("the champion is not trusted: " + e.getMessage() + ". Nothing was done", e);
        }
    }
}
