package io.linesight.app.cli.models;

import io.linesight.app.cli.common.UserError;
import io.linesight.models.signing.KeyFiles;
import java.io.PrintWriter;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

@Command(
        name = "keygen",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Makes a pair of Ed25519 keys: the private one signs checkpoints, the public one lets instances "
                + "check them. Needs no broker.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  linesight models keygen                       # line.key and line.pub in this folder",
            "  linesight models keygen --private line.key --public line.pub"
        })
final class KeygenCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = "--private",
            paramLabel = "FILE",
            defaultValue = "line.key",
            description = "Where the private key goes, readable by you only (${DEFAULT-VALUE}). Keep it where the "
                    + "trainer runs, nowhere else.")
    private Path privateFile;

    @Option(
            names = "--public",
            paramLabel = "FILE",
            defaultValue = "line.pub",
            description = "Where the public key goes (${DEFAULT-VALUE}). Give it to every instance "
                    + "(linesight.models.trusted.keys).")
    private Path publicFile;

    @Override
    public Integer call() throws Exception {
        PrintWriter out = spec.commandLine().getOut();
        try {
            String id = KeyFiles.generate(privateFile, publicFile);
            out.println("Key " + id + ": " + privateFile.toAbsolutePath() + " signs (keep it secret), "
                    + publicFile.toAbsolutePath() + " checks.");
            return 0;
        } catch (FileAlreadyExistsException e) {
            throw new UserError(e.getMessage(), e);
        }
    }
}
