package io.linesight.app.cli.common;

import io.linesight.trainer.folders.DatasetException;
import io.linesight.trainer.folders.DatasetLayout;
import io.linesight.trainer.folders.FilesReport;
import io.linesight.trainer.folders.ReadingContext;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Options that name folders of images and how the images lie in them; opens them. */
public final class DataOptions {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(names = "--data", required = true, paramLabel = "DIR", description = "Folder of images; may be repeated.")
    private List<Path> folders;

    @Option(
            names = "--layout",
            paramLabel = "mvtec|visa|folder|kolektor",
            description = {
                "Layout of the folder; detected by default.",
                "mvtec: CATEGORY/train/good, CATEGORY/test/good, CATEGORY/test/DEFECT, and masks in "
                        + "CATEGORY/ground_truth/DEFECT/NAME_mask.png; images of CATEGORY/validation/good only place "
                        + "thresholds.",
                "visa: a csv with the columns object,split,label,image,mask in the folder or in split_csv.",
                "folder: good and bad (or OK and NG), or CATEGORY/good and CATEGORY/bad. 'fit' learns from all good "
                        + "images.",
                "kolektor: NAME.jpg beside NAME_label.bmp or NAME_GT.png, black where the part is good."
            })
    private @Nullable DatasetLayout layout;

    @Option(
            names = "--csv",
            paramLabel = "FILE",
            description = "The csv of the layout visa, where there are several; 1cls.csv by default.")
    private @Nullable Path csv;

    @Option(
            names = "--categories",
            split = ",",
            paramLabel = "A,B",
            description = "Only these categories; all by default.")
    private List<String> categories = List.of();

    @Mixin
    private ImageOptions images;

    private @Nullable FilesReport files;

    /**
     * Opens the images for measuring; prints the layout and what else the user should know to standard error.
     *
     * @throws ParameterException when the options contradict each other
     * @throws UserError when a folder or the csv is missing
     * @throws DatasetException when the folders hold no known layout
     */
    public DatasetLayout.Opened open() {
        validate();
        return say(DatasetLayout.open(folders, categories, layout, csv, ReadingContext.of(images.settings())));
    }

    /** As {@link #open}, for learning from the good images. */
    public DatasetLayout.Opened openForTraining() {
        validate();
        return say(
                DatasetLayout.openForTraining(folders, categories, layout, csv, ReadingContext.of(images.settings())));
    }

    private void validate() {
        if (csv != null && layout != null && layout != DatasetLayout.VISA)
            throw new ParameterException(spec.commandLine(), "--csv goes with --layout visa only");
        for (Path folder : folders) Inputs.folder(folder, "folder");
        if (csv != null) Inputs.existing(csv, "csv");
    }

    private DatasetLayout.Opened say(DatasetLayout.Opened opened) {
        PrintWriter err = spec.commandLine().getErr();
        err.println("layout " + opened.layout().name().toLowerCase(Locale.ROOT)
                + (layout == null && csv == null ? " found" : "") + ": "
                + String.join(", ", opened.source().categories()));
        opened.notes().forEach(err::println);
        err.flush();
        files = opened.files();
        return opened;
    }

    /** Prints what became of the files to standard error, once they have been read. */
    public void summarize() {
        if (files != null) say(files.text());
    }

    /** Prints what would become of the files, where the work was not done. */
    public void summarizePlan() {
        if (files != null) say(files.planText());
    }

    /** Work on the images. */
    public interface Work<T> {
        T run() throws IOException;
    }

    /**
     * Does the work; where the images are not fit for it, prints what would become of the files before it fails.
     *
     * @throws DatasetException as the work does
     */
    public <T> T orSummarize(Work<T> work) throws IOException {
        try {
            return work.run();
        } catch (DatasetException e) {
            summarizePlan();
            throw e;
        }
    }

    private void say(String text) {
        PrintWriter err = spec.commandLine().getErr();
        err.print(text);
        err.flush();
    }

    /** What became of the files so far; empty before they were opened. */
    public FilesReport files() {
        return files == null ? new FilesReport() : files;
    }
}
