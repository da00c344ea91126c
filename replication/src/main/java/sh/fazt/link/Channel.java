package sh.fazt.link;

/** Who is talking on a link, and on which lane. The numbers are on the wire: never reuse one. */
public enum Channel {
    /** Pings, acks, membership records. */
    MEMBERSHIP(1, Lane.CONTROL),
    /** Version vectors. */
    VECTORS(2, Lane.CONTROL),
    /** Small questions between facades: hand-over, forwarded config proposals, addresses. */
    SWARM(3, Lane.CONTROL),
    /** Apache Ratis. */
    RAFT(4, Lane.RAFT),
    /** Pushed changesets. */
    CHANGES(5, Lane.CHANGES),
    /** Pulls. */
    PULL(6, Lane.BULK),
    /** Blob chunks. */
    BLOBS(7, Lane.BULK),
    /** Audits: whether two replicas with one vector hold the same rows. */
    AUDIT(8, Lane.BULK);

    private final int number;
    private final Lane lane;

    Channel(int number, Lane lane) {
        this.number = number;
        this.lane = lane;
    }

    public int number() {
        return number;
    }

    public Lane lane() {
        return lane;
    }

    /**
     * Lanes in falling priority; each has its own flow control, so that bulk can't delay a heartbeat. The
     * numbers are on the wire: 0 upwards without a gap.
     */
    public enum Lane {
        CONTROL(0),
        RAFT(1),
        CHANGES(2),
        BULK(3),
        /** Streams of others; no channel is on it. */
        RELAY(4);

        private final int number;

        Lane(int number) {
            this.number = number;
        }

        public int number() {
            return number;
        }
    }
}
