package io.linesight.app.cli.models;

import io.linesight.app.cli.common.Person;
import io.linesight.app.cli.common.Table;
import io.linesight.app.cli.common.UserError;
import io.linesight.models.rollouts.Author;
import io.linesight.models.rollouts.Decision;
import io.linesight.models.rollouts.RegistryState;
import io.linesight.models.rollouts.RolloutException;
import io.linesight.models.rollouts.RolloutWriter;
import io.linesight.schemas.Rollout;
import io.linesight.schemas.RolloutMode;
import java.io.IOException;
import java.io.PrintWriter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options of every command that makes a decision; makes it. */
final class DecisionOptions {
    static final String CHANNEL = "default";

    @Mixin
    private RegistryOptions registry;

    @Option(
            names = "--channel",
            paramLabel = "NAME",
            defaultValue = CHANNEL,
            description = "Rollout channel (${DEFAULT-VALUE}).")
    private String channel;

    @Option(names = "--by", paramLabel = "NAME", description = "Who decides; the user of this system by default.")
    private String by;

    @Option(names = "--reason", paramLabel = "TEXT", defaultValue = "", description = "Why, for the history.")
    private String reason;

    interface Rule {
        Decision decide(RegistryState known, String channel, Author author);
    }

    int decide(PrintWriter out, Rule rule) throws IOException, InterruptedException {
        Author author = Author.person(Person.named(by), reason);
        try (RegistryOptions.Open open = registry.open()) {
            Rollout r = new RolloutWriter(
                            open.registry(), open.view(), open.config().timeout())
                    .decide(channel, known -> rule.decide(known, channel, author));
            out.println("Revision " + r.getRevision() + " of '" + channel + "' is in force: " + describe(r) + ".");
            open.view().state().objection(r).ifPresent(o -> out.println("Note: " + Table.printable(o)));
            return 0;
        } catch (RolloutException e) {
            throw new UserError(Table.printable(e.getMessage()), e);
        }
    }

    /** Describes a rollout in a few words. */
    static String describe(Rollout r) {
        StringBuilder s = new StringBuilder("champion ").append(r.getChampion() == null ? "none" : r.getChampion());
        if (r.getChallenger() != null && r.getMode() == RolloutMode.SHADOW)
            s.append(", ")
                    .append(r.getChallenger())
                    .append(" scores ")
                    .append(percent(r))
                    .append(" of the frames beside it");
        if (r.getChallenger() != null && r.getMode() == RolloutMode.CANARY) {
            s.append(", ").append(r.getChallenger()).append(" decides");
            String and = " ";
            if (!r.getCameras().isEmpty()) {
                s.append(and).append("cameras ").append(String.join(", ", r.getCameras()));
                and = " and ";
            }
            if (!r.getProducts().isEmpty()) {
                s.append(and).append("products ").append(String.join(", ", r.getProducts()));
                and = " and ";
            }
            if (r.getPercent() > 0) s.append(and).append(percent(r)).append(" of the cameras");
        }
        if (r.getMode() == RolloutMode.UNKNOWN) s.append(", in a mode that this program does not know");
        if (r.getPrevious() != null) s.append(", previous ").append(r.getPrevious());
        if (r.getPinned()) s.append(", pinned");
        return Table.printable(s.toString());
    }

    private static String percent(Rollout r) {
        return (r.getPercent() == Math.rint(r.getPercent())
                        ? Long.toString(Math.round(r.getPercent()))
                        : Double.toString(r.getPercent()))
                + " %";
    }
}
