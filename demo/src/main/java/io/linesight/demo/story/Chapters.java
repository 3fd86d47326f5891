package io.linesight.demo.story;

import io.linesight.demo.line.Ledger;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** The chapters so far, and what the ledger says of each. One thread. */
final class Chapters {
    private final Ledger ledger;
    private final String changedCamera;
    private final List<Chapter> chapters = new ArrayList<>();

    /** @param changedCamera the camera under the new lamp */
    Chapters(Ledger ledger, String changedCamera) {
        this.ledger = ledger;
        this.changedCamera = changedCamera;
    }

    /** Ends the current chapter and begins the next one. */
    Chapter open(String name) {
        close();
        Chapter chapter = new Chapter(name, Instant.now(), null);
        chapters.add(chapter);
        return chapter;
    }

    /** Ends the current chapter, if there is one. */
    void close() {
        int last = chapters.size() - 1;
        if (last >= 0 && chapters.get(last).to() == null)
            chapters.set(last, chapters.get(last).until(Instant.now()));
    }

    Chapter named(String name) {
        return chapters.stream().filter(c -> c.name().equals(name)).findFirst().orElseThrow();
    }

    /** The camera under the new lamp, during a chapter. */
    Side changed(Chapter chapter) {
        return Side.of(ledger.outcomes(), o -> isChanged(o.sent().cameraId()) && chapter.contains(o));
    }

    /** The camera under the new lamp, during a chapter, as far as one model has decided its frames. */
    Side changedBy(String model, Chapter chapter) {
        return Side.of(
                ledger.outcomes(),
                o -> isChanged(o.sent().cameraId())
                        && chapter.contains(o)
                        && o.result().getModelVersion().equals(model));
    }

    /** All other cameras, during a chapter. */
    Side others(Chapter chapter) {
        return Side.of(ledger.outcomes(), o -> !isChanged(o.sent().cameraId()) && chapter.contains(o));
    }

    boolean isChanged(String camera) {
        return camera.equals(changedCamera);
    }

    /** The current chapter in one line. */
    String status() {
        Chapter current = chapters.get(chapters.size() - 1);
        return String.format(
                "  %-9s %s: %s; others: %s",
                current.name(),
                changedCamera,
                changed(current).text(),
                others(current).text());
    }

    /** All chapters, of which the last is closed. */
    List<LearningStory.Figures> figures() {
        return chapters.stream()
                .map(c -> new LearningStory.Figures(
                        c.name(), Duration.between(c.from(), c.to()).toMillis() / 1000.0, changed(c), others(c)))
                .toList();
    }
}
