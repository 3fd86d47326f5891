package io.linesight.app.cli.encoder;

import io.linesight.app.cli.common.Durations;
import io.linesight.app.cli.common.Inputs;
import io.linesight.app.cli.common.UserError;
import io.linesight.mmad.encoder.ImportedEncoder;
import io.linesight.mmad.io.Sha256;
import io.linesight.trainer.encoders.ResNetImport;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Locale;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "pull",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Downloads a network's ImageNet weights as torchvision publishes them, checks their SHA-256 and makes an "
                    + "encoder from them.",
            "Networks: resnet18 (47 MB), resnet34 (87 MB; the published MMAD model's encoder), resnet50 (103 MB), "
                    + "wide_resnet50_2 (138 MB)."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight encoder pull resnet34            # writes resnet34.onnx",
            "  linesight encoder pull resnet34 --from https://mirror.example/resnet34.pth",
            "  linesight encoder pull resnet34 --from resnet34-b627a593.pth --out enc.onnx",
            "",
            "Without a network: download the file elsewhere, bring it here and use --from FILE.",
            "Behind a proxy: LINESIGHT_JAVA_OPTS='-Dhttps.proxyHost=HOST -Dhttps.proxyPort=PORT'."
        })
final class PullCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "NETWORK", description = "resnet18, resnet34, resnet50 or wide_resnet50_2.")
    private String network;

    @Option(names = "--out", paramLabel = "ENCODER.onnx", description = "Encoder to write. Default: NETWORK.onnx.")
    private Path out;

    @Option(
            names = "--from",
            paramLabel = "URL|FILE",
            description = "Another source of the same file: http(s) or a local file. It is checked in the same way.")
    private String from;

    @Option(
            names = "--sha256",
            paramLabel = "HEX",
            description = "SHA-256 that the file must have. Default: only the eight digits in its official name are "
                    + "checked, as PyTorch does.")
    private String sha256;

    @Option(names = "--keep-weights", paramLabel = "FILE", description = "Keep the downloaded weights in this file.")
    private Path keep;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            converter = Durations.class,
            description = "Give up when the server is silent for this long. Default: 30s.")
    private Duration timeout = Duration.ofSeconds(30);

    /** The old name of {@code --timeout}. */
    @Option(names = "--patience", hidden = true, converter = Durations.class)
    private void setPatience(@Nullable Duration patience) {
        if (patience != null) timeout = patience;
    }

    @Override
    public Integer call() throws Exception {
        OfficialWeights weights = OfficialWeights.of(network);
        if (weights == null)
            throw new ParameterException(
                    spec.commandLine(),
                    "there is no network '" + network + "' to pull; there are " + OfficialWeights.names()
                            + ". Other weights can be imported from a file");
        String pinned = sha256 == null ? weights.sha256Begin() : sha256.toLowerCase(Locale.ROOT);
        if (sha256 != null && !pinned.matches("[0-9a-f]{64}"))
            throw new ParameterException(spec.commandLine(), "--sha256 must be 64 hex digits");
        Path target = Inputs.writable(out == null ? Path.of(network + ".onnx") : out);
        if (keep != null) Inputs.writable(keep);
        URI uri = uri(from == null ? weights.url() : from);
        if (uri == null) {
            if (keep != null)
                throw new ParameterException(
                        spec.commandLine(), "--keep-weights is for downloads; " + from + " is a file already");
            make(weights, Inputs.existing(Path.of(from), "file of weights"), pinned, from, target);
            return 0;
        }
        download(weights, uri, pinned, target);
        return 0;
    }

    private void download(OfficialWeights weights, URI uri, String pinned, Path target)
            throws IOException, InterruptedException {
        // Beside the file that stays, so that it can be renamed.
        Path beside = (keep == null ? target : keep).toAbsolutePath();
        Path temporary = beside.resolveSibling("." + weights.file() + "." + UUID.randomUUID() + ".part");
        try {
            spec.commandLine().getErr().println("Downloading " + uri + " ...");
            spec.commandLine().getErr().flush();
            try {
                new Download(timeout).fetch(uri, temporary);
            } catch (IOException e) {
                throw new UserError(
                        network + " could not be downloaded: " + e.getMessage() + ". Nothing was written. "
                                + manualSteps(weights, target),
                        e);
            }
            make(weights, temporary, pinned, uri.toString(), target);
            if (keep == null) return;
            Files.move(
                    temporary,
                    keep.toAbsolutePath(),
                    StandardCopyOption.ATOMIC_MOVE,
                    StandardCopyOption.REPLACE_EXISTING);
            spec.commandLine().getOut().println("The weights are in " + keep);
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    private void make(OfficialWeights weights, Path file, String pinned, String place, Path target) throws IOException {
        String hash = Sha256.hex(file);
        if (!hash.startsWith(pinned)) {
            throw new UserError("the file from " + place + " is not " + weights.file() + ": its SHA-256 is " + hash
                    + " and must " + (pinned.length() == 64 ? "be " : "begin with ") + pinned
                    + ". It is damaged, or something else. Nothing was written. "
                    + (from == null
                            ? manualSteps(weights, target)
                            : "Weights of your own are for 'linesight encoder import'"));
        }
        ImportedEncoder imported = ResNetImport.of(file, weights.network(), ImportCommand.stem(target));
        imported.encoder().save(target);
        PrintWriter o = spec.commandLine().getOut();
        Facts.written(o, imported, Path.of(weights.file()), target, "libtorch with the same weights");
        Facts.field(
                o,
                "weights",
                "SHA-256 " + hash
                        + (sha256 == null
                                ? "; its first 8 digits were checked, --sha256 checks all"
                                : ", as given with --sha256"));
    }

    private static String manualSteps(OfficialWeights weights, Path target) {
        return "Without a network here: download " + weights.url()
                + " on another machine, see that its SHA-256 begins with " + weights.sha256Begin()
                + " (sha256sum), bring it here and run: linesight encoder import " + weights.file() + " --out "
                + target;
    }

    /** The address; null for a file. */
    private @Nullable URI uri(String place) {
        if (!place.matches("(?i)https?://.*")) return null;
        try {
            URI uri = URI.create(place);
            if (uri.getHost() != null) return uri;
        } catch (IllegalArgumentException e) {
            // Said below.
        }
        throw new ParameterException(spec.commandLine(), "--from " + place + " is not an address");
    }
}
