package io.linesight.standalone;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The direction of dependencies between the modules and between their packages. */
@AnalyzeClasses(packages = "io.linesight", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    private static final String KAFKA = "org.apache.kafka..";
    private static final String TORCH = "org.bytedeco.pytorch..";

    @ArchTest
    static final ArchRule SCHEMAS_KNOW_NOTHING_OF_OURS = noClasses().that().resideInAPackage("io.linesight.schemas..")
            .should().dependOnClassesThat().resideInAnyPackage("io.linesight.mmad..", "io.linesight.streams..", "io.linesight.trainer..", "io.linesight.standalone..");

    @ArchTest
    static final ArchRule MMAD_KNOWS_NOTHING_OF_KAFKA_OR_TORCH_OR_OURS = noClasses().that().resideInAPackage("io.linesight.mmad..")
            .should().dependOnClassesThat().resideInAnyPackage(KAFKA, TORCH, "org.apache.avro..", "io.linesight.schemas..", "io.linesight.streams..", "io.linesight.trainer..", "io.linesight.standalone..");

    @ArchTest
    static final ArchRule STREAMS_KNOW_NOTHING_OF_TORCH_OR_THE_TRAINER = noClasses().that().resideInAPackage("io.linesight.streams..")
            .should().dependOnClassesThat().resideInAnyPackage(TORCH, "io.linesight.trainer..", "io.linesight.standalone..");

    @ArchTest
    static final ArchRule TRAINER_KNOWS_NOTHING_OF_STREAMS = noClasses().that().resideInAPackage("io.linesight.trainer..")
            .should().dependOnClassesThat().resideInAnyPackage("io.linesight.streams..", "io.linesight.standalone..");

    @ArchTest
    static final ArchRule SIMULATOR_KNOWS_NOTHING_OF_KAFKA = noClasses().that().resideInAPackage("io.linesight.standalone.simulator..")
            .should().dependOnClassesThat().resideInAnyPackage(KAFKA, "org.apache.avro..", "io.linesight.schemas..", "io.linesight.streams..");

    @ArchTest
    static final ArchRule ONLY_THE_COMMAND_LINE_KNOWS_PICOCLI = noClasses().that().resideOutsideOfPackage("io.linesight.standalone.cli..")
            .should().dependOnClassesThat().resideInAPackage("picocli..");

    @ArchTest
    static final ArchRule NO_CYCLES_IN_STANDALONE = slices().matching("io.linesight.standalone.(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule NO_CYCLES_IN_MMAD = slices().matching("io.linesight.mmad.(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule NO_CYCLES_IN_TRAINER = slices().matching("io.linesight.trainer.(*)..").should().beFreeOfCycles();
}
