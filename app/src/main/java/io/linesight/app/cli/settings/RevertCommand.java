package io.linesight.app.cli.settings;

import io.linesight.app.cli.common.UserError;
import io.linesight.mmad.checkpoint.ProductName;
import io.linesight.models.rollouts.Author;
import io.linesight.models.settings.SettingsEntry;
import io.linesight.models.settings.SettingsException;
import io.linesight.models.settings.SettingsState;
import io.linesight.schemas.ProductSettings;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "revert",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Brings settings of a product back to what an earlier revision said, as a new revision.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight settings revert -c line.properties flange --reason 'too many false alarms'",
            "  linesight settings revert -c line.properties flange --to 2"
        })
final class RevertCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private DeskOptions options;

    @Mixin
    private ChangeOptions change;

    @Parameters(paramLabel = "PRODUCT", description = "Its name; * for all products.")
    private String product;

    @Option(
            names = "--to",
            paramLabel = "REVISION",
            description = "As 'linesight settings history' shows it; 0 takes all settings away. Default: the one "
                    + "before the present.")
    private @Nullable Long to;

    @Override
    public Integer call() throws Exception {
        String name = product.equals(SettingsState.ALL) ? product : ProductName.normalized(product);
        Author author = change.author();
        try (DeskOptions.Open open = options.open()) {
            SettingsState state = read(open);
            long now = state.revision(name);
            if (now == 0)
                throw new UserError("product '" + name + "' has no settings on channel '" + open.channel()
                        + "', so there is nothing to go back from. Nothing was done");
            long target = to == null ? now - 1 : to;
            ProductSettings old = target == 0 ? null : revision(state, name, target);
            return change.change(spec.commandLine().getOut(), open, name, author, s -> {
                s.setThreshold(old == null ? null : old.getThreshold());
                s.setReviewLow(old == null ? null : old.getReviewLow());
                s.setReviewHigh(old == null ? null : old.getReviewHigh());
                s.setAlerts(old == null ? List.of() : old.getAlerts());
            });
        }
    }

    private static SettingsState read(DeskOptions.Open open) {
        try {
            return open.desk().read();
        } catch (SettingsException e) {
            throw DeskOptions.error(e);
        }
    }

    private static ProductSettings revision(SettingsState state, String product, long revision) {
        return state.history(product).stream()
                .filter(SettingsEntry::counted)
                .flatMap(entry -> entry.settings().stream())
                .filter(s -> s.getRevision() == revision)
                .findFirst()
                .orElseThrow(() -> new UserError("product '" + product + "' never had revision " + revision
                        + "; 'linesight settings history' shows those there were. Nothing was done"));
    }
}
