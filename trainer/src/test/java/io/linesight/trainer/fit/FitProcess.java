package io.linesight.trainer.fit;

import io.linesight.embedded.JavaProcess;
import io.linesight.mmad.architecture.MapKind;
import io.linesight.trainer.dataset.TextureSource;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** A training run in a JVM of its own, so that it can be killed. */
final class FitProcess {
    static final int IMAGES = 12;

    private FitProcess() {}

    static FitOptions options(Path out) {
        return FitOptions.of(new TextureSource(IMAGES, 0), out)
                // A tenth of the work of a step, and all that is saved and read again.
                .network(n -> n.withPreset("tiny").withMap(MapKind.COSINE).withFinestStride(16))
                .output(o -> o.withRunFolder(out.resolveSibling(out.getFileName() + ".fit"))
                        .withSaveEvery(Duration.ZERO))
                .training(t -> t.withEpochs(4)
                        .withBatch(2)
                        .withSeed(5)
                        .withSchedule(FitOptions.Schedule.COSINE, 0)
                        .withEarlyStop(50, 0))
                .machine(m -> m.withThreads(1));
    }

    /** @param wrapped what the JVM is started by, such as unshare; may be empty */
    static Process start(Path out, Path log, List<String> wrapped) throws IOException {
        return start(FitProcess.class, out, log, wrapped);
    }

    static Process start(Class<?> main, Path argument, Path log, List<String> wrapped) throws IOException {
        return JavaProcess.start(wrapped, List.of("-Xmx512m"), main, List.of(argument.toString()), log);
    }

    /** One epoch: copying takes many times as long. */
    static FitOptions copyingOptions(Path out) {
        return options(out).training(t -> t.withEpochs(1));
    }

    /** As if activations moved between host and device. */
    static Process startCopying(Path out, Path log) throws IOException {
        return JavaProcess.start(
                List.of(),
                List.of("-Xmx512m", "-Dlinesight.torch.copying=true"),
                FitProcess.class,
                List.of(out.toString(), "copying"),
                log);
    }

    public static void main(String[] args) throws Exception {
        Path out = Path.of(args[0]);
        FitResult result = Fit.run(args.length > 1 ? copyingOptions(out) : options(out));
        System.err.println("finished with loss " + result.lastLoss());
    }
}
