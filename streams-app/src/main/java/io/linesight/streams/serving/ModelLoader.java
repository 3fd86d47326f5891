package io.linesight.streams.serving;

import io.linesight.mmad.checkpoint.Checkpoint;
import io.linesight.mmad.checkpoint.CheckpointInfo;
import io.linesight.mmad.checkpoint.Checkpoints;
import io.linesight.mmad.runtime.ScoringException;
import io.linesight.mmad.score.Scorer;
import io.linesight.mmad.score.Scores;
import io.linesight.mmad.score.SelfTest;
import io.linesight.schemas.ModelVersion;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * From a manifest to a model that is ready for frames: signature, download, size and checksum, session, self-test,
 * warm-up. Nothing of this touches the champion, and whatever goes wrong leaves nothing behind: no session, no file.
 *
 * <p>One load at a time, on the caller's thread.
 */
public final class ModelLoader {

    /** Opens a checkpoint; throws when it is not one that can be served. */
    @FunctionalInterface
    public interface Opener {
        Scorer open(Checkpoint checkpoint);
    }

    private static final Logger LOG = LoggerFactory.getLogger(ModelLoader.class);
    private static final int WARM_UP_BATCH = 4;
    private static final String PREFIX = "load-";
    /** Max length of an array, which a checkpoint is read into. */
    private static final long MAX_BYTES = Integer.MAX_VALUE - 8;
    /** A download that is older was left behind by a process that died. */
    private static final Duration LEFT_BEHIND = Duration.ofDays(1);

    private final ModelSource source;
    private final ModelTrust trust;
    private final Opener opener;
    private final Path directory;
    private final int maxBatch;
    private final Executor closer;

    /**
     * @param directory for downloads; created when missing. Several instances may share it
     * @param maxBatch largest batch of the batcher the models are for
     * @param closer runs the closing of models that nobody needs any more
     */
    public ModelLoader(
            ModelSource source, ModelTrust trust, Opener opener, Path directory, int maxBatch, Executor closer) {
        this.source = Objects.requireNonNull(source, "source");
        this.trust = Objects.requireNonNull(trust, "trust");
        this.opener = Objects.requireNonNull(opener, "opener");
        this.directory = Objects.requireNonNull(directory, "directory");
        this.maxBatch = maxBatch;
        this.closer = Objects.requireNonNull(closer, "closer");
    }

    /**
     * Loads a published checkpoint.
     *
     * @param cancelled asked between the steps
     * @throws ModelRejectedException when it is not fit to serve, or cannot be had now
     * @throws CancellationException when {@code cancelled} said so
     */
    LoadedModel load(ModelVersion manifest, BooleanSupplier cancelled) throws ModelRejectedException {
        trust.check(manifest);
        Path folder;
        try {
            Files.createDirectories(directory);
            sweep();
            folder = Files.createTempDirectory(directory, PREFIX);
        } catch (IOException e) {
            throw new ModelRejectedException(
                    "there is no place for the download: " + directory + " cannot be written (" + e + ")", e, true);
        }
        try {
            Path file = fetch(manifest, folder);
            stop(cancelled);
            return prepare(open(manifest, file, cancelled), manifest, cancelled);
        } finally {
            delete(folder);
        }
    }

    /**
     * Opens and warms up the checkpoint that somebody configured by hand: it needs no manifest and no self-test.
     *
     * @throws ModelRejectedException when it cannot be opened or does not score
     */
    LoadedModel loadFile(Supplier<Scorer> file) throws ModelRejectedException {
        Scorer scorer;
        try {
            scorer = file.get();
        } catch (ScoringException e) {
            throw new ModelRejectedException(message(e), e, false);
        }
        return prepare(scorer, null, () -> false);
    }

    private Path fetch(ModelVersion manifest, Path folder) throws ModelRejectedException {
        try {
            Path file = source.fetch(manifest, folder);
            if (file == null || !Files.isRegularFile(file)) throw new IOException("the store gave no file");
            return file;
        } catch (IOException | RuntimeException e) {
            throw new ModelRejectedException(
                    "it could not be fetched from " + manifest.getLocation() + ": " + message(e), e, true);
        }
    }

    private static Checkpoint verify(ModelVersion manifest, Path file) throws ModelRejectedException {
        Checkpoint checkpoint;
        try {
            long size = Files.size(file);
            if (size != manifest.getBytes()) {
                throw new ModelRejectedException(
                        "it has " + size + " bytes instead of " + manifest.getBytes() + ": the file is "
                                + (size < manifest.getBytes() ? "truncated" : "not the one that was published"));
            }
            if (size > MAX_BYTES) {
                throw new ModelRejectedException("it has " + size + " bytes; an ONNX file holds less than 2 GB");
            }
            checkpoint = Checkpoint.read(file);
        } catch (IOException e) {
            throw new ModelRejectedException("the download cannot be read: " + e, e, true);
        }
        String found = checkpoint.sha256();
        if (!found.equalsIgnoreCase(manifest.getSha256())) {
            throw new ModelRejectedException("its checksum is " + found + " instead of " + manifest.getSha256()
                    + ": the bytes are not those that were published");
        }
        return checkpoint;
    }

    /** Reads the file once; its bytes are released as soon as a session has taken them. */
    private Scorer open(ModelVersion manifest, Path file, BooleanSupplier cancelled) throws ModelRejectedException {
        Checkpoint checkpoint = verify(manifest, file);
        stop(cancelled);
        try {
            return opener.open(checkpoint);
        } catch (RuntimeException e) {
            // People know the version; the file is temporary and its name means nothing.
            throw new ModelRejectedException(message(e).replace(file.toString(), manifest.getVersion()), e, false);
        }
    }

    private LoadedModel prepare(Scorer scorer, @Nullable ModelVersion manifest, BooleanSupplier cancelled)
            throws ModelRejectedException {
        boolean ready = false;
        try {
            CheckpointInfo info = manifest == null ? scorer.info() : named(scorer.info(), manifest);
            stop(cancelled);
            if (manifest != null) SelfTest.check(scorer);
            stop(cancelled);
            LoadedModel model = new LoadedModel(scorer, info, warmUp(scorer), closer);
            ready = true;
            return model;
        } catch (ScoringException e) {
            throw new ModelRejectedException(message(e), e, false);
        } catch (CancellationException e) {
            throw e;
        } catch (RuntimeException e) {
            String failed = manifest != null ? "it failed its self-test: " : "the checkpoint failed its warm-up: ";
            throw new ModelRejectedException(failed + message(e), e, false);
        } finally {
            // Whatever it was, an Error of the JVM included: a session nobody knows of would stay for ever.
            if (!ready) close(scorer);
        }
    }

    private static void close(Scorer scorer) {
        try {
            scorer.close();
        } catch (RuntimeException e) {
            LOG.error("A rejected model could not be closed; its memory stays until the process ends", e);
        }
    }

    /** Results name the version by which people know the model, so the file and the registry must agree on it. */
    private static CheckpointInfo named(CheckpointInfo info, ModelVersion manifest) throws ModelRejectedException {
        if (info.version().equals(manifest.getVersion())) return info;
        String own = info.properties().get(Checkpoints.VERSION);
        if (own != null) {
            throw new ModelRejectedException("the file calls itself " + own + " but was published as "
                    + manifest.getVersion() + ": publish it again under its own name");
        }
        return new CheckpointInfo(manifest.getVersion(), info.sha256(), info.calibration(), info.properties());
    }

    /**
     * The first inference allocates and compiles; no frame should wait for that, and a model that cannot score should
     * not start. Returns nanoseconds per frame.
     */
    private long warmUp(Scorer scorer) {
        int batch = Math.max(1, Math.min(WARM_UP_BATCH, maxBatch));
        List<byte[]> frames = Collections.nCopies(batch, SelfTest.frames().get(0));
        Scores scores = scorer.score(frames);
        long start = System.nanoTime();
        scores = scorer.score(frames);
        return Math.max(1, (System.nanoTime() - start) / Math.max(1, scores.count()));
    }

    private static void stop(BooleanSupplier cancelled) {
        if (cancelled.getAsBoolean()) throw new CancellationException("a newer decision overtook the load");
    }

    private static String message(Throwable e) {
        return e.getMessage() == null ? e.toString() : e.getMessage();
    }

    private void sweep() throws IOException {
        Instant limit = Instant.now().minus(LEFT_BEHIND);
        try (var entries = Files.newDirectoryStream(directory, PREFIX + "*")) {
            for (Path entry : entries) {
                if (Files.isDirectory(entry)
                        && Files.getLastModifiedTime(entry).toInstant().isBefore(limit)) delete(entry);
            }
        }
    }

    private static void delete(Path folder) {
        try {
            Files.walkFileTree(folder, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                    Files.delete(file);
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult postVisitDirectory(Path directory, IOException e) throws IOException {
                    Files.delete(directory);
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException e) {
            LOG.warn(
                    "The download {} could not be deleted; the next load after a day tries again: {}",
                    folder,
                    e.toString());
        }
    }
}
