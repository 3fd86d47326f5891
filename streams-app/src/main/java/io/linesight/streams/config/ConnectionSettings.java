package io.linesight.streams.config;

import static io.linesight.streams.config.InspectionConfig.APPLICATION_ID;
import static io.linesight.streams.config.InspectionConfig.BOOTSTRAP_SERVERS;
import static io.linesight.streams.config.InspectionConfig.REGISTRY_URL;
import static io.linesight.streams.config.InspectionConfig.SERDE_CLASS;

import io.linesight.schemas.serde.AvroSerde;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Type;

/** Where Kafka and the schema registry are, and as whom the app reads. */
final class ConnectionSettings {

    private ConnectionSettings() {}

    static void define(ConfigDef definition) {
        definition
                .define(
                        BOOTSTRAP_SERVERS,
                        Type.STRING,
                        ConfigDef.NO_DEFAULT_VALUE,
                        new ConfigDef.NonEmptyString(),
                        Importance.HIGH,
                        "Kafka brokers, host:port,host:port.")
                .define(
                        APPLICATION_ID,
                        Type.STRING,
                        "linesight-inspection",
                        new ConfigDef.NonEmptyString(),
                        Importance.HIGH,
                        "Consumer group and prefix of the transactional ids. Instances with the same id share the "
                                + "cameras.")
                .define(
                        REGISTRY_URL,
                        Type.STRING,
                        ConfigDef.NO_DEFAULT_VALUE,
                        new ConfigDef.NonEmptyString(),
                        Importance.HIGH,
                        "Schema registry, several addresses separated by commas. All other keys of Confluent's "
                                + "serdes (basic.auth.user.info, auto.register.schemas, ...) are passed to the "
                                + "serdes as they are.")
                .define(
                        SERDE_CLASS,
                        Type.STRING,
                        AvroSerde.class.getName(),
                        new ConfigDef.NonEmptyString(),
                        Importance.LOW,
                        "Class of the Avro serde: ours, or any Confluent-compatible one on the class path.");
    }
}
