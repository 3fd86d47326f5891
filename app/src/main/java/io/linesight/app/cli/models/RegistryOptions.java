package io.linesight.app.cli.models;

import io.linesight.app.cli.common.Kafka;
import io.linesight.app.cli.common.UserError;
import io.linesight.models.rollouts.ModelRegistry;
import io.linesight.models.rollouts.ModelRegistryView;
import io.linesight.models.signing.TrustedKeys;
import io.linesight.models.storage.ModelsConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.security.PublicKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.KafkaException;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options that name the model registry and the keys that are trusted; opens it. */
final class RegistryOptions {
    @Mixin
    private Kafka kafka;

    @Option(
            names = "--trust",
            paramLabel = "PUBLIC.PEM",
            description = "Public key whose signatures count (linesight.models.trusted.keys); may be repeated. Without "
                    + "one, signatures are not checked here; every instance checks them itself.")
    private List<Path> trust = new ArrayList<>();

    /** What a command works with; closed by it. */
    record Open(ModelsConfig config, ModelRegistry registry, ModelRegistryView view) implements AutoCloseable {
        @Override
        public void close() {
            view.close();
            registry.close();
        }
    }

    private ModelsConfig config() {
        Map<String, String> settings = kafka.clientSettings();
        Kafka.require(settings, "bootstrap.servers", "--bootstrap");
        Kafka.require(settings, "schema.registry.url", "--registry");
        settings.putIfAbsent(ModelsConfig.TIMEOUT_MS, "15000");
        if (!trust.isEmpty())
            settings.put(
                    ModelsConfig.TRUSTED_KEYS,
                    String.join(",", trust.stream().map(Path::toString).toList()));
        return ModelsConfig.of(settings);
    }

    /** Connects and reads everything. */
    Open open() throws IOException, InterruptedException {
        ModelsConfig config = config();
        TrustedKeys trusted =
                config.trustedKeys().isEmpty() ? TrustedKeys.orUnsigned(List.<PublicKey>of()) : TrustedKeys.of(config);
        ModelRegistry registry = null;
        ModelRegistryView view = null;
        boolean done = false;
        try {
            registry = ModelRegistry.open(config);
            view = ModelRegistryView.open(config, trusted);
            if (!view.awaitCaughtUp(config.timeout())) {
                throw new UserError("the model registry could not be read within "
                        + config.timeout().toSeconds() + " s: " + view.obstacle() + ". Allow more time with --set "
                        + ModelsConfig.TIMEOUT_MS + "=60000 where it is only slow. Nothing was done");
            }
            done = true;
            return new Open(config, registry, view);
        } catch (KafkaException e) {
            throw new UserError(e.getMessage() + ". Nothing was done", e);
        } finally {
            if (!done) {
                if (view != null) view.close();
                if (registry != null) registry.close();
            }
        }
    }
}
