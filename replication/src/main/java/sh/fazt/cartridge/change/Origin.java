package sh.fazt.cartridge.change;

import sh.fazt.identity.NodeId;

/**
 * One write history of a node. A node has one live origin; the epoch grows when its history can't be
 * continued (restore, clone, forgotten scope). Ordered by node, then epoch. Immutable.
 *
 * @param node  who wrote
 * @param epoch 1 or more
 */
public record Origin(NodeId node, int epoch) implements Comparable<Origin> {
    public Origin {
        if (epoch < 1) {
            throw new IllegalArgumentException("an epoch is 1 or more, not " + epoch);
        }
    }

    @Override
    public int compareTo(Origin other) {
        int byNode = node.compareTo(other.node);
        return byNode != 0 ? byNode : Integer.compare(epoch, other.epoch);
    }

    /** Node id, a slash, the epoch. */
    @Override
    public String toString() {
        return node + "/" + epoch;
    }
}
