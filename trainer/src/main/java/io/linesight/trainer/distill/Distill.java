package io.linesight.trainer.distill;

import io.linesight.mmad.encoder.Encoder;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.RgbImage;
import io.linesight.mmad.io.ExclusiveLock;
import io.linesight.trainer.folders.DatasetException;
import io.linesight.trainer.torch.Torch;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Trains a small image encoder to give what larger ones give: the principal components of the teachers' standardised
 * features at strides 4, 8 and 16, on photographs and on scenes that are made up. Whatever interrupts it, the same call
 * resumes from the last saved state; with the same number of threads and a budget of steps, it comes to the same
 * encoder, but for rounding, as if it had not been interrupted.
 */
public final class Distill {
    private static final int SHEET_SIDE = 8;

    private Distill() {}

    /**
     * Trains until the budget is used up or it is stopped, on the calling thread; crops and the teachers' answers are
     * made on another, which has ended when this returns or throws. The number of libtorch's threads is set for the
     * whole process and stays. An interrupt ends the run without saving and leaves the thread interrupted. Heap: up to
     * 3 GB with a full pool of photographs.
     *
     * <p>A file is replaced in one step: after any failure the encoder is the former one or the new one, never a part
     * of it. The state is written first, so that an encoder is never ahead of it.
     *
     * @throws IllegalArgumentException naming every problem of the options, or when a teacher is no encoder or the
     *     teachers have too few channels
     * @throws DatasetException when a photograph is one that must not be learned from, a folder or an image to exclude
     *     cannot be read, or no photograph is usable
     * @throws IOException when a file cannot be read or written, the run is interrupted, the saved state is damaged, or
     *     the work folder is in use or belongs to a distillation with other options; the message names them
     * @throws IllegalStateException when training diverges, a teacher or libtorch fails, or the exported encoder does
     *     not give what the trained one gives
     */
    public static DistillResult run(DistillOptions options) throws IOException {
        options.validate();
        Path work = options.output().work();
        Files.createDirectories(work);
        try (ExclusiveLock lock = ExclusiveLock.tryOn(work.resolve("lock"))
                .orElseThrow(() ->
                        new IOException("the work folder " + work + " is in use by a distillation that is running"))) {
            return distill(options);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted; the last saved state is in " + work, e);
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
        Crops crops = crops(options, photos(options));
        int side = options.training().crop();
        int columns = SHEET_SIDE;
        byte[] rgb = new byte[3 * columns * columns * side * side];
        for (int i = 0; i < columns * columns; i++) {
            byte[] crop = crops.train(i);
            for (int y = 0; y < side; y++) {
                for (int x = 0; x < side; x++) {
                    int at = 3 * ((i / columns * side + y) * columns * side + i % columns * side + x);
                    for (int c = 0; c < 3; c++) rgb[at + c] = crop[(c * side + y) * side + x];
                }
            }
        }
        WorkFiles.replace(png, ImageCodec.encodePng(new RgbImage(columns * side, columns * side, rgb)));
    }

    private static Photos photos(DistillOptions options) {
        return Photos.load(
                options.photographs(),
                options.training().seed(),
                options.session().progress());
    }

    private static Crops crops(DistillOptions options, Photos photos) {
        DistillOptions.Training training = options.training();
        return new Crops(photos, options.photographs().share(), training.crop(), training.seed());
    }

    private static DistillResult distill(DistillOptions options) throws IOException, InterruptedException {
        options.machine().student().check();
        Torch.start(options.machine().threads());
        List<Encoder> encoders = new ArrayList<>();
        for (Path t : options.teachers().files()) encoders.add(Encoder.load(t));
        Photos photos = photos(options);
        PrintStream out = options.session().progress();
        if (!photos.isEmpty()) {
            out.println(photos.summary());
            out.print(photos.files());
        }
        Crops crops = crops(options, photos);
        List<TargetSpace> spaces = new TargetFitting(options, encoders, photos, crops).spaces();
        for (int s = 0; s < 3; s++)
            out.println(String.format(
                    Locale.ROOT,
                    "stride %d: %d channels of the teachers, %d components kept with %.1f %% of their variance",
                    4 << s,
                    spaces.get(s).channels(),
                    spaces.get(s).components(),
                    100 * spaces.get(s).kept()));
        List<Teacher> teachers = new ArrayList<>();
        try (StudentTraining training =
                new StudentTraining(options, new StudentTraining.Lesson(encoders, photos, crops, spaces))) {
            training.restore();
            int[] from = new int[3];
            for (Encoder e : encoders) {
                teachers.add(
                        Teacher.open(e, options.machine().teacherThreads(), spaces, from.clone(), teachers.isEmpty()));
                for (int s = 0; s < 3; s++) from[s] += e.channels().get(s);
            }
            return training.run(teachers);
        } finally {
            teachers.forEach(Teacher::close);
        }
    }
}
