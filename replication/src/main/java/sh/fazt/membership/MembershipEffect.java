package sh.fazt.membership;

import sh.fazt.identity.NodeId;

/** What {@link Membership} wants done. */
public sealed interface MembershipEffect {
    /** Send this on the membership channel; it may be lost. */
    @SuppressWarnings("ArrayRecordComponent") // Handed over, never compared.
    record Send(NodeId to, byte[] message) implements MembershipEffect {}

    /** That member's message can't be read. */
    record Garbled(NodeId from) implements MembershipEffect {}

    /** This is what is believed of the member from now on. */
    record Changed(Member member) implements MembershipEffect {}

    /** The member is no longer admitted and has been forgotten. */
    record Removed(NodeId id) implements MembershipEffect {}
}
