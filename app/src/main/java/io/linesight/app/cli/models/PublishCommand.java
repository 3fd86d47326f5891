package io.linesight.app.cli.models;

import io.linesight.app.cli.common.Inputs;
import io.linesight.app.cli.common.Person;
import io.linesight.mmad.checkpoint.Checkpoint;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.models.rollouts.ModelPublisher;
import io.linesight.models.signing.CheckpointSigner;
import io.linesight.models.storage.CheckpointStores;
import io.linesight.schemas.ModelVersion;
import io.linesight.trainer.learning.ManifestDrafts;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "publish",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Makes a checkpoint available to the line. It runs nowhere before 'promote', 'shadow' or 'canary' "
                        + "names it. Publishing the same again changes nothing and brings back bytes that were lost.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight models publish -b localhost:9092 -r http://localhost:8081 --key line.key m.onnx --note 'new "
                    + "lamps'",
            "  linesight models publish -c line.properties --store file:/srv/models m.onnx         a folder that all "
                    + "instances see",
            "  linesight models publish -c line.properties --store https://files.plant.example/models m.onnx"
        })
final class PublishCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private RegistryOptions registry;

    @Parameters(
            paramLabel = "FILE",
            description =
                    "Checkpoint, as 'linesight fit' writes it, or another ONNX model with its inputs and outputs.")
    private Path file;

    @Option(
            names = "--channel",
            paramLabel = "NAME",
            defaultValue = DecisionOptions.CHANNEL,
            description = "Rollout channel it is for (${DEFAULT-VALUE}).")
    private String channel;

    @Option(
            names = "--key",
            paramLabel = "PRIVATE.PEM",
            description =
                    "Sign with this key; without one the version is unsigned, and instances that trust keys reject it.")
    private Path key;

    @Option(
            names = "--store",
            paramLabel = "kafka:|file:DIR|http(s)://...",
            defaultValue = CheckpointStores.KAFKA,
            description = "Where the bytes go (${DEFAULT-VALUE}).")
    private String store;

    @Option(names = "--note", paramLabel = "TEXT", defaultValue = "", description = "For people.")
    private String note;

    @Option(names = "--by", paramLabel = "NAME", description = "Who publishes; the user of this system by default.")
    private String by;

    @Override
    public Integer call() throws Exception {
        PrintWriter out = spec.commandLine().getOut();
        CheckpointInfo info =
                Checkpoint.read(Inputs.existing(file, "checkpoint")).info();
        Optional<CheckpointSigner> signer = key == null ? Optional.empty() : Optional.of(CheckpointSigner.load(key));
        ModelVersion draft = ManifestDrafts.byHand(info, channel, Person.named(by), note);
        try (RegistryOptions.Open open = registry.open();
                CheckpointStores stores = CheckpointStores.open(open.config(), store)) {
            ModelVersion m = new ModelPublisher(
                            stores,
                            open.registry(),
                            open.view(),
                            signer,
                            open.config().timeout())
                    .publish(file, draft);
            out.println("Published " + m.getVersion() + " for '" + channel + "': " + Formats.size(m.getBytes())
                    + (m.getChunks() > 0 ? " in " + m.getChunks() + " chunks" : "") + " at " + m.getLocation() + ", "
                    + (signer.isPresent() ? "signed by key " + m.getKeyId() : "unsigned") + ".");
            out.println("It runs nowhere yet: 'linesight models shadow', 'canary' or 'promote' decide that.");
            return 0;
        }
    }
}
