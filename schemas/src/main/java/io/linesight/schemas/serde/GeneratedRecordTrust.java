package io.linesight.schemas.serde;

import io.linesight.schemas.CameraFrame;
import org.apache.avro.LogicalType;
import org.apache.avro.LogicalTypes;
import org.apache.avro.Schema;
import org.apache.avro.specific.SpecificRecord;
import org.apache.avro.util.ClassSecurityValidator;
import org.apache.avro.util.ClassSecurityValidator.ClassSecurityPredicate;

/**
 * Tells Avro that our generated classes may be instantiated. Since 1.12.2 Avro rejects every class it has not been told
 * about, even when a generated record reads itself, and offers a system property for it; a forgotten JVM flag would
 * then stop the line. Avro loads this class itself, as a service, before it parses its first schema, so whoever has
 * this jar on the class path needs nothing. Only generated records and enums of the contracts' package are added to
 * what is trusted already.
 */
public final class GeneratedRecordTrust implements LogicalTypes.LogicalTypeFactory {

    private static final String PACKAGE = "io.linesight.schemas";

    private static final ClassSecurityPredicate OURS = type ->
            type.getPackageName().equals(PACKAGE) && (SpecificRecord.class.isAssignableFrom(type) || type.isEnum());

    /** For Avro's service loader. */
    public GeneratedRecordTrust() {
        install();
    }

    /** Once more for serdes: another library may have replaced Avro's validator in the meantime. */
    static void ensure() {
        if (!ClassSecurityValidator.getGlobal().isTrusted(CameraFrame.class)) {
            install();
        }
    }

    private static synchronized void install() {
        ClassSecurityValidator.setGlobal(ClassSecurityValidator.composite(ClassSecurityValidator.getGlobal(), OURS));
    }

    /** Never used by a schema; a factory has to have a name. */
    @Override
    public String getTypeName() {
        return "linesight-generated-record-trust";
    }

    @Override
    public LogicalType fromSchema(Schema schema) {
        return null;
    }
}
