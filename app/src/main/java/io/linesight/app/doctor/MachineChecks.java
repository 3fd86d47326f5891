package io.linesight.app.doctor;

import io.linesight.app.doctor.Check.NotApplicable;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.ImageLimits;
import io.linesight.mmad.image.RgbImage;
import io.linesight.mmad.onnx.OnnxRuntime;
import io.linesight.mmad.runtime.DeviceChooser;
import io.linesight.trainer.torch.Torch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** Checks of this machine. */
final class MachineChecks {
    private static final long MIN_FREE_BYTES = 1L << 30;

    private final DoctorOptions options;

    MachineChecks(DoctorOptions options) {
        this.options = options;
    }

    /** Whether the native libraries load. */
    String natives(List<Finding> found) {
        List<String> facts = new ArrayList<>();
        checkLoads("ONNX Runtime", () -> OnnxRuntime.environment().getVersion(), facts, found);
        checkLoads(
                "OpenCV",
                () -> {
                    ImageCodec.decode(
                            ImageCodec.encodeJpeg(new RgbImage(8, 8, new byte[192]), 90), ImageLimits.defaults());
                    return "decodes";
                },
                facts,
                found);
        if (options.part() == Part.TRAIN || options.part() == Part.ALL) {
            checkLoads(
                    "libtorch",
                    () -> {
                        Torch.start(1);
                        return "loads";
                    },
                    facts,
                    found);
        }
        if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty())
            found.add(Finding.of(
                    Problem.VECTOR_MISSING,
                    "Java " + Runtime.version().feature(),
                    "the module jdk.incubator.vector is missing"));
        return String.join(", ", facts);
    }

    private interface Load {
        String load() throws Exception;
    }

    private static void checkLoads(String name, Load load, List<String> facts, List<Finding> found) {
        try {
            facts.add(name + " " + load.load());
        } catch (Exception | LinkageError e) {
            found.add(Finding.of(Problem.NATIVE_MISSING, name, String.valueOf(e.getMessage())));
        }
    }

    /** Whether the model can run on the device. */
    String device(List<Finding> found) {
        String device = options.device();
        boolean automatic = device.equals("auto");
        if (device.equals("cpu") || automatic && !DeviceChooser.builtWithCuda()) {
            return device + ": the CPU, " + Runtime.getRuntime().availableProcessors() + " processors"
                    + (automatic ? " (this build has no CUDA)" : "");
        }
        int index =
                automatic || !device.contains(":") ? 0 : Integer.parseInt(device.substring(device.indexOf(':') + 1));
        Optional<String> why = DeviceChooser.whyNoCuda(index);
        why.ifPresent(reason -> found.add(Finding.of(
                automatic ? Problem.DEVICE_FALLBACK : Problem.DEVICE_UNUSABLE, automatic ? "cuda:0" : device, reason)));
        return why.isPresent() ? "" : "cuda:" + index + ": ONNX Runtime's CUDA provider loads";
    }

    /** Whether the folders can be written and have room. */
    String folders(List<Finding> found) throws NotApplicable {
        if (options.folders().isEmpty()) throw new NotApplicable("no folder is needed");
        List<String> facts = new ArrayList<>();
        options.folders().forEach((key, folder) -> facts.add(checkFolder(key, folder, found)));
        return facts.stream().filter(fact -> !fact.isEmpty()).collect(Collectors.joining(", "));
    }

    private static String checkFolder(String key, Path folder, List<Finding> found) {
        Path existing = folder.toAbsolutePath();
        while (!Files.exists(existing) && existing.getParent() != null) existing = existing.getParent();
        try {
            Files.delete(Files.createTempFile(existing, ".linesight-doctor", null));
            long free = Files.getFileStore(existing).getUsableSpace();
            if (free < MIN_FREE_BYTES)
                found.add(
                        Finding.of(Problem.DISK_LOW, folder.toString(), (free >> 20) + " MiB are free (" + key + ")"));
            return folder + ": " + (free >> 30) + " GiB free";
        } catch (IOException e) {
            found.add(Finding.of(
                    Problem.FOLDER_UNUSABLE, folder.toString(), "it cannot be written: " + e + " (" + key + ")"));
            return "";
        }
    }
}
