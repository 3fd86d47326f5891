package io.linesight.trainer.folders;

import io.linesight.mmad.image.ImageNote;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * What became of the files in the folders of a command: how many were used, what was left out and why, and what people
 * should know of those that were used; of each kind the number and one example. Any number of threads.
 */
public final class FilesReport {
    /** Why a file was not used. */
    public enum LeftOut {
        /** Its extension is that of an image that nothing here decodes. */
        OTHER_FORMAT("image", "in a format that is not read (PNG, JPEG, BMP, TIFF, WebP and GIF are)", true),
        /** In a place that the layout gives no meaning. */
        OTHER_PLACE("image", "where the layout has no use for one", true),
        /** An image that could not be read. */
        UNREADABLE("image", "that cannot be read", true),
        /** A link whose target is not there. */
        DANGLING_LINK("link", "to a file that is not there", true),
        /** A link to a folder that it is in. */
        LOOP("link", "to a folder around it", false),
        /** A folder that may not be read. */
        CLOSED_FOLDER("folder", "that may not be read", true),
        /** A mask without its image. */
        LONE_MASK("mask", "without an image", false),
        /** Ground truth, where only images are wanted. */
        TRUTH("mask", "not needed here", false),
        /** No image by its name. */
        NO_IMAGE("other file", "", false),
        /** Something that a system left behind. */
        LEFTOVER("file", "of the system (._*, @eaDir, Thumbs.db and such)", false);

        private final String noun;
        private final String rest;
        private final boolean missed;

        LeftOut(String noun, String rest, boolean missed) {
            this.noun = noun;
            this.rest = rest;
            this.missed = missed;
        }
    }

    /** What is odd about the ground truth. */
    public enum Truth {
        /** A defective image without a mask, where others have one. */
        NO_MASK("defective image", "without a mask; counted as defective, and pixel figures are of the others"),
        /** A mask that marks nothing. */
        EMPTY("empty mask", "; the image stays defective, as its folder says, and pixel figures are of the others"),
        /** A mask that marks nearly everything, or specks all over. */
        IMPLAUSIBLE("implausible mask", "(black must be the ground); pixel figures are of the others");

        private final String noun;
        private final String rest;

        Truth(String noun, String rest) {
            this.noun = noun;
            this.rest = rest;
        }
    }

    /** Files of one kind, and the first of them with what there is to say. */
    private static final class Group {
        final Set<String> files = new LinkedHashSet<>();
        String example = "";

        void add(Path file, String why) {
            String name = Spelling.nfc(file.toString());
            if (files.isEmpty()) example = why.isEmpty() ? name : name + " (" + why + ")";
            files.add(name);
        }

        Map<String, Object> toMap() {
            Map<String, Object> map = new LinkedHashMap<>();
            map.put("count", files.size());
            map.put("example", example);
            return map;
        }
    }

    private final Map<LeftOut, Group> leftOut = new EnumMap<>(LeftOut.class);
    private final Map<ImageNote.Kind, Group> notes = new EnumMap<>(ImageNote.Kind.class);
    private final Map<Truth, Group> truth = new EnumMap<>(Truth.class);
    private final Set<String> read = new HashSet<>();
    private int found;

    /** Images that were found in their place. */
    public synchronized void found(int images) {
        found += images;
    }

    /** A file was left out. @param why more than the reason says; may be empty */
    public synchronized void leave(LeftOut reason, Path file, String why) {
        leftOut.computeIfAbsent(reason, r -> new Group()).add(file, why);
    }

    /** Something is odd about an image that is used. */
    public synchronized void note(ImageNote note, Path file) {
        notes.computeIfAbsent(note.kind(), k -> new Group()).add(file, note.text());
    }

    synchronized void note(Truth what, Path file, String why) {
        truth.computeIfAbsent(what, k -> new Group()).add(file, why);
    }

    /** An image was read, however often. */
    public synchronized void read(Path file) {
        read.add(file.toString());
    }

    /** Images that lie in their place, read or not. */
    public synchronized int found() {
        return found;
    }

    /** Images that were read so far. */
    public synchronized int used() {
        return read.size();
    }

    /** Images that a person may have meant to be used and that are not. */
    public synchronized int missed() {
        return leftOut.entrySet().stream()
                .filter(e -> e.getKey().missed)
                .mapToInt(e -> e.getValue().files.size())
                .sum();
    }

    /** Files that were left out for a reason. */
    public synchronized int count(LeftOut reason) {
        Group group = leftOut.get(reason);
        return group == null ? 0 : group.files.size();
    }

    /** For people: a line for each reason; what nobody misses is left out unless there is something else to say. */
    public synchronized String text() {
        return text("Used ", used());
    }

    /** The same where the work did not begin: what would be used. */
    public synchronized String planText() {
        return text("Would use ", Math.max(0, found - count(LeftOut.UNREADABLE)));
    }

    private String text(String verb, int images) {
        StringBuilder text = new StringBuilder(verb).append(images(images));
        if (leftOut.isEmpty()) text.append("; nothing was left out");
        text.append(System.lineSeparator());
        leftOut.forEach((reason, g) -> line(text, "left out", g, reason.noun, " " + reason.rest));
        truth.forEach((what, g) -> line(text, "warning:", g, what.noun, " " + what.rest));
        notes.forEach((kind, g) -> line(text, "warning:", g, "image", ": " + kind.title()));
        return text.toString();
    }

    private static void line(StringBuilder text, String what, Group g, String noun, String rest) {
        int n = g.files.size();
        String said =
                n + " " + noun + (n == 1 ? "" : "s") + rest.stripTrailing().replace(" ;", ";");
        text.append("  ").append(what).append(' ').append(said);
        text.append(n == 1 ? ": " : ", such as ").append(g.example).append(System.lineSeparator());
    }

    private static String images(int n) {
        return n + (n == 1 ? " image" : " images");
    }

    /**
     * The same for programs: {@code found}, {@code used}, {@code leftOut}, {@code truth}, {@code notes}; counts and
     * examples.
     */
    public synchronized Map<String, Object> toMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("found", found);
        map.put("used", used());
        map.put("leftOut", groups(leftOut));
        map.put("truth", groups(truth));
        map.put("notes", groups(notes));
        return map;
    }

    private static Map<String, Object> groups(Map<? extends Enum<?>, Group> groups) {
        Map<String, Object> map = new LinkedHashMap<>();
        groups.forEach((k, g) -> map.put(k.name().toLowerCase(Locale.ROOT), g.toMap()));
        return map;
    }
}
