package sh.fazt.consensus;

import com.google.protobuf.ByteString;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import sh.fazt.protocol.consensus.v1.Command;
import sh.fazt.protocol.consensus.v1.LeaseRecord;
import sh.fazt.protocol.consensus.v1.LeaseReply;
import sh.fazt.protocol.consensus.v1.LeaseRequest;
import sh.fazt.protocol.consensus.v1.Operation;
import sh.fazt.protocol.consensus.v1.Outcome;

/**
 * What the swarm agreed on. Reads come from this node's cartridge and never wait; every change is a
 * compare-and-set on versions that went through the log. Thread-safe.
 */
public final class SwarmConfig {
    /** How long a change is tried: a new leader is there within three seconds, or there is no quorum. */
    public static final Duration PATIENCE = Duration.ofSeconds(5);

    /** The kind of records that are leases; each is a {@code LeaseRecord}. */
    public static final String LEASE = LeaseDesk.LEASE;

    private final SwarmRaft raft;
    private final ConfigStore store;

    public SwarmConfig(SwarmRaft raft) {
        this.raft = raft;
        this.store = raft.store();
    }

    public Optional<ConfigEntry> get(String kind, String key) {
        return store.entry(kind, key);
    }

    /** Every record of a kind, by key. */
    public List<ConfigEntry> list(String kind) {
        return store.entries(kind);
    }

    /**
     * One part of a change.
     *
     * @param expected the version that the record has to have; 0 when there must be none
     * @param value    null to delete it
     */
    public record Op(String kind, String key, long expected, byte @Nullable [] value) {
        /** Sets a record that was read, or makes one. */
        public static Op set(@Nullable ConfigEntry before, String kind, String key, byte[] value) {
            return new Op(kind, key, before == null ? 0 : before.version(), value);
        }

        public static Op delete(ConfigEntry before) {
            return new Op(before.kind(), before.key(), before.version(), null);
        }
    }

    /** What came of a proposal. */
    public sealed interface Result {
        /** All of it is agreed. */
        record Applied() implements Result {}

        /** Nothing changed: a record is not as it was expected. @param now what it is; version 0 when there is none */
        record Conflict(ConfigEntry now) implements Result {}
    }

    /**
     * Proposes changes that happen together or not at all. Blocking.
     *
     * @throws NoQuorumException  when too few voters answer
     * @throws ConsensusException {@code NOT_MEMBER, CHANGE_FAILED}
     */
    public Result propose(List<Op> ops) {
        Outcome outcome = raft.leader().propose(command(ops), PATIENCE);
        return outcome.getApplied()
                ? new Result.Applied()
                : new Result.Conflict(new ConfigEntry(
                        outcome.getConflict().getKind(),
                        outcome.getConflict().getKey(),
                        outcome.getConflict().getVersion(),
                        outcome.getConflict().getValue().toByteArray()));
    }

    static Command command(List<Op> ops) {
        Command.Builder command =
                Command.newBuilder().setFormat(2).setRequest(UUID.randomUUID().toString());
        for (Op op : ops) {
            byte[] value = op.value();
            Operation.Builder operation =
                    Operation.newBuilder().setKind(op.kind()).setKey(op.key()).setExpected(op.expected());
            command.addOperations(
                    value == null ? operation.setDelete(true) : operation.setValue(ByteString.copyFrom(value)));
        }
        return command.build();
    }

    /** A lease that somebody holds, as this node knows it. @param left as it would be without another renewal */
    public record Lease(String name, LeaseRecord lease, Duration left) {}

    /** Every lease that somebody holds, by name; an observer asks first what is new. */
    public List<Lease> leases() {
        raft.refresh();
        return raft.leases().running().stream()
                .map(running -> new Lease(running.name(), running.lease(), Duration.ofMillis(running.leftMillis())))
                .toList();
    }

    /**
     * Takes, renews or ends a lease. Blocking.
     *
     * @throws NoQuorumException  when too few voters answer
     * @throws ConsensusException {@code NOT_MEMBER, CHANGE_FAILED}
     */
    public LeaseReply lease(LeaseRequest request) {
        return raft.leader().lease(request, PATIENCE);
    }

    /** While this is open, this node gives out no leases: it does not know the epoch yet that they are of. */
    public Pause pauseLeases() {
        raft.leases().pause(true);
        return () -> raft.leases().pause(false);
    }

    /** Ends when it is closed. */
    public interface Pause extends AutoCloseable {
        @Override
        void close();
    }

    /** What makes every fencing token from now on greater than those of earlier epochs. */
    public Op tokensOfEpoch(int epoch) {
        ConfigEntry clock = get(LeaseDesk.CLOCK, LeaseDesk.CLOCK).orElse(null);
        return Op.set(clock, LeaseDesk.CLOCK, LeaseDesk.CLOCK, LeaseDesk.ofEpoch(clock, epoch));
    }

    /** Whether only leases changed, which nothing follows from. */
    public static boolean onlyLeases(List<String> kinds) {
        return !kinds.isEmpty()
                && kinds.stream().allMatch(kind -> kind.equals(LeaseDesk.LEASE) || kind.equals(LeaseDesk.CLOCK));
    }

    /** Waits until everything that was agreed before this call is applied here. Blocking. */
    public void barrier() {
        raft.leader().barrier(PATIENCE);
    }
}
