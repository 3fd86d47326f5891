package io.linesight.trainer.folders;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.mmad.image.BadImageException;
import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.RgbImage;
import io.linesight.trainer.folders.DatasetLayout.Opened;
import io.linesight.trainer.folders.ImageSource.Sample;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DatasetLayoutTest {
    private static final String HEAD = "object,split,label,image,mask\n";

    @TempDir
    Path root;

    private void picture(String file) throws IOException {
        Path p = root.resolve(file);
        Files.createDirectories(p.getParent());
        Files.write(p, ImageCodec.encodePng(new RgbImage(4, 4, new byte[48])));
    }

    private Path table(String file, String text) throws IOException {
        Path p = root.resolve(file);
        Files.createDirectories(p.getParent());
        return Files.writeString(p, text);
    }

    private Opened open() {
        return DatasetLayout.open(List.of(root), List.of(), null, null);
    }

    private void visa() throws IOException {
        picture("candle/Data/Images/Normal/0.png");
        picture("candle/Data/Images/Normal/1.png");
        picture("candle/Data/Images/Anomaly/0.png");
        picture("candle/Data/Images/Anomaly/1, second.png");
        picture("candle/Data/Masks/Anomaly/0.png");
    }

    private static final String ROWS =
            """
            candle,train,normal,candle/Data/Images/Normal/0.png,
            candle,test,normal,candle/Data/Images/Normal/1.png,
            candle,test,anomaly,candle/Data/Images/Anomaly/0.png,candle/Data/Masks/Anomaly/0.png

            candle,test,anomaly,"candle/Data/Images/Anomaly/1, second.png",
            """;

    @Test
    void shouldReadVisa() throws Exception {
        visa();
        table("split_csv/1cls.csv", HEAD + ROWS);
        Opened opened = open();
        assertThat(opened.layout()).isEqualTo(DatasetLayout.VISA);
        assertThat(opened.notes()).isEmpty();
        ImageSource source = opened.source();
        assertThat(source.name()).isEqualTo(root.getFileName().toString());
        assertThat(source.categories()).containsExactly("candle");
        assertThat(source.train("candle")).extracting(Sample::name).containsExactly("Data/Images/Normal/0.png");
        List<Sample> test = source.test("candle");
        assertThat(test)
                .extracting(Sample::name)
                .containsExactly(
                        "Data/Images/Normal/1.png", "Data/Images/Anomaly/0.png", "Data/Images/Anomaly/1, second.png");
        assertThat(test).extracting(Sample::anomalous).containsExactly(false, true, true);
        assertThat(test.get(1).mask().read().width()).isEqualTo(4);
        assertThat(test.get(2).mask()).isNull();
        assertThat(test.get(2).image().read().width()).isEqualTo(4);
    }

    @Test
    void shouldReadColumnsInAnyOrderAndWithAByteOrderMark() throws Exception {
        picture("a/x.png");
        table("t.csv", "\uFEFFmask,image,Label,split,object,remark\r\n,a/x.png,normal,test,a,ok\r\n");
        assertThat(open().source().test("a")).extracting(Sample::name).containsExactly("x.png");
    }

    @Test
    void shouldTakeTheUsualTableOfSeveralAndSaySo() throws Exception {
        visa();
        table("split_csv/1cls.csv", HEAD + ROWS);
        Path other = table("split_csv/2cls.csv", HEAD + "candle,test,normal,candle/Data/Images/Normal/0.png,\n");
        assertThat(open().source().test("candle")).hasSize(3);
        assertThat(open().notes()).singleElement().asString().contains("1cls.csv", "--csv");
        assertThat(DatasetLayout.open(List.of(root), List.of(), null, other)
                        .source()
                        .test("candle"))
                .hasSize(1);
        Files.delete(root.resolve("split_csv/1cls.csv"));
        table("split_csv/3cls.csv", HEAD);
        assertThatThrownBy(this::open)
                .isInstanceOf(DatasetException.class)
                .hasMessageContaining("2cls.csv")
                .hasMessageContaining("3cls.csv")
                .hasMessageContaining("--csv");
    }

    @Test
    void shouldNameTheFileAndTheLineOfEveryProblem() throws Exception {
        visa();
        table(
                "1cls.csv",
                HEAD
                        + """
                candle,test,normal,candle/Data/Images/Normal/7.png,
                candle,test,anomaly,candle/Data/Images/Anomaly/0.png,candle/Data/Masks/Anomaly/9.png
                candle,test,broken,candle/Data/Images/Normal/0.png,
                candle,validate,normal,candle/Data/Images/Normal/0.png,
                ../candle,test,normal,candle/Data/Images/Normal/0.png,
                candle,test,normal,../elsewhere.png,
                candle,test,normal,candle/Data/Images/Normal/1.png,
                candle,test,normal,candle/Data/Images/Normal/1.png,
                candle,test,normal,"candle/Data/Images/Normal/1.png,
                candle,test,normal
                """);
        assertThatThrownBy(this::open)
                .isInstanceOf(DatasetException.class)
                .hasMessageContaining(
                        "1cls.csv line 2: there is no image " + root.resolve("candle/Data/Images/Normal/7.png"))
                .hasMessageContaining("line 3: there is no mask " + root.resolve("candle/Data/Masks/Anomaly/9.png"))
                .hasMessageContaining("line 4: the label 'broken' is neither normal nor anomaly")
                .hasMessageContaining("line 5: the split 'validate'")
                .hasMessageContaining("line 6: the object '../candle'")
                .hasMessageContaining("line 7: the image ../elsewhere.png lies outside")
                .hasMessageContaining("line 9: the image candle/Data/Images/Normal/1.png stands in line 8 already")
                .hasMessageContaining("line 10: has a quote that is not closed")
                .hasMessageContaining("line 11: the column image is empty");
    }

    @Test
    void shouldShortenALongListOfProblems() throws Exception {
        StringBuilder rows = new StringBuilder(HEAD);
        for (int i = 0; i < 50; i++) rows.append("a,test,normal,a/").append(i).append(".png,\n");
        table("1cls.csv", rows.toString());
        assertThatThrownBy(this::open)
                .hasMessageContaining("line 21:")
                .hasMessageContaining("and 30 more")
                .hasMessageNotContaining("line 22:");
    }

    @Test
    void shouldRefuseTablesThatAreNone() throws Exception {
        picture("a/good/x.png");
        Path wrong = table("wrong.csv", "object|split|label|image|mask\n");
        assertThat(open().layout()).isEqualTo(DatasetLayout.FOLDER);
        assertThatThrownBy(() -> DatasetLayout.open(List.of(root), List.of(), null, wrong))
                .hasMessageContaining("wrong.csv has no column object")
                .hasMessageContaining("object,split,label,image,mask");
        assertThatThrownBy(() -> DatasetLayout.open(List.of(root), List.of(), DatasetLayout.VISA, null))
                .hasMessageContaining("holds no csv")
                .hasMessageContaining("--csv");
        Path latin = root.resolve("latin.csv");
        Files.write(latin, (HEAD + "a,test,normal,a/\u00e4\u0081.png,\n").getBytes(StandardCharsets.ISO_8859_1));
        assertThatThrownBy(() -> DatasetLayout.open(List.of(root), List.of(), null, latin))
                .hasMessageContaining("is neither UTF-8 nor Windows-1252");
        assertThatThrownBy(() -> DatasetLayout.open(List.of(root), List.of(), DatasetLayout.FOLDER, wrong))
                .hasMessageContaining("layout visa only");
    }

    @Test
    void shouldReadOneCategoryOfGoodAndBad() throws Exception {
        picture("good/0.png");
        picture("good/night/0.png");
        picture("bad/0.PNG");
        picture("bad/crack/0.png");
        Files.writeString(root.resolve("bad/1.jp2"), "GIF8");
        Opened opened = open();
        assertThat(opened.layout()).isEqualTo(DatasetLayout.FOLDER);
        String category = root.getFileName().toString();
        assertThat(opened.source().categories()).containsExactly(category);
        List<Sample> test = opened.source().test(category);
        assertThat(test)
                .extracting(Sample::name)
                .containsExactly("good/0.png", "good/night/0.png", "bad/0.PNG", "bad/crack/0.png");
        assertThat(test).extracting(Sample::defect).containsExactly(null, null, "bad", "crack");
        assertThat(opened.files().found()).isEqualTo(4);
        assertThat(opened.files().count(FilesReport.LeftOut.OTHER_FORMAT)).isEqualTo(1);
        assertThat(opened.files().text()).contains("left out 1 image in a format that is not read", "1.jp2");
    }

    @Test
    void shouldReadCategoriesOfGoodAndBad() throws Exception {
        picture("bolt/good/0.png");
        picture("nut/bad/0.png");
        picture("other/0.png");
        ImageSource source = open().source();
        assertThat(source.categories()).containsExactly("bolt", "nut");
        assertThat(source.test("bolt")).hasSize(1);
        assertThat(DatasetLayout.open(List.of(root), List.of("nut"), null, null)
                        .source()
                        .categories())
                .containsExactly("nut");
        assertThatThrownBy(() -> DatasetLayout.open(List.of(root), List.of("screw"), null, null))
                .hasMessageContaining("'screw'")
                .hasMessageContaining("bolt, nut");
        assertThatThrownBy(() -> DatasetLayout.open(List.of(root, root), List.of(), null, null))
                .hasMessageContaining("'bolt' is in both");
    }

    @Test
    void shouldReadMvtecAsBefore() throws Exception {
        picture("bolt/test/good/0.png");
        picture("bolt/test/bad/0.png");
        picture("bolt/good/0.png");
        Opened opened = open();
        assertThat(opened.layout()).isEqualTo(DatasetLayout.MVTEC);
        assertThat(opened.source().test("bolt")).extracting(Sample::name).containsExactly("bad/0.png", "good/0.png");
        assertThat(DatasetLayout.open(List.of(root), List.of(), DatasetLayout.FOLDER, null)
                        .source()
                        .test("bolt"))
                .extracting(Sample::name)
                .containsExactly("good/0.png");
    }

    @Test
    void shouldAskWhenTheLayoutIsNotPlain() throws Exception {
        assertThatThrownBy(this::open)
                .isInstanceOf(DatasetException.class)
                .hasMessageContaining("no category in any known layout")
                .hasMessageContaining("MVTec")
                .hasMessageContaining("VisA")
                .hasMessageContaining("good and bad");
        picture("bolt/test/good/0.png");
        picture("nut/good/0.png");
        assertThatThrownBy(this::open)
                .hasMessageContaining("more than one layout")
                .hasMessageContaining("--layout");
        table("t.csv", HEAD + "nut,test,normal,nut/good/0.png,\n");
        assertThatThrownBy(this::open)
                .hasMessageContaining("VisA")
                .hasMessageContaining("MVTec")
                .hasMessageNotContaining("plain:");
    }

    @Test
    void shouldNotMixLayouts() throws Exception {
        picture("mvtec/bolt/test/good/0.png");
        picture("plain/good/0.png");
        assertThatThrownBy(() -> DatasetLayout.open(
                        List.of(root.resolve("mvtec"), root.resolve("plain")), List.of(), null, null))
                .hasMessageContaining("different layouts");
    }

    @Test
    void shouldNameTheMaskThatCannotBeRead() throws Exception {
        picture("bolt/test/crack/0.png");
        picture("bolt/ground_truth/crack/0_mask.png");
        Path mask = root.resolve("bolt/ground_truth/crack/0_mask.png");
        Files.write(mask, ImageCodec.encodeJpeg(new RgbImage(4, 4, new byte[48]), 90));
        Sample s = open().source().test("bolt").get(0);
        assertThatThrownBy(() -> s.mask().read())
                .isInstanceOf(BadImageException.class)
                .hasMessageContaining(mask.toString())
                .hasMessageContaining("save it as PNG");
    }
}
