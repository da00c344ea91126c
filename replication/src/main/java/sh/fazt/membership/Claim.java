package sh.fazt.membership;

import java.util.List;
import org.jspecify.annotations.Nullable;
import sh.fazt.identity.NodeId;

/**
 * What is claimed of a member. Claims of one member are totally ordered but for accusers, so that nodes
 * which have heard the same claims believe the same. Immutable.
 */
record Claim(
        NodeId id,
        MemberState state,
        long incarnation,
        List<NodeId> accusers,
        @Nullable MemberMetadata metadata,
        long metadataIncarnation) {
    Claim {
        accusers = List.copyOf(accusers);
    }

    /** A claim about a member that only it itself makes. */
    boolean isItsOwn() {
        return state == MemberState.ALIVE || state == MemberState.AWAY || state == MemberState.LEFT;
    }

    Claim withoutMetadata() {
        return metadata == null ? this : new Claim(id, state, incarnation, accusers, null, 0);
    }
}
