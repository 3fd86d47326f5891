package io.linesight.app.cli.models;

import io.linesight.models.rollouts.Author;
import io.linesight.models.rollouts.Decision;
import io.linesight.models.rollouts.RegistryState;
import io.linesight.models.rollouts.RolloutRules;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The commands that are one decision each. */
final class RolloutCommands {
    private static final String B = " -b localhost:9092 -r http://localhost:8081";

    private RolloutCommands() {}

    /** What all of them have. */
    @Command(mixinStandardHelpOptions = true, sortOptions = false, footerHeading = "%nExamples:%n")
    abstract static class Base implements Callable<Integer> {
        @Spec
        private CommandSpec spec;

        @Mixin
        private DecisionOptions decision;

        abstract Decision decide(RegistryState known, String channel, Author author);

        @Override
        public Integer call() throws Exception {
            return decision.decide(spec.commandLine().getOut(), this::decide);
        }
    }

    /** What those have that name a version. */
    abstract static class Naming extends Base {
        @Parameters(paramLabel = "VERSION", description = "As 'linesight models list' shows it.")
        String version;

        @Option(
                names = "--force",
                description = "Although it failed its gate or was made for another channel; needs --reason.")
        boolean force;
    }

    /** What those have that name nothing. */
    private abstract static class Plain extends Base {
        private final DecisionOptions.Rule rule;

        Plain(DecisionOptions.Rule rule) {
            this.rule = rule;
        }

        @Override
        Decision decide(RegistryState known, String channel, Author author) {
            return rule.decide(known, channel, author);
        }
    }

    @Command(
            name = "promote",
            description = "Makes a version the champion, which scores all frames. The champion before it becomes "
                    + "'previous'; a trial in progress ends.",
            footer = {
                "  linesight models promote" + B + " 20260101-120000-1a2b3c4d --reason 'fewer false alarms'",
                "  linesight models promote" + B + " 20260101-120000-1a2b3c4d --force --reason 'gate set is outdated'"
            })
    static final class Promote extends Naming {
        @Override
        Decision decide(RegistryState known, String channel, Author author) {
            return RolloutRules.promote(known, channel, version, author, force);
        }
    }

    @Command(
            name = "rollback",
            description = "Goes back to the champion before. Works on a pinned channel too. A second rollback goes "
                    + "further back.",
            footer = "  linesight models rollback" + B + " --reason 'misses scratches'")
    static final class Rollback extends Plain {
        Rollback() {
            super(RolloutRules::rollback);
        }
    }

    @Command(
            name = "shadow",
            description = "Lets a challenger score a share of the frames beside the champion. The champion decides; "
                    + "differences go to the shadow topic.",
            footer = "  linesight models shadow" + B + " 20260101-120000-1a2b3c4d --percent 10")
    static final class Shadow extends Naming {
        @Option(
                names = "--percent",
                paramLabel = "P",
                defaultValue = "10",
                description = "Share of the frames that both score, up to 100 (${DEFAULT-VALUE}).")
        private double percent;

        @Override
        Decision decide(RegistryState known, String channel, Author author) {
            return RolloutRules.shadow(known, channel, version, percent, author, force);
        }
    }

    @Command(
            name = "canary",
            description = "Lets a challenger decide for some cameras or products, or a share of the cameras. A camera "
                    + "stays where it is.",
            footer = {
                "  linesight models canary" + B + " 20260101-120000-1a2b3c4d --camera cam-3 --camera cam-7",
                "  linesight models canary" + B + " 20260101-120000-1a2b3c4d --product flange",
                "  linesight models canary" + B + " 20260101-120000-1a2b3c4d --percent 25"
            })
    static final class Canary extends Naming {
        @Option(
                names = "--camera",
                paramLabel = "ID",
                split = ",",
                description = "Camera whose frames it decides; may be repeated.")
        private List<String> cameras = new ArrayList<>();

        @Option(
                names = "--product",
                paramLabel = "NAME",
                split = ",",
                description = "Product whose frames it decides; may be repeated.")
        private List<String> products = new ArrayList<>();

        @Option(
                names = "--percent",
                paramLabel = "P",
                defaultValue = "0",
                description = "Share of the cameras whose frames it decides (${DEFAULT-VALUE}).")
        private double percent;

        @Override
        Decision decide(RegistryState known, String channel, Author author) {
            return RolloutRules.canary(known, channel, version, cameras, products, percent, author, force);
        }
    }

    @Command(
            name = "withdraw",
            description = "Ends a shadow or canary; the champion decides everything again.",
            footer = "  linesight models withdraw" + B + " --reason 'too many differences'")
    static final class Withdraw extends Plain {
        Withdraw() {
            super(RolloutRules::withdraw);
        }
    }

    @Command(
            name = "pin",
            description =
                    "Keeps a channel as it is: nothing changes by itself, and people can only roll back or unpin.",
            footer = "  linesight models pin" + B + " --reason 'audit this week'")
    static final class Pin extends Plain {
        Pin() {
            super(RolloutRules::pin);
        }
    }

    @Command(
            name = "unpin",
            description = "Lets a pinned channel change again.",
            footer = "  linesight models unpin" + B)
    static final class Unpin extends Plain {
        Unpin() {
            super(RolloutRules::unpin);
        }
    }
}
