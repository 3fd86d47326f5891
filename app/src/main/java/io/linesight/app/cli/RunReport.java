package io.linesight.app.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.linesight.demo.Demo;
import io.linesight.demo.line.RunSummary;
import io.linesight.demo.story.LearningStory;
import io.linesight.demo.story.Side;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Locale;

/** How a demo and a learning story ended, for people and as JSON. */
final class RunReport {
    private RunReport() {}

    /** @param folder of the run */
    static void print(PrintWriter out, Demo.Outcome outcome, Path folder) {
        out.println("Summary");
        out.print(outcome.summary().text());
        if (outcome.peaks() == null) return;
        out.print(outcome.peaks().row().text());
        Path page = folder.resolve("heatmaps").resolve("index.html");
        out.print(new RunSummary.Row("heatmaps", page.toString()).text());
    }

    static ObjectNode json(Demo.Outcome outcome) {
        ObjectNode node = outcome.summary().toJson();
        node.put("model", outcome.modelVersion());
        if (outcome.peaks() == null) return node;
        return node.put("peaksOnDefect", outcome.peaks().onDefect())
                .put("peaksMeasured", outcome.peaks().measured());
    }

    static void print(PrintWriter out, LearningStory.Outcome outcome) {
        out.println();
        out.printf("%-10s %6s   %-52s   %-52s%n", "", "", "camera under the new lamp", "other cameras");
        out.printf(
                "%-10s %6s   %9s %20s %19s   %9s %20s %19s%n",
                "chapter", "s", "anomalous", "false alarms", "missed", "anomalous", "false alarms", "missed");
        for (LearningStory.Figures f : outcome.chapters()) {
            out.printf(
                    Locale.ROOT,
                    "%-10s %6.0f   %s   %s%n",
                    f.chapter(),
                    f.seconds(),
                    columns(f.changed()),
                    columns(f.others()));
        }
        out.println();
        out.print(outcome.summary().text());
        out.print(new RunSummary.Row("end", outcome.end()).text());
    }

    private static String columns(Side s) {
        return String.format(
                Locale.ROOT,
                "%9s %20s %19s",
                Side.percent(s.anomalyRate()),
                s.falseAlarms() + " of " + s.good() + " (" + Side.percent(s.falseAlarmRate()) + ")",
                s.missed() + " of " + s.defective() + " (" + Side.percent(s.missRate()) + ")");
    }

    static ObjectNode json(LearningStory.Outcome outcome) {
        ObjectNode node = outcome.summary().toJson();
        ArrayNode chapters = node.putArray("chapters");
        for (LearningStory.Figures f : outcome.chapters()) {
            ObjectNode chapter =
                    chapters.addObject().put("chapter", f.chapter()).put("seconds", f.seconds());
            putSide(chapter.putObject("newLamp"), f.changed());
            putSide(chapter.putObject("others"), f.others());
        }
        return node.put("first", outcome.first())
                .put("learned", outcome.learned())
                .put("end", outcome.end());
    }

    private static void putSide(ObjectNode node, Side s) {
        node.put("frames", s.frames())
                .put("good", s.good())
                .put("falseAlarms", s.falseAlarms())
                .put("defective", s.defective())
                .put("missed", s.missed());
        ArrayNode models = node.putArray("models");
        s.models().forEach(models::add);
    }
}
