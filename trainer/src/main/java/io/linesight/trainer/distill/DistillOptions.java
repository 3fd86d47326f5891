package io.linesight.trainer.distill;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * What to distil and from what. Made by {@link #builder}; immutable. A work folder is gone on with only when teachers
 * (the networks, in their order), seed, batch, crop, number of photographs and their share, exponent and statistics
 * crops are the ones it was begun with; everything else may change between runs, though other minutes, steps or another
 * learning rate bend the schedule from there on.
 */
public final class DistillOptions {
    final List<Path> teachers;
    final List<String> teacherLicences;
    final List<Path> photos;
    final String photosLicence;
    final List<Path> exclude;
    final double photoShare;
    final long photoBytes;
    final double minutes;
    final long steps;
    final int batch;
    final int crop;
    final long seed;
    final double learningRate;
    final double exponent;
    final int statisticsCrops;
    final int heldOutCrops;
    final double saveSeconds;
    final int threads;
    final int teacherThreads;
    final boolean channelsLast;
    final Architecture architecture;
    final Path work;
    final Path out;
    final String licence;
    final String command;
    final PrintStream progress;
    final BooleanSupplier stopWhen;

    private DistillOptions(Builder b) {
        teachers = List.copyOf(b.teachers);
        teacherLicences = List.copyOf(b.teacherLicences);
        photos = List.copyOf(b.photos);
        photosLicence = b.photosLicence;
        exclude = List.copyOf(b.exclude);
        photoShare = b.photoShare;
        photoBytes = b.photoBytes;
        minutes = b.minutes;
        steps = b.steps;
        batch = b.batch;
        crop = b.crop;
        seed = b.seed;
        learningRate = b.learningRate;
        exponent = b.exponent;
        statisticsCrops = b.statisticsCrops;
        heldOutCrops = b.heldOutCrops;
        saveSeconds = b.saveSeconds;
        threads = b.threads;
        teacherThreads = b.teacherThreads;
        channelsLast = b.channelsLast;
        architecture = b.architecture;
        work = b.work;
        out = b.out;
        licence = b.licence;
        command = b.command;
        progress = b.progress;
        stopWhen = b.stopWhen;
    }

    public static Builder builder() {
        return new Builder();
    }

    /**
     * Collects options; {@link #build} checks them all at once. Not thread-safe. Teachers, work, out, and minutes or
     * steps must be given.
     */
    public static final class Builder {
        private List<Path> teachers = List.of();
        private List<String> teacherLicences = List.of();
        private List<Path> photos = List.of();
        private String photosLicence = "";
        private List<Path> exclude = List.of();
        private double photoShare = 0.6;
        private long photoBytes = 1_500_000_000L;
        private double minutes;
        private long steps;
        private int batch = 32;
        private int crop = 128;
        private long seed = 42;
        private double learningRate = 1.5e-3;
        private double exponent = 0.5;
        private int statisticsCrops = 384;
        private int heldOutCrops = 96;
        private double saveSeconds = 120;
        private int threads;
        private int teacherThreads = 1;
        private boolean channelsLast = true;
        private Architecture architecture = Architecture.standard();
        private Path work;
        private Path out;
        private String licence = "Apache-2.0";
        private String command = "";
        private PrintStream progress = System.err;
        private BooleanSupplier stopWhen = () -> false;

        private Builder() {}

        /** Encoders to imitate, ONNX files that {@code Encoder.load} accepts. */
        public Builder teachers(List<Path> v) {
            teachers = v;
            return this;
        }

        /** Licences of the teachers' weights, one for each or one for all; for the model card. */
        public Builder teacherLicences(List<String> v) {
            teacherLicences = v;
            return this;
        }

        /** Folders of photographs, with their subfolders. None: scenes that are made up alone. */
        public Builder photos(List<Path> v) {
            photos = v;
            return this;
        }

        /** Where the photographs come from and under what licences; for the model card. */
        public Builder photosLicence(String v) {
            photosLicence = v;
            return this;
        }

        /**
         * Folders with pictures that will be measured on: a photograph that is one of them to the pixel, or looks it
         * when scaled or compressed anew, stops the run before it begins. Pictures with next to no structure are only
         * recognised to the pixel, cut-outs and mirror images not at all.
         */
        public Builder exclude(List<Path> v) {
            exclude = v;
            return this;
        }

        /** Share of crops cut from photographs, 0..1; without photographs it counts as 0. */
        public Builder photoShare(double v) {
            photoShare = v;
            return this;
        }

        /** Bytes of decoded photographs kept in memory at most; the others are left out and counted. */
        public Builder photoBytes(long v) {
            photoBytes = v;
            return this;
        }

        /**
         * Training time over all runs with the same work folder; loading and the statistics of the teachers come on
         * top. 0 = none.
         */
        public Builder minutes(double v) {
            minutes = v;
            return this;
        }

        /**
         * Optimiser steps over all runs with the same work folder. 0 = as many as the minutes allow; with both,
         * whichever ends first.
         */
        public Builder steps(long v) {
            steps = v;
            return this;
        }

        /** Crops per step, 2..256. */
        public Builder batch(int v) {
            batch = v;
            return this;
        }

        /** Side of a crop in pixels, a multiple of 16, 32..512. */
        public Builder crop(int v) {
            crop = v;
            return this;
        }

        /** Seeds the weights and every crop. */
        public Builder seed(long v) {
            seed = v;
            return this;
        }

        /**
         * Highest learning rate, reached after a warm-up of 300 steps; from there it falls along a cosine over the
         * budget.
         */
        public Builder learningRate(double v) {
            learningRate = v;
            return this;
        }

        /**
         * How much more an error in a component of little variance counts: weight = variance to the power of minus
         * this, 0..1; 0 = plain squared error.
         */
        public Builder exponent(double v) {
            exponent = v;
            return this;
        }

        /** Crops that the target space is fitted on. */
        public Builder statisticsCrops(int v) {
            statisticsCrops = v;
            return this;
        }

        /** Crops that explained variance is measured on. */
        public Builder heldOutCrops(int v) {
            heldOutCrops = v;
            return this;
        }

        /** Seconds between two saved states. */
        public Builder saveSeconds(double v) {
            saveSeconds = v;
            return this;
        }

        /** CPU threads of the student; 0 = all processors. */
        public Builder threads(int v) {
            threads = v;
            return this;
        }

        /** CPU threads of each teacher, which answer for coming batches while the student learns. */
        public Builder teacherThreads(int v) {
            teacherThreads = v;
            return this;
        }

        /** Layout of the student's memory; for measuring. */
        Builder channelsLast(boolean v) {
            channelsLast = v;
            return this;
        }

        Builder architecture(Architecture v) {
            architecture = v;
            return this;
        }

        /** Folder for the state of the run, to go on from after an interruption; made when absent. */
        public Builder work(Path v) {
            work = v;
            return this;
        }

        /** Encoder to write, ONNX; replaced at every saved state. The model card is written beside it. */
        public Builder out(Path v) {
            out = v;
            return this;
        }

        /** Licence of the weights, for the model card. */
        public Builder licence(String v) {
            licence = v;
            return this;
        }

        /** The command line, for the model card. */
        public Builder command(String v) {
            command = v;
            return this;
        }

        /** Where lines for people go (standard error); stays open. */
        public Builder progress(PrintStream v) {
            progress = v;
            return this;
        }

        /** Asked before every step, on the training thread: true saves the state and ends the run. */
        public Builder stopWhen(BooleanSupplier v) {
            stopWhen = v;
            return this;
        }

        /** @throws IllegalArgumentException naming every problem */
        public DistillOptions build() {
            List<String> problems = new ArrayList<>();
            if (teachers.isEmpty()) problems.add("no teacher to learn from");
            if (teacherLicences.size() > 1 && teacherLicences.size() != teachers.size())
                problems.add("give one licence for all teachers or one for each");
            if (out == null) problems.add("no encoder file to write");
            if (work == null) problems.add("no work folder");
            if (!(minutes >= 0 && minutes < Double.POSITIVE_INFINITY) || steps < 0)
                problems.add("minutes and steps must be numbers that are not negative");
            if (minutes == 0 && steps == 0) problems.add("say how long to train: minutes or steps");
            if (batch < 2 || batch > 256) problems.add("batch must be 2..256, got " + batch);
            if (crop < 32 || crop > 512 || crop % 16 != 0)
                problems.add("crop must be a multiple of 16 from 32 to 512, got " + crop);
            if (!(photoShare >= 0 && photoShare <= 1))
                problems.add("the share of photographs must be 0..1, got " + photoShare);
            if (!(learningRate > 0 && learningRate < 1))
                problems.add("the learning rate must lie between 0 and 1, got " + learningRate);
            if (!(exponent >= 0 && exponent <= 1)) problems.add("the exponent must be 0..1, got " + exponent);
            if (statisticsCrops < 1 || heldOutCrops < 1)
                problems.add("crops for statistics and to measure on must be 1 or more");
            if (!(saveSeconds >= 0 && saveSeconds < Double.POSITIVE_INFINITY))
                problems.add("seconds between saved states must be a number that is not negative");
            if (photoBytes < 1) problems.add("the memory for photographs must be 1 byte or more");
            if (threads < 0 || teacherThreads < 1)
                problems.add("threads must not be negative, threads of a teacher 1 or more");
            if (!problems.isEmpty()) throw new IllegalArgumentException("distill: " + String.join("; ", problems));
            return new DistillOptions(this);
        }
    }
}
