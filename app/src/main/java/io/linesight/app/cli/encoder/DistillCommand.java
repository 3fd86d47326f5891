package io.linesight.app.cli.encoder;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.linesight.app.cli.common.ImageOptions;
import io.linesight.app.cli.common.Inputs;
import io.linesight.app.cli.common.Json;
import io.linesight.app.cli.common.SummaryFile;
import io.linesight.app.cli.common.TypedCommand;
import io.linesight.trainer.distill.Distill;
import io.linesight.trainer.distill.DistillOptions;
import io.linesight.trainer.distill.DistillOptions.Machine;
import io.linesight.trainer.distill.DistillOptions.Photographs;
import io.linesight.trainer.distill.DistillOptions.Session;
import io.linesight.trainer.distill.DistillOptions.Teachers;
import io.linesight.trainer.distill.DistillOptions.Training;
import io.linesight.trainer.distill.DistillResult;
import io.linesight.trainer.folders.ReadingContext;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

@Command(
        name = "distill",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Trains a small encoder to give what larger ones give, on photographs and on scenes that are made "
                        + "up; the result is for 'fit --encoder'. "
                        + "The state is saved in --work every two minutes: interrupted in whatever way, the same "
                        + "command resumes from there.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight encoder distill --teacher mobilenet.onnx --photos photos --exclude images --minutes 600 "
                    + "--work work --out small.onnx",
            "",
            "Photographs: any folder of PNG and JPEG files; trainer/distill-photos.sh fetches freely licensed ones "
                    + "from Debian packages.",
            "Images that models will be measured on belong in --exclude, never in --photos.",
            "A --work folder can be resumed only with the teachers, photographs, --photo-share, --seed, --batch, "
                    + "--crop and --exponent that it was begun with; of the photographs, their number is checked."
        })
final class DistillCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = "--teacher",
            required = true,
            paramLabel = "FILE",
            description = "Encoder to imitate, ONNX; may be repeated.")
    private List<Path> teachers;

    @Option(
            names = "--teacher-licence",
            paramLabel = "TEXT",
            description = "Licence of a teacher's weights, for the model card; one for all, or one for each.")
    private List<String> teacherLicences = List.of();

    @Option(
            names = "--photos",
            paramLabel = "DIR",
            description =
                    "Folder of photographs (PNG, JPEG, BMP, TIFF, WebP, GIF), with its subfolders; may be repeated.")
    private List<Path> photos = List.of();

    @Option(
            names = "--photos-licence",
            defaultValue = "",
            paramLabel = "TEXT",
            description = "Where the photographs come from and under what licences, for the model card.")
    private String photosLicence;

    @Option(
            names = "--photo-share",
            defaultValue = "0.6",
            paramLabel = "0..1",
            description = "Share of crops cut from photographs, if there are any (${DEFAULT-VALUE}).")
    private double photoShare;

    @Option(
            names = "--exclude",
            paramLabel = "DIR",
            description = "Folder of evaluation images: if a photograph is one of them, or looks it when scaled or "
                    + "recompressed, nothing is trained; may be repeated.")
    private List<Path> exclude = List.of();

    @Option(
            names = "--minutes",
            defaultValue = "0",
            paramLabel = "M",
            description =
                    "Training time, all runs with this --work together; loading and the teachers' statistics come on "
                            + "top. This or --steps is needed.")
    private double minutes;

    @Option(
            names = "--steps",
            defaultValue = "0",
            paramLabel = "N",
            description =
                    "Optimiser steps, all runs with this --work together. With --minutes too, whichever ends first.")
    private long steps;

    @Option(
            names = "--batch",
            defaultValue = "32",
            paramLabel = "N",
            description = "Crops per step, 2 to 256 (${DEFAULT-VALUE}).")
    private int batch;

    @Option(
            names = "--crop",
            defaultValue = "128",
            paramLabel = "PIXELS",
            description = "Side of a crop, a multiple of 16 from 32 to 512 (${DEFAULT-VALUE}).")
    private int crop;

    @Option(
            names = "--seed",
            defaultValue = "42",
            description = "Of the first weights and of every crop (${DEFAULT-VALUE}).")
    private long seed;

    @Option(
            names = "--lr",
            defaultValue = "0.0015",
            paramLabel = "RATE",
            description = "Highest learning rate, after a warm-up of 300 steps; it falls along a cosine from there "
                    + "(${DEFAULT-VALUE}).")
    private double learningRate;

    @Option(
            names = "--exponent",
            defaultValue = "0.5",
            paramLabel = "0..1",
            description = "How much more an error counts in a component of little variance; 0 is plain squared error "
                    + "(${DEFAULT-VALUE}).")
    private double exponent;

    @Option(
            names = "--threads",
            defaultValue = "0",
            paramLabel = "N",
            description = "CPU threads of the student; 0 takes all processors (${DEFAULT-VALUE}).")
    private int threads;

    @Option(
            names = "--teacher-threads",
            defaultValue = "1",
            paramLabel = "N",
            description = "CPU threads of each teacher, beside the student (${DEFAULT-VALUE}).")
    private int teacherThreads;

    @Option(
            names = "--work",
            required = true,
            paramLabel = "DIR",
            description = "Folder for the state of the run and its metrics.jsonl; made when absent, one run at a time.")
    private Path work;

    @Option(
            names = "--licence",
            defaultValue = "Apache-2.0",
            paramLabel = "TEXT",
            description = "Licence of the trained weights, for the model card (${DEFAULT-VALUE}).")
    private String licence;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "FILE",
            description = "Encoder to write, with a model card FILE.md beside it; renewed whenever the state is saved.")
    private Path out;

    @Mixin
    private ImageOptions images;

    @Mixin
    private SummaryFile summary;

    private ReadingContext reading = ReadingContext.defaults();

    @Option(names = "--sheet", hidden = true, paramLabel = "FILE", description = "Only write 64 crops as a PNG.")
    private Path sheet;

    @Override
    public Integer call() throws Exception {
        reading = ReadingContext.of(images.settings());
        for (Path t : teachers) Inputs.existing(t, "teacher");
        DistillOptions options = options();
        try {
            options.validate();
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
        for (Path p : photos) Inputs.folder(p, "folder of photographs");
        for (Path p : exclude) Inputs.folder(p, "folder to exclude");
        if (sheet != null) {
            Distill.sheet(options, Inputs.writable(sheet));
            return 0;
        }
        Inputs.writable(out);
        summary.prepare();
        DistillResult r = Distill.run(options);
        spec.commandLine()
                .getOut()
                .printf(
                        Locale.ROOT,
                        "Wrote %s after %d steps, %d crops, %.1f hours: explains %.1f, %.1f and %.1f %% of the "
                                + "teachers' variance at strides 4, 8, 16%n",
                        out,
                        r.steps(),
                        r.images(),
                        r.seconds() / 3600,
                        100 * r.explained().get(0),
                        100 * r.explained().get(1),
                        100 * r.explained().get(2));
        summary.write(outcome(r), reading.report());
        return 0;
    }

    private ObjectNode outcome(DistillResult r) {
        ObjectNode outcome = Json.object()
                .put("encoder", out.toString())
                .put("finished", r.finished())
                .put("steps", r.steps())
                .put("crops", r.images())
                .put("seconds", r.seconds());
        ArrayNode explained = outcome.putArray("explained");
        r.explained().forEach(explained::add);
        return outcome;
    }

    private DistillOptions options() {
        return DistillOptions.of(teachers, out, work)
                .with(new Teachers(teachers, teacherLicences))
                .photographs(p ->
                        new Photographs(photos, photosLicence, exclude, photoShare, Photographs.MAX_BYTES, reading))
                .training(t -> new Training(minutes, steps, batch, crop, seed, learningRate, exponent))
                .output(o -> o.withLicence(licence))
                .machine(m -> Machine.of(threads, teacherThreads))
                .session(s -> Session.of(TypedCommand.of(spec)));
    }
}
