package io.linesight.app;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.name;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import io.linesight.mmad.checkpoint.ProductCalibration;
import io.linesight.mmad.checkpoint.VerdictRule;
import io.linesight.mmad.onnx.OnnxRuntime;
import io.linesight.models.storage.ModelsConfig;
import io.linesight.streams.config.InspectionConfig;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

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
                // Fixtures of other modules come as jars.
                .withImportOption(location -> !location.contains("-tests.jar"))
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

    /** Each module and what it may use of ours, as docs/architecture.md draws it. */
    private static final Map<String, List<String>> MODULES = Map.of(
            "schemas", List.of(),
            "mmad", List.of(),
            "models", List.of("schemas"),
            "embedded", List.of("schemas"),
            "simulator", List.of("mmad"),
            "cameras", List.of("schemas"),
            "notify", List.of("schemas"),
            "streams", List.of("schemas", "mmad", "models"),
            "trainer", List.of("schemas", "mmad", "models"),
            "demo", List.of("schemas", "mmad", "models", "embedded", "simulator", "cameras", "streams", "trainer"));

    @TestFactory
    Stream<DynamicTest> shouldKeepEveryModuleToTheModulesBelowIt() {
        return MODULES.entrySet().stream()
                .map(m -> dynamicTest(m.getKey(), () -> none("io.linesight." + m.getKey(), above(m.getKey()))));
    }

    private static String[] above(String module) {
        return Stream.concat(MODULES.keySet().stream(), Stream.of("app"))
                .filter(other -> !other.equals(module) && !MODULES.get(module).contains(other))
                .map(other -> "io.linesight." + other + "..")
                .toArray(String[]::new);
    }

    @Test
    void shouldKeepTheModelFreeOfKafkaAndTorch() {
        none("io.linesight.mmad", KAFKA, AVRO, TORCH);
    }

    @Test
    void shouldKeepTheModelRegistryFreeOfInference() {
        none("io.linesight.models", TORCH, "ai.onnxruntime..", "org.apache.kafka.streams..");
    }

    @Test
    void shouldKeepTheStreamsAppFreeOfTorch() {
        none("io.linesight.streams", TORCH);
    }

    @Test
    void shouldDocumentEverySettingOfCheckpointsInTheReferenceOfTheApp() {
        assertThat(InspectionConfig.keys())
                .contains(
                        ModelsConfig.TRUSTED_KEYS,
                        ModelsConfig.UNSIGNED,
                        ModelsConfig.TIMEOUT_MS,
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
                .orShould()
                .callMethod(OrtEnvironment.class, "getAvailableProviders")
                .orShould()
                .callConstructor(OrtSession.SessionOptions.class)
                .because("loaded elsewhere first, it sends usage data and unpacks its natives for every process")
                .check(classes);
    }

    @Test
    void shouldDecideOnAnImageInOnePlace() {
        for (String method : List.of("calibrated", "band"))
            noClasses()
                    .that()
                    .doNotHaveFullyQualifiedName(VerdictRule.class.getName())
                    .and()
                    .resideOutsideOfPackage("io.linesight.trainer.calibration..")
                    .should()
                    .callMethodWhere(
                            target(owner(type(ProductCalibration.class))).and(target(name(method))))
                    .because("the same image has the same verdict in every command; calibration places the limits")
                    .check(classes);
    }

    @Test
    void shouldKeepTheSimulatorFreeOfKafka() {
        none("io.linesight.simulator", KAFKA, AVRO);
    }

    @Test
    void shouldLetOnlyTheCommandLineKnowPicocli() {
        noClasses()
                .that()
                .resideOutsideOfPackage("io.linesight.app.cli..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("picocli..")
                .check(classes);
    }

    /** A slice per package, the module's root package included. */
    private static final SliceAssignment PACKAGES = new SliceAssignment() {
        @Override
        public SliceIdentifier getIdentifierOf(JavaClass javaClass) {
            return javaClass.getPackageName().startsWith("io.linesight.")
                    ? SliceIdentifier.of(javaClass.getPackageName())
                    : SliceIdentifier.ignore();
        }

        @Override
        public String getDescription() {
            return "every package";
        }
    };

    @Test
    void shouldHaveNoCyclesBetweenPackages() {
        slices().assignedFrom(PACKAGES).should().beFreeOfCycles().check(classes);
    }
}
