package io.linesight.trainer.distill;

import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.io.NpyArray;
import io.linesight.mmad.io.Npz;
import io.linesight.trainer.torch.Torch;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;

/**
 * The target spaces of the three strides: read from the work folder, or fitted to the teachers' answers and written
 * there. Used once.
 */
final class TargetFitting {
    private static final int BATCH = 16;
    /** Neighbouring cells at the fine stride tell nearly the same, and their products are most of the work. */
    private static final int FINE_STEP = 4;

    private final DistillOptions options;
    private final List<Encoder> teachers;
    private final Photos photos;
    private final Crops crops;
    private final int crop;

    TargetFitting(DistillOptions options, List<Encoder> teachers, Photos photos, Crops crops) {
        this.options = options;
        this.teachers = teachers;
        this.photos = photos;
        this.crops = crops;
        this.crop = options.training().crop();
    }

    /** @throws IOException when the work folder's are damaged or were fitted with other options */
    List<TargetSpace> spaces() throws IOException {
        Path file = options.output().work().resolve("targets.npz");
        if (Files.exists(file)) return read(file);
        List<TargetSpace> fitted = fit();
        write(file, fitted);
        return fitted;
    }

    private List<TargetSpace> read(Path file) throws IOException {
        Path work = options.output().work();
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
            throw WorkFiles.unusable(file, work, e);
        }
        String here = fingerprint();
        if (!stored.equals(here))
            throw new IOException("the work folder " + work + " belongs to a distillation with other options: "
                    + differences(stored, here)
                    + ". Give the same options again, or another work folder, or delete this one to start over");
        return read;
    }

    private void write(Path file, List<TargetSpace> spaces) throws IOException {
        Map<String, NpyArray> arrays = new LinkedHashMap<>();
        byte[] key = fingerprint().getBytes(StandardCharsets.UTF_8);
        arrays.put("fingerprint", new NpyArray(new int[] {key.length}, key));
        for (int s = 0; s < 3; s++) {
            TargetSpace t = spaces.get(s);
            arrays.put(s + ".mean", new NpyArray(new int[] {t.channels()}, t.mean()));
            arrays.put(s + ".variances", new NpyArray(new int[] {t.components()}, t.variances()));
            arrays.put(s + ".projection", new NpyArray(new int[] {t.components(), t.channels()}, t.projection()));
            arrays.put(s + ".kept", new NpyArray(new int[] {1}, new double[] {t.kept()}));
        }
        WorkFiles.replace(file, arrays);
    }

    /** What must be the same to resume from a state. */
    private String fingerprint() {
        StringBuilder b = new StringBuilder("teachers");
        for (Encoder e : teachers) b.append(' ').append(e.sha256(), 0, 16);
        DistillOptions.Training training = options.training();
        b.append(String.format(
                Locale.ROOT,
                ", seed %d, batch %d, crop %d, %d photographs at share %.3f, exponent %.3f, statistics %d, widths %s",
                training.seed(),
                training.batch(),
                crop,
                photos.size(),
                photos.isEmpty() ? 0 : options.photographs().share(),
                training.exponent(),
                options.measuring().statisticsCrops(),
                options.machine().student().widths()));
        return b.toString();
    }

    /** The parts in which two fingerprints differ, for people. */
    private static String differences(String there, String here) {
        // Between the parts, not between the widths of the last one.
        String[] a = there.split(", (?=[a-z]|\\d+ photographs)");
        String[] b = here.split(", (?=[a-z]|\\d+ photographs)");
        List<String> different = new ArrayList<>();
        for (int i = 0; i < Math.max(a.length, b.length); i++) {
            String x = i < a.length ? a[i] : "nothing";
            String y = i < b.length ? b[i] : "nothing";
            if (!x.equals(y)) different.add("it was begun with " + x + ", this is " + y);
        }
        return String.join("; ", different);
    }

    private List<TargetSpace> fit() {
        List<Teacher> open = new ArrayList<>();
        try (PointerScope outer = new PointerScope()) {
            int cores = Runtime.getRuntime().availableProcessors();
            for (Encoder e : teachers) open.add(Teacher.open(e, cores));
            List<Moments> moments = new ArrayList<>();
            for (int s = 0; s < 3; s++) moments.add(new Moments(channels(s)));
            long start = System.nanoTime();
            int wanted = options.measuring().statisticsCrops();
            for (int done = 0; done < wanted; ) {
                int n = Math.min(BATCH, wanted - done);
                byte[][] batch = new byte[n][];
                // Crops beyond all that training will ever ask for.
                for (int i = 0; i < n; i++) batch[i] = crops.train(Long.MAX_VALUE / 4 + done + i);
                done += n;
                add(batch, open, done % FINE_STEP, moments);
                if (done % 128 == 0)
                    options.session()
                            .progress()
                            .println(String.format(
                                    Locale.ROOT,
                                    "statistics of the teachers: %d of %d crops, %.0f s",
                                    done,
                                    wanted,
                                    (System.nanoTime() - start) / 1e9));
            }
            List<TargetSpace> fitted = new ArrayList<>();
            for (int s = 0; s < 3; s++)
                fitted.add(moments.get(s)
                        .space(options.machine().student().widths().get(s)));
            return fitted;
        } finally {
            open.forEach(Teacher::close);
        }
    }

    /** Channels of each teacher at a stride. */
    private int[] channels(int stride) {
        return teachers.stream().mapToInt(e -> e.channels().get(stride)).toArray();
    }

    private void add(byte[][] batch, List<Teacher> open, int fineFrom, List<Moments> moments) {
        float[] images = Feed.images(batch);
        List<float[][]> answers =
                open.stream().map(t -> t.answer(images, batch.length, crop)).toList();
        for (int s = 0; s < 3; s++) {
            int stride = s;
            try (PointerScope scope = new PointerScope()) {
                moments.get(s)
                        .add(
                                answers.stream().map(a -> a[stride]).toList(),
                                batch.length,
                                crop >> (2 + s),
                                s == 0 ? fineFrom : -1);
            }
        }
    }

    /** Sums of the channels and of their products, as libtorch adds them up. Lives in the scope that it is made in. */
    private static final class Moments {
        private final int[] channels;
        private final Tensor sum;
        private final Tensor product;
        private double count;

        Moments(int[] channels) {
            this.channels = channels;
            int total = total();
            TensorOptions doubles = new TensorOptions(torch.ScalarType.Double);
            sum = torch.zeros(new long[] {total}, doubles);
            product = torch.zeros(new long[] {total, total}, doubles);
        }

        private int total() {
            int total = 0;
            for (int c : channels) total += c;
            return total;
        }

        /**
         * @param answers of each teacher
         * @param from first cell when only every {@link #FINE_STEP}th counts; -1 = all cells
         */
        void add(List<float[]> answers, int n, int side, int from) {
            Tensor[] parts = new Tensor[answers.size()];
            for (int t = 0; t < parts.length; t++)
                parts[t] = Torch.rows(Torch.of(answers.get(t), n, channels[t], side, side))
                        .view(-1, channels[t]);
            Tensor x = Torch.concat(1, parts).to(torch.ScalarType.Double);
            if (from >= 0) x = x.slice(0, new LongOptional(from), new LongOptional(), FINE_STEP);
            count += x.size(0);
            sum.add_(x.sum(0));
            product.add_(x.t().mm(x));
        }

        TargetSpace space(int components) {
            int total = total();
            double[] sums = new double[total];
            double[] products = new double[total * total];
            sum.data_ptr_double().get(sums);
            product.data_ptr_double().get(products);
            return TargetSpace.of(channels, count, sums, products, components);
        }
    }
}
