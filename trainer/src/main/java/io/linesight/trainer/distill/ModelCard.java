package io.linesight.trainer.distill;

import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.io.Sha256;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What whoever gets the encoder should know, as Markdown. */
record ModelCard(
        DistillOptions o,
        List<Encoder> teachers,
        Photos photos,
        List<TargetSpace> spaces,
        long steps,
        double seconds,
        List<Double> explained,
        List<Double> weighted,
        byte[] onnx) {
    String text() {
        StringBuilder b = new StringBuilder();
        String name = o.out.getFileName().toString();
        line(b, "# %s", name);
        line(b, "");
        line(
                b,
                "A frozen image encoder for Linesight, ONNX, float32: RGB in [0,1] as `[N,3,H,W]` (normalisation inside) to feature maps `f4`, `f8`, `f16` at strides 4, 8, 16 with %s channels.",
                o.architecture.widths().toString().replaceAll("[\\[\\]]", ""));
        line(
                b,
                "A plain residual network of %,d parameters: %.2f billion multiplications for a 256x256 picture, %,d bytes.",
                o.architecture.parameters(),
                o.architecture.macs(256) / 1e9,
                onnx.length);
        line(
                b,
                "Trained from random weights by `linesight encoder distill` to give the principal components of its teachers' standardised features.");
        line(b, "");
        line(b, "Licence of these weights: %s.", o.licence);
        line(b, "");
        line(
                b,
                "SHA-256 of the file: `%s`; of the canonical network, which checkpoints name: `%s`.",
                Sha256.hex(onnx),
                Encoder.of(onnx, name).sha256());
        line(b, "");
        line(b, "## Teachers");
        line(b, "");
        for (int i = 0; i < teachers.size(); i++) {
            Encoder t = teachers.get(i);
            String licence = o.teacherLicences.isEmpty()
                    ? "not stated"
                    : o.teacherLicences.get(Math.min(i, o.teacherLicences.size() - 1));
            line(
                    b,
                    "- %s, channels %s, licence %s, SHA-256 of the canonical network `%s`",
                    t.name(),
                    t.channels(),
                    licence,
                    t.sha256());
        }
        line(b, "");
        line(b, "## Data");
        line(b, "");
        if (photos.isEmpty()) {
            line(b, "- No photographs, so no evaluation picture was used.");
        } else {
            line(b, "- %.0f %% of the crops are cut from photographs: %s.", 100 * o.photoShare, photos.summary());
            for (Map.Entry<Path, Integer> e : photos.counts().entrySet())
                line(b, "  - %s: %d", e.getKey().getFileName(), e.getValue());
            line(b, "  - Licences of the photographs: %s", o.photosLicence.isBlank() ? "not stated" : o.photosLicence);
        }
        line(
                b,
                "- %s made up: %s; one laid on another; scratches, cracks, stains and dents on top.",
                photos.isEmpty() ? "All crops are" : "The others are",
                String.join(", ", Scenes.families()));
        line(
                b,
                "- Crops of %d pixels, mirrored and turned by quarters; brightness, contrast, gamma, colour, vignette, blur and noise vary; a quarter is grey.",
                o.crop);
        if (!photos.isEmpty() && o.exclude.isEmpty())
            line(b, "- No evaluation pictures were given to check the photographs against.");
        if (!photos.isEmpty() && !o.exclude.isEmpty())
            line(
                    b,
                    "- No evaluation picture was used: the photographs were compared with %d folder(s) of them, by hash of the pixels and by a perceptual hash, and none was among them.",
                    o.exclude.size());
        line(b, "");
        line(b, "## Training");
        line(b, "");
        line(b, "- Command: `%s`", o.command);
        line(
                b,
                "- Seed %d, %,d steps of %d crops = %,d crops seen; AdamW, highest learning rate %s, cosine",
                o.seed,
                steps,
                o.batch,
                steps * o.batch,
                o.learningRate);
        line(
                b,
                "- %.2f hours on %d processors, %.1f crops/s",
                seconds / 3600,
                Runtime.getRuntime().availableProcessors(),
                steps * o.batch / Math.max(1e-9, seconds));
        line(b, "- Error of a component weighted by its variance to the power of -%s", o.exponent);
        line(b, "");
        line(b, "## Figures");
        line(b, "");
        String from = photos.isEmpty()
                ? ""
                : photos.heldOut() > 0
                        ? "photographs never trained on, and "
                        : "other crops of the photographs trained on, for there are too few to hold any out, and ";
        line(b, "On %d held-out crops (%sscenes of other random numbers):", o.heldOutCrops, from);
        line(b, "");
        line(
                b,
                "| stride | components | teachers' variance in them | explained | explained, weighted as in training |");
        line(b, "|---|---|---|---|---|");
        for (int s = 0; s < 3; s++) {
            line(
                    b,
                    "| %d | %d of %d | %.1f %% | %.1f %% | %.1f %% |",
                    4 << s,
                    spaces.get(s).components(),
                    spaces.get(s).channels(),
                    100 * spaces.get(s).kept(),
                    100 * explained.get(s),
                    100 * weighted.get(s));
        }
        return b.toString();
    }

    private static void line(StringBuilder b, String format, Object... values) {
        b.append(values.length == 0 ? format : String.format(Locale.ROOT, format, values))
                .append('\n');
    }
}
