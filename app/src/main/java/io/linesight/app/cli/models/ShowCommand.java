package io.linesight.app.cli.models;

import io.linesight.app.cli.common.CalibrationTable;
import io.linesight.app.cli.common.Inputs;
import io.linesight.app.cli.common.Table;
import io.linesight.app.cli.common.UserError;
import io.linesight.mmad.checkpoint.Checkpoint;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.io.ProcessFolder;
import io.linesight.mmad.io.Scratch;
import io.linesight.models.rollouts.PublishedVersion;
import io.linesight.models.rollouts.RegistryState;
import io.linesight.models.storage.CheckpointStores;
import io.linesight.models.storage.ModelsConfig;
import io.linesight.schemas.DatasetSummary;
import io.linesight.schemas.GateVerdict;
import io.linesight.schemas.ModelStatus;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.ProductMetrics;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "show",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Shows everything about one published checkpoint, or what a checkpoint file says of its thresholds.",
            "What the thresholds of a published one rest on is read from the checkpoint itself, which is fetched for "
                    + "that and not kept."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight models show -b localhost:9092 -r http://localhost:8081 20260101-120000-1a2b3c4d",
            "  linesight models show m.onnx                 a file, no line needed"
        })
final class ShowCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private RegistryOptions registry;

    @Parameters(paramLabel = "VERSION|FILE", description = "As 'linesight models list' shows it, or a checkpoint file.")
    private String version;

    @Override
    public Integer call() throws Exception {
        PrintWriter out = spec.commandLine().getOut();
        if (version.endsWith(".onnx") || Files.isRegularFile(Path.of(version)))
            return printFile(out, Inputs.existing(Path.of(version), "checkpoint"));
        try (RegistryOptions.Open open = registry.open()) {
            RegistryState state = open.view().state();
            PublishedVersion published = state.version(version)
                    .orElseThrow(() -> new UserError("there is no version " + version
                            + " in the registry; 'linesight models list' shows those there are"));
            printManifest(out, state, published);
            printProducts(out, published.manifest());
            printThresholds(out, open.config(), published.manifest());
            printInstances(out, state);
            return 0;
        }
    }

    private void printManifest(PrintWriter out, RegistryState state, PublishedVersion published) {
        ModelVersion m = published.manifest();
        List<String> aliases = state.aliases(version);
        field(out, "version", m.getVersion());
        field(out, "channel", m.getChannel());
        field(out, "named by", aliases.isEmpty() ? "nobody" : String.join(", ", aliases));
        field(out, "created", Table.time(m.getCreatedAt()) + " by " + m.getCreatedBy());
        field(out, "parent", m.getParent() == null ? "none" : m.getParent());
        field(
                out,
                "size",
                m.getBytes() + " bytes (" + Formats.size(m.getBytes()) + ")"
                        + (m.getChunks() > 0 ? ", " + m.getChunks() + " chunks" : ""));
        field(out, "location", m.getLocation());
        field(out, "sha256", m.getSha256());
        field(out, "signature", published.verification().message());
        field(out, "gate", describe(m.getGate()));
        field(out, "trained on", describe(m.getDataset()));
        if (!m.getNote().isBlank()) field(out, "note", m.getNote());
    }

    private static String describe(GateVerdict gate) {
        return Formats.word(gate.getOutcome())
                + (gate.getAgainst() == null ? "" : " against " + gate.getAgainst())
                + (gate.getReason().isBlank() ? "" : ": " + gate.getReason());
    }

    private static String describe(DatasetSummary dataset) {
        return dataset.getNormals() + " normal, " + dataset.getAnomalous() + " anomalous"
                + (dataset.getFingerprint().isBlank() ? "" : ", fingerprint " + dataset.getFingerprint());
    }

    private static void printProducts(PrintWriter out, ModelVersion m) {
        if (m.getProducts().isEmpty()) return;
        Table table = new Table(
                "PRODUCT", "THRESHOLD", "SCALE", "AUROC", "(PARENT)", "FALSE ALARMS", "(PARENT)", "MISSED", "(PARENT)");
        for (ProductMetrics p : m.getProducts()) {
            table.row(
                    p.getProduct(),
                    Formats.number(p.getThreshold()),
                    Formats.number(p.getScale()),
                    Formats.number(p.getImageAuroc()),
                    Formats.number(p.getParentImageAuroc()),
                    Formats.rate(p.getFalseAlarmRate()),
                    Formats.rate(p.getParentFalseAlarmRate()),
                    Formats.rate(p.getMissRate()),
                    Formats.rate(p.getParentMissRate()));
        }
        out.println();
        table.print(out);
    }

    private void printInstances(PrintWriter out, RegistryState state) {
        Table table = new Table("INSTANCE", "STATE", "ROLE", "SINCE", "REASON");
        for (ModelStatus status : state.statuses()) {
            if (status.getVersion().equals(version))
                table.row(
                        status.getInstance(),
                        Formats.word(status.getState()),
                        Formats.word(status.getRole()),
                        Table.time(status.getAt()),
                        status.getReason());
        }
        if (table.isEmpty()) return;
        out.println();
        table.print(out);
    }

    /**
     * Prints what the thresholds rest on. The manifest has threshold and scale only, so the checkpoint is fetched into
     * a temporary folder.
     */
    private void printThresholds(PrintWriter out, ModelsConfig config, ModelVersion m) throws IOException {
        Path folder = ProcessFolder.create("show-");
        try (CheckpointStores stores = CheckpointStores.open(config)) {
            CheckpointInfo info = Checkpoint.read(stores.fetch(m, folder)).info();
            if (info.calibration().byProduct().isEmpty()) return;
            out.println();
            out.println("What the thresholds rest on:");
            CalibrationTable.print(out, info.calibration().byProduct());
            CalibrationTable.explain(out);
        } catch (IOException e) {
            // Everything else is printed all the same.
            PrintWriter err = spec.commandLine().getErr();
            err.println("linesight: what the thresholds rest on is in the checkpoint itself, which cannot be fetched: "
                    + Table.printable(e.getMessage()));
            err.flush();
        } finally {
            Scratch.delete(folder);
        }
    }

    /** Prints what a checkpoint file says of itself. */
    private static int printFile(PrintWriter out, Path file) throws IOException {
        CheckpointInfo info = Checkpoint.read(file).info();
        field(out, "version", info.version());
        field(out, "sha256", info.sha256());
        field(
                out,
                "fallback",
                "threshold " + Formats.number(info.calibration().fallback().threshold()) + ", scale "
                        + Formats.number(info.calibration().fallback().scale()) + ", for products not listed");
        if (!info.calibration().byProduct().isEmpty()) {
            out.println();
            CalibrationTable.print(out, info.calibration().byProduct());
            CalibrationTable.explain(out);
        }
        return 0;
    }

    private static void field(PrintWriter out, String name, String value) {
        out.println((name + ":" + " ".repeat(12)).substring(0, 12) + Table.printable(value));
    }
}
