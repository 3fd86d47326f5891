package io.linesight.app.cli.models;

import io.linesight.app.cli.common.CalibrationTable;
import io.linesight.app.cli.common.Inputs;
import io.linesight.app.cli.common.UserError;
import io.linesight.mmad.checkpoint.Checkpoint;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.models.rollouts.PublishedVersion;
import io.linesight.models.rollouts.RegistryState;
import io.linesight.models.storage.CheckpointStores;
import io.linesight.models.storage.ModelsConfig;
import io.linesight.schemas.ModelStatus;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.ProductMetrics;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
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
            "What the thresholds of a published one rest on is read from the checkpoint itself, which is fetched for that and not kept."
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
    private RegistryOptions line;

    @Parameters(paramLabel = "VERSION|FILE", description = "As 'linesight models list' shows it, or a checkpoint file.")
    private String version;

    @Override
    public Integer call() throws Exception {
        PrintWriter out = spec.commandLine().getOut();
        if (version.endsWith(".onnx") || Files.isRegularFile(Path.of(version)))
            return file(out, Inputs.existing(Path.of(version), "checkpoint"));
        try (RegistryOptions.Open open = line.open()) {
            RegistryState s = open.view().state();
            PublishedVersion v = s.version(version)
                    .orElseThrow(() -> new UserError("there is no version " + version
                            + " in the registry; 'linesight models list' shows those there are"));
            ModelVersion m = v.manifest();
            field(out, "version", m.getVersion());
            field(out, "channel", m.getChannel());
            field(out, "named by", s.aliases(version).isEmpty() ? "nobody" : String.join(", ", s.aliases(version)));
            field(out, "created", Formats.time(m.getCreatedAt()) + " by " + m.getCreatedBy());
            field(out, "parent", m.getParent() == null ? "none" : m.getParent());
            field(
                    out,
                    "size",
                    m.getBytes() + " bytes (" + Formats.size(m.getBytes()) + ")"
                            + (m.getChunks() > 0 ? ", " + m.getChunks() + " chunks" : ""));
            field(out, "location", m.getLocation());
            field(out, "sha256", m.getSha256());
            field(out, "signature", v.verification().message());
            field(
                    out,
                    "gate",
                    Formats.word(m.getGate().getOutcome())
                            + (m.getGate().getAgainst() == null
                                    ? ""
                                    : " against " + m.getGate().getAgainst())
                            + (m.getGate().getReason().isBlank()
                                    ? ""
                                    : ": " + m.getGate().getReason()));
            field(
                    out,
                    "trained on",
                    m.getDataset().getNormals() + " normal, " + m.getDataset().getAnomalous() + " anomalous"
                            + (m.getDataset().getFingerprint().isBlank()
                                    ? ""
                                    : ", fingerprint " + m.getDataset().getFingerprint()));
            if (!m.getNote().isBlank()) field(out, "note", m.getNote());
            if (!m.getProducts().isEmpty()) {
                out.println();
                Table t = new Table(
                        "PRODUCT",
                        "THRESHOLD",
                        "SCALE",
                        "AUROC",
                        "(PARENT)",
                        "FALSE ALARMS",
                        "(PARENT)",
                        "MISSED",
                        "(PARENT)");
                for (ProductMetrics p : m.getProducts()) {
                    t.row(
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
                t.print(out);
            }
            thresholds(out, open.config(), m);
            Table t = new Table("INSTANCE", "STATE", "ROLE", "SINCE", "REASON");
            for (ModelStatus st : s.statuses()) {
                if (st.getVersion().equals(version))
                    t.row(
                            st.getInstance(),
                            Formats.word(st.getState()),
                            Formats.word(st.getRole()),
                            Formats.time(st.getAt()),
                            st.getReason());
            }
            if (!t.isEmpty()) {
                out.println();
                t.print(out);
            }
            return 0;
        }
    }

    /**
     * The manifest has threshold and scale only; what they rest on is told by the file itself, which is fetched and
     * thrown away.
     */
    private void thresholds(PrintWriter out, ModelsConfig config, ModelVersion m) throws IOException {
        Path folder = Files.createTempDirectory("linesight-show-");
        try (CheckpointStores stores = CheckpointStores.open(config)) {
            CheckpointInfo info = Checkpoint.read(stores.fetch(m, folder)).info();
            if (info.calibration().byProduct().isEmpty()) return;
            out.println();
            out.println("What the thresholds rest on:");
            CalibrationTable.print(out, info.calibration().byProduct());
            CalibrationTable.explain(out);
        } catch (IOException e) {
            // The rest of what is asked for is known all the same.
            PrintWriter err = spec.commandLine().getErr();
            err.println("linesight: what the thresholds rest on is in the checkpoint itself, and that cannot be had: "
                    + Table.printable(e.getMessage()));
            err.flush();
        } finally {
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path f : files.sorted(Comparator.reverseOrder()).toList()) Files.deleteIfExists(f);
            }
        }
    }

    /** All that a file says of itself. */
    private static int file(PrintWriter out, Path file) throws IOException {
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
