package sh.fazt.consensus;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.ratis.io.MD5Hash;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.server.storage.FileInfo;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.statemachine.StateMachineStorage;
import org.apache.ratis.statemachine.TransactionContext;
import org.apache.ratis.statemachine.impl.BaseStateMachine;
import org.apache.ratis.statemachine.impl.SimpleStateMachineStorage;
import org.apache.ratis.statemachine.impl.SingleFileSnapshotInfo;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.util.AtomicFileOutputStream;
import org.apache.ratis.util.LifeCycle;
import org.apache.ratis.util.MD5FileUtil;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.cartridge.Cartridge;
import sh.fazt.cartridge.CartridgeException;
import sh.fazt.protocol.consensus.v1.Command;
import sh.fazt.protocol.consensus.v1.Outcome;
import sh.fazt.protocol.consensus.v1.Snapshot;

/**
 * Applies the log to the cartridge: each entry and its index in one transaction. What lies in the cartridge is
 * never older than the newest snapshot file, and a snapshot file is always written at exactly the index that it
 * claims. Replies are data; nothing that a command says makes this throw, only a cartridge that can't be written. Called by Ratis, one call at a time.
 */
final class SwarmStateMachine extends BaseStateMachine {
    private static final Logger LOG = LoggerFactory.getLogger(SwarmStateMachine.class);
    /** How often a write that the disk refused is tried again before Ratis is told. */
    private static final int TRIES = 100;

    private final Cartridge cartridge;
    private final ConfigStore store;
    private final ScheduledExecutorService timer;
    private final Consumer<List<String>> changed;
    private final SimpleStateMachineStorage storage = new SimpleStateMachineStorage();
    /** @param changed told of the kinds that a command touched */
    SwarmStateMachine(
            Cartridge cartridge, ConfigStore store, ScheduledExecutorService timer, Consumer<List<String>> changed) {
        this.cartridge = cartridge;
        this.store = store;
        this.timer = timer;
        this.changed = changed;
    }

    @Override
    public void initialize(RaftServer server, RaftGroupId groupId, RaftStorage raftStorage) throws IOException {
        super.initialize(server, groupId, raftStorage);
        getLifeCycle().startAndTransition(() -> {
            storage.init(raftStorage);
            meet();
        });
    }

    /**
     * Ratis says so with each piece of a snapshot, and gives the group up when what it then loads the snapshot into is
     * not paused. Entries are applied meanwhile all the same, on the thread that loads it.
     */
    @Override
    public void pause() {
        if (getLifeCycleState() == LifeCycle.State.RUNNING) {
            getLifeCycle().transition(LifeCycle.State.PAUSING);
            getLifeCycle().transition(LifeCycle.State.PAUSED);
        }
    }

    @Override
    public void reinitialize() throws IOException {
        storage.loadLatestSnapshot();
        meet();
        if (getLifeCycleState() == LifeCycle.State.PAUSED) {
            getLifeCycle().transition(LifeCycle.State.STARTING);
            getLifeCycle().transition(LifeCycle.State.RUNNING);
        }
    }

    /** Brings cartridge and newest snapshot file to one index. */
    private void meet() throws IOException {
        ConfigStore.Applied applied = store.applied();
        SingleFileSnapshotInfo latest = storage.loadLatestSnapshot();
        if (latest != null && latest.getIndex() > applied.index()) {
            Snapshot snapshot =
                    Snapshot.parseFrom(Files.readAllBytes(latest.getFile().getPath()));
            store.load(snapshot, latest.getTerm(), latest.getIndex());
            setLastAppliedTermIndex(latest.getTermIndex());
            changed.accept(List.of("swarm", "member", "alias", "token", "evicted", LeaseDesk.CLOCK));
        } else if (applied.index() >= 0) {
            setLastAppliedTermIndex(TermIndex.valueOf(applied.term(), applied.index()));
            if (latest == null || latest.getIndex() < applied.index()) {
                write(applied.term(), applied.index());
            }
        }
    }

    @Override
    public StateMachineStorage getStateMachineStorage() {
        return storage;
    }

    @Override
    public CompletableFuture<Message> applyTransaction(TransactionContext context) {
        LogEntryProto entry = context.getLogEntry();
        long term = entry.getTerm();
        long index = entry.getIndex();
        Command command;
        try {
            command = Command.parseFrom(
                    entry.getStateMachineLogEntry().getLogData().toByteArray());
        } catch (com.google.protobuf.InvalidProtocolBufferException e) {
            LOG.error("an entry of the log is damaged and does nothing index={}", index, e);
            command = Command.getDefaultInstance();
        }
        // One entry after the other: Ratis tells of entries without commands at once, and what is applied never
        // goes back. What can't be applied is thrown: that closes the group, and the entry comes again when it is
        // opened; a failed future would let Ratis skip it.
        Message message = apply(command, term, index, TRIES).join();
        updateLastAppliedTermIndex(term, index);
        return CompletableFuture.completedFuture(message);
    }

    private CompletableFuture<Message> apply(Command command, long term, long index, int tries) {
        return cartridge
                .writeLocal(tx -> ConfigStore.apply(tx, command, term, index))
                .toCompletableFuture()
                .thenApply(outcome -> {
                    if (outcome.getApplied()) {
                        changed.accept(ConfigStore.touched(command));
                    }
                    return message(outcome);
                })
                .exceptionallyCompose(failed -> {
                    Throwable cause = failed.getCause() == null ? failed : failed.getCause();
                    boolean passes = cause instanceof CartridgeException e
                            && (e.reason() == CartridgeException.Reason.OVERLOADED
                                    || e.reason() == CartridgeException.Reason.NOT_WRITABLE);
                    if (!passes || tries == 0) {
                        return CompletableFuture.failedFuture(failed);
                    }
                    CompletableFuture<Message> later = new CompletableFuture<>();
                    timer.schedule(
                            () -> apply(command, term, index, tries - 1).whenComplete((message, again) -> {
                                if (again == null) {
                                    later.complete(message);
                                } else {
                                    later.completeExceptionally(again);
                                }
                            }),
                            200,
                            TimeUnit.MILLISECONDS);
                    return later;
                });
    }

    private static Message message(Outcome outcome) {
        return Message.valueOf(ByteString.copyFrom(outcome.toByteArray()));
    }

    @Override
    public long takeSnapshot() throws IOException {
        TermIndex last = getLastAppliedTermIndex();
        if (last == null || last.getIndex() < 0) {
            return -1;
        }
        return write(last.getTerm(), last.getIndex());
    }

    private long write(long term, long index) throws IOException {
        File file = storage.getSnapshotFile(term, index);
        try (OutputStream out = new AtomicFileOutputStream(file)) {
            store.dump().writeTo(out);
        }
        MD5Hash hash = MD5FileUtil.computeAndSaveMd5ForFile(file);
        storage.updateLatestSnapshot(
                new SingleFileSnapshotInfo(new FileInfo(file.toPath(), hash), TermIndex.valueOf(term, index)));
        return index;
    }
}
