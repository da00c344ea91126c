package sh.fazt.sync;

import com.google.protobuf.InvalidProtocolBufferException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Links;
import sh.fazt.protocol.sync.v1.AuditReply;
import sh.fazt.protocol.sync.v1.AuditRequest;

/**
 * Compares rows with peers that have seen the same: each scope with each peer now and then, at once after an
 * alarm, and when the owner asks. One audit at a time, in and out, as each reads a whole scope. Thread-safe; what
 * is due is confined to {@code swarm}.
 */
public final class Audits {
    private static final Logger LOG = LoggerFactory.getLogger(Audits.class);
    /** Rows of a difference that are named in a notice; the log and the owner's command name them all. */
    private static final int NAMED = 5;
    /** Where each byte is paid for, rows are compared by so much more seldom. */
    private static final int SELDOM = 24;

    private final ReplicaStore store;
    private final Links links;
    private final Executor swarm;
    private final Executor io;
    private final LongSupplier nanos;
    private final Notices notices;
    private final Duration period;
    /** Two audits of one thing are at least so far apart, twice as far after each that found something. */
    private final Duration spacing;

    private final Map<Pair, Due> due = new HashMap<>();
    private final Set<NodeId> served = ConcurrentHashMap.newKeySet();
    private final AtomicLong runs = new AtomicLong();
    private final AtomicLong different = new AtomicLong();
    private final AtomicLong repaired = new AtomicLong();
    private final AtomicLong damaged = new AtomicLong();
    private boolean running;
    private CompletableFuture<?> last = CompletableFuture.completedFuture(null);

    private record Pair(NodeId peer, Scope scope) {}

    private static final class Due {
        long at;
        long lastRun;
        int strikes;
    }

    /**
     * What audits have come to since the start.
     *
     * @param runs      comparisons that came to an end
     * @param different rows that differed under one vector
     * @param repaired  repairs made here
     * @param damaged   times that the stored rows were not those that were written
     */
    public record Counters(long runs, long different, long repaired, long damaged) {}

    Audits(
            ReplicaStore store,
            Links links,
            Executor swarm,
            Executor io,
            LongSupplier nanos,
            Notices notices,
            Duration period) {
        this.store = store;
        this.links = links;
        this.swarm = swarm;
        this.io = io;
        this.nanos = nanos;
        this.notices = notices;
        this.period = period;
        this.spacing = period.dividedBy(720);
    }

    Counters counters() {
        return new Counters(runs.get(), different.get(), repaired.get(), damaged.get());
    }

    /** Answers a peer's question; one at a time, as each reads a whole scope. */
    CompletionStage<byte[]> serve(NodeId from, byte[] request) {
        CompletableFuture<byte[]> answer = new CompletableFuture<>();
        if (!served.add(from)) {
            answer.completeExceptionally(
                    new IllegalStateException("another audit of yours is under way: try again in a moment"));
            return answer;
        }
        io.execute(() -> {
            try {
                AuditRequest question = AuditRequest.parseFrom(request);
                if (question.getDiffers()) {
                    Scope scope = new Scope(question.getScope());
                    swarm.execute(() -> soon(from, scope));
                    answer.complete(AuditReply.getDefaultInstance().toByteArray());
                } else {
                    answer.complete(AuditCodec.answer(store, question).toByteArray());
                }
            } catch (InvalidProtocolBufferException | RuntimeException e) {
                answer.completeExceptionally(e);
            } finally {
                served.remove(from);
            }
        });
        return answer;
    }

    /** Something is said to differ: have a look, but not over and over. On {@code swarm}. */
    void soon(NodeId peer, Scope scope) {
        long now = nanos.getAsLong();
        Due one = due(new Pair(peer, scope), now);
        one.at = Math.min(one.at, Math.max(now, one.lastRun + backOff(one)));
    }

    private Due due(Pair pair, long now) {
        return due.computeIfAbsent(pair, any -> {
            Due first = new Due();
            first.at = now + period.toNanos() / 10;
            first.lastRun = now - period.toNanos();
            return first;
        });
    }

    private long backOff(Due one) {
        return Math.min(period.toNanos(), spacing.toNanos() << Math.min(10, one.strikes));
    }

    /** A member that is gone for good. On {@code swarm}. */
    void forget(NodeId peer) {
        due.keySet().removeIf(pair -> pair.peer().equals(peer));
    }

    /** Starts what is due. On {@code swarm}. @param paid of the linked those whose links are paid for by the byte */
    void tick(SyncCore core, List<NodeId> linked, Set<NodeId> paid) {
        long now = nanos.getAsLong();
        if (running) {
            return;
        }
        Pair next = null;
        Due first = null;
        for (NodeId peer : linked) {
            for (Scope scope : core.inStep(peer)) {
                Pair pair = new Pair(peer, scope);
                Due due = due(pair, now);
                if (due.at <= now && (first == null || due.at < first.at)) {
                    next = pair;
                    first = due;
                }
            }
        }
        if (next == null || first == null) {
            return;
        }
        running = true;
        Due one = first;
        NodeId asked = next.peer();
        one.lastRun = now;
        compare(asked, next.scope(), true)
                .whenComplete((result, failed) -> swarm.execute(() -> {
                    running = false;
                    boolean ended = result != null
                            && (result.state() == AuditResult.State.EQUAL
                                    || result.state() == AuditResult.State.DIFFERENT);
                    one.strikes =
                            ended && result.state() == AuditResult.State.EQUAL ? 0 : Math.min(10, one.strikes + 1);
                    long seldom = period.toNanos() * (paid.contains(asked) ? SELDOM : 1);
                    long wait = ended && result.state() == AuditResult.State.EQUAL ? seldom : backOff(one);
                    one.at = nanos.getAsLong() + wait;
                }));
    }

    /** Compares one scope with one peer, after what is under way. Never fails. */
    CompletionStage<AuditResult> compare(NodeId peer, Scope scope, boolean repair) {
        CompletableFuture<AuditResult> result;
        synchronized (this) {
            result = last.thenCompose(before -> store.inDoubt()
                            ? CompletableFuture.completedFuture(AuditResult.of(
                                    peer, scope, AuditResult.State.BEHIND, "this node has not heard the others yet"))
                            : new Audit(store, links, io, peer, scope, repair).run())
                    .toCompletableFuture();
            last = result;
        }
        return result.thenApply(this::note);
    }

    private AuditResult note(AuditResult result) {
        runs.incrementAndGet();
        String scope = "scope " + result.scope();
        if (!result.damaged().isEmpty()) {
            damaged.incrementAndGet();
            LOG.error("the rows stored here are not sound scope={} why={}", result.scope(), result.damaged());
            notices.notice("damage", null, scope + " is not as it was written here", result.damaged());
        }
        if (!result.rows().isEmpty()) {
            different.addAndGet(result.rows().size());
            result.rows()
                    .forEach(row -> LOG.error(
                            "two replicas with one vector differ scope={} peer={} row={}",
                            result.scope(),
                            result.peer().shortText(),
                            row));
            notices.notice(
                    "alarm",
                    result.peer(),
                    scope + " differs in " + result.rows().size() + (result.more() ? " rows or more" : " rows"),
                    result.rows().stream()
                            .limit(NAMED)
                            .map(AuditResult.Difference::toString)
                            .collect(Collectors.joining("; ")));
        }
        if (result.repaired()) {
            repaired.incrementAndGet();
            LOG.warn("repaired scope={} peer={}", result.scope(), result.peer().shortText());
            notices.notice(
                    "repair",
                    result.peer(),
                    scope + " is put right here",
                    "what was written over is kept as a conflict");
        }
        return result;
    }
}
