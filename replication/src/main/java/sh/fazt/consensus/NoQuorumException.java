package sh.fazt.consensus;

import java.util.List;
import sh.fazt.identity.NodeId;

/** Too few voters answer: what is agreed can't be changed until enough of them are back. */
public final class NoQuorumException extends ConsensusException {
    private static final long serialVersionUID = 1L;
    private final transient List<NodeId> missing;
    private final int voters;

    NoQuorumException(List<NodeId> missing, int voters) {
        super(Reason.NO_QUORUM, "no quorum: " + missing.size() + " of " + voters + " voters don't answer");
        this.missing = List.copyOf(missing);
        this.voters = voters;
    }

    /** Who does not answer, as far as this node can tell. */
    public List<NodeId> missing() {
        return missing;
    }

    public int voters() {
        return voters;
    }
}
