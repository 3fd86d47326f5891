package io.linesight.trainer.fit;

import io.linesight.mmad.architecture.MapKind;
import io.linesight.trainer.dataset.TextureSource;
import io.linesight.trainer.ChildJvm;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** A training run in a JVM of its own, so that it can be killed. */
final class FitProcess {
    static final int PICTURES = 12;

    private FitProcess() {}

    static FitOptions.Builder options(Path out) {
        return FitOptions.builder()
                .source(new TextureSource(PICTURES, 0))
                .preset("tiny")
                .out(out)
                .runFolder(out.resolveSibling(out.getFileName() + ".fit"))
                .saveEvery(Duration.ZERO)
                .epochs(4)
                .batch(2)
                .seed(5)
                .threads(1)
                .map(MapKind.COSINE)
                .schedule(FitOptions.Schedule.COSINE)
                .patience(50);
    }

    /** @param wrapped what the JVM is started by, such as unshare; may be empty */
    static Process start(Path out, Path log, List<String> wrapped) throws IOException {
        return start(FitProcess.class, out, log, wrapped);
    }

    static Process start(Class<?> main, Path argument, Path log, List<String> wrapped) throws IOException {
        return ChildJvm.start(wrapped, List.of("-Xmx512m"), main, List.of(argument.toString()), log);
    }

    /** As if activations moved between host and device. */
    static Process startCopying(Path out, Path log) throws IOException {
        return ChildJvm.start(
                List.of(),
                List.of("-Xmx512m", "-Dlinesight.torch.copying=true"),
                FitProcess.class,
                List.of(out.toString()),
                log);
    }

    public static void main(String[] args) throws Exception {
        FitResult result = Fit.run(options(Path.of(args[0])).build());
        System.err.println("finished with loss " + result.lastLoss());
    }
}
