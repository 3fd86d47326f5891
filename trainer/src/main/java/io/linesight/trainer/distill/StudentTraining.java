package io.linesight.trainer.distill;

import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.io.NpyArray;
import io.linesight.mmad.io.Npz;
import io.linesight.trainer.torch.JavaOp;
import io.linesight.trainer.torch.Torch;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * Trains the student until the budget is used up or it is stopped, and saves it on the way. Used by one thread; the
 * batches come from another.
 */
final class StudentTraining implements AutoCloseable {
    private static final double WEIGHT_DECAY = 1e-4;
    private static final double CLIP = 5;
    private static final double LAST_RATE = 1e-5;
    private static final int WARM_UP = 300;
    private static final double REPORT_SECONDS = 20;
    /** Steps between two lines of metrics. */
    private static final int RECORD_STEPS = 20;

    /** What is learned: from whom, on what, in which coordinates. */
    record Lesson(List<Encoder> encoders, Photos photos, Crops crops, List<TargetSpace> spaces) {}

    private final DistillOptions options;
    private final DistillOptions.Training training;
    private final Lesson lesson;
    private final PrintStream out;
    private final Path metrics;
    private final Student student;
    private final Adam adam;
    private final List<Tensor> weights = new ArrayList<>();
    private final double[] strideLoss = new double[3];
    private long step;
    private double seconds;
    private double loss = Double.NaN;
    private Explained explained = Explained.NOTHING;
    /** When the clock was read last. */
    private long tick;

    private long reportedStep;
    private double reportedSeconds;
    private double savedSeconds;

    StudentTraining(DistillOptions options, Lesson lesson) {
        this.options = options;
        this.training = options.training();
        this.lesson = lesson;
        this.out = options.session().progress();
        this.metrics = options.output().work().resolve("metrics.jsonl");
        student = new Student(
                options.machine().student(), training.seed(), options.machine().channelsLast());
        adam = new Adam(student.trainable(), WEIGHT_DECAY);
        for (TargetSpace space : lesson.spaces) {
            Tensor w = Torch.of(space.weights(training.exponent()), space.components());
            w.retainReference();
            weights.add(w);
        }
    }

    /** Resumes from the work folder's state where there is one. */
    void restore() throws IOException {
        Path file = options.output().work().resolve("state.npz");
        if (!Files.exists(file)) return;
        try (Npz npz = Npz.open(file);
                PointerScope scope = new PointerScope();
                NoGradGuard off = new NoGradGuard()) {
            Map<String, float[]> values = new LinkedHashMap<>();
            for (String name : npz.names())
                if (!name.equals("step") && !name.equals("seconds")) values.put(name, npz.floats(name));
            student.restore(values);
            adam.restore(values);
            step = (long) npz.doubles("step")[0];
            seconds = npz.doubles("seconds")[0];
        } catch (IOException | RuntimeException e) {
            throw WorkFiles.unusable(file, options.output().work(), e);
        }
        say(String.format(Locale.ROOT, "resuming from step %d after %.1f minutes of training", step, seconds / 60));
    }

    /**
     * Trains and saves.
     *
     * @param teachers answer for coming batches on another thread
     */
    DistillResult run(List<Teacher> teachers) throws IOException, InterruptedException {
        List<Feed.Batch> heldOut = heldOut(teachers);
        TensorVector all = student.vector();
        all.retainReference();
        long firstStep = step;
        reportedStep = step;
        reportedSeconds = seconds;
        savedSeconds = seconds;
        try (Feed feed = new Feed(lesson.crops, teachers, training.batch(), step)) {
            tick = System.nanoTime();
            while (!budgetUsed() && !options.session().stopWhen().getAsBoolean()) {
                double rate = rate();
                double norm = step(feed.take(), rate, all);
                addTime();
                if (step % RECORD_STEPS == 0 || step - firstStep == 1) record(rate, norm);
                if (seconds - reportedSeconds >= REPORT_SECONDS || budgetUsed()) report();
                if (seconds - savedSeconds >= options.output().saveSeconds() && !budgetUsed()) {
                    save(heldOut);
                    savedSeconds = seconds;
                    addTime();
                }
            }
        } finally {
            all.releaseReference();
        }
        boolean finished = budgetUsed();
        save(heldOut);
        return new DistillResult(
                options.output().encoder(),
                finished,
                step,
                step * training.batch(),
                seconds,
                loss,
                explained.plain(),
                explained.weighted());
    }

    private List<Feed.Batch> heldOut(List<Teacher> teachers) {
        List<Feed.Batch> heldOut = new ArrayList<>();
        int wanted = options.measuring().heldOutCrops();
        for (int at = 0; at < wanted; at += 32) {
            byte[][] crops = new byte[Math.min(32, wanted - at)][];
            for (int i = 0; i < crops.length; i++) crops[i] = lesson.crops.heldOut(at + i);
            heldOut.add(Feed.answer(teachers, crops, training.crop()));
        }
        return heldOut;
    }

    private void addTime() {
        long now = System.nanoTime();
        seconds += (now - tick) / 1e9;
        tick = now;
    }

    private boolean budgetUsed() {
        return training.minutes() > 0 && seconds >= 60 * training.minutes()
                || training.steps() > 0 && step >= training.steps();
    }

    /** Share of the budget used up. */
    private double done() {
        double byTime = training.minutes() > 0 ? seconds / (60 * training.minutes()) : 0;
        double bySteps = training.steps() > 0 ? (double) step / training.steps() : 0;
        return Math.min(1, Math.max(byTime, bySteps));
    }

    private double rate() {
        double warm = Math.min(1, (step + 1.0) / WARM_UP);
        double last = Math.min(LAST_RATE, training.learningRate());
        return warm * (last + (training.learningRate() - last) * 0.5 * (1 + Math.cos(Math.PI * done())));
    }

    /** @return norm of the gradient before it was clipped */
    private double step(Feed.Batch batch, double rate, TensorVector all) {
        try (PointerScope scope = new PointerScope()) {
            adam.zeroGradients();
            int side = training.crop();
            List<Tensor> answers = student.forward(Torch.of(batch.images(), training.batch(), 3, side, side), true);
            Tensor sum = null;
            for (int s = 0; s < 3; s++) {
                Tensor l = loss(answers.get(s), batch.targets()[s], s);
                strideLoss[s] = l.item_double();
                sum = sum == null ? l : sum.add(l);
            }
            loss = strideLoss[0] + strideLoss[1] + strideLoss[2];
            ensureFinite("loss", loss);
            sum.backward();
            double norm = torch.clip_grad_norm_(all, CLIP);
            // Before the weights are spoiled by it and saved.
            ensureFinite("gradient", norm);
            adam.step(++step, rate);
            return norm;
        } catch (IllegalStateException e) {
            throw e;
        } catch (RuntimeException e) {
            throw Torch.readable("a training step", e);
        } finally {
            JavaOp.endStep();
        }
    }

    private Tensor loss(Tensor answer, float[] target, int stride) {
        int cells = training.crop() >> (2 + stride);
        return Explained.squares(answer, target, lesson.spaces.get(stride), training.batch(), cells)
                .mul(weights.get(stride))
                .sum();
    }

    private void ensureFinite(String what, double value) {
        if (!Double.isFinite(value))
            throw new IllegalStateException("the " + what + " is not finite at step " + step
                    + ": lower the learning rate; the last saved state is in "
                    + options.output().work());
    }

    private void record(double rate, double norm) throws IOException {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("step", step);
        line.put("seconds", round(seconds));
        line.put("loss", loss);
        line.put("strides", strideLoss.clone());
        line.put("rate", rate);
        line.put("gradientNorm", norm);
        WorkFiles.append(metrics, line);
    }

    private static double round(double v) {
        return Math.rint(v * 100) / 100;
    }

    private void say(String line) {
        out.println(line);
        out.flush();
    }

    private void report() {
        double imagesPerSecond = (step - reportedStep) * training.batch() / Math.max(1e-9, seconds - reportedSeconds);
        say(status(imagesPerSecond));
        reportedStep = step;
        reportedSeconds = seconds;
    }

    private String status(double imagesPerSecond) {
        StringBuilder b = new StringBuilder(String.format(
                Locale.ROOT,
                "step %d, %.1f %%: loss %.4f (%.3f %.3f %.3f)",
                step,
                100 * done(),
                loss,
                strideLoss[0],
                strideLoss[1],
                strideLoss[2]));
        if (!explained.plain().isEmpty())
            b.append(String.format(
                    Locale.ROOT,
                    ", held-out explained %.3f %.3f %.3f",
                    explained.plain().get(0),
                    explained.plain().get(1),
                    explained.plain().get(2)));
        b.append(String.format(Locale.ROOT, ", %.1f images/s", imagesPerSecond));
        double left = done() > 0 ? seconds / done() - seconds : 0;
        return b.append(String.format(Locale.ROOT, ", %d:%02d h left", (long) left / 3600, (long) left / 60 % 60))
                .toString();
    }

    /** The state first, so that an encoder is never ahead of it. */
    private void save(List<Feed.Batch> heldOut) throws IOException {
        explained = Explained.of(student, lesson.spaces, heldOut, training.crop(), training.exponent());
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("step", step);
        line.put("seconds", round(seconds));
        line.put("explained", explained.plain());
        line.put("weightedExplained", explained.weighted());
        WorkFiles.append(metrics, line);
        Map<String, NpyArray> arrays = new LinkedHashMap<>();
        arrays.put("step", new NpyArray(new int[] {1}, new double[] {step}));
        arrays.put("seconds", new NpyArray(new int[] {1}, new double[] {seconds}));
        arrays.putAll(student.export());
        arrays.putAll(adam.export());
        WorkFiles.replace(options.output().work().resolve("state.npz"), arrays);
        byte[] onnx = student.onnx();
        Path file = options.output().encoder();
        ExportCheck.verify(onnx, student, file, training.seed());
        WorkFiles.replace(file, onnx);
        ModelCard card = new ModelCard(options, lesson, new ModelCard.Progress(step, seconds), explained, onnx);
        WorkFiles.replace(
                file.resolveSibling(file.getFileName() + ".md"), card.text().getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public void close() {
        weights.forEach(Tensor::releaseReference);
        adam.close();
        student.close();
    }
}
