package io.linesight.app.cli.notify;

import io.linesight.app.cli.common.Inputs;
import io.linesight.app.cli.common.UserError;
import java.io.IOException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Who may log in to the OPC UA server: lines {@code name=password} of a file, and one of the environment. */
final class OpcUaUsers {
    static final String USER = "LINESIGHT_OPCUA_USER";
    static final String PASSWORD = "LINESIGHT_OPCUA_PASSWORD";

    private OpcUaUsers() {}

    /**
     * Passwords by user name.
     *
     * @throws UserError when the file cannot be read, others can read it, or half of the environment is missing
     */
    static Map<String, String> read(@Nullable Path file, Map<String, String> environment) {
        Map<String, String> users = new HashMap<>();
        if (file != null) readFile(file, users);
        String user = environment.getOrDefault(USER, "");
        String password = environment.getOrDefault(PASSWORD, "");
        if (user.isEmpty() != password.isEmpty())
            throw new UserError(USER + " and " + PASSWORD + " are set together or not at all; nothing was started");
        if (!user.isEmpty()) users.put(user, password);
        return users;
    }

    private static void readFile(Path file, Map<String, String> users) {
        Properties lines = new Properties();
        try {
            refuseWhatOthersRead(Inputs.existing(file, "file of users"));
            try (Reader in = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
                lines.load(in);
            }
        } catch (IOException | IllegalArgumentException e) {
            throw new UserError(
                    "cannot read the users in " + file + ": " + e.getMessage() + "; nothing was started", e);
        }
        lines.stringPropertyNames().forEach(name -> users.put(name, lines.getProperty(name)));
    }

    private static void refuseWhatOthersRead(Path file) throws IOException {
        if (!file.getFileSystem().supportedFileAttributeViews().contains("posix")) return;
        Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file);
        if (permissions.contains(PosixFilePermission.OTHERS_READ))
            throw new UserError("everybody on this machine can read the passwords in " + file + "; run 'chmod o-rwx "
                    + file + "' and start again");
    }
}
