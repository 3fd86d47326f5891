package io.linesight.app.cli.models;

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
    abstract static class Base implements Callable<Integer> {
        @Spec
        private CommandSpec spec;

        @Mixin
        private DecisionOptions decision;

        abstract DecisionOptions.Rule rule();

        @Override
        public Integer call() throws Exception {
            return decision.decide(spec.commandLine().getOut(), rule());
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

    @Command(
            name = "promote",
            mixinStandardHelpOptions = true,
            sortOptions = false,
            description = "Makes a version the champion, which scores all frames. The champion before it becomes "
                    + "'previous'; a trial in progress ends.",
            footerHeading = "%nExamples:%n",
            footer = {
                "  linesight models promote" + B + " 20260101-120000-1a2b3c4d --reason 'fewer false alarms'",
                "  linesight models promote" + B + " 20260101-120000-1a2b3c4d --force --reason 'gate set is outdated'"
            })
    static final class Promote extends Naming {
        @Override
        DecisionOptions.Rule rule() {
            return (known, channel, author) -> RolloutRules.promote(known, channel, version, author, force);
        }
    }

    @Command(
            name = "rollback",
            mixinStandardHelpOptions = true,
            sortOptions = false,
            description = "Goes back to the champion before. Works on a pinned channel too. A second rollback goes "
                    + "further back.",
            footerHeading = "%nExamples:%n",
            footer = "  linesight models rollback" + B + " --reason 'misses scratches'")
    static final class Rollback extends Base {
        @Override
        DecisionOptions.Rule rule() {
            return RolloutRules::rollback;
        }
    }

    @Command(
            name = "shadow",
            mixinStandardHelpOptions = true,
            sortOptions = false,
            description = "Lets a challenger score a share of the frames beside the champion. The champion decides; "
                    + "differences go to the shadow topic.",
            footerHeading = "%nExamples:%n",
            footer = "  linesight models shadow" + B + " 20260101-120000-1a2b3c4d --percent 10")
    static final class Shadow extends Naming {
        @Option(
                names = "--percent",
                paramLabel = "P",
                defaultValue = "10",
                description = "Share of the frames that both score, up to 100 (${DEFAULT-VALUE}).")
        private double percent;

        @Override
        DecisionOptions.Rule rule() {
            return (known, channel, author) -> RolloutRules.shadow(known, channel, version, percent, author, force);
        }
    }

    @Command(
            name = "canary",
            mixinStandardHelpOptions = true,
            sortOptions = false,
            description = "Lets a challenger decide for some cameras or products, or a share of the cameras. A camera "
                    + "stays where it is.",
            footerHeading = "%nExamples:%n",
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
        DecisionOptions.Rule rule() {
            return (known, channel, author) ->
                    RolloutRules.canary(known, channel, version, cameras, products, percent, author, force);
        }
    }

    @Command(
            name = "withdraw",
            mixinStandardHelpOptions = true,
            sortOptions = false,
            description = "Ends a shadow or canary; the champion decides everything again.",
            footerHeading = "%nExamples:%n",
            footer = "  linesight models withdraw" + B + " --reason 'too many differences'")
    static final class Withdraw extends Base {
        @Override
        DecisionOptions.Rule rule() {
            return RolloutRules::withdraw;
        }
    }

    @Command(
            name = "pin",
            mixinStandardHelpOptions = true,
            sortOptions = false,
            description =
                    "Keeps a channel as it is: nothing changes by itself, and people can only roll back or unpin.",
            footerHeading = "%nExamples:%n",
            footer = "  linesight models pin" + B + " --reason 'audit this week'")
    static final class Pin extends Base {
        @Override
        DecisionOptions.Rule rule() {
            return RolloutRules::pin;
        }
    }

    @Command(
            name = "unpin",
            mixinStandardHelpOptions = true,
            sortOptions = false,
            description = "Lets a pinned channel change again.",
            footerHeading = "%nExamples:%n",
            footer = "  linesight models unpin" + B)
    static final class Unpin extends Base {
        @Override
        DecisionOptions.Rule rule() {
            return RolloutRules::unpin;
        }
    }
}
