package io.linesight.trainer.distill;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.RgbImage;
import io.linesight.mmad.io.ExclusiveLock;
import io.linesight.mmad.io.NpyArray;
import io.linesight.mmad.io.Npz;
import io.linesight.trainer.folders.DatasetException;
import io.linesight.trainer.torch.JavaOp;
import io.linesight.trainer.torch.Torch;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * Trains a small image encoder to give what larger ones give: the principal components of the teachers' standardised
 * features at strides 4, 8 and 16, on photographs and on scenes that are made up. Whatever interrupts it, the same call
 * goes on from the last saved state; with the same number of threads and a budget of steps, it comes to the same
 * encoder, but for rounding, as if it had not been interrupted.
 */
public final class Distill {
    private static final double WEIGHT_DECAY = 1e-4;
    private static final double CLIP = 5;
    private static final double LAST_RATE = 1e-5;
    private static final int WARM_UP = 300;
    private static final double SAY_SECONDS = 20;
    /** Largest difference between the exported network and the trained one, as a share of the largest value. */
    private static final double EXPORT_TOLERANCE = 1e-3;

    private static final ObjectMapper JSON = new ObjectMapper();

    private final DistillOptions o;
    private final List<Encoder> encoders = new ArrayList<>();
    private Photos photos;
    private Crops crops;
    private List<TargetSpace> spaces;
    private List<Feed.Batch> heldOut;
    private Student student;
    private Adam adam;
    private List<Tensor> weights = List.of();
    private long step;
    private double seconds;
    private double loss = Double.NaN;
    private double[] strideLoss = new double[3];
    private List<Double> explained = List.of();
    private List<Double> weightedExplained = List.of();

    private Distill(DistillOptions options) {
        this.o = options;
    }

    /**
     * Trains until the budget is used up or it is called off, on the calling thread; crops and the teachers' answers
     * are made on another, which has ended when this returns or throws. The number of libtorch's threads is set for the
     * whole process and stays. An interrupt ends the run without saving and leaves the thread interrupted. Heap: up to
     * 3 GB with a full pool of photographs.
     *
     * <p>A file is replaced in one step: after any failure the encoder is the former one or the new one, never a part
     * of it. The state is written first, so that an encoder is never ahead of it.
     *
     * @throws IllegalArgumentException when a teacher is no encoder or the teachers have too few channels
     * @throws DatasetException when a photograph is one that must not be learned from, a folder or a picture to exclude
     *     cannot be read, or no photograph is usable
     * @throws IOException when a file cannot be read or written, the run is interrupted, the saved state is damaged, or
     *     the work folder is in use or belongs to a distillation with other options; the message names them
     * @throws IllegalStateException when training diverges, a teacher or libtorch fails, or the exported encoder does
     *     not give what the trained one gives
     */
    public static DistillResult run(DistillOptions options) throws IOException {
        Files.createDirectories(options.work);
        try (ExclusiveLock lock = ExclusiveLock.tryOn(options.work.resolve("lock"))
                .orElseThrow(() -> new IOException(
                        "the work folder " + options.work + " is in use by a distillation that is running"))) {
            return new Distill(options).run();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted; the last saved state is in " + options.work, e);
        }
    }

    /**
     * Writes 64 crops as one PNG, as the student would see them: to look at what it learns from. Needs neither teachers
     * nor the work folder.
     *
     * @throws DatasetException as {@link #run}
     * @throws IOException when the PNG cannot be written
     */
    public static void sheet(DistillOptions options, Path png) throws IOException {
        Distill d = new Distill(options);
        d.photos = Photos.load(options.photos, options.exclude, options.photoBytes, options.seed, options.progress);
        d.crops = new Crops(d.photos, options.photoShare, options.crop, options.seed);
        int side = options.crop;
        byte[] rgb = new byte[3 * 64 * side * side];
        for (int i = 0; i < 64; i++) {
            byte[] crop = d.crops.train(i);
            for (int y = 0; y < side; y++) {
                for (int x = 0; x < side; x++) {
                    int at = 3 * ((i / 8 * side + y) * 8 * side + i % 8 * side + x);
                    for (int c = 0; c < 3; c++) rgb[at + c] = crop[(c * side + y) * side + x];
                }
            }
        }
        replace(png, ImageCodec.encodePng(new RgbImage(8 * side, 8 * side, rgb)));
    }

    private DistillResult run() throws IOException, InterruptedException {
        o.architecture.check();
        Torch.start(o.threads);
        for (Path t : o.teachers) encoders.add(Encoder.load(t));
        photos = Photos.load(o.photos, o.exclude, o.photoBytes, o.seed, o.progress);
        if (!photos.isEmpty()) say(photos.summary());
        crops = new Crops(photos, o.photoShare, o.crop, o.seed);
        spaces = targetSpaces();
        for (int s = 0; s < 3; s++) {
            say(String.format(
                    Locale.ROOT,
                    "stride %d: %d channels of the teachers, %d components kept with %.1f %% of their variance",
                    4 << s,
                    spaces.get(s).channels(),
                    spaces.get(s).components(),
                    100 * spaces.get(s).kept()));
        }
        student = new Student(o.architecture, o.seed, o.channelsLast);
        adam = new Adam(student.trainable(), WEIGHT_DECAY);
        List<Teacher> teachers = new ArrayList<>();
        try {
            restore();
            int[] from = new int[3];
            for (Encoder e : encoders) {
                teachers.add(Teacher.open(e, o.teacherThreads, spaces, from.clone(), teachers.isEmpty()));
                for (int s = 0; s < 3; s++) from[s] += e.channels().get(s);
            }
            heldOut = new ArrayList<>();
            for (int at = 0; at < o.heldOutCrops; at += 32) {
                byte[][] pictures = new byte[Math.min(32, o.heldOutCrops - at)][];
                for (int i = 0; i < pictures.length; i++) pictures[i] = crops.heldOut(at + i);
                heldOut.add(Feed.answer(teachers, pictures, o.crop));
            }
            weights = new ArrayList<>();
            for (TargetSpace space : spaces) {
                Tensor w = Torch.of(space.weights(o.exponent), space.components());
                w.retainReference();
                weights.add(w);
            }
            boolean finished = train(teachers);
            return new DistillResult(
                    o.out, finished, step, step * o.batch, seconds, loss, explained, weightedExplained);
        } finally {
            weights.forEach(Tensor::releaseReference);
            teachers.forEach(Teacher::close);
            adam.close();
            student.close();
        }
    }

    private void say(String line) {
        o.progress.println(line);
        o.progress.flush();
    }

    // ---- targets ----

    private List<TargetSpace> targetSpaces() throws IOException {
        Path file = o.work.resolve("targets.npz");
        String here = fingerprint();
        if (Files.exists(file)) {
            String stored;
            List<TargetSpace> read = new ArrayList<>();
            try (Npz npz = Npz.open(file)) {
                stored = new String(npz.bytes("fingerprint"), StandardCharsets.UTF_8);
                for (int s = 0; s < 3; s++) {
                    double[] mean = npz.doubles(s + ".mean");
                    double[] variances = npz.doubles(s + ".variances");
                    read.add(new TargetSpace(
                            mean.length,
                            variances.length,
                            npz.doubles(s + ".projection"),
                            mean,
                            variances,
                            npz.doubles(s + ".kept")[0]));
                }
            } catch (IOException | RuntimeException e) {
                throw unusable(file, e);
            }
            if (!stored.equals(here)) {
                throw new IOException("the work folder " + o.work + " belongs to a distillation with other options: "
                        + differences(stored, here)
                        + ". Give the same options again, or another work folder, or delete this one to begin anew");
            }
            return read;
        }
        List<TargetSpace> fitted = fitTargets();
        Map<String, NpyArray> arrays = new LinkedHashMap<>();
        byte[] key = here.getBytes(StandardCharsets.UTF_8);
        arrays.put("fingerprint", new NpyArray(new int[] {key.length}, key));
        for (int s = 0; s < 3; s++) {
            TargetSpace t = fitted.get(s);
            arrays.put(s + ".mean", new NpyArray(new int[] {t.channels()}, t.mean()));
            arrays.put(s + ".variances", new NpyArray(new int[] {t.components()}, t.variances()));
            arrays.put(s + ".projection", new NpyArray(new int[] {t.components(), t.channels()}, t.projection()));
            arrays.put(s + ".kept", new NpyArray(new int[] {1}, new double[] {t.kept()}));
        }
        replace(file, arrays);
        return fitted;
    }

    /** What must be the same for a state to be gone on from. */
    private String fingerprint() {
        StringBuilder b = new StringBuilder("teachers");
        for (Encoder e : encoders) b.append(' ').append(e.sha256(), 0, 16);
        b.append(String.format(
                Locale.ROOT,
                ", seed %d, batch %d, crop %d, %d photographs at share %.3f, exponent %.3f, statistics %d, widths %s",
                o.seed,
                o.batch,
                o.crop,
                photos.size(),
                photos.isEmpty() ? 0 : o.photoShare,
                o.exponent,
                o.statisticsCrops,
                o.architecture.widths()));
        return b.toString();
    }

    /** The parts in which two fingerprints differ, for people. */
    private static String differences(String there, String here) {
        // Between the parts, not between the widths of the last one.
        String[] a = there.split(", (?=[a-z]|\\d+ photographs)");
        String[] b = here.split(", (?=[a-z]|\\d+ photographs)");
        List<String> apart = new ArrayList<>();
        for (int i = 0; i < Math.max(a.length, b.length); i++) {
            String x = i < a.length ? a[i] : "nothing";
            String y = i < b.length ? b[i] : "nothing";
            if (!x.equals(y)) apart.add("it was begun with " + x + ", this is " + y);
        }
        return String.join("; ", apart);
    }

    private IOException unusable(Path file, Exception e) {
        return new IOException(
                "the saved state " + file + " cannot be read or is damaged (" + why(e)
                        + "): put a copy of it back, or delete the work folder " + o.work + " to begin anew",
                e);
    }

    private List<TargetSpace> fitTargets() {
        int[][] channels = new int[3][encoders.size()];
        int[] total = new int[3];
        for (int t = 0; t < encoders.size(); t++) {
            for (int s = 0; s < 3; s++) {
                channels[s][t] = encoders.get(t).channels().get(s);
                total[s] += channels[s][t];
            }
        }
        List<Teacher> teachers = new ArrayList<>();
        List<double[]> sums = new ArrayList<>();
        List<double[]> products = new ArrayList<>();
        double[] counts = new double[3];
        long start = System.nanoTime();
        try (PointerScope outer = new PointerScope()) {
            int cores = Runtime.getRuntime().availableProcessors();
            for (Encoder e : encoders) teachers.add(Teacher.open(e, cores));
            Tensor[] sum = new Tensor[3];
            Tensor[] product = new Tensor[3];
            TensorOptions doubles = new TensorOptions(torch.ScalarType.Double);
            for (int s = 0; s < 3; s++) {
                sum[s] = torch.zeros(new long[] {total[s]}, doubles);
                product[s] = torch.zeros(new long[] {total[s], total[s]}, doubles);
            }
            for (int done = 0; done < o.statisticsCrops; ) {
                int n = Math.min(16, o.statisticsCrops - done);
                byte[][] pictures = new byte[n][];
                // Crops beyond all that training will ever ask for.
                for (int i = 0; i < n; i++) pictures[i] = crops.train(Long.MAX_VALUE / 4 + done + i);
                done += n;
                float[] images = Feed.images(pictures);
                List<float[][]> answers =
                        teachers.stream().map(t -> t.answer(images, n, o.crop)).toList();
                for (int s = 0; s < 3; s++) {
                    try (PointerScope scope = new PointerScope()) {
                        int side = o.crop >> (2 + s);
                        Tensor[] parts = new Tensor[answers.size()];
                        for (int t = 0; t < parts.length; t++)
                            parts[t] = Torch.rows(Torch.of(answers.get(t)[s], n, channels[s][t], side, side))
                                    .view(-1, channels[s][t]);
                        Tensor x = Torch.concat(1, parts).to(torch.ScalarType.Double);
                        // Neighbouring cells at the fine stride tell nearly the same, and their products are most of
                        // the work.
                        if (s == 0)
                            x = x.slice(
                                    0,
                                    new org.bytedeco.pytorch.LongOptional(done % 4),
                                    new org.bytedeco.pytorch.LongOptional(),
                                    4);
                        counts[s] += x.size(0);
                        sum[s].add_(x.sum(0));
                        product[s].add_(x.t().mm(x));
                    }
                }
                if (done % 128 == 0)
                    say(String.format(
                            Locale.ROOT,
                            "statistics of the teachers: %d of %d crops, %.0f s",
                            done,
                            o.statisticsCrops,
                            (System.nanoTime() - start) / 1e9));
            }
            for (int s = 0; s < 3; s++) {
                double[] v = new double[total[s]];
                double[] m = new double[total[s] * total[s]];
                sum[s].data_ptr_double().get(v);
                product[s].data_ptr_double().get(m);
                sums.add(v);
                products.add(m);
            }
        } finally {
            teachers.forEach(Teacher::close);
        }
        List<TargetSpace> fitted = new ArrayList<>();
        for (int s = 0; s < 3; s++)
            fitted.add(TargetSpace.of(
                    channels[s],
                    counts[s],
                    sums.get(s),
                    products.get(s),
                    o.architecture.widths().get(s)));
        return fitted;
    }

    // ---- training ----

    private boolean train(List<Teacher> teachers) throws IOException, InterruptedException {
        TensorVector all = student.vector();
        all.retainReference();
        Path metrics = o.work.resolve("metrics.jsonl");
        long before = step;
        long said = step;
        double saidAt = seconds;
        double savedAt = seconds;
        boolean finished = over();
        try (Feed feed = new Feed(crops, teachers, o.batch, step)) {
            long tick = System.nanoTime();
            while (!finished && !o.stopWhen.getAsBoolean()) {
                Feed.Batch batch = feed.take();
                double rate = rate();
                double norm = step(batch, rate, all);
                step++;
                long now = System.nanoTime();
                seconds += (now - tick) / 1e9;
                tick = now;
                if (step % 20 == 0 || step - before == 1) {
                    Map<String, Object> line = new LinkedHashMap<>();
                    line.put("step", step);
                    line.put("seconds", round(seconds));
                    line.put("loss", loss);
                    line.put("strides", strideLoss.clone());
                    line.put("rate", rate);
                    line.put("gradientNorm", norm);
                    append(metrics, line);
                }
                finished = over();
                if (seconds - saidAt >= SAY_SECONDS || finished) {
                    say(status((step - said) * o.batch / Math.max(1e-9, seconds - saidAt)));
                    said = step;
                    saidAt = seconds;
                }
                if (seconds - savedAt >= o.saveSeconds && !finished) {
                    save(metrics);
                    savedAt = seconds;
                    now = System.nanoTime();
                    seconds += (now - tick) / 1e9;
                    tick = now;
                }
            }
        } finally {
            all.releaseReference();
        }
        save(metrics);
        return finished;
    }

    private static double round(double v) {
        return Math.rint(v * 100) / 100;
    }

    private boolean over() {
        return o.minutes > 0 && seconds >= 60 * o.minutes || o.steps > 0 && step >= o.steps;
    }

    /** Share of the budget used up. */
    private double done() {
        double byTime = o.minutes > 0 ? seconds / (60 * o.minutes) : 0;
        double bySteps = o.steps > 0 ? (double) step / o.steps : 0;
        return Math.min(1, Math.max(byTime, bySteps));
    }

    private double rate() {
        double warm = Math.min(1, (step + 1.0) / WARM_UP);
        double last = Math.min(LAST_RATE, o.learningRate);
        return warm * (last + (o.learningRate - last) * 0.5 * (1 + Math.cos(Math.PI * done())));
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
        if (!explained.isEmpty())
            b.append(String.format(
                    Locale.ROOT,
                    ", held-out explained %.3f %.3f %.3f",
                    explained.get(0),
                    explained.get(1),
                    explained.get(2)));
        b.append(String.format(Locale.ROOT, ", %.1f images/s", imagesPerSecond));
        double left = done() > 0 ? seconds / done() - seconds : 0;
        return b.append(String.format(Locale.ROOT, ", %d:%02d h left", (long) left / 3600, (long) left / 60 % 60))
                .toString();
    }

    private double step(Feed.Batch batch, double rate, TensorVector all) {
        try (PointerScope scope = new PointerScope()) {
            adam.zeroGradients();
            List<Tensor> out = student.forward(Torch.of(batch.images(), o.batch, 3, o.crop, o.crop), true);
            Tensor sum = null;
            for (int s = 0; s < 3; s++) {
                Tensor l = loss(out.get(s), batch.targets()[s], s, o.batch);
                strideLoss[s] = l.item_double();
                sum = sum == null ? l : sum.add(l);
            }
            loss = strideLoss[0] + strideLoss[1] + strideLoss[2];
            if (!Double.isFinite(loss))
                throw new IllegalStateException("the loss is not finite at step " + step
                        + ": lower the learning rate; the last saved state is in " + o.work);
            sum.backward();
            double norm = torch.clip_grad_norm_(all, CLIP);
            // Before the weights are spoiled by it and saved.
            if (!Double.isFinite(norm))
                throw new IllegalStateException("the gradient is not finite at step " + step
                        + ": lower the learning rate; the last saved state is in " + o.work);
            adam.step(step + 1, rate);
            return norm;
        } catch (IllegalStateException e) {
            throw e;
        } catch (RuntimeException e) {
            throw Torch.readable("a training step", e);
        } finally {
            JavaOp.endStep();
        }
    }

    private Tensor loss(Tensor out, float[] target, int s, int n) {
        return squares(out, target, s, n).mul(weights.get(s)).sum();
    }

    /** Mean squared error of every component. */
    private Tensor squares(Tensor out, float[] target, int s, int n) {
        int side = o.crop >> (2 + s);
        Tensor t = Torch.of(target, n, spaces.get(s).components(), side, side);
        return out.sub(t).square().mean(0, 2, 3);
    }

    private void evaluate() {
        List<Double> plain = new ArrayList<>();
        List<Double> weighted = new ArrayList<>();
        for (int s = 0; s < 3; s++) {
            int k = spaces.get(s).components();
            double[] error = new double[k];
            double[] mean = new double[k];
            double[] square = new double[k];
            int side = o.crop >> (2 + s);
            double total = 0;
            for (Feed.Batch b : heldOut) {
                int n = b.images().length / (3 * o.crop * o.crop);
                total += n;
                for (int i = 0; i < b.targets()[s].length; i++) {
                    int c = i / (side * side) % k;
                    mean[c] += b.targets()[s][i] / (side * side);
                    square[c] += (double) b.targets()[s][i] * b.targets()[s][i] / (side * side);
                }
            }
            for (Feed.Batch b : heldOut) {
                int n = b.images().length / (3 * o.crop * o.crop);
                try (PointerScope scope = new PointerScope();
                        NoGradGuard off = new NoGradGuard()) {
                    List<Tensor> out = student.forward(Torch.of(b.images(), n, 3, o.crop, o.crop), false);
                    float[] e = Torch.values(squares(out.get(s), b.targets()[s], s, n));
                    for (int c = 0; c < k; c++) error[c] += e[c] * n;
                }
            }
            float[] w = spaces.get(s).weights(o.exponent);
            double sse = 0;
            double sst = 0;
            double wsse = 0;
            double wsst = 0;
            for (int c = 0; c < k; c++) {
                double variance = square[c] / total - mean[c] / total * (mean[c] / total);
                sse += error[c] / total;
                sst += variance;
                wsse += w[c] * error[c] / total;
                wsst += w[c] * variance;
            }
            plain.add(1 - sse / sst);
            weighted.add(1 - wsse / wsst);
        }
        explained = plain;
        weightedExplained = weighted;
    }

    // ---- files ----

    private void save(Path metrics) throws IOException {
        evaluate();
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("step", step);
        line.put("seconds", round(seconds));
        line.put("explained", explained);
        line.put("weightedExplained", weightedExplained);
        append(metrics, line);
        Map<String, NpyArray> arrays = new LinkedHashMap<>();
        arrays.put("step", new NpyArray(new int[] {1}, new double[] {step}));
        arrays.put("seconds", new NpyArray(new int[] {1}, new double[] {seconds}));
        arrays.putAll(student.export());
        arrays.putAll(adam.export());
        replace(o.work.resolve("state.npz"), arrays);
        byte[] onnx = student.onnx();
        verify(onnx);
        replace(o.out, onnx);
        String file = o.out.getFileName().toString();
        replace(
                o.out.resolveSibling(file + ".md"),
                new ModelCard(o, encoders, photos, spaces, step, seconds, explained, weightedExplained, onnx)
                        .text()
                        .getBytes(StandardCharsets.UTF_8));
    }

    private void restore() throws IOException {
        Path file = o.work.resolve("state.npz");
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
            throw unusable(file, e);
        }
        say(String.format(Locale.ROOT, "going on from step %d after %.1f minutes of training", step, seconds / 60));
    }

    /** Compares the file with the network in training, at 256x256, and has it accepted as an encoder. */
    private void verify(byte[] onnx) throws IOException {
        Encoder encoder = Encoder.of(onnx, o.out.getFileName().toString().replaceFirst("\\.onnx$", ""));
        Crops large = new Crops(Photos.none(), 0, 256, o.seed);
        float[] images = Feed.images(new byte[][] {large.heldOut(0), large.heldOut(1)});
        float[][] exported;
        try (Teacher session = Teacher.open(encoder, 1)) {
            exported = session.answer(images, 2, 256);
        }
        try (PointerScope scope = new PointerScope();
                NoGradGuard off = new NoGradGuard()) {
            List<Tensor> trained = student.forward(Torch.of(images, 2, 3, 256, 256), false);
            for (int s = 0; s < 3; s++) {
                float[] t = Torch.values(trained.get(s));
                double most = 0;
                double apart = 0;
                for (int i = 0; i < t.length; i++) {
                    most = Math.max(most, Math.abs(t[i]));
                    apart = Math.max(apart, Math.abs(t[i] - exported[s][i]));
                }
                if (!(apart <= EXPORT_TOLERANCE * most)) {
                    throw new IllegalStateException(String.format(
                            Locale.ROOT,
                            "the exported encoder differs from the trained one at stride %d by %.3g of %.3g; %s was not written",
                            4 << s,
                            apart,
                            most,
                            o.out));
                }
            }
        }
    }

    private static void append(Path file, Map<String, Object> line) throws IOException {
        Files.writeString(
                file, JSON.writeValueAsString(line) + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    private interface Content {
        void write(Path file) throws IOException;
    }

    private static void replace(Path file, byte[] bytes) throws IOException {
        replace(file, temporary -> Files.write(temporary, bytes));
    }

    private static void replace(Path file, Map<String, NpyArray> arrays) throws IOException {
        replace(file, temporary -> Npz.write(temporary, arrays));
    }

    /** Readers see the former file or the whole new one, and a failure leaves the former. */
    private static void replace(Path file, Content content) throws IOException {
        Path absolute = file.toAbsolutePath();
        Path temporary = absolute.resolveSibling(absolute.getFileName() + ".tmp");
        try {
            Files.createDirectories(absolute.getParent());
            content.write(temporary);
            // Else a power cut could leave the new name without the new content.
            try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
                channel.force(true);
            }
            Files.move(temporary, absolute, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            try {
                Files.deleteIfExists(temporary);
            } catch (IOException f) {
                e.addSuppressed(f);
            }
            throw new IOException(
                    "cannot write " + absolute + ": " + why(e)
                            + (Files.exists(absolute) ? "; the former file is unchanged" : "")
                            + ". With that mended, the same command goes on from the last saved state",
                    e);
        }
    }

    private static String why(Exception e) {
        if (e instanceof AccessDeniedException a) return "no permission for " + a.getFile();
        if (e instanceof FileSystemException f && f.getReason() == null)
            return f.getFile() + " is in the way (" + f.getClass().getSimpleName() + ")";
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }
}
