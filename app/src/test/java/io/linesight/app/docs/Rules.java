package io.linesight.app.docs;

import static io.linesight.app.docs.Rule.checked;
import static io.linesight.app.docs.Rule.run;
import static io.linesight.app.docs.Rule.script;
import static io.linesight.app.docs.Rule.serve;
import static io.linesight.app.docs.Rule.test;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A rule for every documented command. Those that are run here make a story: what a command needs, an earlier one has
 * made, or {@code given} makes it. A new command in the documents gets a line here; {@link DocumentedCommandsTest}
 * names it. A rule whose command is no longer documented does nothing.
 */
final class Rules {
    private static final String LOCAL = " --bootstrap localhost:9092 --registry http://localhost:8081";
    private static final String PLANT = " --bootstrap kafka:9092 --registry http://registry:8081";
    private static final String PLANT_SHORT = " -b kafka:9092 -r http://registry:8081";
    private static final String INSPECTING = "Ctrl-C stops after what is pending has been committed";
    private static final String LEARNING = "Reading labels; Ctrl-C stops";
    private static final String CLEAN = "Clean: every frame has exactly one answer, in order.";

    private static final List<Rule> MODELS_OF_IMAGES = List.of(
            run("./linesight simulate --out parts --train 40 --test 6 --seed 5"),
            run("./linesight fit --data parts --preset small --minutes 20 --out m.onnx"),
            run("./linesight fit --data parts --method patchcore --out p.onnx"),
            run("./linesight fit --data parts --method retrieval --out r.onnx"),
            run("./linesight fit --data parts --method retrieval --tiles auto --smallest-defect 10px --out t.onnx"),
            run("./linesight fit --data parts --method retrieval --roi flange=box:400,200,1600,1200 --roi "
                            + "polygon:0,0,2000,0,1000,1500 --tiles 4x3 --out t.onnx")
                    .with(
                            "--roi .* --tiles 4x3",
                            "--roi flange=box:20,20,280,200 --roi polygon:0,0,300,0,160,300 --tiles 2x2"),
            run("./linesight evaluate --data parts --model t.onnx --compare r.onnx --resolution 1024"),
            run("./linesight simulate --out trays --size 2048 --defect-pixels 8-16 --products flange,board --train 40 "
                            + "--test 40 --seed 5")
                    .with("--size 2048", "--size 1000"),
            run("./linesight fit --data trays --method retrieval --out whole.onnx"),
            run("./linesight fit --data trays --method retrieval --tiles auto --smallest-defect 8px --out tiled.onnx")
                    .with("8px", "24px")
                    .says("tiles"),
            run("./linesight evaluate --data trays --model tiled.onnx --compare whole.onnx --resolution 1024"),
            run("./linesight score --model r.onnx --nearest photo.jpg")
                    .given(w -> w.copy("parts/flange/test/good/000.jpg", "photo.jpg")),
            run("./linesight fit --data parts --preset tiny --epochs 20 --seed 1 --schedule cosine --warmup 50 --out "
                            + "m.onnx")
                    .given(w -> w.copy("m.onnx", "old.onnx")),
            run("./linesight evaluate --data parts --model m.onnx --json report.json"),
            run("./linesight evaluate --data parts --model m.onnx --compare old.onnx --report out")
                    .says("Report: out"),
            run("./linesight score --model m.onnx --heatmaps out photo.jpg")
                    .given(w -> w.copy("parts/flange/test/good/000.jpg", "photo.jpg")),
            run("./linesight evaluate --data parts --model m.onnx --report out").says("Report: out"),
            run("./linesight fit --data parts-june --map-only --from m.onnx --out june.onnx")
                    .given(w -> w.simulate("parts-june", 6)),
            run("./linesight evaluate --data parts --model new.onnx --compare old.onnx --report out")
                    .given(w -> w.copy("june.onnx", "new.onnx"))
                    .says("Report: out"),
            run("./linesight evaluate --data VisA --csv VisA/split_csv/1cls.csv --model m.onnx --report out "
                            + "--gallery 40")
                    .given(Workshop::visa)
                    .says("Report: out"),
            run("./linesight calibrate m.onnx --data delivery --normals train --out m2.onnx")
                    .given(w -> w.simulate("delivery", 7)),
            run("./linesight fit --data parts --encoder small.onnx --minutes 20 --out m.onnx")
                    .given(Workshop::encoders),
            run("./linesight fit --data parts --minutes 600 --early-stop 10 --out m.onnx"),
            run("./linesight fit --data parts --minutes 20 --false-reject 0.01 --out m.onnx"),
            run("./linesight fit --data parts --epochs 100 --cache ~/features --schedule cosine --out m.onnx"));

    private static final List<Rule> DEMO_MODEL = List.of(
            run("./linesight simulate --out p1 --train 250 --test 60 --seed 2026"),
            run("./linesight fit --data p1 --encoder filters --preset tiny --map cosine --finest-stride 4 "
                    + "--top-share 0 --batch 4 --minutes 15 --out 1.onnx"),
            run("./linesight fit --data p1 --from 1.onnx --lr 0.002 --batch 8 --minutes 26 --seed 43 --out 2.onnx"),
            run("./linesight simulate --out p3 --train 300 --test 60 --seed 3031"),
            run("./linesight fit --data p3 --from 2.onnx --map standardised --lr 0.002 --batch 8 --minutes 25 "
                    + "--seed 44 --out 3.onnx"),
            run("./linesight simulate --out p6 --train 220 --test 60 --seed 6011"),
            run("./linesight fit --data p6 --from 3.onnx --lr 0.0012 --batch 8 --minutes 13 --seed 46 --out "
                    + "demo.onnx"));

    private static final List<Rule> LINE = List.of(
            serve("./linesight broker", "Ctrl-C stops both").with("$", " --port 0 --registry-port 0"),
            serve("./linesight broker --dir /var/tmp/line --port 19092 --registry-port 18081", "Ctrl-C stops both")
                    .with("/var/tmp/line .*", "line --port 0 --registry-port 0"),
            run("./linesight topics --bootstrap kafka:9092 --dry-run").says("would be created"),
            run("./linesight topics --bootstrap kafka:9092").says("linesight.frames.v1"),
            run("./linesight topics --bootstrap localhost:9092").says("linesight.frames.v1"),
            run("./linesight schemas --registry http://registry:8081").says("linesight.frames.v1-value"),
            serve(
                    "./linesight serve --model m.onnx" + LOCAL,
                    INSPECTING,
                    run("./linesight replay --data parts" + LOCAL).says("Sent 8 frames"),
                    run("./linesight audit" + LOCAL).until(CLEAN)),
            serve("./linesight serve --model m.onnx" + PLANT, INSPECTING),
            // 1: the only broker keeps one copy of everything.
            run("./linesight doctor" + LOCAL).exits(0, 1),
            run("./linesight doctor" + PLANT_SHORT).exits(0, 1),
            run("./linesight doctor --problems"),
            run("./linesight audit" + PLANT).says(CLEAN),
            run("./linesight audit -c line.properties --since 24h --json audit.json")
                    .says(CLEAN));

    private static final List<Rule> PUBLISHED = List.of(
            run("./linesight models keygen --private line.key --public line.pub"),
            run("./linesight models publish -c line.properties --key line.key m.onnx")
                    .says("signed by key"),
            run("./linesight models promote -c line.properties VERSION").says("is in force"),
            serve("./linesight serve -c line.properties --trust line.pub --instance line-1", INSPECTING),
            serve(
                    "./linesight serve -c line.properties --metrics-port 9404",
                    INSPECTING,
                    run("curl localhost:9404/ready").until("\"UP\"")),
            serve("./linesight serve -c line.properties --log-format json", INSPECTING),
            run("./linesight doctor -c line.properties --for serve --acls").exits(0, 1),
            run("./linesight serve -c line.properties --set "
                            + "linesight.serde.class=io.confluent.kafka.streams.serdes.avro.SpecificAvroSerde")
                    .exits(1)
                    .says("is not on the class path"),
            run("./linesight calibrate m.onnx --data parts --false-reject 0.002 --out strict.onnx"),
            // Another version than the one published above.
            run("./linesight models publish --key line.key m.onnx")
                    .given(w -> w.copy("strict.onnx", "m.onnx"))
                    .says("signed by key"),
            run("./linesight models shadow VERSION --percent 10").says("scores 10 % of the frames"),
            run("./linesight models canary VERSION --camera cam-3").says("decides cameras cam-3"),
            run("./linesight models promote VERSION --reason 'fewer false alarms on flange'")
                    .says("is in force"),
            run("./linesight models rollback --reason 'misses scratches'").says("is in force"),
            run("./linesight models history").says("misses scratches"),
            run("./linesight models gc --dry-run"));

    private static final List<Rule> LABELS = List.of(
            run("./linesight notify webhook -c line.properties https://mes.plant/alerts --secret-file hook.secret "
                            + "--min-severity HIGH")
                    .exits(1)
                    .says("hook.secret"),
            run("./linesight notify mqtt -c line.properties mqtts://broker.plant:8883 --ca plant-ca.pem --user line "
                            + "--password-file mqtt.pw --retain")
                    .exits(1)
                    .says("mqtt.pw"),
            serve("./linesight notify opcua -c line.properties --users opcua.users", "Serving OPC UA at")
                    .given(Workshop::users)
                    .with("$", " --port 0"),
            run("./linesight settings show" + PLANT_SHORT),
            run("./linesight settings set -c line.properties flange --false-reject 0.005 --reason "
                            + "'fewer false alarms on flange'")
                    .exits(0, 1),
            run("./linesight settings set -c line.properties '*' --review-low 0.35 --alerts 'open=3/5,clear=10'")
                    .says("Revision 1 of all products"),
            run("./linesight settings history" + PLANT_SHORT + " flange"),
            run("./linesight settings revert -c line.properties flange --reason 'misses scratches'")
                    .exits(0, 1),
            run("./linesight alerts list" + PLANT_SHORT),
            // With an alert: the story of AlertsCommandIT.
            test("./linesight alerts show -c line.properties ALERT", "AlertsCommandIT"),
            test("./linesight alerts ack -c line.properties ALERT --note 'fitter is on the way'", "AlertsCommandIT"),
            test(
                    "./linesight alerts shelve -c line.properties ALERT --for 2h --note 'lamp is ordered'",
                    "AlertsCommandIT"),
            test("./linesight alerts note -c line.properties ALERT 'seen on three parts of lot 7'", "AlertsCommandIT"),
            test("./linesight alerts close -c line.properties ALERT --note 'wrong lot'", "AlertsCommandIT"),
            test(
                    "./linesight alerts maintenance -c line.properties cam-1 --for 30m --note 'new lens'",
                    "AlertsCommandIT"),
            run("./linesight alerts history" + PLANT_SHORT + " --last 8h"),
            run("./linesight alerts health" + PLANT_SHORT + " --last 8h").says("standing:"),
            run("./linesight exemptions list" + PLANT_SHORT),
            run("./linesight exemptions show" + PLANT_SHORT + " linesight.frames.v1-0-42")
                    .exits(0, 1),
            run("./linesight exemptions add -c line.properties --model m.onnx linesight.frames.v1-0-42 --reason glare")
                    .exits(0, 1),
            run("./linesight exemptions remove -c line.properties linesight.frames.v1-0-42 --reason 'it was a scratch'")
                    .exits(0, 1),
            run("./linesight label" + PLANT_SHORT).typing("n\nq\n"),
            run("./linesight label -c line.properties").typing("s\nq\n"),
            run("./linesight label" + PLANT_SHORT + " --csv labels.csv")
                    .given(Workshop::labels)
                    .says("Gave 3 labels"),
            run("./linesight train --dir trainer --import parts").says("Imported"),
            // The service behind the command; here it would train for minutes.
            test(
                    "./linesight train" + PLANT_SHORT
                            + " --dir trainer --champion m.onnx --out challengers --now --once",
                    "TrainerServiceIT"),
            serve(
                    "./linesight train -c line.properties --dir trainer --trust line.pub --key line.key "
                            + "--after-normals 50 --shadow 10",
                    LEARNING),
            serve(
                    "./linesight train" + PLANT_SHORT
                            + " --dir trainer --trust line.pub --key line.key --after-normals 50 --every 24h "
                            + "--shadow 10",
                    LEARNING),
            serve(
                    "./linesight train -c line.properties --dir trainer --trust line.pub --key line.key "
                            + "--after-normals 50 --metrics-port 9404",
                    LEARNING,
                    run("touch trainer/train.now")),
            run("./linesight train --dir trainer --export labelled").says("Wrote"),
            run("./linesight calibrate m.onnx --data labelled --normals test --anomalies --out m3.onnx"),
            run("./linesight models show m3.onnx").says("threshold"),
            run("./linesight models pin --reason 'audit this week'").says("pinned"));

    private static final List<Rule> ENCODERS = List.of(
            // There is no proxy where they are told to look for one; EncoderCommandTest pulls from servers of its own.
            run("./linesight encoder pull resnet34")
                    .with(
                            "^",
                            "LINESIGHT_JAVA_OPTS='-XX:TieredStopAtLevel=1 -Dhttps.proxyHost=127.0.0.1 "
                                    + "-Dhttps.proxyPort=1' ")
                    .exits(1)
                    .says("Without a network here: download"),
            run("./linesight encoder import wide_resnet50_2.pth --out wide.onnx")
                    .given(Workshop::weights),
            run("./linesight encoder show resnet34.onnx").given(w -> w.copy("wide.onnx", "resnet34.onnx")),
            run("./linesight encoder import net.onnx --outputs a,b,c --out enc.onnx")
                    .with("a,b,c", "f4,f8,f16")
                    .given(w -> w.copy("small.onnx", "net.onnx")),
            test(
                    "./linesight encoder distill --teacher mobilenet.onnx --teacher-licence Apache-2.0 --photos "
                            + "photos --photos-licence "
                            + "\"Debian packages, see photos/LICENCES.tsv\" --exclude parts --minutes 600 --work "
                            + "work --out small.onnx",
                    "DistillTest"),
            checked("trainer/distill-photos.sh photos", "it fetches packages of photographs"));

    private static final String ONE_LONG_TEST =
            "mvn -Pfull -pl app -am verify -Dtest=none -Dit.test=%s -Dsurefire.failIfNoSpecifiedTests=false "
                    + "-Dfailsafe.failIfNoSpecifiedTests=false -Dtest.jvm.args=";

    private static final List<Rule> REST = List.of(
            run("./linesight demo --for 2m").says("Summary"),
            test("./linesight demo --learn", "LearningStoryIT"),
            run("LINESIGHT_MAVEN_OPTS=-Pconfluent ./linesight --version").says("linesight "),
            script("mvn verify", ".ci/run", "mvn -B -ntp --fail-at-end verify"),
            checked(".ci/run", "it executes this test"),
            checked("mvn verify -Pfull", "it executes this test, and takes hours"),
            checked("mvn spotless:apply", "it changes the sources; the build checks what it would have changed"),
            test(
                    "mvn -pl streams-app -am test -Dtest=ModelSlotExhaustiveTest "
                            + "-Dsurefire.failIfNoSpecifiedTests=false",
                    "ModelSlotExhaustiveTest"),
            test(
                    "mvn -pl streams-app -am verify -Dtest=none -Dit.test=SwapLineIT "
                            + "-Dsurefire.failIfNoSpecifiedTests=false "
                            + "-Dfailsafe.failIfNoSpecifiedTests=false",
                    "SwapLineIT"),
            test(
                    "mvn -pl app -am test -Dtest=HostileInputTest -Dsurefire.failIfNoSpecifiedTests=false "
                            + "-Dtest.jvm.args=\"-Dfuzz.cases=100000 -Dfuzz.seed=7 -Dfuzz.keep=/tmp/failed\"",
                    "HostileInputTest"),
            test(ONE_LONG_TEST.formatted("FailureIT") + "-Dlinesight.failure.frames=200000", "FailureIT"),
            test(ONE_LONG_TEST.formatted("SoakIT") + "-Dlinesight.soak.minutes=120", "SoakIT"));

    private static final String SETUP =
            "docker compose run --rm --entrypoint /opt/linesight/bin/linesight setup models ";

    private static final List<Rule> CONTAINERS = List.of(
            script("deploy/build-image.sh", "deploy/ci/containers.sh", "deploy/build-image.sh "),
            script("docker compose up -d", "deploy/ci/compose-e2e.sh", "compose up -d "),
            script("docker compose logs -f inspect", "deploy/ci/compose-e2e.sh", "compose logs "),
            script(
                    "docker compose up -d --scale inspect=3",
                    "deploy/ci/compose-e2e.sh",
                    "compose up -d --scale inspect=2 "),
            script(
                    "docker compose up -d --scale camera=0",
                    "deploy/ci/compose-e2e.sh",
                    "services=(kafka registry setup inspect trainer prometheus)"),
            script("deploy/ci/base-images.sh", "deploy/ci/containers.sh", "base-images.sh"),
            script(
                    "mvn verify -Dlinesight.kafka.image=local/kafka:4.3.1 "
                            + "-Dlinesight.registry.image=local/apicurio:2.6.13.Final",
                    "deploy/ci/containers.sh",
                    "-Dlinesight.kafka.image="),
            script("docker compose down", "deploy/ci/compose-e2e.sh", "compose down -v "),
            checked(
                    "docker compose run --rm -v \"$PWD/m.onnx:/m.onnx:ro\" --entrypoint /opt/linesight/bin/linesight "
                            + "setup models publish --key /signing/line.key --by me /m.onnx",
                    "the setup that compose-e2e.sh starts publishes and promotes by the same commands"),
            checked(
                    SETUP + "promote VERSION --by me --reason 'our parts'",
                    "the setup that compose-e2e.sh starts publishes and promotes by the same commands"),
            checked("deploy/build-image.sh --cuda", "it needs an image registry"),
            checked("docker compose --profile gpu up -d --scale inspect=0", "it needs a GPU"),
            checked(
                    "deploy/build-image.sh --tag registry.plant.example/linesight:1 --base "
                            + "registry.plant.example/ubuntu:24.04 --jre registry.plant.example/temurin:17-jre",
                    "it needs an image registry; containers.sh runs it with other images"));

    private Rules() {}

    /** From images to checkpoints and encoders. */
    static List<Rule> models() {
        return ours(MODELS_OF_IMAGES, ENCODERS, DEMO_MODEL);
    }

    /** What is done at a line, with checkpoints as {@link #models()} makes them. */
    static List<Rule> line() {
        return ours(LINE, PUBLISHED, LABELS, REST);
    }

    @SafeVarargs
    private static List<Rule> ours(List<Rule>... stories) {
        return Stream.of(stories)
                .flatMap(List::stream)
                .filter(r -> r.kind() == Rule.Kind.RUN || r.kind() == Rule.Kind.SERVE)
                .toList();
    }

    /** All, those that are run meanwhile too. */
    static List<Rule> all() {
        List<Rule> all = new ArrayList<>();
        Stream.of(MODELS_OF_IMAGES, LINE, PUBLISHED, LABELS, ENCODERS, DEMO_MODEL, REST, CONTAINERS)
                .flatMap(List::stream)
                .forEach(r -> {
                    all.add(r);
                    all.addAll(r.meanwhile());
                });
        return all;
    }
}
