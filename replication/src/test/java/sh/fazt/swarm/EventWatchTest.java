package sh.fazt.swarm;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import sh.fazt.consensus.RaftStatus;
import sh.fazt.identity.NodeId;
import sh.fazt.link.LinkState;
import sh.fazt.membership.Member;
import sh.fazt.membership.MemberMetadata;
import sh.fazt.membership.MemberState;
import sh.fazt.membership.MembersSnapshot;
import sh.fazt.membership.MembershipCounters;

class EventWatchTest {
    private static final NodeId PHONE = NodeId.of(new byte[32]);

    private final SwarmEvents events = new SwarmEvents(InstantSource.fixed(Instant.EPOCH));
    private final EventWatch watch = new EventWatch(events);

    private void look(boolean linked, @Nullable String otherProtocol) {
        Member self = new Member(PHONE, MemberState.ALIVE, 1, MemberMetadata.named("home"));
        watch.look(
                new MembersSnapshot(self, List.of(), new MembershipCounters(0, 0, 0, 0, 0, 0, 0, 0, 0), Instant.EPOCH),
                new RaftStatus(false, false, null, 0, false, List.of(), List.of(), 0),
                List.of(new LinkState(
                        PHONE,
                        linked,
                        true,
                        "",
                        null,
                        0,
                        0,
                        0,
                        null,
                        null,
                        null,
                        0,
                        0,
                        null,
                        null,
                        0,
                        0,
                        otherProtocol)),
                0,
                false,
                null);
    }

    @Test
    void aMemberOfAnotherProtocolIsToldOnceForEachChange() {
        look(false, null);
        look(false, "3 to 4");
        look(false, "3 to 4");
        look(false, "5 to 6");
        look(false, "5 to 6");
        look(true, null);
        look(false, null);
        look(false, "5 to 6");
        look(false, "5 to 6");
        assertThat(events.since(0))
                .filteredOn(event -> event.kind().equals("protocol"))
                .allSatisfy(event -> assertThat(event.node()).isEqualTo(PHONE))
                .extracting(SwarmEvents.Event::why)
                .containsExactly("3 to 4", "5 to 6", "5 to 6");
    }
}
