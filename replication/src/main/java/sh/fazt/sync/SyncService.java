package sh.fazt.sync;

import com.google.protobuf.InvalidProtocolBufferException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.blob.Blobs;
import sh.fazt.cartridge.CommitListener;
import sh.fazt.cartridge.change.Changeset;
import sh.fazt.cartridge.change.Dot;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Channel;
import sh.fazt.link.LinkClass;
import sh.fazt.link.LinkState;
import sh.fazt.link.Links;
import sh.fazt.protocol.sync.v1.PullReply;
import sh.fazt.protocol.sync.v1.PullRequest;

/**
 * Carries out what {@link SyncCore} decides, over links and on the replica. Thread-safe: everything is handed to
 * the {@code swarm} executor, which runs one thing at a time.
 */
public final class SyncService implements CommitListener, Links.Listener {
    private static final Logger LOG = LoggerFactory.getLogger(SyncService.class);
    private static final Duration SEND_DEADLINE = Duration.ofSeconds(5);
    /** How often rows are compared with each peer; reading a scope whole costs seconds where it is large. */
    public static final Duration AUDIT_EVERY = Duration.ofHours(1);

    private final ReplicaStore store;
    private final Links links;
    private final Executor swarm;
    private final Executor io;
    private final LongSupplier nanos;
    private final SyncCore core;
    private final Pushes pushes;
    private final Pulls pulls;
    private final Audits audits;
    private final Notices notices;
    private final LagMeter meter;
    private final Tally tally = new Tally();
    private final Offences offences;
    private final HeldBack heldBack;
    private final @Nullable BlobFetcher fetcher;
    private final @Nullable BlobSync blobSync;
    /** Whether rows of a scope refer to blobs that are not here. */
    private final Predicate<Scope> lacks;

    private volatile Map<NodeId, Progress> progress = Map.of();
    /** Two that leave at one time must not rely on each other. */
    private volatile boolean leaving;

    private long garbage;

    /**
     * How two nodes stand to each other.
     *
     * @param behind      transactions that the peer lacks of what is here
     * @param behindBytes about how many bytes those are
     * @param ahead       transactions of the peer's that are lacking here; -1 while it has told nothing
     */
    public record Progress(long behind, long behindBytes, long ahead) {}

    public SyncService(
            ReplicaStore store, @Nullable Blobs blobs, Links links, Executor swarm, Executor io, LongSupplier nanos) {
        this(
                store,
                blobs,
                links,
                swarm,
                io,
                nanos,
                InstantSource.system(),
                Notices.NONE,
                AUDIT_EVERY,
                Holders.EVERYBODY,
                () -> false);
    }

    /**
     * @param blobs null where no blobs are kept
     * @param swarm runs one thing at a time
     * @param io    may block; for reading and writing the cartridge
     * @param audit how often rows are compared with each peer while nothing is written
     * @param holders which members keep which scope
     * @param pays  whether this node's owner said that its links are paid for by the byte
     */
    public SyncService(
            ReplicaStore store,
            @Nullable Blobs blobs,
            Links links,
            Executor swarm,
            Executor io,
            LongSupplier nanos,
            InstantSource clock,
            Notices notices,
            Duration audit,
            Holders holders,
            BooleanSupplier pays) {
        this(
                store,
                blobs,
                links,
                swarm,
                io,
                nanos,
                clock,
                notices,
                audit,
                holders,
                pays,
                blobs == null ? scope -> false : blobs::lacksAny);
    }

    /** @param lacks whether rows of a scope refer to blobs that are not here */
    SyncService(
            ReplicaStore store,
            @Nullable Blobs blobs,
            Links links,
            Executor swarm,
            Executor io,
            LongSupplier nanos,
            InstantSource clock,
            Notices notices,
            Duration audit,
            Holders holders,
            BooleanSupplier pays,
            Predicate<Scope> lacks) {
        this.store = store;
        this.lacks = lacks;
        this.links = links;
        this.swarm = swarm;
        this.io = io;
        this.nanos = nanos;
        this.core = new SyncCore(new SyncCore.View() {
            @Override
            public Origin origin() {
                return store.origin();
            }

            @Override
            public Map<Scope, VersionVector> vectors() {
                return store.vectors();
            }

            @Override
            public VersionVector vector(Scope scope) {
                return store.vector(scope);
            }

            @Override
            public boolean inDoubt() {
                return store.inDoubt();
            }

            @Override
            public VersionVector certain(Scope scope) {
                return store.certain(scope);
            }

            @Override
            public long digest(Scope scope) {
                return store.digest(scope);
            }

            @Override
            public Holders holders() {
                return holders;
            }
        });
        this.pushes = new Pushes(links, swarm, nanos, tally, core::pushDropped);
        this.notices = notices;
        this.offences = new Offences(notices, nanos);
        this.meter = new LagMeter(store, swarm, io, nanos, clock);
        this.audits = new Audits(store, links, swarm, io, nanos, notices, audit);
        this.pulls = new Pulls(
                links,
                store,
                io,
                nanos,
                (peer, why) -> offences.count(peer, Offence.MALFORMED, why),
                (peer, scope) -> swarm.execute(() -> core.underWay(peer, scope, nanos.getAsLong())));
        this.heldBack = new HeldBack(pays, holders);
        this.fetcher = blobs == null
                ? null
                : new BlobFetcher(
                        links,
                        blobs,
                        io,
                        nanos,
                        store.origin().node().hashCode(),
                        this::holdersOfBlobs,
                        this::fetched,
                        peer -> offences.count(peer, Offence.WRONG_BLOB, "the bytes do not hash to their name"),
                        heldBack);
        this.blobSync = blobs == null ? null : new BlobSync(blobs, this::fetch, io, nanos);
        links.handle(Channel.VECTORS, messages(this::vectors));
        links.handle(Channel.CHANGES, messages(this::changesets));
        links.handle(Channel.PULL, requests(settled(this::servePull)));
        links.handle(Channel.AUDIT, requests(settled(readable(audits::serve))));
        if (fetcher != null) {
            BlobFetcher serving = fetcher;
            links.handle(Channel.BLOBS, requests(readable((from, request) -> serving.serve(request))));
        }
        links.listen(this);
    }

    private interface OnMessage {
        void accept(NodeId from, byte[] message);
    }

    private interface OnRequest {
        CompletionStage<byte[]> answer(NodeId from, byte[] request);
    }

    private Links.Handler messages(OnMessage handler) {
        return new Links.Handler() {
            @Override
            public void message(NodeId from, byte[] message) {
                swarm.execute(() -> {
                    try {
                        handler.accept(from, message);
                    } catch (IllegalArgumentException e) {
                        garbage++;
                        offences.count(from, Offence.MALFORMED, String.valueOf(e.getMessage()));
                    }
                });
            }

            @Override
            public CompletionStage<byte[]> request(NodeId from, byte[] request) {
                return java.util.concurrent.CompletableFuture.failedFuture(
                        new IllegalArgumentException("nothing is answered on this channel"));
            }
        };
    }

    /** Whoever asks what can't be read is named. */
    private OnRequest readable(OnRequest handler) {
        return (from, request) -> handler.answer(from, request).whenComplete((answer, failed) -> {
            if (failed instanceof InvalidProtocolBufferException) {
                offences.count(from, Offence.MALFORMED, String.valueOf(failed.getMessage()));
            }
        });
    }

    /** Rows are told once none is in doubt. */
    private OnRequest settled(OnRequest handler) {
        return (from, request) -> store.inDoubt()
                ? CompletableFuture.failedFuture(new IllegalStateException("this node has heard no other yet"))
                : handler.answer(from, request);
    }

    private static Links.Handler requests(OnRequest handler) {
        return new Links.Handler() {
            @Override
            public void message(NodeId from, byte[] message) {
                // Only requests make sense here: a message is a peer's mistake.
            }

            @Override
            public CompletionStage<byte[]> request(NodeId from, byte[] request) {
                return handler.answer(from, request);
            }
        };
    }

    /** Linked peers: those whose links cost nothing first, of each kind the shortest round trip first. */
    private Stream<LinkState> nearest() {
        return links.states().stream()
                .filter(LinkState::up)
                .sorted(Comparator.comparing((LinkState state) -> state.linkClass() == LinkClass.METERED)
                        .thenComparing(state -> state.roundTrip() == null ? Duration.ofDays(1) : state.roundTrip()));
    }

    private List<BlobCore.Holder> holdersOfBlobs() {
        return nearest()
                .map(state -> new BlobCore.Holder(state.peer(), state.linkClass() == LinkClass.METERED))
                .toList();
    }

    @Override
    public void committed(Commit commit) {
        Scope scope = commit.scope();
        if (scope == null) {
            return;
        }
        swarm.execute(() -> {
            meter.committed(scope);
            run(core.committed(scope, commit.changeset()));
            if (fetcher != null && commit.local()) {
                // Seldom does a write here refer to what is not here: it can wait for the next tick.
                fetcher.changed();
            } else if (fetcher != null) {
                fetcher.look();
            }
        });
    }

    @Override
    public void up(NodeId peer) {
        swarm.execute(() -> {
            pushes.restart(peer);
            run(core.linkUp(peer, nanos.getAsLong()));
            if (fetcher != null) {
                fetcher.look();
            }
        });
    }

    @Override
    public void down(NodeId peer, String reason) {
        swarm.execute(() -> {
            pushes.restart(peer);
            run(core.linkDown(peer, nanos.getAsLong()));
        });
    }

    /** There is no other member that could know of what is in doubt here. */
    public void alone() {
        if (store.inDoubt()) {
            run(List.of(new SyncEffect.Settle()));
        }
    }

    /** A member that is gone for good. */
    public void forget(NodeId peer) {
        swarm.execute(() -> {
            core.forget(peer);
            pushes.forget(peer);
            audits.forget(peer);
            tally.forget(peer);
            offences.forget(peer);
        });
    }

    /** Time passed; to be called a few times a second. */
    public void tick() {
        swarm.execute(() -> {
            run(core.tick(nanos.getAsLong()));
            pulls.forgetIdle();
            if (fetcher != null) {
                fetcher.tick();
            }
            if (blobSync != null) {
                blobSync.tick();
            }
            Map<NodeId, Progress> now = new HashMap<>();
            Set<NodeId> paid = new HashSet<>();
            for (LinkState state : links.states()) {
                if (state.linkClass() == LinkClass.METERED) {
                    paid.add(state.peer());
                }
                long behind = core.behind(state.peer());
                now.put(
                        state.peer(),
                        new Progress(behind, (long) (behind * pushes.averageBytes()), core.ahead(state.peer())));
            }
            progress = Map.copyOf(now);
            meter.tick(core, core.known());
            audits.tick(core, List.copyOf(now.keySet()), paid);
        });
    }

    /** How this node and its peers stand to each other, as of the last tick. */
    public Map<NodeId, Progress> progress() {
        return progress;
    }

    /**
     * Whether everything that the peers told of is here, with the blobs that are not held back; false while none has
     * told.
     */
    public boolean caughtUp() {
        Map<NodeId, Progress> now = progress;
        List<NodeId> linked = nearest().map(LinkState::peer).toList();
        return !linked.isEmpty()
                && linked.stream()
                        .allMatch(peer -> now.containsKey(peer) && now.get(peer).ahead() == 0)
                && (fetcher == null || fetcher.caughtUp());
    }

    /** To be called once what the owner set of links is known, before any is up. */
    public void begin() {
        heldBack.begin();
    }

    private void fetched(NodeId peer, int bytes) {
        tally.of(peer).blobBytes.addAndGet(bytes);
        if (blobSync != null) {
            blobSync.fetched(peer, bytes);
        }
    }

    /** Has everything fetched that is lacking of a scope, or of all; answers what runs, which may be another. Blocking. */
    public Syncing syncBlobs(@Nullable Scope scope) {
        return blobSync == null ? syncing() : blobSync.start(scope);
    }

    /** How far that is. */
    public Syncing syncing() {
        return blobSync == null
                ? new Syncing(false, null, new Blobs.Amount(0, 0), new Blobs.Amount(0, 0), Map.of(), List.of(), 0)
                : blobSync.state();
    }

    /** What is left with peers until somebody asks for it. */
    public HeldBack heldBack() {
        return heldBack;
    }

    /** Has a blob fetched that may be held back, and tells when it is here, or why it is not. Never blocks. */
    public CompletionStage<HeldBack.Outcome> fetch(String blob, Duration patience) {
        return fetcher == null
                ? CompletableFuture.completedFuture(HeldBack.Outcome.NOBODY)
                : fetcher.fetch(blob, patience);
    }

    /** Messages that made no sense, ever. */
    public long garbage() {
        return garbage;
    }

    /** How far each known peer is behind, and how far this node is behind it. */
    public Map<NodeId, Lag> lags() {
        return meter.lags();
    }

    /** What sync has done with a peer. */
    public PeerCounters counters(NodeId peer) {
        return tally.taken(peer, offences.of(peer));
    }

    /** Compares one scope's rows with a peer's, and repairs what is wrong here when asked to. Never fails. */
    public CompletionStage<AuditResult> audit(NodeId peer, Scope scope, boolean repair) {
        return audits.compare(peer, scope, repair);
    }

    /** What audits have come to. */
    public Audits.Counters audited() {
        return audits.counters();
    }

    /** How often equal vectors had unequal digests, ever. */
    public long alarms() {
        return core.alarms();
    }

    private void vectors(NodeId from, byte[] message) {
        SyncCodec.Told told = SyncCodec.vectors(message);
        if (told.unreadable()) {
            pushes.unreadable(from);
            return;
        }
        if (!told.linked().isEmpty()) {
            core.toldReach(from, told.linked());
            return;
        }
        if (!told.denied().isEmpty()) {
            run(core.denied(from, told.denied()));
            return;
        }
        Map<Scope, VersionVector> vectors = new HashMap<>();
        Map<Scope, Long> digests = new HashMap<>(told.digests());
        told.vectors().forEach((scope, theirs) -> {
            VersionVector admissible = store.admissible(scope, theirs);
            vectors.put(scope, admissible);
            if (!admissible.equals(theirs)) {
                // The digest is over rows that are refused here.
                digests.remove(scope);
            }
        });
        run(core.told(from, vectors, digests, told.asks(), nanos.getAsLong()));
    }

    private void changesets(NodeId from, byte[] message) {
        pushes.read(from, message).forEach(changeset -> changeset(from, changeset));
    }

    private void changeset(NodeId from, Changeset changeset) {
        Dot dot = changeset.dot();
        VersionVector pushed = VersionVector.of(Map.of(dot.origin(), dot.sequence()));
        if (store.admissible(dot.scope(), pushed).equals(pushed)) {
            run(core.pushed(from, changeset, nanos.getAsLong()));
        } else {
            // Counted by the store; the core must not hear that the peer has what never comes here.
            apply(from, changeset);
        }
    }

    /** See {@link Pulls#fetch}. */
    CompletionStage<Pulls.Whole> fetch(NodeId peer, Scope scope) {
        return pulls.fetch(peer, scope);
    }

    private void run(List<SyncEffect> effects) {
        for (SyncEffect effect : effects) {
            if (effect instanceof SyncEffect.Push push) {
                pushes.push(push.to(), push.changeset());
            } else if (effect instanceof SyncEffect.Tell tell) {
                links.send(
                        tell.to(),
                        Channel.VECTORS,
                        SyncCodec.vectors(tell.scopes() == null ? store.vectors() : tell.scopes(), tell.asks(), store),
                        SEND_DEADLINE);
            } else if (effect instanceof SyncEffect.TellReach tell) {
                links.send(tell.to(), Channel.VECTORS, SyncCodec.reach(tell.linked()), SEND_DEADLINE);
            } else if (effect instanceof SyncEffect.Apply apply) {
                apply(apply.from(), apply.changeset());
            } else if (effect instanceof SyncEffect.Pull pull) {
                pull(pull);
            } else if (effect instanceof SyncEffect.AskKeeps ask) {
                askKeeps(ask.holder(), ask.scope(), ask.all());
            } else if (effect instanceof SyncEffect.Forget forget) {
                forget(forget.scope(), forget.at());
            } else if (effect instanceof SyncEffect.Offence offence) {
                offences.count(offence.peer(), offence.kind(), offence.detail());
            } else if (effect instanceof SyncEffect.Deny deny) {
                links.send(deny.to(), Channel.VECTORS, SyncCodec.denial(deny.known()), SEND_DEADLINE);
            } else if (effect instanceof SyncEffect.Claimed claimed) {
                claimed(claimed);
            } else if (effect instanceof SyncEffect.Disowned disowned) {
                disowned(disowned);
            } else if (effect instanceof SyncEffect.OpenEpoch) {
                store.openEpoch().whenComplete((origin, failed) -> {
                    if (failed == null) {
                        notices.notice(
                                "epoch",
                                null,
                                "this node goes on under epoch " + origin.epoch(),
                                "a peer knows more of its history than its cartridge: see the events of kind claim");
                    }
                    swarm.execute(() -> run(core.settled(nanos.getAsLong())));
                });
            } else if (effect instanceof SyncEffect.Settle) {
                store.settle()
                        .whenComplete((settled, failed) -> swarm.execute(() -> run(core.settled(nanos.getAsLong()))));
            } else if (effect instanceof SyncEffect.Alarm alarm) {
                LOG.error(
                        "two replicas with one vector differ: please report this scope={} peer={}",
                        alarm.scope(),
                        alarm.peer().shortText());
                audits.soon(alarm.peer(), alarm.scope());
            }
        }
    }

    private void claimed(SyncEffect.Claimed claimed) {
        LOG.warn(
                "a member holds changes of this node that it does not know peer={} scope={} known={} held={}",
                claimed.from().shortText(),
                claimed.scope(),
                claimed.known(),
                claimed.held());
        notices.notice(
                "claim",
                claimed.from(),
                "holds changes of this node that it does not know",
                "scope " + claimed.scope() + ", " + claimed.held() + " for " + claimed.known()
                        + ": this cartridge is an old copy, or somebody made them up. Who handed them in is among"
                        + " the events of the other members (set-back, forged)");
    }

    private void disowned(SyncEffect.Disowned disowned) {
        NodeId writer = disowned.origin().node();
        String where = "scope " + disowned.scope() + ", after change " + disowned.known() + " of epoch "
                + disowned.origin().epoch();
        if (disowned.from().equals(writer)) {
            LOG.info("a member was set back to an older state peer={} {}", writer.shortText(), where);
            notices.notice("set-back", writer, "has sent changes that it does not know any more", where);
            return;
        }
        tally.of(disowned.from()).forged.incrementAndGet();
        LOG.warn(
                "a member handed in changes that their writer does not know peer={} writer={} {}",
                disowned.from().shortText(),
                writer.shortText(),
                where);
        notices.notice(
                "forged",
                disowned.from(),
                "handed in changes of node " + writer.shortText() + " that it says it never wrote",
                where + ": made up, unless its own events name another whom it has them from, or say that the writer"
                        + " was set back. \"fazt swarm evict\" shuts a member out");
    }

    private void apply(NodeId from, Changeset changeset) {
        Dot dot = changeset.dot();
        store.apply(changeset)
                .whenComplete((outcome, failed) -> swarm.execute(() -> {
                    if (failed != null) {
                        LOG.debug("a changeset was refused dot={} peer={}", dot, from.shortText(), failed);
                    }
                    run(core.applied(from, dot, failed == null ? outcome : null, nanos.getAsLong()));
                }));
    }

    private void pull(SyncEffect.Pull pull) {
        NodeId from = pull.from();
        Scope scope = pull.scope();
        Pulls.Pull begun = pulls.pull(from, scope);
        if (begun.goesOn()) {
            core.goesOn(pull);
        }
        begun.outcome()
                .whenComplete((vector, failed) -> swarm.execute(() -> {
                    (failed == null ? tally.of(from).pulls : tally.of(from).failedPulls).incrementAndGet();
                    if (failed != null) {
                        LOG.debug("a pull failed scope={} peer={}", scope, from.shortText(), failed);
                    }
                    run(
                            failed == null
                                    ? core.pulled(pull, store.admissible(scope, vector), vector, nanos.getAsLong())
                                    : core.pulled(pull, null, null, nanos.getAsLong()));
                    if (fetcher != null) {
                        fetcher.look();
                    }
                }));
    }

    /** Answers what a peer asks of rows. */
    private CompletionStage<byte[]> servePull(NodeId from, byte[] request) {
        try {
            PullRequest asked = PullRequest.parseFrom(request);
            if (!asked.getKeeps()) {
                return pulls.serve(from, asked);
            }
            Scope scope = new Scope(asked.getScope());
            VersionVector all = SyncCodec.vector(asked.getSinceList());
            // The rows first: then what they refer to.
            return CompletableFuture.supplyAsync(() -> core.keeps(scope, all), swarm)
                    .thenApplyAsync(keeps -> keeps && !lacks.test(scope) && !leaving, io)
                    .thenApply(keeps ->
                            PullReply.newBuilder().setKeeps(keeps).build().toByteArray());
        } catch (InvalidProtocolBufferException | IllegalArgumentException e) {
            offences.count(from, Offence.MALFORMED, String.valueOf(e.getMessage()));
            return CompletableFuture.failedFuture(e);
        }
    }

    /** From now on, or no longer: this node vouches for nothing, as it is about to leave. */
    public void leaving(boolean now) {
        leaving = now;
    }

    /**
     * Asks a member whether it has all that a vector says of a scope, with the files that it names, and keeps it. Fails
     * when it does not answer.
     */
    public CompletionStage<Boolean> keeps(NodeId member, Scope scope, VersionVector all) {
        return pulls.keeps(member, scope, all);
    }

    private void askKeeps(NodeId holder, Scope scope, VersionVector all) {
        pulls.keeps(holder, scope, all)
                .whenComplete((keeps, failed) -> swarm.execute(
                        () -> run(core.kept(holder, scope, all, Boolean.TRUE.equals(keeps), nanos.getAsLong()))));
    }

    private void forget(Scope scope, VersionVector at) {
        store.forget(scope, at)
                .whenComplete((gone, failed) -> swarm.execute(() -> {
                    if (Boolean.TRUE.equals(gone)) {
                        LOG.info("a scope that is kept elsewhere is let go of scope={}", scope);
                    } else if (failed != null) {
                        LOG.warn("a scope that is kept elsewhere can't be let go of yet scope={}", scope, failed);
                    }
                    run(core.forgotten(scope, Boolean.TRUE.equals(gone)));
                }));
    }

    /** How many transactions of a scope each linked holder lacks of what is here, as far as it has told. */
    public CompletionStage<Map<NodeId, Long>> behind(Scope scope) {
        return CompletableFuture.supplyAsync(() -> core.behind(scope), swarm);
    }

    /** Transactions of each scope that a peer has told of, and nobody else has as far as all have told. */
    public CompletionStage<Map<Scope, Long>> onlyAt(NodeId peer) {
        return CompletableFuture.supplyAsync(() -> core.onlyAt(peer), swarm);
    }

    /** What this node and all the given ones have of a scope, as far as they have told since the start. */
    public CompletionStage<VersionVector> acknowledged(Scope scope, Set<NodeId> nodes) {
        return CompletableFuture.supplyAsync(() -> core.acknowledged(scope, nodes), swarm);
    }

    /** Whether all of the given nodes are linked, and have told that they have all that is here of a scope and no more. */
    public CompletionStage<Boolean> inStep(Scope scope, Set<NodeId> nodes) {
        return CompletableFuture.supplyAsync(
                () -> nodes.stream().allMatch(id -> core.inStep(id).contains(scope)), swarm);
    }

    /** Lets go of what peers were reading. */
    public void close() {
        pulls.close();
    }
}
