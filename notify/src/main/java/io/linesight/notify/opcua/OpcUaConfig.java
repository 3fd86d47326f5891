package io.linesight.notify.opcua;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * How the OPC UA server works.
 *
 * @param bind address that it listens on
 * @param port 1 to 65,535
 * @param host name or address that clients reach it by; part of its certificate
 * @param folder with its certificate, and with the certificates of clients that it trusts; made at the first start
 * @param users passwords by user name; a secret
 * @param anonymous whether anybody may look, without a name, a certificate and encryption
 * @param forgetAfter a camera or product without results for so long, and without an open alert, is removed; at least a
 *     second
 * @param maxSources most cameras and products that are shown; 1 to 100,000
 * @param maxAlarms most open alerts that are shown; 1 to 100,000
 * @param answerTimeout how long an acknowledgement waits for its answer; 0.1 s to 1 min
 */
public record OpcUaConfig(
        String bind,
        int port,
        String host,
        Path folder,
        Map<String, String> users,
        boolean anonymous,
        Duration forgetAfter,
        int maxSources,
        int maxAlarms,
        Duration answerTimeout) {
    private static final int MIN_PASSWORD = 8;
    private static final int MAX_NODES = 100_000;

    public OpcUaConfig {
        users = Map.copyOf(users);
    }

    /** Everything that is wrong; empty for a configuration that can be used. */
    public List<String> problems() {
        List<String> problems = new ArrayList<>();
        if (bind.isBlank()) problems.add("the address to listen on is empty");
        if (port < 1 || port > 65_535) problems.add("port " + port + " is not between 1 and 65535");
        if (!host.matches("[A-Za-z0-9._:-]{1,253}")) problems.add("'" + host + "' is no name or address of a host");
        if (users.isEmpty() && !anonymous)
            problems.add("there are no users, so nobody could log in: give users, or let anybody look without a name");
        users.forEach((name, password) -> {
            if (name.isBlank() || name.length() > 100) problems.add("a user's name is empty or longer than 100");
            if (password.length() < MIN_PASSWORD)
                problems.add("the password of user " + name + " is shorter than " + MIN_PASSWORD + " characters");
        });
        if (forgetAfter.compareTo(Duration.ofSeconds(1)) < 0)
            problems.add("cameras cannot be forgotten after less than a second");
        if (maxSources < 1 || maxSources > MAX_NODES)
            problems.add(maxSources + " cameras and products are not between 1 and " + MAX_NODES);
        if (maxAlarms < 1 || maxAlarms > MAX_NODES)
            problems.add(maxAlarms + " alarms are not between 1 and " + MAX_NODES);
        if (answerTimeout.toMillis() < 100 || answerTimeout.compareTo(Duration.ofMinutes(1)) > 0)
            problems.add("the time to wait for an answer is not between 0.1 s and 1 min");
        return problems;
    }

    /** Without the passwords. */
    @Override
    public String toString() {
        return "OpcUaConfig[" + url() + ", bind=" + bind + ", folder=" + folder + ", users=" + users.keySet()
                + ", anonymous=" + anonymous + "]";
    }

    /** Where clients find the server. */
    public String url() {
        return "opc.tcp://" + (host.contains(":") ? "[" + host + "]" : host) + ":" + port + Endpoints.PATH;
    }
}
