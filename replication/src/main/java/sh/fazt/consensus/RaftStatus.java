package sh.fazt.consensus;

import java.util.List;
import org.jspecify.annotations.Nullable;
import sh.fazt.identity.NodeId;

/**
 * How the group looks from here. Immutable.
 *
 * @param member      whether this node is in a group
 * @param leader      null while none is known
 * @param quorum      whether config can be changed from here: a leader is heard, or this one hears a majority
 * @param voters      everybody who votes
 * @param unreachable those of them that don't answer, as far as this node can tell
 * @param applied     how far the log is applied
 */
public record RaftStatus(
        boolean member,
        boolean leads,
        @Nullable NodeId leader,
        long term,
        boolean quorum,
        List<NodeId> voters,
        List<NodeId> unreachable,
        long applied) {
    static final RaftStatus NONE = new RaftStatus(false, false, null, 0, false, List.of(), List.of(), -1);

    public RaftStatus {
        voters = List.copyOf(voters);
        unreachable = List.copyOf(unreachable);
    }
}
