package io.linesight.app.cli.settings;

import io.linesight.app.cli.common.Person;
import io.linesight.app.cli.common.Table;
import io.linesight.models.rollouts.Author;
import io.linesight.models.settings.SettingsException;
import io.linesight.schemas.ProductSettings;
import java.io.PrintWriter;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Who changes something, why, and what they had seen; makes the change. */
final class ChangeOptions {
    @Option(
            names = "--based-on",
            paramLabel = "REVISION",
            description = "What you have seen: nothing is changed where another revision is in force. Default: the "
                    + "newest.")
    private @Nullable Long basedOn;

    @Option(names = "--by", paramLabel = "NAME", description = "Who does it; the user of this system by default.")
    private @Nullable String by;

    @Option(names = "--reason", paramLabel = "TEXT", defaultValue = "", description = "Why, for the history.")
    private String reason;

    Author author() {
        return Author.person(Person.named(by), reason);
    }

    int change(
            PrintWriter out,
            DeskOptions.Open open,
            String product,
            Author author,
            Consumer<ProductSettings.Builder> change)
            throws InterruptedException {
        try {
            ProductSettings now = open.desk().change(product, basedOn, change, author);
            out.println(Table.printable("Revision " + now.getRevision() + " of "
                    + (product.equals("*") ? "all products" : "product '" + product + "'") + ", channel '"
                    + open.channel() + "', is in force: " + SettingsText.describe(now) + "."));
            return 0;
        } catch (SettingsException e) {
            throw DeskOptions.error(e);
        }
    }
}
