package io.linesight.trainer.distill;

import io.linesight.trainer.folders.ReadingContext;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What to distil and from what, grouped by purpose. {@link #of} holds the defaults; {@link #validate}, which
 * {@link Distill#run} calls, checks everything together. A work folder can be resumed only with the teachers (the
 * networks, in their order), seed, batch, crop, number of photographs and their share, exponent and statistics crops
 * that it was begun with; everything else may change between runs, though other minutes, steps or another learning rate
 * bend the schedule from there on. Immutable.
 */
public record DistillOptions(
        Teachers teachers,
        Photographs photographs,
        Training training,
        Measuring measuring,
        Output output,
        Machine machine,
        Session session) {
    /**
     * Encoders to imitate.
     *
     * @param files ONNX files that {@code Encoder.load} accepts
     * @param licences of the teachers' weights, one for each or one for all; for the model card
     */
    public record Teachers(List<Path> files, List<String> licences) {
        public Teachers {
            files = List.copyOf(files);
            licences = List.copyOf(licences);
        }
    }

    /**
     * Photographs that crops are cut from.
     *
     * @param folders with their subfolders; none = made-up scenes alone
     * @param licence where the photographs come from and under what licences; for the model card
     * @param exclude folders with images that will be measured on: a photograph that is one of them to the pixel, or
     *     looks it when scaled or recompressed, stops the run before it begins. Images with next to no structure are
     *     only recognised to the pixel, cut-outs and mirror images not at all
     * @param share of crops cut from photographs, 0..1; without photographs it counts as 0
     * @param maxBytes decoded photographs kept in memory; the others are left out and counted
     * @param reading how photographs and images to exclude are decoded; its report is told of the photographs' files
     */
    public record Photographs(
            List<Path> folders,
            String licence,
            List<Path> exclude,
            double share,
            long maxBytes,
            ReadingContext reading) {
        public static final long MAX_BYTES = 1_500_000_000L;

        public Photographs {
            folders = List.copyOf(folders);
            exclude = List.copyOf(exclude);
        }

        public Photographs withFolders(List<Path> v) {
            return new Photographs(v, licence, exclude, share, maxBytes, reading);
        }

        public Photographs withExclude(List<Path> v) {
            return new Photographs(folders, licence, v, share, maxBytes, reading);
        }

        public Photographs withMaxBytes(long v) {
            return new Photographs(folders, licence, exclude, share, v, reading);
        }

        public Photographs withReading(ReadingContext v) {
            return new Photographs(folders, licence, exclude, share, maxBytes, v);
        }
    }

    /**
     * How long and how fast to learn; the budget counts over all runs with the same work folder.
     *
     * @param minutes of training; loading and the statistics of the teachers come on top. 0 = none
     * @param steps of the optimiser; 0 = as many as the minutes allow. With both, whichever ends first
     * @param batch crops per step, 2..256
     * @param crop side of a crop in pixels, a multiple of 16, 32..512
     * @param seed of the weights and every crop
     * @param learningRate the highest, reached after a warm-up of 300 steps; from there it falls along a cosine over
     *     the budget
     * @param exponent how much more an error in a component of little variance counts: weight = variance to the power
     *     of minus this, 0..1; 0 = plain squared error
     */
    public record Training(
            double minutes, long steps, int batch, int crop, long seed, double learningRate, double exponent) {
        public Training withMinutes(double v) {
            return new Training(v, steps, batch, crop, seed, learningRate, exponent);
        }

        public Training withSteps(long v) {
            return new Training(minutes, v, batch, crop, seed, learningRate, exponent);
        }

        public Training withBatch(int v) {
            return new Training(minutes, steps, v, crop, seed, learningRate, exponent);
        }

        public Training withCrop(int v) {
            return new Training(minutes, steps, batch, v, seed, learningRate, exponent);
        }

        public Training withSeed(long v) {
            return new Training(minutes, steps, batch, crop, v, learningRate, exponent);
        }

        public Training withLearningRate(double v) {
            return new Training(minutes, steps, batch, crop, seed, v, exponent);
        }

        public Training withExponent(double v) {
            return new Training(minutes, steps, batch, crop, seed, learningRate, v);
        }
    }

    /**
     * @param statisticsCrops crops that the target space is fitted on
     * @param heldOutCrops crops that explained variance is measured on
     */
    public record Measuring(int statisticsCrops, int heldOutCrops) {}

    /**
     * What is written.
     *
     * @param encoder ONNX; replaced at every saved state. The model card is written beside it
     * @param work folder for the state of the run, to resume from after an interruption; made when absent
     * @param saveSeconds between two saved states
     * @param licence of the weights, for the model card
     */
    public record Output(@Nullable Path encoder, @Nullable Path work, double saveSeconds, String licence) {
        public static Output to(@Nullable Path encoder, @Nullable Path work) {
            return new Output(encoder, work, 120, "Apache-2.0");
        }

        public Output withSaveSeconds(double v) {
            return new Output(encoder, work, v, licence);
        }

        public Output withLicence(String v) {
            return new Output(encoder, work, saveSeconds, v);
        }
    }

    /**
     * The student and what it is trained on.
     *
     * @param threads CPU threads of the student; 0 = all processors
     * @param teacherThreads CPU threads of each teacher, which answer for coming batches while the student learns
     * @param channelsLast layout of the student's memory; for measuring
     */
    public record Machine(int threads, int teacherThreads, boolean channelsLast, Architecture student) {
        public static Machine of(int threads, int teacherThreads) {
            return new Machine(threads, teacherThreads, true, Architecture.standard());
        }

        Machine withStudent(Architecture v) {
            return new Machine(threads, teacherThreads, channelsLast, v);
        }
    }

    /**
     * Who runs it.
     *
     * @param command the command line, for the model card
     * @param progress where lines for people go; stays open
     * @param stopWhen asked before every step, on the training thread: true saves the state and ends the run
     */
    public record Session(String command, PrintStream progress, BooleanSupplier stopWhen) {
        public static Session of(String command) {
            return new Session(command, System.err, () -> false);
        }

        public Session withProgress(PrintStream v) {
            return new Session(command, v, stopWhen);
        }

        public Session withStopWhen(BooleanSupplier v) {
            return new Session(command, progress, v);
        }
    }

    /** The defaults; a budget is still missing. */
    public static DistillOptions of(List<Path> teachers, @Nullable Path encoder, @Nullable Path work) {
        return new DistillOptions(
                new Teachers(teachers, List.of()),
                new Photographs(List.of(), "", List.of(), 0.6, Photographs.MAX_BYTES, ReadingContext.defaults()),
                new Training(0, 0, 32, 128, 42, 1.5e-3, 0.5),
                new Measuring(384, 96),
                Output.to(encoder, work),
                Machine.of(0, 1),
                Session.of(""));
    }

    public DistillOptions with(Teachers v) {
        return new DistillOptions(v, photographs, training, measuring, output, machine, session);
    }

    public DistillOptions photographs(UnaryOperator<Photographs> change) {
        return new DistillOptions(teachers, change.apply(photographs), training, measuring, output, machine, session);
    }

    public DistillOptions training(UnaryOperator<Training> change) {
        return new DistillOptions(teachers, photographs, change.apply(training), measuring, output, machine, session);
    }

    public DistillOptions with(Measuring v) {
        return new DistillOptions(teachers, photographs, training, v, output, machine, session);
    }

    public DistillOptions output(UnaryOperator<Output> change) {
        return new DistillOptions(teachers, photographs, training, measuring, change.apply(output), machine, session);
    }

    public DistillOptions machine(UnaryOperator<Machine> change) {
        return new DistillOptions(teachers, photographs, training, measuring, output, change.apply(machine), session);
    }

    public DistillOptions session(UnaryOperator<Session> change) {
        return new DistillOptions(teachers, photographs, training, measuring, output, machine, change.apply(session));
    }

    /** @throws IllegalArgumentException naming every problem */
    public void validate() {
        List<String> problems = new ArrayList<>();
        if (teachers.files.isEmpty()) problems.add("no teacher to learn from");
        if (teachers.licences.size() > 1 && teachers.licences.size() != teachers.files.size())
            problems.add("give one licence for all teachers or one for each");
        if (output.encoder == null) problems.add("no encoder file to write");
        if (output.work == null) problems.add("no work folder");
        if (!(output.saveSeconds >= 0 && output.saveSeconds < Double.POSITIVE_INFINITY))
            problems.add("seconds between saved states must be a number that is not negative");
        if (!(photographs.share >= 0 && photographs.share <= 1))
            problems.add("the share of photographs must be 0..1, got " + photographs.share);
        if (photographs.maxBytes < 1) problems.add("the memory for photographs must be 1 byte or more");
        if (measuring.statisticsCrops < 1 || measuring.heldOutCrops < 1)
            problems.add("crops for statistics and to measure on must be 1 or more");
        if (machine.threads < 0 || machine.teacherThreads < 1)
            problems.add("threads must not be negative, threads of a teacher 1 or more");
        addProblemsOfTraining(problems);
        if (!problems.isEmpty()) throw new IllegalArgumentException("distill: " + String.join("; ", problems));
    }

    private void addProblemsOfTraining(List<String> problems) {
        if (!(training.minutes >= 0 && training.minutes < Double.POSITIVE_INFINITY) || training.steps < 0)
            problems.add("minutes and steps must be numbers that are not negative");
        if (training.minutes == 0 && training.steps == 0) problems.add("say how long to train: minutes or steps");
        if (training.batch < 2 || training.batch > 256) problems.add("batch must be 2..256, got " + training.batch);
        if (training.crop < 32 || training.crop > 512 || training.crop % 16 != 0)
            problems.add("crop must be a multiple of 16 from 32 to 512, got " + training.crop);
        if (!(training.learningRate > 0 && training.learningRate < 1))
            problems.add("the learning rate must lie between 0 and 1, got " + training.learningRate);
        if (!(training.exponent >= 0 && training.exponent <= 1))
            problems.add("the exponent must be 0..1, got " + training.exponent);
    }
}
