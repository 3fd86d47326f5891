package io.linesight.app.doctor;

import io.linesight.schemas.clients.BrokerFault;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.KafkaException;

/** Whether the broker can be used, and takes records as large as ours. */
final class BrokerCheck implements Check {
    private final DoctorOptions options;

    BrokerCheck(DoctorOptions options) {
        this.options = options;
    }

    @Override
    public String run(List<Finding> found) throws InterruptedException {
        if (options.bootstrap().isBlank()) {
            found.add(Finding.of(
                    Problem.CONFIG_WRONG,
                    "bootstrap.servers",
                    "it is not set",
                    "pass --bootstrap HOST:PORT, or set it in the file given with --config"));
            return "";
        }
        try (Admin admin = options.openAdmin()) {
            ClusterReader.Cluster cluster = new ClusterReader(admin).cluster();
            checkVersion(cluster, found);
            checkSizes(cluster, found);
            return "cluster " + cluster.id() + ", " + cluster.brokers()
                    + (cluster.brokers() == 1 ? " broker" : " brokers") + ", metadata "
                    + cluster.version().orElse("version unknown");
        } catch (ExecutionException | KafkaException e) {
            found.add(explain(e));
            return "";
        }
    }

    private void checkVersion(ClusterReader.Cluster cluster, List<Finding> found) {
        // Without the right to read settings, a missing version says nothing.
        if (cluster.version().isPresent() || cluster.configs().isEmpty()) return;
        found.add(Finding.of(
                Problem.BROKER_OLD,
                options.bootstrap(),
                "it has no metadata.version, as Kafka in KRaft mode has from 3.3 on"));
    }

    private void checkSizes(ClusterReader.Cluster cluster, List<Finding> found) {
        long needed = options.topics().limits().deadLetterTopicBytes();
        for (String key : List.of("replica.fetch.max.bytes", "socket.request.max.bytes")) {
            String value = cluster.configs().get(key);
            boolean replicates = cluster.brokers() > 1;
            if (value == null || Long.parseLong(value) >= needed || key.startsWith("replica") && !replicates) continue;
            found.add(Finding.of(
                    Problem.BROKER_TOO_SMALL,
                    options.bootstrap(),
                    key + " is " + value + ", and records may have " + needed + " bytes"));
        }
    }

    private Finding explain(Exception e) {
        BrokerFault fault = BrokerFault.of(e);
        if (fault == BrokerFault.SILENT) {
            for (String server : options.bootstrap().split(",")) {
                Optional<Finding> answer = probe(server.trim());
                if (answer.isPresent()) return answer.get();
            }
        }
        String why = BrokerFault.explain(options.bootstrap(), e);
        return Finding.of(
                Problem.BROKER_UNUSABLE,
                options.bootstrap(),
                why.substring(0, why.length() - fault.fix().length() - 2),
                fault.fix());
    }

    /** What is behind a server's silence, where that can be told. */
    private Optional<Finding> probe(String server) {
        String protocol = options.securityProtocol();
        boolean tls = protocol.contains("SSL");
        return switch (TlsProbe.ask(server)) {
            case TLS ->
                tls
                        ? Optional.empty()
                        : Optional.of(Finding.of(
                                Problem.PLAIN_AGAINST_TLS,
                                server,
                                "it speaks TLS, and security.protocol is " + protocol));
            case NO_TLS ->
                !tls
                        ? Optional.empty()
                        : Optional.of(Finding.of(
                                Problem.BROKER_UNUSABLE,
                                server,
                                "it listens and does not speak TLS, and security.protocol is " + protocol,
                                BrokerFault.TLS_AGAINST_PLAIN.fix()));
            case NOTHING_LISTENS ->
                Optional.of(Finding.of(
                        Problem.BROKER_UNUSABLE,
                        server,
                        "nothing listens there",
                        "start the broker, or correct host and port in bootstrap.servers"));
        };
    }
}
