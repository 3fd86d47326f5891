package io.linesight.trainer.folders;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.RgbImage;
import io.linesight.trainer.folders.DatasetLayout.Opened;
import io.linesight.trainer.folders.FilesReport.LeftOut;
import io.linesight.trainer.folders.ImageSource.Sample;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.List;
import java.util.Map;
import java.util.Random;
import javax.imageio.ImageIO;
import org.assertj.core.groups.Tuple;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Folders as people and public data sets have them. */
class FolderReadingTest {
    @TempDir
    Path root;

    private Path image(String file) throws IOException {
        return write(file, ImageCodec.encodePng(new RgbImage(4, 4, new byte[48])));
    }

    private Path write(String file, byte[] bytes) throws IOException {
        Path p = root.resolve(file);
        Files.createDirectories(p.getParent());
        return Files.write(p, bytes);
    }

    private Path mask(String file, int from, int to) throws IOException {
        byte[] gray = new byte[100 * 100];
        for (int y = from; y < to; y++) java.util.Arrays.fill(gray, y * 100 + from, y * 100 + to, (byte) 255);
        if (!file.endsWith(".bmp")) return write(file, ImageCodec.encodeGrayPng(gray, 100, 100));
        BufferedImage bmp = new BufferedImage(100, 100, BufferedImage.TYPE_BYTE_GRAY);
        bmp.getRaster().setDataElements(0, 0, 100, 100, gray);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ImageIO.write(bmp, "bmp", out);
        return write(file, out.toByteArray());
    }

    private static Opened open(Path... roots) {
        return DatasetLayout.open(List.of(roots), List.of(), null, null);
    }

    private static void assertDefect(Sample sample, boolean defective, boolean masked) {
        assertThat(sample.anomalous()).as(sample.name()).isEqualTo(defective);
        assertThat(sample.mask() != null).as(sample.name()).isEqualTo(masked);
    }

    @Test
    void shouldUnderstandTheSpellingsOfPublicDataSets() throws Exception {
        // BTAD, VisA re-packed, MPDD; then others that are seen.
        String[][] sets = {
            {"01/train/ok/0.bmp", "01/test/ok/1.bmp", "01/test/ko/2.bmp", "01/ground_truth/ko/2.png"},
            {
                "candle/train/good/0.JPG",
                "candle/test/good/1.JPG",
                "candle/test/bad/2.JPG",
                "candle/ground_truth/bad/2.png"
            },
            {
                "tubes/train/good/0.png",
                "tubes/test/good/1.png",
                "tubes/test/bent/2.png",
                "tubes/ground_truth/bent/2_mask.png"
            },
            {"a/Train/Normal/0.tif", "a/Test/Normal/1.tif", "a/Test/Scratch/2.tif", "a/Masks/scratch/2_GT.png"},
            {"b/training/gut/0.webp", "b/test/gut/1.webp", "b/test/riss/tag1/2.webp", "b/groundtruth/riss/tag1/2.png"}
        };
        for (String[] set : sets) {
            for (int i = 0; i < 3; i++) image(set[i]);
            mask(set[3], 10, 30);
            String category = set[0].substring(0, set[0].indexOf('/'));
            Opened opened = open(root);
            assertThat(opened.layout()).isEqualTo(DatasetLayout.MVTEC);
            assertThat(opened.source().train(category)).as(category).hasSize(1);
            List<Sample> test = opened.source().test(category);
            assertThat(test).as(category).hasSize(2);
            for (Sample s : test)
                assertDefect(s, s.name().contains("2."), s.name().contains("2."));
        }
        assertThat(open(root).files().missed()).isZero();
    }

    @Test
    void shouldReadOkAndNgWithMasksBesideTheImages() throws Exception {
        write("OK/S01/a_0.jpg", ImageCodec.encodeJpeg(new RgbImage(8, 8, new byte[192]), 90));
        write("NG/AK/S02/a_1.jpg", ImageCodec.encodeJpeg(new RgbImage(8, 8, new byte[192]), 90));
        mask("NG/AK/S02/a_1.png", 10, 30);
        image("NG/BX/b_2.png");
        mask("NG/BX/b_2_mask.png", 10, 30);
        Opened opened = open(root);
        assertThat(opened.layout()).isEqualTo(DatasetLayout.FOLDER);
        List<Sample> test = opened.source().test(root.getFileName().toString());
        assertThat(test)
                .extracting(Sample::name)
                .containsExactly("OK/S01/a_0.jpg", "NG/AK/S02/a_1.jpg", "NG/BX/b_2.png");
        assertThat(test).extracting(Sample::defect).containsExactly(null, "AK", "BX");
        assertDefect(test.get(1), true, true);
        assertDefect(test.get(2), true, true);
    }

    @Test
    void shouldTakeACategoryInPlaceOfTheFolderAboveIt() throws Exception {
        image("bolt/train/good/0.png");
        image("bolt/test/good/1.png");
        image("bolt/test/crack/2.png");
        for (Path given : List.of(root.resolve("bolt"), root.resolve("bolt/"), root.resolve("x/../bolt"))) {
            Files.createDirectories(root.resolve("x"));
            Opened opened = open(given);
            assertThat(opened.source().categories()).containsExactly("bolt");
            assertThat(opened.source().train("bolt")).hasSize(1);
            assertThat(opened.source().test("bolt")).hasSize(2);
        }
    }

    @Test
    void shouldCountWhatIsLeftOutWithAnExampleOfEach() throws Exception {
        image("bolt/train/good/0.png");
        image("bolt/train/good/2025/1.png");
        image("bolt/train/bad/2.png");
        image("bolt/unsorted/3.png");
        image("loose.png");
        image("bolt/train/good/._0.png");
        image("bolt/train/good/@eaDir/0.png/thumb.png");
        image("__MACOSX/0.png");
        write("bolt/train/good/Thumbs.db", new byte[1]);
        write("bolt/train/good/4.jp2", new byte[1]);
        write("bolt/train/good/5.HEIC", new byte[1]);
        write("bolt/readme.txt", new byte[1]);
        mask("bolt/ground_truth/crack/9_mask.png", 1, 5);
        Opened opened = open(root);
        FilesReport files = opened.files();
        assertThat(files.found()).isEqualTo(2);
        assertThat(files.used()).isZero();
        for (Sample s : opened.source().train("bolt")) s.image().read();
        assertThat(files.count(LeftOut.OTHER_PLACE)).isEqualTo(3);
        assertThat(files.count(LeftOut.OTHER_FORMAT)).isEqualTo(2);
        assertThat(files.count(LeftOut.LEFTOVER)).isGreaterThanOrEqualTo(3);
        assertThat(files.count(LeftOut.NO_IMAGE)).isEqualTo(1);
        assertThat(files.count(LeftOut.LONE_MASK)).isEqualTo(1);
        assertThat(files.missed()).isEqualTo(5);
        assertThat(files.text())
                .contains("Used 2 images", "2 images in a format", "4.jp2", "readme.txt", "1 mask without");
        assertThat(files.toMap()).containsEntry("used", 2);
        assertThat(((Map<?, ?>) files.toMap().get("leftOut")).keySet().stream().map(Object::toString))
                .contains("other_place", "other_format", "leftover");
    }

    @Test
    void shouldFollowLinksButNotInCircles() throws Exception {
        image("elsewhere/good/0.png");
        Files.createDirectories(root.resolve("data/bolt/train/good"));
        Files.createSymbolicLink(root.resolve("data/bolt/train/good/more"), root.resolve("elsewhere/good"));
        Files.createSymbolicLink(root.resolve("elsewhere/good/back"), root.resolve("elsewhere"));
        Files.createSymbolicLink(root.resolve("data/nut"), root.resolve("data/bolt"));
        Files.createSymbolicLink(root.resolve("data/bolt/train/good/gone.png"), root.resolve("nowhere.png"));
        Files.createSymbolicLink(root.resolve("data/bolt/train/good/category"), root.resolve("data/bolt"));
        Files.createSymbolicLink(root.resolve("data/bolt/train/good/all"), root.resolve("data"));
        Opened opened = open(root.resolve("data"));
        assertThat(opened.source().categories()).containsExactly("bolt", "nut");
        assertThat(opened.source().train("bolt")).extracting(Sample::name).containsExactly("good/more/0.png");
        assertThat(opened.files().count(LeftOut.LOOP)).isPositive();
        assertThat(opened.files().count(LeftOut.DANGLING_LINK)).isPositive();
        assertThat(opened.files().text()).contains("nowhere.png");
        assertThat(new FolderWalk(new FilesReport()).withoutTruth(root.resolve("data/bolt")))
                .hasSize(1);
    }

    @Test
    void shouldCompareNamesByTheirCharacters() throws Exception {
        String nfd = Normalizer.normalize("Gehäuse", Normalizer.Form.NFD);
        String nfc = Normalizer.normalize("Gehäuse", Normalizer.Form.NFC);
        image(nfd + "/train/good/0.png");
        image(nfd + "/test/" + Normalizer.normalize("schräg", Normalizer.Form.NFD) + "/ü.png");
        mask(nfd + "/ground_truth/" + Normalizer.normalize("schräg", Normalizer.Form.NFC) + "/ü_mask.png", 3, 9);
        for (String wanted : List.of(nfc, nfd)) {
            ImageSource source = DatasetLayout.open(List.of(root), List.of(wanted), null, null)
                    .source();
            assertThat(source.categories()).containsExactly(nfc);
            assertDefect(source.test(nfc).get(0), true, true);
        }
    }

    @Test
    void shouldLeaveADefectDefectiveWhateverItsMaskMarks() throws Exception {
        for (String name : List.of("empty", "ground", "specks", "sound")) image("bolt/test/crack/" + name + ".png");
        mask("bolt/ground_truth/crack/empty_mask.png", 0, 0);
        mask("bolt/ground_truth/crack/ground_mask.png", 0, 100);
        mask("bolt/ground_truth/crack/sound_mask.png", 20, 60);
        byte[] specks = new byte[100 * 100];
        Random random = new Random(5);
        for (int i = 0; i < specks.length; i++) specks[i] = (byte) random.nextInt(4);
        write("bolt/ground_truth/crack/specks_mask.png", ImageCodec.encodeGrayPng(specks, 100, 100));
        Opened opened = open(root);
        for (Sample s : opened.source().test("bolt")) {
            assertDefect(s, true, true);
            assertThat(ImageFiles.truth(s.mask()) != null)
                    .as(s.name())
                    .isEqualTo(s.name().contains("sound"));
        }
        assertThat(opened.files().text()).contains("1 empty mask;", "2 implausible masks (black");
    }

    @Test
    void shouldSayWhichDefectsHaveNoMask() throws Exception {
        image("bolt/test/crack/0.png");
        image("bolt/test/crack/1.png");
        mask("bolt/ground_truth/crack/0_mask.png", 1, 9);
        Opened opened = open(root);
        assertDefect(opened.source().test("bolt").get(1), true, false);
        assertThat(opened.files().text()).contains("1 defective image without a mask;", "1.png");
    }

    private static final String TABLE =
            """
            object,split,label,image,mask
            nut,train,normal,nut/a/0.png,
            nut,test,Normal,nut/a/1.png,
            nut,test,anomaly,nut/b/2.png,nut/m/2.png
            """;

    @Test
    void shouldReadTablesAsProgramsWriteThem() throws Exception {
        for (String file : List.of("nut/a/0.png", "nut/a/1.png", "nut/b/2.png")) image(file);
        mask("nut/m/2.png", 1, 9);
        String windows = TABLE.replace('/', '\\').replace("\n", "\r\n");
        Map<String, byte[]> tables = Map.of(
                "semicolons", bytes(windows.replace(',', ';'), StandardCharsets.UTF_8),
                "tabs", bytes(TABLE.replace(',', '\t'), StandardCharsets.UTF_8),
                "excel", bytes("\uFEFFsep=;\r\n" + windows.replace(',', ';') + ";;;;\r\n", StandardCharsets.UTF_8),
                "utf-16", bytes("\uFEFF" + windows, StandardCharsets.UTF_16LE),
                "utf-16 big", bytes("\uFEFF" + TABLE, StandardCharsets.UTF_16BE),
                "old mac", bytes(TABLE.replace('\n', '\r'), StandardCharsets.UTF_8),
                "quoted", bytes(TABLE.replace("nut/a/0.png", "\"nut/a/0.png\""), StandardCharsets.UTF_8),
                "drive", bytes(TABLE.replace("nut/a", "D:\\sets\\VisA\\nut\\a"), StandardCharsets.UTF_8),
                "capitals", bytes(TABLE.replace("0.png", "0.PNG"), StandardCharsets.UTF_8));
        for (Map.Entry<String, byte[]> table : tables.entrySet()) {
            write("1cls.csv", table.getValue());
            ImageSource source = open(root).source();
            assertThat(source.train("nut"))
                    .as(table.getKey())
                    .extracting(Sample::name)
                    .containsExactly("a/0.png");
            assertThat(source.test("nut")).as(table.getKey()).hasSize(2);
            assertDefect(source.test("nut").get(1), true, true);
        }
    }

    private static byte[] bytes(String text, Charset charset) {
        return text.getBytes(charset);
    }

    @Test
    void shouldReadTablesThatAreNotUtf8() throws Exception {
        // Excel in Western Europe; the dash and the euro are in Windows-1252 and not in Latin-1.
        for (String name : List.of("Gehäuse", "Stoß–Kante", "5€")) {
            image(name + "/a/ä0.png");
            image(name + "/a/1.png");
            String table = "object;split;label;image;mask\r\n" + name + ";train;normal;" + name + "\\a\\ä0.png;\r\n"
                    + name + ";test;normal;" + name + "\\a\\1.png;\r\n";
            write("1cls.csv", bytes(table, Charset.forName("windows-1252")));
            Opened opened = open(root);
            assertThat(opened.source().categories()).containsExactly(name);
            assertThat(opened.source().train(name)).extracting(Sample::name).containsExactly("a/ä0.png");
            assertThat(opened.notes()).anyMatch(n -> n.contains("Windows-1252"));
        }
    }

    @Test
    void shouldKeepValidationImagesForThresholds() throws Exception {
        for (String part : List.of("validation", "val", "Valid")) {
            image("bolt-" + part + "/train/good/0.png");
            image("bolt-" + part + "/" + part + "/good/1.png");
            image("bolt-" + part + "/" + part + "/crack/2.png");
            image("bolt-" + part + "/test/good/3.png");
            ImageSource source = open(root).source();
            assertThat(source.train("bolt-" + part)).hasSize(1);
            assertThat(source.test("bolt-" + part)).hasSize(1);
            assertThat(source.calibration("bolt-" + part))
                    .extracting(Sample::name, Sample::anomalous)
                    .containsExactly(Tuple.tuple("crack/2.png", true), Tuple.tuple("good/1.png", false));
        }
        assertThat(open(root).files().missed()).isZero();
        image("visa/nut/a/0.png");
        image("visa/nut/a/1.png");
        String table = "object,split,label,image,mask\nnut,train,normal,nut/a/0.png,\nnut,val,normal,nut/a/1.png,\n";
        write("visa/1cls.csv", bytes(table, StandardCharsets.UTF_8));
        assertThat(open(root.resolve("visa")).source().calibration("nut")).hasSize(1);
    }

    @Test
    void shouldTellGoodFromDefectiveByTheMasksOfKolektorSdd() throws Exception {
        for (int item = 1; item <= 3; item++)
            for (int part = 0; part < 2; part++) {
                String name = "KolektorSDD/kos0" + item + "/Part" + part;
                write(name + ".jpg", ImageCodec.encodeJpeg(new RgbImage(8, 8, new byte[192]), 90));
                mask(name + "_label.bmp", 10, item == 2 && part == 1 ? 30 : 10);
            }
        image("KolektorSDD/kos03/Part9.png");
        for (Path given : List.of(root, root.resolve("KolektorSDD"))) {
            Opened opened = open(given);
            assertThat(opened.layout()).isEqualTo(DatasetLayout.KOLEKTOR);
            List<Sample> test = opened.source().test("KolektorSDD");
            assertThat(test).hasSize(6);
            for (Sample s : test)
                assertDefect(s, s.name().equals("kos02/Part1.jpg"), s.name().equals("kos02/Part1.jpg"));
            assertThat(opened.files().count(LeftOut.OTHER_PLACE)).isEqualTo(1);
            assertThat(opened.files().text()).contains("Part9.png", "no mask beside it");
        }
        Opened learning = DatasetLayout.openForTraining(List.of(root), List.of(), null, null);
        assertThat(learning.source().train("KolektorSDD")).hasSize(5);
        assertThat(learning.source().test("KolektorSDD")).hasSize(1);
    }

    @Test
    void shouldReadTrainAndTestOfKolektorSdd2() throws Exception {
        String[][] files = {
            {"sdd2/train/10000", "10"}, {"sdd2/train/10001", "30"}, {"sdd2/test/20000", "10"}, {"sdd2/test/20001", "30"}
        };
        for (String[] file : files) {
            image(file[0] + ".png");
            mask(file[0] + "_GT.png", 10, Integer.parseInt(file[1]));
        }
        for (Path given : List.of(root, root.resolve("sdd2"))) {
            Opened opened = DatasetLayout.openForTraining(List.of(given), List.of(), null, null);
            assertThat(opened.layout()).isEqualTo(DatasetLayout.KOLEKTOR);
            assertThat(opened.source().train("sdd2")).extracting(Sample::name).containsExactly("train/10000.png");
            assertThat(opened.source().test("sdd2"))
                    .extracting(Sample::name)
                    .containsExactly("test/20000.png", "test/20001.png");
            assertDefect(opened.source().test("sdd2").get(1), true, true);
            assertThat(opened.files().text()).contains("10001.png");
        }
        // Masks beside images of folders that say what is good are no such set.
        image("bolt/train/good/0.png");
        image("bolt/test/good/1.png");
        image("bolt/test/crack/2.png");
        mask("bolt/test/crack/2_mask.png", 3, 9);
        assertThat(open(root.resolve("bolt")).layout()).isEqualTo(DatasetLayout.MVTEC);
    }

    @Test
    void shouldUniteTheMasksOfOneImage() throws Exception {
        // MVTec LOCO has a folder of masks for each image, one for each of its defects.
        for (int i = 0; i < 2; i++) image("box/test/logical_anomalies/00" + i + ".png");
        image("box/train/good/000.png");
        image("box/validation/good/000.png");
        mask("box/ground_truth/logical_anomalies/000/000.png", 10, 20);
        mask("box/ground_truth/logical_anomalies/000/001.png", 50, 60);
        mask("box/ground_truth/logical_anomalies/001/000.png", 70, 90);
        Opened opened = open(root);
        List<Sample> test = opened.source().test("box");
        assertThat(marked(test.get(0))).isEqualTo(10 * 10 + 10 * 10);
        assertThat(marked(test.get(1))).isEqualTo(20 * 20);
        assertThat(opened.files().count(LeftOut.LONE_MASK)).isZero();
        // MVTec AD 2 has them in the part that they belong to.
        image("can/train/good/0.png");
        image("can/test_public/bad/0.png");
        mask("can/test_public/ground_truth/bad/0_mask.png", 10, 20);
        assertThat(marked(open(root).source().test("can").get(0))).isEqualTo(100);
    }

    private static int marked(Sample sample) throws Exception {
        int marked = 0;
        byte[] rgb = ImageFiles.truth(sample.mask()).rgb();
        for (int i = 0; i < rgb.length; i += 3) if (rgb[i] != 0) marked++;
        return marked;
    }

    @Test
    void shouldSayWhatWouldBeUsedBeforeAnythingIsRead() throws Exception {
        image("bolt/train/good/0.png");
        write("bolt/train/good/1.jp2", new byte[1]);
        FilesReport files = open(root).files();
        assertThat(files.planText())
                .contains("Would use 1 image" + System.lineSeparator(), "left out 1 image in a format");
        assertThat(files.text()).contains("Used 0 images");
    }

    @Test
    void shouldSayTheCauseOnceWhenNoImageOfATableIsThere() throws Exception {
        write("1cls.csv", bytes(TABLE.replace("nut/", "elsewhere/nut/"), StandardCharsets.UTF_8));
        assertThatThrownBy(() -> open(root)).hasMessageContaining("none of its 3 images is there");
    }
}
