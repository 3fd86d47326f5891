package io.linesight.app.cli.encoder;

import io.linesight.app.cli.common.Inputs;
import io.linesight.app.cli.common.UserError;
import io.linesight.mmad.encoder.ImportedEncoder;
import io.linesight.mmad.encoder.OnnxCut;
import io.linesight.mmad.encoder.ResNetArchitecture;
import io.linesight.trainer.encoders.ResNetImport;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "import",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = {
            "Makes an encoder from a ResNet's weights (.safetensors, .pth, .pt of torchvision or timm) or from any "
                    + "ONNX network.",
            "Code in a .pth file never runs: a file that holds more than tensors is rejected. The encoder is "
                    + "compared with the original on a test image before it is written."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight encoder import resnet34-b627a593.pth --out resnet34.onnx",
            "  linesight encoder import resnet50.safetensors --out resnet50.onnx",
            "  linesight encoder import net.onnx --outputs relu3,relu7,relu13 --out enc.onnx",
            "",
            "With --outputs left out or wrong, the message lists the network's values at strides 4, 8 and 16."
        })
final class ImportCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "FILE", description = "Weights (.safetensors, .pth, .pt) or a network (.onnx).")
    private Path file;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "ENCODER.onnx",
            description =
                    "Encoder to write. RGB in [0,1] in, feature maps at strides 4, 8, 16 out; normalisation is inside.")
    private Path out;

    @Option(
            names = "--arch",
            paramLabel = "NAME",
            defaultValue = "auto",
            completionCandidates = Architectures.class,
            description = "Weights only: ${COMPLETION-CANDIDATES}. auto detects it from the tensors. Default: "
                    + "${DEFAULT-VALUE}.")
    private String architecture;

    @Option(
            names = "--outputs",
            split = ",",
            hideParamSyntax = true,
            paramLabel = "A,B,C",
            description =
                    "ONNX only: names of the values at strides 4, 8, 16, in this order. Default: the network's own "
                            + "three outputs.")
    private List<String> outputs = List.of();

    @Option(
            names = "--mean",
            split = ",",
            hideParamSyntax = true,
            paramLabel = "R,G,B",
            description =
                    "ONNX only: subtracted from the image in [0,1]; needs --std. ImageNet's is 0.485,0.456,0.406.")
    private float[] mean;

    @Option(
            names = "--std",
            split = ",",
            hideParamSyntax = true,
            paramLabel = "R,G,B",
            description = "ONNX only: divisor after --mean. ImageNet's is 0.229,0.224,0.225.")
    private float[] std;

    static final class Architectures implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            List<String> names = new ArrayList<>(List.of("auto"));
            ResNetArchitecture.KNOWN.forEach(a -> names.add(a.name()));
            return names.iterator();
        }
    }

    @Override
    public Integer call() throws Exception {
        boolean onnx = file.toString().endsWith(".onnx");
        require(
                onnx || outputs.isEmpty() && mean == null && std == null,
                "--outputs, --mean and --std are for .onnx files; weights of a ResNet get ImageNet's normalisation "
                        + "by themselves");
        require(!onnx || architecture.equals("auto"), "--arch is for weights; an .onnx file is its own architecture");
        require(outputs.isEmpty() || outputs.size() == 3, "--outputs needs three names, at strides 4, 8 and 16");
        require((mean == null) == (std == null), "--mean and --std belong together");
        require(mean == null || mean.length == 3 && std.length == 3, "--mean and --std need three numbers each: R,G,B");
        if (std != null)
            for (int i = 0; i < 3; i++)
                require(std[i] > 0 && Float.isFinite(std[i]) && Float.isFinite(mean[i]), "--std must be positive");
        require(
                architecture.equals("auto")
                        || ResNetArchitecture.KNOWN.stream()
                                .anyMatch(a -> a.name().equals(architecture)),
                "--arch must be one of " + String.join(", ", new Architectures()));
        Inputs.existing(file, onnx ? "network" : "file of weights");
        Inputs.writable(out);
        if (Files.exists(out) && Files.isSameFile(file, out))
            throw new UserError("--out is the file that is imported; give another name, nothing was done");
        ImportedEncoder imported;
        if (onnx) {
            if (Files.size(file) > Integer.MAX_VALUE - 8)
                throw new UserError(file + " has " + Files.size(file) + " bytes; an ONNX file holds less than 2 GB");
            imported = OnnxCut.cut(Files.readAllBytes(file), stem(out), outputs, mean, std);
        } else {
            imported = ResNetImport.of(file, architecture.equals("auto") ? null : architecture, stem(out));
        }
        imported.encoder().save(out);
        Facts.written(
                spec.commandLine().getOut(),
                imported,
                file,
                out,
                onnx ? "the network as it came" : "libtorch with the same weights");
        return 0;
    }

    private void require(boolean valid, String message) {
        if (!valid) throw new ParameterException(spec.commandLine(), message);
    }

    /** A file's name without its last extension. */
    static String stem(Path file) {
        String name = file.getFileName().toString();
        int dot = name.lastIndexOf('.');
        return dot > 0 ? name.substring(0, dot) : name;
    }
}
