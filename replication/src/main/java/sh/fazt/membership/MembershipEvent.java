package sh.fazt.membership;

import java.util.Map;
import sh.fazt.identity.NodeId;

/** What {@link Membership} can be told. */
public sealed interface MembershipEvent {
    /** Time has passed: {@link Membership#wakeNanos()} was reached. */
    record Tick() implements MembershipEvent {}

    /** Consensus admits exactly these; what is known of each rides along until it speaks for itself. */
    record Admitted(Map<NodeId, MemberMetadata> members) implements MembershipEvent {
        public Admitted {
            members = Map.copyOf(members);
        }
    }

    /** A message came on the membership channel; the bytes are the event's from now on. */
    @SuppressWarnings("ArrayRecordComponent") // Handed over, never compared.
    record Received(NodeId from, byte[] message) implements MembershipEvent {}

    /** A link came up. */
    record LinkUp(NodeId peer) implements MembershipEvent {}

    /** A link broke: evidence, not a verdict. */
    record LinkDown(NodeId peer) implements MembershipEvent {}

    /** A linked member does not answer the link's own pings: evidence, not a verdict. */
    record Silent(NodeId peer) implements MembershipEvent {}

    /** This node says something else of itself from now on. */
    record Describe(MemberMetadata metadata) implements MembershipEvent {}

    /**
     * This node goes to sleep, or is back: asleep it neither probes nor is probed, and only compares what is known with
     * another now and then.
     */
    record Sleep(boolean asleep) implements MembershipEvent {}

    /** Other constants hold from now on. */
    record Pace(MembershipConfig config) implements MembershipEvent {}

    /** This node stops for good. */
    record Leave() implements MembershipEvent {}
}
