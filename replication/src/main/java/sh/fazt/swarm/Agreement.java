package sh.fazt.swarm;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import sh.fazt.consensus.ConsensusException;
import sh.fazt.consensus.NoQuorumException;
import sh.fazt.consensus.SwarmConfig;
import sh.fazt.consensus.SwarmConfig.Op;
import sh.fazt.identity.NodeId;
import sh.fazt.protocol.swarm.v1.MemberRecord;

/** Changes of what is agreed, and what stands in their way in words. Thread-safe; its methods block. */
final class Agreement {
    private final SwarmConfig config;
    private final Supplier<Map<NodeId, MemberRecord>> members;
    private final Supplier<String> evicted;

    /**
     * @param members whom to call by name
     * @param evicted what a member said of this node's own eviction; empty while it is none
     */
    Agreement(SwarmConfig config, Supplier<Map<NodeId, MemberRecord>> members, Supplier<String> evicted) {
        this.evicted = evicted;
        this.config = config;
        this.members = members;
    }

    /** Reads what is, and says what to change. */
    interface Change {
        List<Op> ops();
    }

    /** Something that may need a quorum. */
    interface Guarded {
        void run();
    }

    /** Reads, proposes, and again when somebody was faster. */
    void agree(Change change) {
        for (int i = 0; i < 5; i++) {
            boolean[] applied = new boolean[1];
            guarded(
                    "change this",
                    () -> applied[0] = config.propose(change.ops()) instanceof SwarmConfig.Result.Applied);
            if (applied[0]) {
                return;
            }
        }
        throw new SwarmException(
                SwarmException.Reason.CONFLICT, "others change the same at this moment: look, then try again");
    }

    void guarded(String what, Guarded action) {
        try {
            action.run();
        } catch (NoQuorumException e) {
            throw noQuorum(what, e.missing(), e.voters());
        } catch (ConsensusException e) {
            throw new SwarmException(SwarmException.Reason.TIMEOUT, "can't " + what + ": " + e.getMessage());
        }
    }

    SwarmException noQuorum(String what, List<NodeId> missing, int voters) {
        String out = evicted.get();
        if (!out.isEmpty()) {
            return new SwarmException(SwarmException.Reason.INVALID, "can't " + what + ": " + out);
        }
        Map<NodeId, MemberRecord> members = this.members.get();
        List<String> names = new ArrayList<>();
        for (NodeId id : missing) {
            MemberRecord member = members.get(id);
            names.add(member == null ? id.shortText() : member.getName());
        }
        return new SwarmException(
                SwarmException.Reason.NO_QUORUM,
                "can't " + what + " without a quorum: "
                        + (names.isEmpty()
                                ? "none of " + voters + " voters leads at this moment"
                                : names.stream().sorted().collect(Collectors.joining(", ")) + " of " + voters
                                        + " voters don't answer")
                        + ". Members and aliases stay as they are until a majority is back;"
                        + " sites, apps, deploys and data go on working meanwhile");
    }
}
