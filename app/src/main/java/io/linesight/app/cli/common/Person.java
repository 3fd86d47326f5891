package io.linesight.app.cli.common;

import org.jspecify.annotations.Nullable;

/** Who acts. */
public final class Person {
    private Person() {}

    /**
     * The name to act under.
     *
     * @param given by an option; null for the user of this system
     * @throws UserError when the system does not say who that is
     */
    public static String named(@Nullable String given) {
        String user = given == null ? System.getProperty("user.name", "") : given;
        if (user.isBlank() || user.equals("?"))
            throw new UserError("this system does not say who you are: pass --by NAME; nothing was done");
        return user;
    }
}
