package io.linesight.schemas.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.linesight.schemas.clients.GroupMembers.Member;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class GroupMembersTest {
    private static final Set<String> FRAMES = Set.of("linesight.frames.v1");

    private static List<Member> foreign(Member member) {
        return GroupMembers.foreign(List.of(member), FRAMES);
    }

    @Test
    void shouldKnowInstancesWhateverTheirClientsAreCalled() {
        for (String id : List.of(
                "linesight-inspection-8b1c-StreamThread-1-consumer",
                "plant7-StreamThread-2-consumer",
                "a.b_c-StreamThread-1-consumer-with-more",
                "StreamThread-StreamThread-1-consumer")) {
            assertThat(foreign(new Member(id, "/10.0.0.7", FRAMES, "stream"))).isEmpty();
            assertThat(foreign(new Member(id, "/10.0.0.7", Set.of(), "")))
                    .as("%s while the group agrees on an assignor", id)
                    .isEmpty();
        }
    }

    @Test
    void shouldFindOtherProgramsThoughTheirClientsAreCalledLikeOurs() {
        String ours = "linesight-inspection-8b1c-StreamThread-1-consumer";
        assertThat(foreign(new Member(ours, "/h", FRAMES, "range"))).hasSize(1);
        assertThat(foreign(new Member(ours, "/h", FRAMES, "cooperative-sticky")))
                .hasSize(1);
        assertThat(foreign(new Member(ours, "/h", FRAMES, "linesight-sole-owner")))
                .hasSize(1);
        assertThat(foreign(new Member(ours, "/h", Set.of("orders"), "stream"))).hasSize(1);
        assertThat(foreign(new Member("linesight-inspection-1", "/h", Set.of(), "")))
                .hasSize(1);
    }
}
