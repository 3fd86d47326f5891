package io.linesight.app.hostile;

import io.linesight.app.cli.LabelCsvDoor;
import io.linesight.mmad.checkpoint.Checkpoint;
import io.linesight.mmad.io.Npy;
import io.linesight.mmad.io.NpyArray;
import io.linesight.mmad.io.Npz;
import io.linesight.mmad.statedict.StateDicts;
import io.linesight.models.signing.CheckpointSigner;
import io.linesight.models.signing.KeyFiles;
import io.linesight.models.storage.ModelsConfig;
import io.linesight.schemas.registry.SchemaRegistryClient;
import io.linesight.streams.config.InspectionConfig;
import io.linesight.streams.config.InvalidConfigException;
import io.linesight.trainer.folders.DatasetLayout;
import io.linesight.trainer.folders.ImageSource;
import io.linesight.trainer.imagestore.DatasetStore;
import io.linesight.trainer.imagestore.PendingLabel;
import io.linesight.trainer.imagestore.StoreConfig;
import io.linesight.trainer.learning.TrainerConfig;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/** Readers of files. One thread. */
final class FileTargets {
    private final Path work;

    /** @param work folder for the files */
    FileTargets(Path work) {
        this.work = work;
    }

    private Path file(String name, byte[] content) throws IOException {
        return Files.write(work.resolve(name), content);
    }

    String labelCsv(byte[] input) throws IOException {
        LabelCsvDoor.read(file("labels.csv", input));
        return null;
    }

    String checkpoint(byte[] input) throws IOException {
        Path file = file("model.onnx", input);
        Checkpoint.read(file).info().calibration().forProduct("bolt").calibrated(1);
        switch (input.length % 4) {
            case 0 -> Checkpoint.read(file).config();
            case 1 -> Checkpoint.read(file).encoder();
            case 2 -> Checkpoint.read(file).weights();
            default -> {}
        }
        return null;
    }

    String stateDict(byte[] input) throws IOException {
        StateDicts.read(file("weights", input));
        return null;
    }

    String numpy(byte[] input) throws IOException {
        if (input.length > 1 && input[0] == 'P' && input[1] == 'K') {
            try (Npz npz = Npz.open(file("arrays.npz", input))) {
                for (String name : npz.names()) {
                    NpyArray a = npz.get(name);
                    if (a.size() < 0) throw new AssertionError("a negative size");
                }
            }
        } else {
            Npy.parse(input, "array.npy");
        }
        return null;
    }

    String keyFile(byte[] input) throws IOException {
        Path file = file("key.pem", input);
        try {
            KeyFiles.id(KeyFiles.readPublic(file));
        } catch (IOException e) {
            reason(e);
            CheckpointSigner.load(file).keyId();
        }
        return null;
    }

    String settings(byte[] input) throws IOException {
        Path file = file("line.properties", input);
        String rejected = null;
        try {
            InspectionConfig.ofFile(file).toString();
        } catch (InvalidConfigException e) {
            rejected = reason(e);
        }
        Properties p = new Properties();
        p.load(new StringReader(new String(input, StandardCharsets.UTF_8)));
        Map<String, String> settings = new HashMap<>();
        p.stringPropertyNames().forEach(n -> settings.put(n, p.getProperty(n)));
        try {
            ModelsConfig.of(settings).toString();
        } catch (IllegalArgumentException e) {
            rejected = reason(e);
        }
        try {
            TrainerConfig.of(settings, work);
        } catch (IllegalArgumentException e) {
            rejected = reason(e);
        }
        new SchemaRegistryClient(settings);
        return rejected;
    }

    private static String reason(Exception e) {
        if (e.getMessage() == null || e.getMessage().isBlank())
            throw new AssertionError("rejected without a reason", e);
        return e.getMessage();
    }

    String visaTable(byte[] input) throws IOException {
        Path root = Files.createDirectories(work.resolve("visa"));
        for (String image : List.of("a.png", "b.png", "c.png"))
            if (!Files.exists(root.resolve(image))) Files.write(root.resolve(image), new byte[] {1});
        ImageSource source = DatasetLayout.open(
                        List.of(root), List.of(), DatasetLayout.VISA, Files.write(root.resolve("table.csv"), input))
                .source();
        for (String category : source.categories()) source.test(category).size();
        return null;
    }

    String storeJournal(byte[] input) throws IOException {
        Path folder = work.resolve("store");
        Path images = folder.resolve("pictures");
        for (String sha : Corpus.PICTURES.keySet()) {
            Path p = images.resolve(sha.substring(0, 2)).resolve(sha);
            Files.createDirectories(p.getParent());
            if (!Files.exists(p)) Files.write(p, Corpus.PICTURES.get(sha));
        }
        Path outside = work.resolve("outside");
        Files.write(outside, new byte[] {1});
        Files.write(folder.resolve("journal.jsonl"), input);
        try (DatasetStore store = DatasetStore.open(StoreConfig.in(folder))) {
            store.bytes();
            store.images().size();
            store.positions().size();
            for (PendingLabel p : store.pending()) p.since().toEpochMilli();
        } finally {
            if (!Files.exists(outside)) throw new AssertionError("a file outside the store was removed");
        }
        return null;
    }
}
