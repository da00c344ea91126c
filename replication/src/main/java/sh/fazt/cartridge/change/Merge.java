package sh.fazt.cartridge.change;

import org.jspecify.annotations.Nullable;

/**
 * The merge of replication.md section 4: what becomes of a row that arrives. Exact, because vectors decide
 * what is concurrent; the clock only breaks ties between versions that are. Pure.
 */
public final class Merge {
    private Merge() {}

    /** What to do with the row that arrived. */
    public enum Outcome {
        /** Seen before, and superseded or collected since: ignore. */
        KNOWN,
        /** There is no such row here: insert. */
        NEW,
        /** The sender had seen our version and has this one: take it. */
        SUCCESSOR,
        /** Neither knew the other and the arrived one wins: take it; ours is a loser to record. */
        CONCURRENT_WIN,
        /** Neither knew the other and ours wins: the arrived one is a loser to record. */
        CONCURRENT_LOSE;

        /** Whether the row that arrived becomes the row here. */
        public boolean takes() {
            return this == NEW || this == SUCCESSOR || this == CONCURRENT_WIN;
        }

        /** Whether one of the two versions loses without its writer having known of the other. */
        public boolean concurrent() {
            return this == CONCURRENT_WIN || this == CONCURRENT_LOSE;
        }
    }

    /**
     * Decides.
     *
     * @param receiver the vector here before the batch or changeset that the row is in
     * @param sender   for a pulled row the vector of the sender's snapshot, for a pushed one the vector of
     *     its origin at commit
     * @param current  the version here, a tombstone included; null when there is none
     * @param incoming the version that arrived
     */
    public static Outcome decide(
            VersionVector receiver, VersionVector sender, @Nullable Stamp current, Stamp incoming) {
        if (receiver.includes(incoming.origin(), incoming.sequence())) {
            return Outcome.KNOWN;
        }
        if (current == null) {
            return Outcome.NEW;
        }
        if (sender.includes(current.origin(), current.sequence())) {
            return Outcome.SUCCESSOR;
        }
        return incoming.compareTo(current) > 0 ? Outcome.CONCURRENT_WIN : Outcome.CONCURRENT_LOSE;
    }
}
