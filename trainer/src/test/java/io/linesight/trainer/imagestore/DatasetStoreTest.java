package io.linesight.trainer.imagestore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.linesight.mmad.image.ImageCodec;
import io.linesight.mmad.image.RgbImage;
import io.linesight.trainer.folders.ImageSource;
import io.linesight.trainer.folders.MvtecDataset;
import io.linesight.trainer.imagestore.DatasetStore.Entry;
import io.linesight.trainer.imagestore.DatasetStore.Put;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DatasetStoreTest {
    private static final Instant AT = Instant.parse("2026-01-01T00:00:00Z");

    @TempDir
    Path dir;

    private StoreConfig config() {
        return StoreConfig.in(dir.resolve("store")).withMinNormals(0);
    }

    private DatasetStore open() throws IOException {
        return DatasetStore.open(config());
    }

    private static byte[] image(int n) {
        byte[] rgb = new byte[6 * 4 * 3];
        Arrays.fill(rgb, (byte) n);
        rgb[0] = (byte) (n >> 8);
        return ImageCodec.encodePng(new RgbImage(6, 4, rgb));
    }

    private static byte[] mask() {
        byte[] gray = new byte[24];
        gray[5] = (byte) 255;
        return ImageCodec.encodeGrayPng(gray, 6, 4);
    }

    private static Entry normal(String frame, int image, long offset) {
        return new Entry(
                frame, "bolt", false, LabelSource.PERSON, "ann", AT, image(image), null, new LabelPosition(0, offset));
    }

    private static Entry anomalous(String frame, int image, long offset) {
        return new Entry(
                frame, "bolt", true, LabelSource.PERSON, "bob", AT, image(image), mask(), new LabelPosition(0, offset));
    }

    private static Entry reservoir(String frame, String product, byte[] image) {
        return new Entry(frame, product, false, LabelSource.RESERVOIR, "", AT, image, null, LabelPosition.NONE);
    }

    private List<String> files() throws IOException {
        try (Stream<Path> s = Files.walk(dir.resolve("store/pictures"))) {
            return s.filter(Files::isRegularFile)
                    .map(p -> p.getFileName().toString())
                    .sorted()
                    .toList();
        }
    }

    @Test
    void shouldComeBackAsItWasLeft() throws Exception {
        List<StoredImage> before;
        try (DatasetStore s = open()) {
            assertThat(s.put(normal("f-0-1", 1, 10))).isEqualTo(Put.ADDED);
            assertThat(s.put(anomalous("f-0-2", 2, 11))).isEqualTo(Put.ADDED);
            s.defer(new PendingLabel("f-0-3", new byte[] {1, 2}, new LabelPosition(0, 12), AT));
            s.advance(Map.of(0, 13L, 2, 5L));
            before = s.images();
        }
        try (DatasetStore s = open()) {
            assertThat(s.images()).isEqualTo(before).hasSize(2);
            assertThat(s.positions()).isEqualTo(Map.of(0, 13L, 2, 5L));
            assertThat(s.pending()).singleElement().satisfies(p -> assertThat(p.label())
                    .containsExactly(1, 2));
            assertThat(s.knows("f-0-3", new LabelPosition(0, 12))).isTrue();
            assertThat(s.get("f-0-2")).get().satisfies(p -> {
                assertThat(p.anomalous()).isTrue();
                assertThat(Files.readAllBytes(s.file(p.mask()))).isEqualTo(mask());
            });
        }
    }

    @Test
    void shouldLetTheLaterLabelWinWhateverTheOrderOfReading() throws Exception {
        try (DatasetStore s = open()) {
            s.put(normal("f-0-1", 1, 10));
            assertThat(s.put(anomalous("f-0-1", 1, 12))).isEqualTo(Put.REPLACED);
            assertThat(s.put(normal("f-0-1", 1, 11))).as("older").isEqualTo(Put.UNCHANGED);
            assertThat(s.put(anomalous("f-0-1", 1, 12))).as("the same again").isEqualTo(Put.UNCHANGED);
            assertThat(s.get("f-0-1").orElseThrow().annotator()).isEqualTo("bob");
            assertThat(s.retract("f-0-1", new LabelPosition(0, 12)))
                    .as("not newer")
                    .isEmpty();
            assertThat(s.retract("f-0-1", new LabelPosition(0, 13))).isPresent();
            assertThat(s.put(normal("f-0-1", 1, 10)))
                    .as("labels from before the retraction")
                    .isEqualTo(Put.UNCHANGED);
            assertThat(s.images()).isEmpty();
            assertThat(files()).isEmpty();
            assertThat(s.put(normal("f-0-1", 1, 14))).isEqualTo(Put.ADDED);
            assertThat(s.put(new Entry(
                            "f-0-1",
                            "nut",
                            false,
                            LabelSource.PERSON,
                            "ann",
                            AT,
                            null,
                            null,
                            new LabelPosition(0, 15))))
                    .isEqualTo(Put.REPLACED);
            assertThat(s.images()).extracting(StoredImage::product).containsExactly("nut");
        }
    }

    @Test
    void shouldStoreIdenticalImagesOnceAndKeepThemWhileOneFrameNeedsThem() throws Exception {
        try (DatasetStore s = open()) {
            s.put(normal("f-0-1", 7, 1));
            s.put(anomalous("f-0-2", 7, 2));
            assertThat(files()).hasSize(2).as("one image, one mask");
            assertThat(s.images())
                    .as("the latest word on the image")
                    .singleElement()
                    .satisfies(p -> assertThat(p.anomalous()).isTrue());
            assertThat(s.put(reservoir("f-0-9", "bolt", image(7)))).isEqualTo(Put.UNCHANGED);
            s.retract("f-0-2", new LabelPosition(0, 3));
            assertThat(files()).hasSize(1);
            assertThat(s.images()).singleElement().satisfies(p -> assertThat(p.anomalous())
                    .isFalse());
        }
    }

    @Test
    void shouldSurviveAKillAtEveryByteOfTheJournal() throws Exception {
        List<List<StoredImage>> states = new ArrayList<>();
        List<Long> ends = new ArrayList<>();
        Path journal = dir.resolve("store/journal.jsonl");
        try (DatasetStore s = open()) {
            states.add(s.images());
            ends.add(Files.size(journal));
            Runnable note = () -> {
                states.add(s.images());
                try {
                    ends.add(Files.size(journal));
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
            };
            s.put(normal("f-0-1", 1, 1));
            note.run();
            s.put(anomalous("f-0-2", 2, 2));
            note.run();
            s.put(anomalous("f-0-1", 1, 3));
            note.run();
            s.advance(Map.of(0, 4L));
            note.run();
        }
        byte[] whole = Files.readAllBytes(journal);
        byte[][] blobs = new byte[][] {image(1), image(2), mask()};
        for (int cut = 0; cut <= whole.length; cut++) {
            Files.write(journal, Arrays.copyOf(whole, cut));
            for (byte[] b : blobs) {
                // What a kill leaves: the images are there before their lines.
                Path file = dir.resolve("store/pictures")
                        .resolve(Blobs.sha256(b).substring(0, 2))
                        .resolve(Blobs.sha256(b));
                Files.createDirectories(file.getParent());
                Files.write(file, b);
            }
            int last = 0;
            while (last + 1 < ends.size() && ends.get(last + 1) <= cut) last++;
            try (DatasetStore s = open()) {
                assertThat(s.images()).as("cut at byte " + cut).isEqualTo(states.get(last));
                assertThat(s.put(normal("f-0-7", 9, 50))).isEqualTo(Put.ADDED);
            }
            try (DatasetStore s = open()) {
                assertThat(s.images())
                        .as("and it goes on, cut at byte " + cut)
                        .hasSize(states.get(last).size() + 1);
                long referenced = s.images().stream()
                        .mapToLong(p -> p.mask() == null ? 1 : 2)
                        .sum();
                assertThat(files().size()).as("no file without a line").isLessThanOrEqualTo((int) referenced);
            }
        }
    }

    @Test
    void shouldRemoveWhatAKillLeftBetweenImageAndJournal() throws Exception {
        try (DatasetStore s = open()) {
            s.put(normal("f-0-1", 1, 1));
        }
        new Blobs(dir.resolve("store/pictures"), Disk.REAL).write(Blobs.sha256(image(2)), image(2));
        Files.write(dir.resolve("store/pictures/half.tmp"), new byte[3]);
        assertThat(files()).hasSize(3);
        try (DatasetStore s = open()) {
            assertThat(files()).containsExactly(Blobs.sha256(image(1)));
            assertThat(s.put(normal("f-0-2", 2, 2))).as("the label comes again").isEqualTo(Put.ADDED);
        }
    }

    @Test
    void shouldRejectDamageInTheMiddleAndLostImages() throws Exception {
        try (DatasetStore s = open()) {
            s.put(normal("f-0-1", 1, 1));
            s.put(normal("f-0-2", 2, 2));
        }
        Path journal = dir.resolve("store/journal.jsonl");
        byte[] whole = Files.readAllBytes(journal);
        byte[] damaged = whole.clone();
        damaged[3] = 0;
        Files.write(journal, damaged);
        assertThatThrownBy(this::open)
                .isInstanceOf(DatasetStoreException.class)
                .hasMessageContaining("line 1")
                .hasMessageContaining("Nothing was changed");
        Files.write(journal, whole);
        Path lost = new Blobs(dir.resolve("store/pictures"), Disk.REAL).path(Blobs.sha256(image(1)));
        Files.delete(lost);
        assertThatThrownBy(this::open)
                .isInstanceOf(DatasetStoreException.class)
                .hasMessageContaining("missing")
                .hasMessageContaining(Blobs.sha256(image(1)));
    }

    @Test
    void shouldBelongToOneAtATime() throws Exception {
        try (DatasetStore s = open()) {
            assertThatThrownBy(this::open)
                    .isInstanceOf(DatasetStoreException.class)
                    .hasMessageContaining("another process");
        }
        open().close();
    }

    @Test
    void shouldBelongToOneCluster() throws Exception {
        try (DatasetStore s = open()) {
            s.bind("a/1");
            s.bind("a/1");
        }
        try (DatasetStore s = open()) {
            assertThatThrownBy(() -> s.bind("b/1"))
                    .isInstanceOf(DatasetStoreException.class)
                    .hasMessageContaining("another Kafka cluster");
        }
    }

    /** Noise, so that the size in the store is what the test says. */
    private static byte[] big(int seed) {
        byte[] b = new byte[200_000];
        new java.util.Random(seed).nextBytes(b);
        return b;
    }

    @Test
    void shouldEvictOldestReservoirImagesDownToMinimumPerProduct() throws Exception {
        StoreConfig small = config().withMaxBytes(1_100_000).withMinNormals(1).withShares(0, 0);
        try (DatasetStore s = DatasetStore.open(small)) {
            s.put(reservoir("nut", "nut", big(1)));
            s.put(new Entry("p1", "bolt", false, LabelSource.PERSON, "ann", AT, big(2), null, new LabelPosition(0, 1)));
            s.put(reservoir("r1", "bolt", big(3)));
            s.put(reservoir("r2", "bolt", big(4)));
            s.put(new Entry("a1", "bolt", true, LabelSource.PERSON, "ann", AT, big(5), null, new LabelPosition(0, 2)));
            assertThat(s.images()).hasSize(5);
            s.put(new Entry("p2", "bolt", false, LabelSource.PERSON, "ann", AT, big(6), null, new LabelPosition(0, 3)));
            assertThat(s.images()).extracting(StoredImage::frame).containsExactly("nut", "p1", "r2", "a1", "p2");
            s.put(new Entry("p3", "bolt", false, LabelSource.PERSON, "ann", AT, big(7), null, new LabelPosition(0, 4)));
            assertThat(s.images()).extracting(StoredImage::frame).containsExactly("nut", "p1", "a1", "p2", "p3");
            s.put(new Entry("a2", "bolt", true, LabelSource.PERSON, "ann", AT, big(8), null, new LabelPosition(0, 5)));
            s.put(new Entry("a3", "bolt", true, LabelSource.PERSON, "ann", AT, big(9), null, new LabelPosition(0, 6)));
            assertThat(s.images())
                    .as("nut's only normal and bolt's last stay")
                    .extracting(StoredImage::frame)
                    .containsExactly("nut", "a1", "p3", "a2", "a3");
            assertThatThrownBy(() -> s.put(new Entry(
                            "a4", "bolt", true, LabelSource.PERSON, "ann", AT, big(10), null, new LabelPosition(0, 7))))
                    .isInstanceOf(DatasetStoreException.class)
                    .hasMessageContaining("is full")
                    .hasMessageContaining("stays in Kafka");
            assertThat(s.knows("a4", new LabelPosition(0, 7))).isFalse();
            assertThat(s.bytes()).isEqualTo(1_000_000);
            assertThat(files()).hasSize(5);
        }
    }

    @Test
    void shouldKeepWhatIsPinnedUntilItIsNot() throws Exception {
        try (DatasetStore s = open()) {
            s.put(normal("f-0-1", 1, 1));
            List<StoredImage> chosen = s.images();
            ImageSource source = s.source("test", chosen);
            DatasetStore.Pin pin = s.pin(chosen);
            s.retract("f-0-1", new LabelPosition(0, 2));
            assertThat(files()).hasSize(1);
            pin.close();
            pin.close();
            assertThat(files()).isEmpty();
            assertThatThrownBy(() -> s.pin(chosen))
                    .isInstanceOf(DatasetStoreException.class)
                    .hasMessageContaining("1 of 1");
            assertThat(source.name()).isEqualTo("test");
        }
    }

    @Test
    void shouldNeverLetAnImageChangeSides() throws Exception {
        Map<Split, Integer> sides = new java.util.EnumMap<>(Split.class);
        for (int i = 0; i < 2000; i++)
            sides.merge(Split.of(Blobs.sha256(new byte[] {(byte) i, (byte) (i >> 8)}), 0.3, 0.15), 1, Integer::sum);
        assertThat(sides.get(Split.HELD_OUT)).isBetween(540, 660);
        assertThat(sides.get(Split.CALIBRATE)).isBetween(250, 350);
        Split first;
        try (DatasetStore s = DatasetStore.open(config().withShares(0.5, 0))) {
            s.put(normal("f-0-1", 1, 1));
            first = s.images().get(0).split();
        }
        try (DatasetStore s = DatasetStore.open(
                config().withShares(first == Split.HELD_OUT ? 0 : 0.5, first == Split.HELD_OUT ? 0 : 0.5))) {
            s.put(anomalous("f-0-1", 1, 2));
            s.put(normal("f-0-2", 1, 3));
            assertThat(s.images()).extracting(StoredImage::split).containsOnly(first);
        }
    }

    @Test
    void shouldExportToMvtecLayoutAndImportItAgain() throws Exception {
        int images = 24;
        try (DatasetStore s = open()) {
            for (int i = 0; i < images; i++) {
                s.put(i % 4 == 0 ? anomalous("f-0-" + i, i, i) : normal("f-0-" + i, i, i));
            }
            s.put(new Entry(
                    "x",
                    "../nut",
                    false,
                    LabelSource.PERSON,
                    "ann, the \"first\"",
                    AT,
                    image(100),
                    null,
                    new LabelPosition(1, 1)));
            assertThat(s.export(dir.resolve("out"))).isEqualTo(images + 1);
            assertThatThrownBy(() -> s.export(dir.resolve("out"))).hasMessageContaining("not empty");
            MvtecDataset set = MvtecDataset.open(dir.resolve("out"), List.of());
            assertThat(set.categories()).containsExactly("___nut", "bolt");
            long held = s.images().stream()
                    .filter(p -> p.product().equals("bolt") && !p.anomalous() && p.split() == Split.HELD_OUT)
                    .count();
            assertThat(set.train("bolt")).hasSize((int) (18 - held));
            assertThat(set.test("bolt").stream().filter(x -> !x.anomalous())).hasSize((int) held);
            assertThat(set.test("bolt").stream().filter(ImageSource.Sample::anomalous))
                    .hasSize(6)
                    .allMatch(x -> x.mask() != null);
            assertThat(Files.readAllLines(dir.resolve("out/pictures.csv")))
                    .hasSize(images + 2)
                    .anyMatch(l -> l.contains("\"ann, the \"\"first\"\"\""));
            try (DatasetStore other = DatasetStore.open(StoreConfig.in(dir.resolve("other")))) {
                assertThat(other.importFrom(set, "import")).isEqualTo(images + 1);
                assertThat(other.importFrom(set, "import")).as("again").isZero();
                assertThat(other.images().stream().filter(StoredImage::anomalous))
                        .hasSize(6)
                        .allMatch(p -> p.mask() != null && p.annotator().equals("import"));
            }
        }
    }

    @Test
    void shouldDivideItsImagesBySide() throws Exception {
        try (DatasetStore s = open()) {
            for (int i = 0; i < 60; i++) s.put(i % 3 == 0 ? anomalous("f-0-" + i, i, i) : normal("f-0-" + i, i, i));
            ImageSource source = s.source("labels", s.images());
            assertThat(source.categories()).containsExactly("bolt");
            assertThat(source.train("bolt")).isNotEmpty().noneMatch(ImageSource.Sample::anomalous);
            assertThat(source.calibration("bolt"))
                    .anyMatch(ImageSource.Sample::anomalous)
                    .anyMatch(x -> !x.anomalous());
            assertThat(source.test("bolt"))
                    .anyMatch(ImageSource.Sample::anomalous)
                    .anyMatch(x -> !x.anomalous());
            assertThat(source.train("bolt").size()
                            + source.calibration("bolt").size()
                            + source.test("bolt").size())
                    .isEqualTo(60);
            assertThat(source.train("bolt").get(0).image().read().width()).isEqualTo(6);
        }
    }

    @Test
    void shouldRewriteAJournalThatIsMostlyHistory() throws Exception {
        try (DatasetStore s = open()) {
            s.put(normal("f-0-1", 1, 1));
            s.put(normal("f-0-2", 2, 2));
            s.retract("f-0-2", new LabelPosition(0, 3));
        }
        Path journal = dir.resolve("store/journal.jsonl");
        StringBuilder more = new StringBuilder();
        for (int i = 0; i < 3000; i++)
            more.append("{\"op\":\"positions\",\"offsets\":{\"0\":")
                    .append(i + 10)
                    .append("}}\n");
        Files.writeString(journal, more.toString(), StandardOpenOption.APPEND);
        Files.writeString(dir.resolve("store/journal.jsonl.tmp"), "what a kill during rewriting leaves");
        for (int run = 0; run < 2; run++) {
            try (DatasetStore s = open()) {
                assertThat(Files.readAllLines(journal)).hasSizeLessThan(10);
                assertThat(s.images()).extracting(StoredImage::frame).containsExactly("f-0-1");
                assertThat(s.positions()).isEqualTo(Map.of(0, 3009L));
                assertThat(s.lastSequence()).as("numbers are never given twice").isEqualTo(2);
                assertThat(s.knows("f-0-2", new LabelPosition(0, 3)))
                        .as("a retraction is remembered")
                        .isTrue();
            }
        }
    }

    @Test
    void shouldTrimTheReservoirFromItsOldEnd() throws Exception {
        try (DatasetStore s = open()) {
            for (int i = 0; i < 6; i++) s.put(reservoir("r" + i, "bolt", image(i)));
            s.put(normal("f-0-1", 50, 1));
            assertThat(s.trimReservoir("bolt", 2)).isEqualTo(4);
            assertThat(s.images()).extracting(StoredImage::frame).containsExactly("r4", "r5", "f-0-1");
        }
    }

    /**
     * A disk with so many bytes left; what is removed gives nothing back, so that it stays full until there is room.
     */
    private static final class SmallDisk implements Disk {
        private long left = Long.MAX_VALUE;
        private boolean cutsOff = true;

        @Override
        public SeekableByteChannel open(Path file, OpenOption... options) throws IOException {
            FileChannel real = FileChannel.open(file, options);
            return new SeekableByteChannel() {
                @Override
                public int read(ByteBuffer to) throws IOException {
                    return real.read(to);
                }

                @Override
                public int write(ByteBuffer from) throws IOException {
                    if (left == 0) throw new IOException("No space left on device");
                    ByteBuffer part = from.duplicate();
                    part.limit(part.position() + (int) Math.min(part.remaining(), left));
                    int n = real.write(part);
                    from.position(from.position() + n);
                    left -= n;
                    return n;
                }

                @Override
                public long position() throws IOException {
                    return real.position();
                }

                @Override
                public SeekableByteChannel position(long at) throws IOException {
                    real.position(at);
                    return this;
                }

                @Override
                public long size() throws IOException {
                    return real.size();
                }

                @Override
                public SeekableByteChannel truncate(long size) throws IOException {
                    if (!cutsOff) throw new IOException("Input/output error");
                    real.truncate(size);
                    return this;
                }

                @Override
                public boolean isOpen() {
                    return real.isOpen();
                }

                @Override
                public void close() throws IOException {
                    real.close();
                }
            };
        }
    }

    @Test
    void shouldNeitherLoseNorHalfApplyALabelWhereverTheDiskGetsFull() throws Exception {
        Entry label = anomalous("f-0-1", 3, 3);
        // Somewhere in the image, the mask and the line.
        int max = 0;
        for (boolean cutsOff : new boolean[] {true, false}) {
            boolean stored = false;
            for (int room = 0; !stored; room += 3, max = Math.max(max, room)) {
                StoreConfig config =
                        StoreConfig.in(dir.resolve("full-" + cutsOff + room)).withMinNormals(0);
                String full =
                        "full after " + room + " bytes, half a line can " + (cutsOff ? "" : "not ") + "be cut off";
                List<StoredImage> after;
                SmallDisk disk = new SmallDisk();
                try (DatasetStore s = DatasetStore.open(config, disk)) {
                    s.put(normal("f-0-1", 1, 1));
                    s.put(normal("f-0-2", 2, 2));
                    List<StoredImage> before = s.images();
                    long lines = Files.size(config.folder().resolve("journal.jsonl"));
                    disk.left = room;
                    disk.cutsOff = cutsOff;
                    try {
                        s.put(label);
                        stored = true;
                    } catch (IOException e) {
                        assertThat(e).as(full).hasMessageContaining("No space left");
                        assertThat(s.images()).as(full).isEqualTo(before);
                        assertThat(s.knows("f-0-1", new LabelPosition(0, 3)))
                                .as("%s: the label is to come again", full)
                                .isFalse();
                        assertThat(s.bytes()).as(full).isEqualTo(image(1).length + image(2).length);
                        assertThatThrownBy(() -> s.advance(Map.of(0, 4L)))
                                .as(full)
                                .isInstanceOf(IOException.class);
                        assertThat(s.positions())
                                .as("%s: nor is it passed over", full)
                                .isEmpty();
                        if (cutsOff)
                            assertThat(config.folder().resolve("journal.jsonl"))
                                    .as(full)
                                    .hasSize(lines);
                        if (room % 31 == 0 || room % 7 == 0 && cutsOff) {
                            // The end of the process while the disk is full: what the journal holds is what counts.
                            s.close();
                            try (DatasetStore again = DatasetStore.open(config)) {
                                assertThat(again.images()).as(full).isEqualTo(before);
                                assertThat(again.put(label)).as(full).isEqualTo(Put.REPLACED);
                                after = again.images();
                            }
                        } else {
                            disk.left = Long.MAX_VALUE;
                            disk.cutsOff = true;
                            assertThat(s.put(label)).as(full).isEqualTo(Put.REPLACED);
                            s.advance(Map.of(0, 4L));
                            after = s.images();
                        }
                        try (DatasetStore again = reopened(s, config)) {
                            assertThat(again.images()).as(full).isEqualTo(after).hasSize(2);
                            StoredImage p = again.get("f-0-1").orElseThrow();
                            assertThat(Files.readAllBytes(again.file(p.sha256())))
                                    .as(full)
                                    .isEqualTo(image(3));
                            assertThat(Files.readAllBytes(again.file(p.mask())))
                                    .as(full)
                                    .isEqualTo(mask());
                        }
                    }
                }
            }
        }
        assertThat(max).as("the sizes of image, mask and line").isGreaterThan(image(3).length + mask().length + 200);
    }

    private static DatasetStore reopened(DatasetStore s, StoreConfig config) throws IOException {
        s.close();
        return DatasetStore.open(config);
    }

    @Test
    void shouldKeepAJournalThatCannotBeShortenedAndShortenItWhenThereIsRoom() throws Exception {
        SmallDisk disk = new SmallDisk();
        Path journal = dir.resolve("store/journal.jsonl");
        try (DatasetStore s = DatasetStore.open(config(), disk)) {
            s.put(normal("f-0-1", 1, 1));
            // Enough for the lines themselves, and not for the file that is to replace them.
            int tried = 0;
            for (long offset = 2; offset < 2_500; offset++) {
                disk.left = 100;
                s.advance(Map.of(0, offset));
                if (Files.exists(dir.resolve("store/journal.jsonl.tmp"))) tried++;
            }
            assertThat(tried).as("half a file takes no room").isZero();
            assertThat(Files.readAllLines(journal)).hasSize(2_499);
            disk.left = Long.MAX_VALUE;
            for (long offset = 2_500; offset < 4_000; offset++) s.advance(Map.of(0, offset));
            assertThat(Files.readAllLines(journal)).hasSizeLessThan(1_100);
            s.put(normal("f-0-2", 2, 2));
        }
        try (DatasetStore s = open()) {
            assertThat(s.images()).hasSize(2);
            assertThat(s.positions()).isEqualTo(Map.of(0, 3_999L));
        }
    }
}
