package sh.fazt.swarm;

import java.util.HashSet;
import java.util.Set;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.consensus.ConsensusException;
import sh.fazt.consensus.SwarmConfig;
import sh.fazt.consensus.SwarmRaft;
import sh.fazt.identity.NodeId;
import sh.fazt.sync.Cuts;

/** The members, to whoever replaces the rows of an evicted one. Thread-safe. */
final class CutGroup implements Cuts.Group {
    private static final Logger LOG = LoggerFactory.getLogger(CutGroup.class);

    private final Supplier<Set<NodeId>> others;
    private final Supplier<Set<NodeId>> silent;
    private final SwarmRaft raft;
    private final SwarmConfig config;
    private final Runnable follow;

    /** @param follow lets everything follow what is agreed, before it returns */
    CutGroup(
            Supplier<Set<NodeId>> others,
            Supplier<Set<NodeId>> silent,
            SwarmRaft raft,
            SwarmConfig config,
            Runnable follow) {
        this.others = others;
        this.silent = silent;
        this.raft = raft;
        this.config = config;
        this.follow = follow;
    }

    @Override
    public Set<NodeId> counting() {
        Set<NodeId> counting = new HashSet<>(others.get());
        counting.removeAll(silent.get());
        return counting;
    }

    @Override
    public boolean catchUp() {
        if (!raft.status().quorum()) {
            return false;
        }
        try {
            config.barrier();
        } catch (ConsensusException e) {
            LOG.debug("what is agreed is not heard to its end yet", e);
            return false;
        }
        follow.run();
        return true;
    }
}
