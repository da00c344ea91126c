package sh.fazt.swarm;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.blob.Blobs;
import sh.fazt.blob.Scrub;
import sh.fazt.cartridge.SchemaPart;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.consensus.ConfigEntry;
import sh.fazt.consensus.ConfigFeed;
import sh.fazt.consensus.SwarmConfig;
import sh.fazt.consensus.SwarmConfig.Op;
import sh.fazt.consensus.SwarmRaft;
import sh.fazt.identity.IdentityException;
import sh.fazt.identity.JoinToken;
import sh.fazt.identity.NodeId;
import sh.fazt.identity.NodeKey;
import sh.fazt.link.Channel;
import sh.fazt.link.ClockOffsets;
import sh.fazt.link.GrpcLinks;
import sh.fazt.link.LinkConfig;
import sh.fazt.link.LinkCounters;
import sh.fazt.link.LinkSettings;
import sh.fazt.link.LinkState;
import sh.fazt.link.Links;
import sh.fazt.membership.MemberMetadata;
import sh.fazt.membership.MemberState;
import sh.fazt.membership.MembershipConfig;
import sh.fazt.membership.MembershipService;
import sh.fazt.protocol.swarm.v1.SwarmRecord;
import sh.fazt.sync.Cuts;
import sh.fazt.sync.FencedReplica;
import sh.fazt.sync.HeldBack;
import sh.fazt.sync.SyncService;
import sh.fazt.sync.Syncing;
import sh.fazt.sync.Tombstones;

/**
 * One node's part in its swarm. What is agreed (members) decides whom the links trust; everything else follows
 * from that. A new node is a swarm of one. Thread-safe; methods that change something block and run where that is
 * allowed, one at a time.
 */
public final class Swarm implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Swarm.class);
    /** Of a swarm's id. */
    static final int ID_BYTES = 10;
    /** How long a stop waits for others to be told of it. */
    private static final Duration GOODBYE = Duration.ofMillis(500);

    private final NodeKey key;
    private final SwarmOptions options;
    private final SqliteCartridge cartridge;
    private final InstantSource clock;
    private final SecureRandom random;
    private final ScheduledExecutorService swarm;
    private final ExecutorService io;
    private final GrpcLinks links;
    private final LinkLedger ledger;
    private final MembershipService membership;
    private final Presence presence;
    private final FencedReplica replica;
    private final SyncService sync;
    private final Scrub scrub;
    private final Tombstones tombstones;
    private final Levels levels;
    private final EventWatch eventWatch;
    private final Watch watch;
    private final SwarmRaft raft;
    private final SwarmConfig config;
    private final Records records;
    private final Agreement agreement;
    private final PendingJoin joining;
    private final Members members;
    private final Restored restored;
    private final Placements placements;
    private final Handover handover;
    private final Departure departure;
    private final Leases leases;
    private final Views views;
    private final Joiner joiner;
    private final Roles roles;
    private final Surroundings surroundings;
    private final Evictions evictions;
    private final Rotation rotation;
    private final Consequences consequences;
    private final OwnPart part;
    private final Desk desk;
    private final Chores chores;
    private final CompletableFuture<String> copied = new CompletableFuture<>();

    private volatile boolean closed;

    /** What the swarm keeps in the cartridge. */
    public static List<SchemaPart> schemas() {
        return List.of(SwarmRaft.schema(), LinkLedger.SCHEMA, PendingJoin.SCHEMA);
    }

    /**
     * @param swarm one thread: links, membership and sync decide on it
     * @param io    may block; twenty threads are plenty
     */
    public Swarm(
            OwnKey own,
            SwarmOptions options,
            SqliteCartridge cartridge,
            Blobs blobs,
            InstantSource clock,
            SecureRandom random,
            ThreadFactory linkThreads,
            ScheduledExecutorService swarm,
            ExecutorService io) {
        this.key = own.key();
        this.options = options;
        this.cartridge = cartridge;
        this.clock = clock;
        this.random = random;
        this.swarm = swarm;
        this.io = io;
        this.chores = new Chores(io, () -> closed);
        links = new GrpcLinks(LinkConfig.of(key, this::swarmId, linkThreads, swarm, io, clock, System::nanoTime, random)
                .withAddress(options.bind(), options.port(), options.addresses())
                .withServices(options.services(), options.interceptors())
                .withDesk(application -> desk().admit(application))
                .withOnCopy(text -> {
                    if (copied.complete(text)) {
                        LOG.error("two live nodes have this key, and this one was started later why={}", text);
                    }
                }));
        ledger = new LinkLedger(cartridge, links);
        membership = new MembershipService(
                key.id(), metadata(), MembershipConfig.lan(), links, swarm, clock, System::nanoTime, random);
        presence = new Presence(links, membership);
        raft = new SwarmRaft(key.id(), cartridge, options.raft(), links, options.timings(), io, swarm, random);
        config = new SwarmConfig(raft);
        records = new Records(config);
        joining = new PendingJoin(cartridge);
        members = new Members(key.id(), records, joining, this::shutOut);
        agreement = new Agreement(config, members::all, this::barred);
        placements = new Placements(own, records, members, agreement);
        leases = new Leases(key.id(), config, agreement, members::all, random);
        replica = new FencedReplica(cartridge.replica(), System::nanoTime);
        SwarmEvents events = new SwarmEvents(clock);
        sync = new SyncService(
                replica,
                blobs,
                links,
                swarm,
                io,
                System::nanoTime,
                clock,
                events::add,
                SyncService.AUDIT_EVERY,
                placements,
                () -> links.settings().metered());
        cartridge.listen(sync);
        Healing healing = new Healing(sync, events);
        blobs.damage().listen(healing::damaged);
        blobs.damage().whenStuck(healing::stuck);
        scrub = new Scrub(blobs, System::nanoTime);
        tombstones = new Tombstones(
                cartridge,
                replica,
                cartridge.clock()::now,
                this::others,
                () -> links.states().stream()
                        .filter(LinkState::up)
                        .map(LinkState::peer)
                        .collect(Collectors.toSet()),
                placements,
                sync::acknowledged,
                sync::inStep);
        levels = new Levels(options.schemaLevel(), raft, config, records, joining, tombstones::silent, events);
        eventWatch = new EventWatch(events);
        links.listen(eventWatch);
        cartridge.listen(eventWatch);
        restored = new Restored(key.id(), cartridge, options.raft(), records, joining, members);
        watch = new Watch(
                events,
                new Verification(
                        key.id(), cartridge.replica(), blobs.damage(), sync, placements, links, System::nanoTime),
                new PeerFigures.Source(cartridge, blobs.damage(), sync, links, membership::snapshot),
                key.id(),
                members::all);
        surroundings = new Surroundings(
                key.id(), options, this::swarmId, () -> chores.soon("follow", this::follow), io, swarm, random);
        Function<NodeId, MemberState> states =
                id -> membership.snapshot().state(id).orElse(MemberState.DEAD);
        roles = new Roles(
                key.id(),
                this::swarmId,
                raft,
                records,
                agreement,
                joining,
                members::all,
                states,
                () -> links.settings().metered(),
                new Seating(
                        raft,
                        config,
                        records,
                        states,
                        cartridge.clock()::now,
                        options.timings().silence()));
        ConfigFeed feed = new ConfigFeed(key, raft, links, roles);
        joiner = new Joiner(key, options, cartridge, links, raft, config, records, joining, surroundings, feed, io);
        evictions = new Evictions(
                key.id(),
                cartridge,
                replica,
                links,
                new Cuts(
                        replica,
                        sync,
                        links,
                        new CutGroup(this::others, tombstones::silent, raft, config, this::follow)),
                raft,
                config,
                records,
                agreement);
        rotation = new Rotation(
                own, cartridge, links, raft, config, records, members, roles, agreement, evictions, this::swarmId);
        consequences = new Consequences(
                key.id(),
                members,
                records,
                joining,
                evictions,
                ledger,
                levels,
                placements,
                surroundings,
                membership,
                sync,
                links,
                new AgreedWatch(events, records, placements),
                () -> closed);
        part = new OwnPart(
                key.id(),
                options,
                raft,
                config,
                records,
                joining,
                joiner,
                roles,
                feed,
                levels,
                rotation,
                surroundings,
                consequences,
                random,
                () -> closed);
        desk = new Desk(
                key.id(), records, agreement, evictions, levels, config, raft, cartridge.clock()::now, random, io);
        handover = new Handover(key.id(), replica, sync, placements, members, links, System::nanoTime);
        departure =
                new Departure(key.id(), members, raft, config, roles, agreement, records, placements, handover, links);
        views = new Views(
                new SwarmView.Named(key.id().toString(), options.name()),
                this::swarmId,
                members,
                raft,
                roles,
                restored,
                rotation,
                levels,
                membership,
                sync,
                links,
                cartridge,
                clock,
                surroundings);
        links.handle(Channel.SWARM, new Answers(links, records, config, raft, evictions, rotation, replica, io));
        links.listen(new Links.Listener() {
            @Override
            public void up(NodeId peer) {
                feed.wake();
                changed();
            }

            @Override
            public void down(NodeId peer, String reason) {
                LOG.info("link down peer={} why={}", peer.shortText(), reason);
                feed.wake();
                changed();
            }
        });
        membership.listen(snapshot -> changed());
        raft.listen(kinds -> {
            // Leases change all the time: observers hear of them with the next news, or when they ask.
            if (!SwarmConfig.onlyLeases(kinds)) {
                chores.soon("follow what is agreed", this::follow);
                chores.soon("tell observers", feed::tell);
            }
        });
        raft.whenLost(() -> chores.soon("vote again", part::rejoin));
    }

    private Desk desk() {
        return desk;
    }

    private String swarmId() {
        return consequences.swarmId();
    }

    private MemberMetadata metadata() {
        return new MemberMetadata(
                options.name(), options.httpAddress(), options.addresses(), options.version(), Map.of());
    }

    /** Opens the swarm port and, in the background, the group; returns as soon as the port is open. */
    public void start() {
        restored.begin();
        ledger.restore();
        follow();
        sync.begin();
        links.start();
        ledger.restoreBooks();
        io.execute(part::open);
        surroundings.start();
        swarm.scheduleWithFixedDelay(this::tick, 250, 250, TimeUnit.MILLISECONDS);
        swarm.scheduleWithFixedDelay(
                () -> chores.soon("take part in the group", () -> {
                    part.tend();
                    evictions.tend();
                    if (chores.missed()) {
                        follow();
                    }
                }),
                1,
                1,
                TimeUnit.SECONDS);
        swarm.scheduleWithFixedDelay(() -> chores.soon("remove tombstones", tombstones::turn), 5, 10, TimeUnit.MINUTES);
        swarm.scheduleWithFixedDelay(() -> chores.soon("scrub", this::scrub), 1, 1, TimeUnit.MINUTES);
        swarm.scheduleWithFixedDelay(
                () -> chores.soon("keep what links remember", ledger::keep), 20, 20, TimeUnit.SECONDS);
    }

    /** The swarm port. */
    public int port() {
        return links.port();
    }

    private void scrub() {
        // A turn that waits for a slow disk is not joined by the next.
        synchronized (scrub) {
            scrub.turn();
        }
    }

    private void follow() {
        consequences.follow();
    }

    private Set<NodeId> others() {
        Set<NodeId> others = new HashSet<>(members.all().keySet());
        others.remove(key.id());
        return others;
    }

    private boolean shutOut(NodeId node) {
        return evictions.of(node).isPresent();
    }

    /** Whether this node is a swarm of one: in no other, and not about to be. */
    public boolean isAlone() {
        return members.isAlone();
    }

    private void changed() {
        consequences.changed();
    }

    /** Told, on any thread, that members, links, the leader or names changed; must hand over and return. */
    public void listen(Runnable listener) {
        consequences.listen(listener);
    }

    private void tick() {
        try {
            sync.tick();
            presence.look();
            List<LinkState> states = links.states();
            long correction = ClockOffsets.correctionMillis(states);
            cartridge.clock().correct(correction);
            eventWatch.look(
                    membership.snapshot(),
                    raft.status(),
                    states,
                    ClockOffsets.offsetMillis(states),
                    correction != 0,
                    cartridge.notWritable());
        } catch (RuntimeException | Error e) {
            // A timer whose task throws never runs it again.
            LOG.error("a turn of sync failed; the next one comes", e);
        }
    }

    private void ready() {
        part.ready();
    }

    // ---- what is asked of the swarm ----

    /** Names the swarm. Blocking. */
    public SwarmView init(@Nullable String name) {
        ready();
        if (name != null) {
            if (name.isBlank() || name.length() > 63 || name.chars().anyMatch(c -> c < 0x20)) {
                throw new SwarmException(
                        SwarmException.Reason.INVALID,
                        "a swarm's name has 1 to 63 characters and no control character");
            }
            agreement.agree(() -> {
                ConfigEntry entry = records.entry(Records.SWARM, Records.SWARM);
                SwarmRecord record = records.swarm();
                if (entry == null || record == null) {
                    throw new SwarmException(SwarmException.Reason.TIMEOUT, "nothing is agreed here yet: try again");
                }
                return List.of(Op.set(
                        entry,
                        Records.SWARM,
                        Records.SWARM,
                        record.toBuilder().setName(name).build().toByteArray()));
            });
        }
        return view();
    }

    /** Makes a token for one new node. Blocking. */
    public IssuedToken token(Duration timeToLive) {
        ready();
        return desk.issue(timeToLive, part.addresses());
    }

    /** Joins the swarm that issued the token; returns when this node is a member and has caught up. Blocking. */
    public SwarmView join(String text) {
        return join(text, false);
    }

    /**
     * Joins; a node that sleeps at times says that it wants to observe only.
     *
     * @param observer false lets the swarm choose: its first three members vote
     */
    public synchronized SwarmView join(String text, boolean observer) {
        ready();
        JoinToken token;
        try {
            token = JoinToken.parse(text);
        } catch (IdentityException e) {
            throw new SwarmException(SwarmException.Reason.BAD_TOKEN, String.valueOf(e.getMessage()));
        }
        if (members.all().size() > 1) {
            throw new SwarmException(
                    SwarmException.Reason.IN_SWARM,
                    "this node is in swarm " + view().swarm().name() + " with "
                            + (members.all().size() - 1) + " others: \"fazt swarm leave\" first");
        }
        if (token.issuer().matches(key.id())) {
            throw new SwarmException(
                    SwarmException.Reason.BAD_TOKEN,
                    "this node issued that token itself: use it on the node that shall join");
        }
        sync.leaving(false);
        // Who votes is asked each second whether it is there: nothing for one that pays for it.
        joiner.admit(token, observer || links.settings().metered());
        follow();
        links.redial();
        part.awaitJoined(sync::caughtUp);
        return view();
    }

    /**
     * Leaves; this node is a swarm of one again, with its data and its aliases. Blocking.
     *
     * @param force  leave also when the others can't agree: they list this node until it joins them again. And also when
     *     they lack some of what is here
     * @param called what an owner calls a scope
     */
    public synchronized SwarmView leave(boolean force, Function<Scope, String> called) {
        ready();
        sync.leaving(true);
        try {
            departure.leave(force, called);
        } catch (RuntimeException e) {
            sync.leaving(false);
            throw e;
        }
        // Also afterwards, for a member that has not heard yet: till this node is in a swarm again.
        startOver();
        return view();
    }

    private void startOver() {
        roles.startOver();
        Map<String, String> names = aliases();
        membership.leave();
        raft.forget();
        joining.forget();
        follow();
        evictions.startOver();
        part.found(options.name());
        names.forEach(this::alias);
    }

    /**
     * Shuts a member out for good: it neither reads nor writes anything of the swarm from now on. Blocking.
     *
     * @param text the member's name, id or the beginning of its id
     */
    public Evicted evict(String text) {
        return evict(text, false, Scope::id);
    }

    /**
     * The same.
     *
     * @param force  also when by what is agreed nobody else keeps some app, which is lost then
     * @param called what an owner calls a scope
     */
    public synchronized Evicted evict(String text, boolean force, Function<Scope, String> called) {
        ready();
        evictions.check(text);
        NodeId node = members.meant(text);
        List<String> only = placements.onlyOn(node);
        if (!force && !node.equals(key.id()) && !only.isEmpty()) {
            throw new SwarmException(
                    SwarmException.Reason.INVALID,
                    "can't evict " + text + ": it alone keeps " + String.join(", ", only)
                            + ", which would be lost. \"fazt swarm place APP all\" first and wait until others have it,"
                            + " or evict with --force");
        }
        // Never a reason to wait: what was stolen has to be shut out at once.
        String lost = handover.onlyAt(node, called);
        evictions.evict(node);
        follow();
        return new Evicted(
                view(),
                lost.isEmpty()
                        ? ""
                        : text + " had told of " + lost + " that no other member had: unless one that is not linked has"
                                + " it, this is lost to the swarm, and is only on the node that was evicted");
    }

    /**
     * A member is shut out.
     *
     * @param warning what only that member is known to have had; or empty
     */
    public record Evicted(SwarmView view, String warning) {}

    /**
     * Gives this node a new key, and with it a new id; the old key is never let in again. Returns the new id once it is
     * agreed; then the node has to start again, see {@link #rotated}. Blocking.
     */
    public synchronized NodeId rotateKey() {
        ready();
        return rotation.rotate(part::tend);
    }

    /** Completes, with the new id, when this node has to be closed and started again, under its new key. */
    public CompletionStage<NodeId> rotated() {
        return rotation.done().copy();
    }

    /**
     * Completes, with what its owner has to know, when this process has to stop: another one with this node's key is
     * alive and was started before.
     */
    public CompletionStage<String> copied() {
        return copied.copy();
    }

    /** What a member told this node of its own eviction; empty while it is none. */
    public String evicted() {
        return evictions.toldUs();
    }

    /** That this node's release is older than what its swarm has agreed on, and what to do; empty when it is not. */
    public String tooOld() {
        return levels.tooOld();
    }

    /** Why nothing can be agreed with this node, for good; empty when it can. */
    private String barred() {
        return evicted().isEmpty() ? tooOld() : evicted();
    }

    /** Rows and changesets of evicted nodes that were refused, since the start. */
    public long refusedRows() {
        return replica.refused();
    }

    /** Tombstones that were removed for good, since the start. */
    public long removedTombstones() {
        return tombstones.removed();
    }

    /** See {@link Tombstones#mayTidy}. Blocking. */
    public boolean mayTidy(sh.fazt.cartridge.change.Scope scope) {
        return tombstones.mayTidy(scope);
    }

    /** See {@link Tombstones#seenByAll}. */
    public long seenByAll() {
        return tombstones.seenByAll();
    }

    /** After the majority is lost for good: this node decides alone. Blocking. */
    public synchronized SwarmView recover() {
        ready();
        departure.recover(random);
        follow();
        return view();
    }

    /** Lets an observer vote; returns when it does. Blocking. */
    public SwarmView promote(String node) {
        ready();
        roles.promote(members.meant(node), part::tend);
        return view();
    }

    /** Lets a voter observe; returns when it is out of the group. Blocking. */
    public SwarmView demote(String node) {
        ready();
        roles.demote(members.meant(node), part::tend);
        return view();
    }

    /** Cuts this node's links, which are down when this returns, or lets them come up again. Blocking. */
    public void online(boolean on) {
        consequences.online(on);
    }

    /** The agreed names: label to app id; an empty id leads nowhere. */
    public Map<String, String> aliases() {
        Map<String, String> aliases = new LinkedHashMap<>();
        config.list(Records.ALIAS)
                .forEach(entry -> aliases.put(entry.key(), new String(entry.value(), StandardCharsets.UTF_8)));
        return aliases;
    }

    /** Lets a name lead to an app, or nowhere when the id is empty. Blocking. */
    public void alias(String label, String app) {
        ready();
        agreement.agree(() -> List.of(Op.set(
                records.entry(Records.ALIAS, label), Records.ALIAS, label, app.getBytes(StandardCharsets.UTF_8))));
    }

    // ---- how it looks ----

    /** How the swarm looks from here; never waits. */
    public SwarmView view() {
        return views.swarm();
    }

    /** Every member's link as it stands, with the member's name. Never waits. */
    public Map<SwarmView.Named, LinkState> linkStates() {
        return views.linkStates();
    }

    /** This node's clock beside its peers'; never waits. */
    public TimeView time() {
        return views.time();
    }

    /** What lies around this node; the first time it waits for answers, a second or two. Blocking. */
    public SurroundingsView surroundings() {
        return views.neighbours();
    }

    /** What the owner has set of links. */
    public LinkSettings linkSettings() {
        return links.settings();
    }

    /** What links have counted since the start. */
    public LinkCounters linkCounters() {
        return links.counters();
    }

    /**
     * Sets something of the link to a member, or of all; it holds at once and is kept. Blocking.
     *
     * @param peer a member's name, id or the beginning of its id, or {@link LinkSettings#DEFAULT}
     * @throws SwarmException saying what would be right
     */
    public void setLink(String peer, String key, String value) {
        ledger.set(peer.equals(LinkSettings.DEFAULT) ? null : members.meant(peer), key, value);
    }

    /** Names that one holder at a time has. Blocking while this node's part in the swarm opens. */
    public Leases leases() {
        ready();
        return leases;
    }

    /** Where apps are kept. */
    public Placements placements() {
        return placements;
    }

    /** Where apps are kept, and how far those are that keep them. Blocking. */
    public Placement.View placement() {
        return placements.view(sync, replica.vectors().keySet());
    }

    /** An app that is placed somewhere, by its name or id; null when none is. */
    public SwarmView.@Nullable Named placed(String app) {
        return placements.placed(app);
    }

    /** Has every member keep an app; some, by name or id, fetch its blobs when somebody asks for them. Blocking. */
    public Placement.View placeEverywhere(SwarmView.Named app, List<String> lazy) {
        ready();
        placements.everywhere(app, lazy);
        follow();
        return placement();
    }

    /** Has some members, by name or id, keep an app, some more lazily, and no others. Blocking. */
    public Placement.View placeOn(SwarmView.Named app, List<String> nodes, List<String> lazy) {
        ready();
        placements.on(app, nodes, lazy);
        follow();
        return placement();
    }

    /** Has the members with a label keep an app, and some, by name or id, lazily. Blocking. */
    public Placement.View placeByLabel(SwarmView.Named app, String label, List<String> lazy) {
        ready();
        placements.labelled(app, label, lazy);
        follow();
        return placement();
    }

    /** Sets a member's labels, as {@code key=value}, or takes them off, as {@code key-}. Blocking. */
    public Placement.View label(String node, List<String> changes) {
        ready();
        placements.label(members.meant(node), changes);
        follow();
        return placement();
    }

    /** Blobs that are left with peers until somebody asks for them. */
    public HeldBack heldBack() {
        return sync.heldBack();
    }

    /** Has a blob fetched that may be held back; never blocks. */
    public CompletionStage<HeldBack.Outcome> fetch(String blob, Duration patience) {
        return sync.fetch(blob, patience);
    }

    /**
     * Has everything fetched that is lacking of an app, or of all. Blocking.
     *
     * @throws SwarmException when another run is under way
     */
    public Syncing syncBlobs(@Nullable Scope scope) {
        Syncing runs = sync.syncBlobs(scope);
        if (!Objects.equals(runs.scope(), scope)) {
            throw new SwarmException(
                    SwarmException.Reason.CONFLICT,
                    "blobs of " + (runs.scope() == null ? "every app" : "another app")
                            + " are being fetched already: wait until that has ended, see \"fazt swarm sync\"");
        }
        return runs;
    }

    /** How far that is. */
    public Syncing syncing() {
        return sync.syncing();
    }

    /** A member by its id, with the name that it has or had. */
    public SwarmView.Named named(NodeId node) {
        return Members.named(node, members.all());
    }

    /** What the owner watches. */
    public Watch watch() {
        return watch;
    }

    /** What sync has found wrong, ever: equal vectors with unequal digests. */
    public long alarms() {
        return sync.alarms();
    }

    /** Says good-bye, hands over the lead, and ends. */
    @Override
    public void close() {
        closed = true;
        surroundings.close();
        raft.close();
        sayGoodbye();
        membership.close();
        sync.close();
        links.close();
        try {
            ledger.keep();
        } catch (RuntimeException e) {
            LOG.warn("what links have to remember is not kept why={}", e.getMessage());
        }
    }

    /** So that nobody has to find out by itself that this node is gone, as after a crash. */
    private void sayGoodbye() {
        try {
            membership.leave().toCompletableFuture().get(GOODBYE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) {
            LOG.debug("not all were told that this node stops", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
