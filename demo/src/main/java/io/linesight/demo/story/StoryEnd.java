package io.linesight.demo.story;

/** Ends the story; the message says why. */
final class StoryEnd extends Exception {
    private static final long serialVersionUID = 1L;

    private final boolean complete;

    private StoryEnd(String message, boolean complete) {
        super(message);
        this.complete = complete;
    }

    /** The line decided against the challenger, which is a regular end. */
    static StoryEnd decided(String message) {
        return new StoryEnd(message, true);
    }

    /** Something failed, or the story was stopped. */
    static StoryEnd aborted(String message) {
        return new StoryEnd(message, false);
    }

    /** Whether the story was told to a regular end. */
    boolean complete() {
        return complete;
    }
}
