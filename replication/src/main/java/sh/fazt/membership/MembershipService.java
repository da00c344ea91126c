package sh.fazt.membership;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Channel;
import sh.fazt.link.LinkState;
import sh.fazt.link.Links;

/**
 * Carries out what {@link Membership} decides: feeds it messages, links and time on the {@code swarm} thread
 * and sends what it wants sent. Thread-safe: every method hands over to that thread or reads one reference.
 */
public final class MembershipService implements AutoCloseable {
    /** More unread messages than this are dropped: they would be answered too late to matter. */
    private static final int MAILBOX = 10_000;

    private static final long REFRESH_NANOS = 1_000_000_000L;

    private final Membership membership;
    private final Links links;
    private final ScheduledExecutorService swarm;
    private final InstantSource clock;
    private final LongSupplier nanos;
    private final Duration sendDeadline;
    private final List<Consumer<MembersSnapshot>> listeners = new CopyOnWriteArrayList<>();
    private final AtomicInteger unread = new AtomicInteger();
    private final AtomicLong dropped = new AtomicLong();
    private volatile MembersSnapshot snapshot;
    private volatile boolean closed;

    // Confined to the swarm thread.
    private @Nullable ScheduledFuture<?> alarm;
    private long alarmNanos = Long.MAX_VALUE;
    private long refreshedNanos;

    /**
     * Takes the membership channel of the links, which must not be started yet. Nothing is sent before the
     * first {@link #admitted}.
     *
     * @param swarm one thread
     * @param nanos never goes back, as {@code System::nanoTime}
     */
    public MembershipService(
            NodeId self,
            MemberMetadata metadata,
            MembershipConfig config,
            Links links,
            ScheduledExecutorService swarm,
            InstantSource clock,
            LongSupplier nanos,
            RandomGenerator random) {
        this(
                new Membership(self, metadata, Math.max(1, clock.millis()), config, random, nanos.getAsLong()),
                config,
                links,
                swarm,
                clock,
                nanos);
    }

    MembershipService(
            Membership membership,
            MembershipConfig config,
            Links links,
            ScheduledExecutorService swarm,
            InstantSource clock,
            LongSupplier nanos) {
        this.membership = membership;
        this.links = links;
        this.swarm = swarm;
        this.clock = clock;
        this.nanos = nanos;
        this.sendDeadline = config.probeTimeout();
        this.refreshedNanos = nanos.getAsLong();
        this.snapshot = take();
        links.handle(Channel.MEMBERSHIP, new Receiver());
        links.listen(new Links.Listener() {
            @Override
            public void up(NodeId peer) {
                happened(new MembershipEvent.LinkUp(peer));
            }

            @Override
            public void down(NodeId peer, String reason) {
                happened(new MembershipEvent.LinkDown(peer));
            }

            @Override
            public void silent(NodeId peer) {
                happened(new MembershipEvent.Silent(peer));
            }
        });
    }

    // ---- door ----

    /** Consensus admits exactly these members; this node may be among them. */
    public void admitted(Map<NodeId, MemberMetadata> members) {
        happened(new MembershipEvent.Admitted(members));
    }

    /** Says something else of this node from now on. */
    public void describe(MemberMetadata metadata) {
        happened(new MembershipEvent.Describe(metadata));
    }

    /** Announces that this node goes to sleep, or is back. */
    public void sleep(boolean asleep) {
        happened(new MembershipEvent.Sleep(asleep));
    }

    /** Lets other constants hold from now on. */
    public void pace(MembershipConfig config) {
        happened(new MembershipEvent.Pace(config));
    }

    /** Announces that this node stops; completes when the first members were told, as far as links allow. */
    public CompletionStage<Void> leave() {
        CompletableFuture<Void> told = new CompletableFuture<>();
        handOver(() -> {
            List<CompletableFuture<Void>> sends = step(new MembershipEvent.Leave());
            CompletableFuture<Void> all = CompletableFuture.allOf(sends.toArray(new CompletableFuture<?>[0]));
            var unused = all.whenComplete((done, error) -> told.complete(null));
        });
        return told;
    }

    /** The latest view: at once after a change of state, else at most a second old while messages flow. */
    public MembersSnapshot snapshot() {
        return snapshot;
    }

    /** Told of every change on the swarm thread: hand over and return. */
    public void listen(Consumer<MembersSnapshot> listener) {
        listeners.add(listener);
    }

    /** Messages that were dropped because the swarm thread did not keep up. */
    public long droppedMessages() {
        return dropped.get();
    }

    /** Stops without a word: {@link #leave} says good-bye. */
    @Override
    public void close() {
        closed = true;
        handOver(() -> {
            ScheduledFuture<?> armed = alarm;
            if (armed != null) {
                armed.cancel(false);
            }
        });
    }

    // ---- towards the swarm thread ----

    private final class Receiver implements Links.Handler {
        @Override
        public void message(NodeId from, byte[] message) {
            if (unread.incrementAndGet() > MAILBOX) {
                unread.decrementAndGet();
                dropped.incrementAndGet();
                return;
            }
            handOver(() -> {
                unread.decrementAndGet();
                step(new MembershipEvent.Received(from, message));
            });
        }

        @Override
        public CompletionStage<byte[]> request(NodeId from, byte[] request) {
            return CompletableFuture.failedStage(
                    new IllegalArgumentException("membership takes messages only; it answers no requests"));
        }
    }

    private void happened(MembershipEvent event) {
        handOver(() -> step(event));
    }

    private void handOver(Runnable task) {
        try {
            swarm.execute(task);
        } catch (RejectedExecutionException stopping) {
            closed = true;
        }
    }

    // ---- on the swarm thread ----

    private List<CompletableFuture<Void>> step(MembershipEvent event) {
        List<CompletableFuture<Void>> sends = new ArrayList<>(4);
        if (closed) {
            return sends;
        }
        long now = nanos.getAsLong();
        boolean changed = false;
        try {
            for (MembershipEffect effect : membership.step(event, now)) {
                if (effect instanceof MembershipEffect.Send send) {
                    // A send that fails is a message lost, which the protocol expects.
                    sends.add(links.send(send.to(), Channel.MEMBERSHIP, send.message(), sendDeadline)
                            .toCompletableFuture());
                } else if (effect instanceof MembershipEffect.Garbled garbled) {
                    links.malformed(garbled.from(), Channel.MEMBERSHIP);
                } else {
                    changed = true;
                }
            }
            if (changed || now - refreshedNanos >= REFRESH_NANOS) {
                refreshedNanos = now;
                snapshot = take();
            }
            if (changed) {
                MembersSnapshot taken = snapshot;
                listeners.forEach(listener -> listener.accept(taken));
            }
        } finally {
            // A listener that fails must not stop the probing.
            arm(now);
        }
        return sends;
    }

    private void arm(long now) {
        long wake = membership.wakeNanos();
        if (wake >= alarmNanos) {
            // Whatever is armed comes first and arms the next.
            return;
        }
        ScheduledFuture<?> armed = alarm;
        if (armed != null) {
            armed.cancel(false);
        }
        alarmNanos = wake;
        try {
            // Handed over again, so that a failure reaches the thread's handler and not a future nobody asks.
            alarm = swarm.schedule(() -> handOver(this::ring), wake - now, TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException stopping) {
            closed = true;
        }
    }

    private void ring() {
        alarm = null;
        alarmNanos = Long.MAX_VALUE;
        step(new MembershipEvent.Tick());
    }

    private MembersSnapshot take() {
        Map<NodeId, LinkState> states = new HashMap<>();
        for (LinkState state : links.states()) {
            states.put(state.peer(), state);
        }
        Instant at = clock.instant();
        long now = nanos.getAsLong();
        List<MembersSnapshot.Seen> others = new ArrayList<>();
        for (Member member : membership.others()) {
            LinkState link = states.get(member.id());
            Long heard = membership.lastHeardNanos(member.id());
            others.add(new MembersSnapshot.Seen(
                    member,
                    heard == null ? null : at.minusNanos(now - heard),
                    link != null && link.up(),
                    link == null ? null : link.roundTrip()));
        }
        return new MembersSnapshot(membership.self(), others, membership.counters(), at);
    }
}
