package io.linesight.schemas.serde;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.schemas.FrameRef;
import io.linesight.schemas.Verdict;
import java.util.ServiceLoader;
import org.apache.avro.LogicalTypes.LogicalTypeFactory;
import org.apache.avro.util.ClassSecurityValidator;
import org.junit.jupiter.api.Test;

class GeneratedRecordTrustTest {

    @Test
    void shouldBeFoundByAvroItself() {
        assertThat(ServiceLoader.load(LogicalTypeFactory.class)).hasAtLeastOneElementOfType(GeneratedRecordTrust.class);
    }

    @Test
    void shouldTrustGeneratedRecordsAndNothingElse() throws Exception {
        FrameRef ref = new FrameRef("t", 1, 2L);

        assertThat(FrameRef.fromByteBuffer(ref.toByteBuffer()))
                .as("without our serde")
                .isEqualTo(ref);
        assertThat(ClassSecurityValidator.getGlobal().isTrusted(Verdict.class)).isTrue();
        assertThat(ClassSecurityValidator.getGlobal().isTrusted(SerdeFactory.class))
                .isFalse();
        assertThat(ClassSecurityValidator.getGlobal().isTrusted(ProcessBuilder.class))
                .isFalse();
    }

    @Test
    void shouldComeBackAfterAnotherLibraryReplacedTheValidator() {
        var before = ClassSecurityValidator.getGlobal();
        try {
            ClassSecurityValidator.setGlobal(ClassSecurityValidator.DEFAULT);
            assertThat(ClassSecurityValidator.getGlobal().isTrusted(FrameRef.class))
                    .isFalse();

            GeneratedRecordTrust.ensure();

            assertThat(ClassSecurityValidator.getGlobal().isTrusted(FrameRef.class))
                    .isTrue();
        } finally {
            ClassSecurityValidator.setGlobal(before);
        }
    }
}
