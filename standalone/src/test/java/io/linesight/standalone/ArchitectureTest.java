package io.linesight.standalone;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OrtEnvironment;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.linesight.mmad.ort.OnnxRuntime;
import io.linesight.models.config.ModelsConfig;
import io.linesight.streams.InspectionConfig;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The direction of dependencies between the modules and between their packages. */
class ArchitectureTest {
    private static final String KAFKA = "org.apache.kafka..";
    private static final String AVRO = "org.apache.avro..";
    private static final String TORCH = "org.bytedeco.pytorch..";
    private static JavaClasses classes;

    @BeforeAll
    static void read() {
        classes = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("io.linesight");
    }

    private static void none(String from, String... to) {
        assertThat(classes.stream()
                        .filter(c -> c.getPackageName().startsWith(from))
                        .count())
                .as("classes of " + from)
                .isGreaterThan(3);
        noClasses()
                .that()
                .resideInAPackage(from + "..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(to)
                .check(classes);
    }

    @Test
    void shouldKeepSchemasFreeOfOurOtherModules() {
        none(
                "io.linesight.schemas",
                "io.linesight.mmad..",
                "io.linesight.models..",
                "io.linesight.streams..",
                "io.linesight.trainer..",
                "io.linesight.standalone..");
    }

    @Test
    void shouldKeepTheModelFreeOfKafkaTorchAndOurOtherModules() {
        none(
                "io.linesight.mmad",
                KAFKA,
                AVRO,
                TORCH,
                "io.linesight.schemas..",
                "io.linesight.models..",
                "io.linesight.streams..",
                "io.linesight.trainer..",
                "io.linesight.standalone..");
    }

    @Test
    void shouldKeepTheModelRegistryOnTheContractsAlone() {
        none(
                "io.linesight.models",
                TORCH,
                "ai.onnxruntime..",
                "org.apache.kafka.streams..",
                "io.linesight.mmad..",
                "io.linesight.streams..",
                "io.linesight.trainer..",
                "io.linesight.standalone..");
    }

    @Test
    void shouldKeepTheStreamsAppFreeOfTorchAndTheTrainer() {
        none("io.linesight.streams", TORCH, "io.linesight.trainer..", "io.linesight.standalone..");
    }

    @Test
    void shouldKeepTheTrainerFreeOfTheStreamsApp() {
        none("io.linesight.trainer", "io.linesight.streams..", "io.linesight.standalone..");
    }

    @Test
    void shouldDocumentEverySettingOfCheckpointsInTheReferenceOfTheApp() {
        assertThat(InspectionConfig.keys())
                .contains(
                        ModelsConfig.TRUSTED_KEYS,
                        ModelsConfig.UNSIGNED,
                        ModelsConfig.PATIENCE_MS,
                        ModelsConfig.MAX_BYTES,
                        ModelsConfig.HTTP_AUTHORIZATION);
    }

    @Test
    void shouldLoadOnnxRuntimeInOnePlaceThatKeepsItQuiet() {
        noClasses()
                .that()
                .doNotHaveFullyQualifiedName(OnnxRuntime.class.getName())
                .should()
                .callMethod(OrtEnvironment.class, "getEnvironment")
                .because("loaded elsewhere first, it sends usage data")
                .check(classes);
    }

    @Test
    void shouldKeepTheSimulatorFreeOfKafka() {
        none("io.linesight.standalone.simulator", KAFKA, AVRO, "io.linesight.schemas..", "io.linesight.streams..");
    }

    @Test
    void shouldLetOnlyTheCommandLineKnowPicocli() {
        noClasses()
                .that()
                .resideOutsideOfPackage("io.linesight.standalone.cli..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("picocli..")
                .check(classes);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "io.linesight.standalone",
                "io.linesight.schemas",
                "io.linesight.mmad",
                "io.linesight.models",
                "io.linesight.streams",
                "io.linesight.trainer"
            })
    void shouldHaveNoCyclesBetweenPackages(String module) {
        slices().matching(module + ".(*)..").should().beFreeOfCycles().check(classes);
    }
}
