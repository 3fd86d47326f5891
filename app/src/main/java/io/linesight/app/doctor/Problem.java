package io.linesight.app.doctor;

/** Everything the doctor can find, and how to fix it. */
public enum Problem {
    BROKER_UNUSABLE(
            Severity.STOPS,
            "The broker cannot be used: silent, unknown host, wrong credentials, certificate expired or not trusted",
            "The message says which of these it is and what to change; the cluster's other checks need it first"),
    PLAIN_AGAINST_TLS(
            Severity.STOPS,
            "The port speaks TLS and security.protocol does not",
            "Set security.protocol to SSL or SASL_SSL (as the broker's listener has it) and ssl.truststore.location"),
    BROKER_OLD(
            Severity.WARNS,
            "The cluster is older than Kafka 3.3, with which nothing here is tested",
            "Upgrade the brokers"),
    REPLICATION_TOO_HIGH(
            Severity.STOPS,
            "A topic needs more copies than there are brokers",
            "Set linesight.topics.replication.factor to at most the number of brokers, or add brokers"),
    ISR_TOO_FEW(
            Severity.STOPS,
            "min.insync.replicas of a topic is above its copies: nothing can be written to it",
            "kafka-configs --alter --entity-type topics --entity-name TOPIC --add-config min.insync.replicas=N, N "
                    + "below the copies"),
    ISR_FRAGILE(
            Severity.WARNS,
            "min.insync.replicas equals the copies, or the copies in sync have fallen to it: one broker that "
                    + "restarts stops all writing",
            "Have one copy more than min.insync.replicas, usually 3 and 2; look for a broker that is down"),
    SINGLE_COPY(
            Severity.NOTE,
            "A topic has one copy: what a lost disk held is lost",
            "Create the topics with 3 copies on a cluster of 3 brokers: linesight topics --replication 3"),
    PARTITION_OFFLINE(
            Severity.STOPS,
            "A partition has no leader",
            "Restart its brokers; its cameras wait meanwhile, and nothing is lost"),
    TOPIC_MISSING(
            Severity.STOPS,
            "A topic does not exist",
            "linesight topics -b BROKER (creates what is missing, never changes what exists)"),
    TOPIC_TOO_SMALL(
            Severity.STOPS,
            "A topic takes smaller records than are written to it",
            "kafka-configs --alter --entity-type topics --entity-name TOPIC --add-config max.message.bytes=N, or "
                    + "lower linesight.max.frame.bytes to the largest frame there is"),
    BROKER_TOO_SMALL(
            Severity.WARNS,
            "The broker's replica.fetch.max.bytes or socket.request.max.bytes is below the frames",
            "Set them in server.properties to what 'linesight topics --describe' says, and restart broker after "
                    + "broker"),
    PARTITIONS_DIFFER(
            Severity.WARNS,
            "The topics of frames and results have different numbers of partitions",
            "The order of a camera is not affected; programs that join the two by partition need as many in both: "
                    + "kafka-topics --alter --topic TOPIC --partitions N"),
    COMPACTED(
            Severity.STOPS,
            "A topic whose every record counts is compacted: only the last frame of a camera would stay",
            "kafka-configs --alter --entity-type topics --entity-name TOPIC --add-config "
                    + "cleanup.policy=delete,retention.ms=N; what is gone stays gone"),
    NOT_COMPACTED(
            Severity.STOPS,
            "A topic whose last record per key must stay deletes by age or size: labels, manifests and chunks of "
                    + "checkpoints would vanish",
            "kafka-configs --alter --entity-type topics --entity-name TOPIC --add-config cleanup.policy=compact; "
                    + "publish checkpoints again whose chunks are gone"),
    HISTORY_CUT(
            Severity.STOPS,
            "Decisions are deleted by age or size; a history without its start counts nothing",
            "kafka-configs --alter --entity-type topics --entity-name TOPIC --add-config "
                    + "retention.ms=-1,retention.bytes=-1"),
    RETENTION_SHORT(
            Severity.WARNS,
            "Records are kept for a shorter time than the catalogue has, frames for less than an hour or by size",
            "kafka-configs --alter --entity-type topics --entity-name TOPIC --add-config retention.ms=N; labels can "
                    + "only be given while the frame is kept"),
    REGISTRY_UNUSABLE(
            Severity.STOPS,
            "The schema registry cannot be used",
            "The message says why; check schema.registry.url and basic.auth.user.info. Frames wait in Kafka meanwhile"),
    SCHEMA_MISSING(
            Severity.STOPS,
            "A schema is not registered, and auto.register.schemas is false",
            "Register it: linesight schemas -r REGISTRY; or let the first writer do it (auto.register.schemas=true)"),
    SCHEMA_OLDER(
            Severity.WARNS,
            "auto.register.schemas is false, and only an older version of a schema is registered: records are written "
                    + "in it, and one with something that it lacks is not written at all",
            "Nothing, while nothing of that is used; otherwise: linesight schemas -r REGISTRY"),
    SCHEMA_INCOMPATIBLE(
            Severity.STOPS,
            "This version's schema may not be registered beside the one that is there, or cannot read it",
            "Use the version of Linesight that fits, or another topic prefix; delete a foreign schema under our "
                    + "subject in the registry"),
    SCHEMA_UNGUARDED(
            Severity.WARNS,
            "A subject's compatibility is NONE: anybody may break its readers",
            "Set it to BACKWARD or stricter in the registry"),
    ACL_MISSING(
            Severity.STOPS,
            "The principal lacks an operation on a topic, group or transactional id",
            "Give it; --acls prints the kafka-acls commands of all that is needed"),
    CLOCK_SKEW(
            Severity.WARNS,
            "This machine's clock and the registry's differ by more than 5 s: latencies and retention are wrong by "
                    + "as much",
            "Synchronise both machines with the same time server (chrony, ntpd)"),
    CAMERA_AHEAD(
            Severity.WARNS,
            "The newest frame is more than 5 s in the future",
            "Set the clock of the camera's machine; the broker rejects a frame that is more than an hour ahead"),
    FRAMES_MISDATED(
            Severity.WARNS,
            "Frames have a record or capture time that cannot be true: a clock that was never set, or another unit. "
                    + "They are inspected, and their answers have the present time",
            "Set the clock of the camera's machine; record times are milliseconds, capturedAt is microseconds since "
                    + "1970. Kafka deletes frames that are dated before its retention, read or not; kafka-configs "
                    + "--alter --entity-type topics --entity-name TOPIC --add-config "
                    + "message.timestamp.type=LogAppendTime lets the broker date them"),
    FRAMES_RECREATED(
            Severity.WARNS,
            "The topic of frames was deleted and created again since its newest answers: they are to frames that are "
                    + "gone",
            "Nothing: serve inspects the new topic from its beginning. Results of both have the same ids; the header "
                    + "linesight.source.topic.id tells them apart"),
    OFFSETS_WRONG(
            Severity.WARNS,
            "The group's offsets are gone or lie outside of the topic of frames",
            "Nothing: serve sets them at its start, behind the last frame that has an answer. Frames that retention "
                    + "deleted before they were inspected are lost; keep frames longer"),
    CHECKPOINT_GONE(
            Severity.STOPS,
            "A version that a channel serves, tries or could roll back to cannot be fetched: chunks were deleted or "
                    + "damaged, or its store is not reachable. Running instances continue; one that starts takes an "
                    + "earlier champion, or none",
            "Publish the same file again, which brings its bytes back: linesight models publish FILE; or decide for "
                    + "another version: linesight models promote VERSION"),
    MODEL_UNTRUSTED(
            Severity.STOPS,
            "A version that a channel names is not signed by a key of linesight.models.trusted.keys: every instance "
                    + "rejects it",
            "Publish it again with a key that is trusted (--key), or add the public key if it is one of yours"),
    DEVICE_UNUSABLE(
            Severity.STOPS,
            "The requested device cannot be used",
            "Install CUDA 12 and cuDNN 9, build with LINESIGHT_MAVEN_OPTS=-Pcuda, or use --device cpu"),
    DEVICE_FALLBACK(
            Severity.WARNS,
            "This build has CUDA and the GPU does not work: the device auto falls back to the CPU",
            "The message is ONNX Runtime's; check nvidia-smi, CUDA 12 and cuDNN 9"),
    NATIVE_MISSING(
            Severity.STOPS,
            "A native library does not load",
            "Use linux-x86_64 with glibc, give the container a writable temporary folder, and see the message for "
                    + "the library that is missing"),
    VECTOR_MISSING(
            Severity.WARNS,
            "The JVM runs without jdk.incubator.vector: the scan is 13 to 24 times slower",
            "Start with the launcher, or with --add-modules jdk.incubator.vector"),
    FOLDER_UNUSABLE(
            Severity.STOPS, "A folder cannot be written", "Create it for this user, or set the key named to another"),
    DISK_LOW(
            Severity.WARNS,
            "A folder's disk has less than 1 GiB free",
            "Make room, or set the key named to another folder"),
    GROUP_SHARED(
            Severity.STOPS,
            "Another program uses the same application.id: each misses the frames that the other reads",
            "Give each an application.id of its own; the message names the other's client and host"),
    GROUP_LAG(
            Severity.WARNS,
            "More than 1,000 frames are pending",
            "Start another instance, or find out why those that run are slow: the dashboard has the stages"),
    CONFIG_WRONG(
            Severity.STOPS,
            "A setting is missing or wrong",
            "The message names each key; 'linesight config' explains them"),
    CONFIG_IGNORED(
            Severity.WARNS,
            "A setting changes nothing",
            "Correct its name or remove it; 'linesight config' has all names");

    /** How much a finding matters. */
    public enum Severity {
        /** It will not work. */
        STOPS,
        /** It works, with a risk. */
        WARNS,
        /** Good to know. */
        NOTE
    }

    private final Severity severity;
    private final String what;
    private final String fix;

    Problem(Severity severity, String what, String fix) {
        this.severity = severity;
        this.what = what;
        this.fix = fix;
    }

    public Severity severity() {
        return severity;
    }

    /** What is found, in general. */
    public String what() {
        return what;
    }

    /** How to fix it, in general. */
    public String fix() {
        return fix;
    }
}
