package io.linesight.trainer.distill;

import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.io.Sha256;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What whoever gets the encoder should know, as Markdown. */
record ModelCard(
        DistillOptions options,
        StudentTraining.Lesson lesson,
        ModelCard.Progress progress,
        Explained explained,
        byte[] onnx) {
    /** How far training has come: optimiser steps and seconds, all runs together. */
    record Progress(long steps, double seconds) {}

    String text() {
        StringBuilder b = new StringBuilder();
        addHead(b);
        addTeachers(b);
        addData(b);
        addTraining(b);
        addFigures(b);
        return b.toString();
    }

    private void addHead(StringBuilder b) {
        String name = options.output().encoder().getFileName().toString();
        Architecture student = options.machine().student();
        line(b, "# %s", name);
        line(b, "");
        line(
                b,
                "A frozen image encoder for Linesight, ONNX, float32: RGB in [0,1] as `[N,3,H,W]` (normalisation "
                        + "inside) to feature maps `f4`, `f8`, `f16` at strides 4, 8, 16 with %s channels.",
                student.widths().toString().replaceAll("[\\[\\]]", ""));
        line(
                b,
                "A plain residual network of %,d parameters: %.2f billion multiplications for a 256x256 image, %,d "
                        + "bytes.",
                student.parameters(),
                student.macs(256) / 1e9,
                onnx.length);
        line(
                b,
                "Trained from random weights by `linesight encoder distill` to give the principal components of its "
                        + "teachers' standardised features.");
        line(b, "");
        line(b, "Licence of these weights: %s.", options.output().licence());
        line(b, "");
        line(
                b,
                "SHA-256 of the file: `%s`; of the canonical network, which checkpoints name: `%s`.",
                Sha256.hex(onnx),
                Encoder.of(onnx, name).sha256());
        line(b, "");
    }

    private void addTeachers(StringBuilder b) {
        line(b, "## Teachers");
        line(b, "");
        List<String> licences = options.teachers().licences();
        for (int i = 0; i < lesson.encoders().size(); i++) {
            Encoder t = lesson.encoders().get(i);
            line(
                    b,
                    "- %s, channels %s, licence %s, SHA-256 of the canonical network `%s`",
                    t.name(),
                    t.channels(),
                    licences.isEmpty() ? "not stated" : licences.get(Math.min(i, licences.size() - 1)),
                    t.sha256());
        }
        line(b, "");
    }

    private void addData(StringBuilder b) {
        Photos photos = lesson.photos();
        DistillOptions.Photographs wanted = options.photographs();
        line(b, "## Data");
        line(b, "");
        if (photos.isEmpty()) {
            line(b, "- No photographs, so no evaluation image was used.");
        } else {
            line(b, "- %.0f %% of the crops are cut from photographs: %s.", 100 * wanted.share(), photos.summary());
            for (Map.Entry<Path, Integer> e : photos.counts().entrySet())
                line(b, "  - %s: %d", e.getKey().getFileName(), e.getValue());
            line(
                    b,
                    "  - Licences of the photographs: %s",
                    wanted.licence().isBlank() ? "not stated" : wanted.licence());
        }
        line(
                b,
                "- %s made up: %s; one laid on another; scratches, cracks, stains and dents on top.",
                photos.isEmpty() ? "All crops are" : "The others are",
                String.join(", ", Scenes.families()));
        line(
                b,
                "- Crops of %d pixels, mirrored and turned by quarters; brightness, contrast, gamma, colour, "
                        + "vignette, blur and noise vary; a quarter is grey.",
                options.training().crop());
        if (!photos.isEmpty() && wanted.exclude().isEmpty())
            line(b, "- No evaluation images were given to check the photographs against.");
        if (!photos.isEmpty() && !wanted.exclude().isEmpty())
            line(
                    b,
                    "- No evaluation image was used: the photographs were compared with %d folder(s) of them, by "
                            + "hash of the pixels and by a perceptual hash, and none was among them.",
                    wanted.exclude().size());
        line(b, "");
    }

    private void addTraining(StringBuilder b) {
        DistillOptions.Training training = options.training();
        long crops = progress.steps * training.batch();
        line(b, "## Training");
        line(b, "");
        line(b, "- Command: `%s`", options.session().command());
        line(
                b,
                "- Seed %d, %,d steps of %d crops = %,d crops seen; AdamW, highest learning rate %s, cosine",
                training.seed(),
                progress.steps,
                training.batch(),
                crops,
                training.learningRate());
        line(
                b,
                "- %.2f hours on %d processors, %.1f crops/s",
                progress.seconds / 3600,
                Runtime.getRuntime().availableProcessors(),
                crops / Math.max(1e-9, progress.seconds));
        line(b, "- Error of a component weighted by its variance to the power of -%s", training.exponent());
        line(b, "");
    }

    private void addFigures(StringBuilder b) {
        Photos photos = lesson.photos();
        line(b, "## Figures");
        line(b, "");
        String from = photos.isEmpty()
                ? ""
                : photos.heldOut() > 0
                        ? "photographs never trained on, and "
                        : "other crops of the photographs trained on, for there are too few to hold any out, and ";
        line(
                b,
                "On %d held-out crops (%sscenes of other random numbers):",
                options.measuring().heldOutCrops(),
                from);
        line(b, "");
        line(
                b,
                "| stride | components | teachers' variance in them | explained | explained, weighted as in "
                        + "training |");
        line(b, "|---|---|---|---|---|");
        for (int s = 0; s < 3; s++) {
            TargetSpace space = lesson.spaces().get(s);
            line(
                    b,
                    "| %d | %d of %d | %.1f %% | %.1f %% | %.1f %% |",
                    4 << s,
                    space.components(),
                    space.channels(),
                    100 * space.kept(),
                    100 * explained.plain().get(s),
                    100 * explained.weighted().get(s));
        }
    }

    private static void line(StringBuilder b, String format, Object... values) {
        b.append(values.length == 0 ? format : String.format(Locale.ROOT, format, values))
                .append('\n');
    }
}
