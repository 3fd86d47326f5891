package io.linesight.app.hostile;

import io.linesight.models.rollouts.Author;
import io.linesight.models.rollouts.CanarySelector;
import io.linesight.models.rollouts.Decision;
import io.linesight.models.rollouts.FoldDoor;
import io.linesight.models.rollouts.RegistryState;
import io.linesight.models.rollouts.RolloutRules;
import io.linesight.models.rollouts.ShadowSampler;
import io.linesight.models.signing.TrustedKeys;
import io.linesight.schemas.ModelStatus;
import io.linesight.schemas.ModelVersion;
import io.linesight.schemas.Rollout;
import io.linesight.schemas.serde.BadRecordException;
import io.linesight.schemas.serde.LinesightAvroDeserializer;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** Records about models, folded into the state of a registry, and every rule asked about that state. One thread. */
final class RolloutTarget implements Target.Attack {
    private final TrustedKeys trusted;
    private final LinesightAvroDeserializer<Rollout> rollouts;
    private final LinesightAvroDeserializer<ModelVersion> versions;
    private final LinesightAvroDeserializer<ModelStatus> statuses;

    RolloutTarget(RecordTargets records, TrustedKeys trusted) {
        this.trusted = trusted;
        rollouts = records.reader(Rollout.class);
        versions = records.reader(ModelVersion.class);
        statuses = records.reader(ModelStatus.class);
    }

    /** Records one after the other: their length in two bytes, then the record. The kind is told by the schema id. */
    @Override
    public String run(byte[] input) throws Exception {
        FoldDoor fold = new FoldDoor(trusted);
        String rejected = fold(fold, input);
        RegistryState state = fold.state();
        checkDecisions(state);
        state.newestFirst();
        state.latestStatus();
        state.aliases("v1");
        Rollout now = state.channel("line").inForce().orElse(null);
        if (now == null) return rejected != null ? rejected : firstRejection(state);
        CanarySelector.selects(now, "cam", "bolt");
        ShadowSampler.samples(now, "cam", 7);
        return state.objection(now).orElse(rejected);
    }

    /** @return why the last unreadable record was rejected; null when all could be read */
    private String fold(FoldDoor fold, byte[] input) {
        String rejected = null;
        ByteBuffer in = ByteBuffer.wrap(input);
        // The first five bytes are what the mutator takes for a header.
        in.position(Math.min(5, input.length));
        while (in.remaining() >= 2) {
            byte[] record = new byte[Math.min(in.getShort() & 0xffff, in.remaining())];
            in.get(record);
            int id = record.length < 5 ? 0 : record[4];
            try {
                if (id == 3) {
                    ModelVersion m = versions.deserialize("models", record);
                    fold.take(m.getVersion(), m);
                } else if (id == 5) {
                    ModelStatus s = statuses.deserialize("status", record);
                    fold.take(s.getInstance() + "/" + s.getVersion(), s);
                } else {
                    fold.take("line", rollouts.deserialize("rollouts", record));
                }
            } catch (BadRecordException e) {
                rejected = e.getMessage();
                fold.unreadable("line", rejected);
            }
        }
        return rejected;
    }

    private static void checkDecisions(RegistryState state) {
        Author person = new Author("tester", false, "", Instant.EPOCH);
        Author program = new Author("program", true, "", Instant.EPOCH);
        List<Decision> decisions = new ArrayList<>();
        for (Author a : List.of(person, program)) {
            for (String v : List.of("v1", "v2", "nothing")) {
                decisions.add(RolloutRules.promote(state, "line", v, a, false));
                decisions.add(RolloutRules.shadow(state, "line", v, 10, a, true));
                decisions.add(RolloutRules.canary(state, "line", v, List.of("cam"), List.of(), 5, a, false));
            }
            decisions.add(RolloutRules.rollback(state, "line", a));
            decisions.add(RolloutRules.withdraw(state, "line", a));
            decisions.add(RolloutRules.pin(state, "line", a));
            decisions.add(RolloutRules.unpin(state, "line", a));
        }
        for (Decision d : decisions)
            if (d instanceof Decision.Rejected r && r.reason().isBlank())
                throw new AssertionError("rejected without a reason");
    }

    private static String firstRejection(RegistryState state) {
        return state.channel("line").history().stream()
                .map(h -> h.rejection())
                .filter(t -> !t.isEmpty())
                .findFirst()
                .orElse("nothing was decided");
    }
}
