package sh.fazt.swarm;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.blob.Blobs;
import sh.fazt.cartridge.SchemaPart;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.consensus.ConfigEntry;
import sh.fazt.consensus.ConsensusException;
import sh.fazt.consensus.NoQuorumException;
import sh.fazt.consensus.RaftStatus;
import sh.fazt.consensus.SwarmConfig;
import sh.fazt.consensus.SwarmConfig.Op;
import sh.fazt.consensus.SwarmRaft;
import sh.fazt.identity.IdentityException;
import sh.fazt.identity.JoinToken;
import sh.fazt.identity.NodeId;
import sh.fazt.identity.NodeKey;
import sh.fazt.link.Applicant;
import sh.fazt.link.Channel;
import sh.fazt.link.ClockOffsets;
import sh.fazt.link.GrpcLinks;
import sh.fazt.link.JoinAnswer;
import sh.fazt.link.JoinCall;
import sh.fazt.link.JoinRefusal;
import sh.fazt.link.LinkConfig;
import sh.fazt.link.LinkCounters;
import sh.fazt.link.LinkSettings;
import sh.fazt.link.LinkState;
import sh.fazt.link.Links;
import sh.fazt.membership.MemberMetadata;
import sh.fazt.membership.MembersSnapshot;
import sh.fazt.membership.MembershipService;
import sh.fazt.protocol.swarm.v1.Admission;
import sh.fazt.protocol.swarm.v1.Ask;
import sh.fazt.protocol.swarm.v1.MemberRecord;
import sh.fazt.protocol.swarm.v1.SwarmRecord;
import sh.fazt.protocol.swarm.v1.TokenRecord;
import sh.fazt.sync.SyncService;

/**
 * One node's part in its swarm. What is agreed (members) decides whom the links trust; everything else follows
 * from that. A new node is a swarm of one. Thread-safe; methods that change something block and run where that is
 * allowed, one at a time.
 */
public final class Swarm implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Swarm.class);
    private static final Duration ASK = Duration.ofSeconds(20);
    private static final Duration CATCH_UP = Duration.ofMinutes(25);
    private static final Duration JOIN_CALL = Duration.ofSeconds(25);
    /** Kept while a join is not completed: whom to dial before the log is heard. */
    private static final String ADMISSION = "admission";

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
    private final SyncService sync;
    private final SwarmRaft raft;
    private final SwarmConfig config;
    private final Records records;
    private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
    private final CompletableFuture<Void> opened = new CompletableFuture<>();

    private volatile String swarmId = "";
    /** Members that were read with an admission, until the log brings them. */
    private volatile Map<NodeId, MemberRecord> admission = Map.of();

    private volatile boolean wantsToVote;
    private volatile boolean announced;
    private volatile boolean online = true;
    private volatile boolean closed;

    /** What the swarm keeps in the cartridge. */
    public static List<SchemaPart> schemas() {
        return List.of(
                SwarmRaft.schema(),
                LinkLedger.SCHEMA,
                new SchemaPart(
                        "swarm",
                        List.of("CREATE TABLE swarm_state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"),
                        List.of()));
    }

    /**
     * @param swarm one thread: links, membership and sync decide on it
     * @param io    may block; twenty threads are plenty
     */
    public Swarm(
            NodeKey key,
            SwarmOptions options,
            SqliteCartridge cartridge,
            Blobs blobs,
            InstantSource clock,
            SecureRandom random,
            ThreadFactory linkThreads,
            ScheduledExecutorService swarm,
            ExecutorService io) {
        this.key = key;
        this.options = options;
        this.cartridge = cartridge;
        this.clock = clock;
        this.random = random;
        this.swarm = swarm;
        this.io = io;
        Desk[] desk = new Desk[1];
        links = new GrpcLinks(LinkConfig.of(key, () -> swarmId, linkThreads, swarm, io, clock, System::nanoTime, random)
                .withAddress(options.bind(), options.port(), options.addresses())
                .withServices(options.services(), options.interceptors())
                .withDesk(application -> desk[0].admit(application))
                .withOnCopy(text -> LOG.error("two live nodes have this key why={}", text)));
        ledger = new LinkLedger(cartridge, links);
        membership = new MembershipService(
                key.id(), metadata(), options.membership(), links, swarm, clock, System::nanoTime, random);
        sync = new SyncService(cartridge.replica(), blobs, links, swarm, io, System::nanoTime);
        cartridge.listen(sync);
        raft = new SwarmRaft(key.id(), cartridge, options.raft(), links, options.timings(), io, swarm, random);
        config = new SwarmConfig(raft);
        records = new Records(config);
        desk[0] = new Desk(records, config, raft, clock, io);
        links.handle(Channel.SWARM, new Links.Handler() {
            @Override
            public void message(NodeId from, byte[] message) {
                // Facades only ask.
            }

            @Override
            public CompletionStage<byte[]> request(NodeId from, byte[] request) {
                return answer(from, request);
            }
        });
        links.listen(new Links.Listener() {
            @Override
            public void up(NodeId peer) {
                changed();
            }

            @Override
            public void down(NodeId peer, String reason) {
                LOG.info("link down peer={} why={}", peer.shortText(), reason);
                changed();
            }
        });
        membership.listen(snapshot -> changed());
        raft.listen(kinds -> io.execute(this::follow));
    }

    private MemberMetadata metadata() {
        return new MemberMetadata(
                options.name(), options.httpAddress(), options.addresses(), options.version(), Map.of());
    }

    /** Opens the swarm port and, in the background, the group; returns as soon as the port is open. */
    public void start() {
        ledger.restore();
        follow();
        links.start();
        ledger.restoreBooks();
        io.execute(this::open);
        swarm.scheduleWithFixedDelay(this::tick, 250, 250, TimeUnit.MILLISECONDS);
        swarm.scheduleWithFixedDelay(() -> io.execute(this::askToVote), 1, 1, TimeUnit.SECONDS);
        swarm.scheduleWithFixedDelay(() -> io.execute(this::keepLinks), 20, 20, TimeUnit.SECONDS);
    }

    /** The swarm port. */
    public int port() {
        return links.port();
    }

    private void open() {
        try {
            restoreAdmission();
            if (raft.groupId() == null) {
                found(options.name());
            } else if (!raft.open()) {
                boolean alone = records.members().size() <= 1 && admission.isEmpty();
                LOG.warn("this node's vote is lost: it goes on as a new incarnation alone={}", alone);
                raft.rejoin(alone);
                wantsToVote = !alone;
            }
            follow();
            opened.complete(null);
        } catch (RuntimeException e) {
            LOG.error("the swarm's group can't be opened; data is replicated all the same", e);
            opened.completeExceptionally(e);
        }
    }

    /** A swarm of this node alone. */
    private void found(String name) {
        raft.initialise();
        byte[] id = new byte[10];
        random.nextBytes(id);
        SwarmRecord swarmRecord = SwarmRecord.newBuilder()
                .setId(NodeText.base32(id))
                .setName(name)
                .setEpoch(1)
                .build();
        require(config.propose(List.of(
                Op.set(
                        records.entry(Records.SWARM, Records.SWARM),
                        Records.SWARM,
                        Records.SWARM,
                        swarmRecord.toByteArray()),
                Op.set(
                        records.entry(Records.MEMBER, key.id().toString()),
                        Records.MEMBER,
                        key.id().toString(),
                        self(options.name()).toByteArray()))));
        follow();
    }

    private MemberRecord self(String name) {
        return MemberRecord.newBuilder()
                .setName(name)
                .addAllAddresses(options.addresses())
                .build();
    }

    /** Lets everything follow from what is agreed: whom the links trust, who is probed, who is told. */
    private void follow() {
        synchronized (listeners) {
            if (!closed) {
                followNow();
            }
        }
    }

    private void followNow() {
        Map<NodeId, MemberRecord> members = members();
        SwarmRecord record = records.swarm();
        if (record != null) {
            swarmId = record.getId();
        }
        Map<NodeId, List<String>> trusted = new HashMap<>();
        Map<NodeId, MemberMetadata> admitted = new LinkedHashMap<>();
        members.forEach((id, member) -> {
            admitted.put(id, MemberMetadata.named(member.getName()));
            if (!id.equals(key.id()) && online) {
                trusted.put(id, List.copyOf(member.getAddressesList()));
            }
        });
        for (LinkState state : links.states()) {
            if (!members.containsKey(state.peer())) {
                sync.forget(state.peer());
            }
        }
        links.trust(trusted);
        membership.admitted(admitted);
        changed();
    }

    private Map<NodeId, MemberRecord> members() {
        Map<NodeId, MemberRecord> agreed = records.members();
        return agreed.isEmpty() ? admission : agreed;
    }

    private void changed() {
        listeners.forEach(Runnable::run);
    }

    /** Told, on any thread, that members, links, the leader or names changed; must hand over and return. */
    public void listen(Runnable listener) {
        listeners.add(listener);
    }

    private void tick() {
        sync.tick();
        cartridge.clock().correct(ClockOffsets.correctionMillis(links.states()));
    }

    private void ready() {
        try {
            opened.get(30, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SwarmException(SwarmException.Reason.TIMEOUT, "interrupted");
        } catch (ExecutionException | TimeoutException e) {
            throw new SwarmException(
                    SwarmException.Reason.TIMEOUT,
                    "this node's part in the swarm is not open yet: look into its log, then try again");
        }
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
            agree(() -> {
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
    public JoinToken token(Duration timeToLive) {
        ready();
        if (timeToLive.isNegative() || timeToLive.isZero() || timeToLive.compareTo(Duration.ofDays(30)) > 0) {
            throw new SwarmException(
                    SwarmException.Reason.INVALID, "a token is good for more than nothing and at most 30 days");
        }
        Instant now = clock.instant();
        JoinToken token = JoinToken.mint(swarmId, key.id(), options.addresses(), now, timeToLive, random);
        TokenRecord record = TokenRecord.newBuilder()
                .setSecret(ByteString.copyFrom(token.secret()))
                .setExpiresAtSeconds(token.expiresAtSeconds())
                .build();
        agree(() -> {
            List<Op> ops = new ArrayList<>();
            ops.add(Op.set(null, Records.TOKEN, token.tokenId(), record.toByteArray()));
            for (ConfigEntry old : config.list(Records.TOKEN)) {
                if (Records.token(old).getExpiresAtSeconds() < now.getEpochSecond() - 86_400) {
                    ops.add(Op.delete(old));
                }
            }
            return ops;
        });
        return token;
    }

    /** Joins the swarm that issued the token; returns when this node is a member and has caught up. Blocking. */
    public synchronized SwarmView join(String text) {
        ready();
        JoinToken token;
        try {
            token = JoinToken.parse(text);
        } catch (IdentityException e) {
            throw new SwarmException(SwarmException.Reason.BAD_TOKEN, String.valueOf(e.getMessage()));
        }
        if (members().size() > 1) {
            throw new SwarmException(
                    SwarmException.Reason.IN_SWARM,
                    "this node is in swarm " + view().swarm().name() + " with "
                            + (members().size() - 1) + " others: \"fazt swarm leave\" first");
        }
        if (token.issuer().equals(key.id())) {
            throw new SwarmException(
                    SwarmException.Reason.BAD_TOKEN,
                    "this node issued that token itself: use it on the node that shall join");
        }
        Admission admitted = apply(token);
        String groupBefore = raft.groupId();
        LOG.info("admitted swarm={} members={}", admitted.getSwarm().getName(), admitted.getMembersCount());
        keepAdmission(admitted);
        raft.prepareJoin(admitted.getGroup());
        // What this node alone knew of its owner gives way to what the swarm knows.
        cartridge.forget(Scope.SYSTEM).toCompletableFuture().join();
        wantsToVote = true;
        follow();
        links.redial();
        LOG.info("left its own group={} for group={}", groupBefore, admitted.getGroup());
        awaitCatchUp();
        return view();
    }

    private Admission apply(JoinToken token) {
        JoinAnswer answer = JoinCall.join(token, key, new Applicant(options.name(), options.addresses()), JOIN_CALL, io)
                .toCompletableFuture()
                .join();
        if (answer instanceof JoinAnswer.Refused refused) {
            throw new SwarmException(reason(refused.reason()), refused.message());
        }
        try {
            return Admission.parseFrom(((JoinAnswer.Admitted) answer).admission());
        } catch (InvalidProtocolBufferException e) {
            throw new SwarmException(
                    SwarmException.Reason.UNREACHABLE,
                    "the issuer answered something that this fazt does not understand");
        }
    }

    private static SwarmException.Reason reason(JoinRefusal refusal) {
        return switch (refusal) {
            case EXPIRED, USED, UNKNOWN_TOKEN, OTHER_SWARM, BAD_PROOF, WRONG_KEY -> SwarmException.Reason.BAD_TOKEN;
            case NO_QUORUM -> SwarmException.Reason.NO_QUORUM;
            case ALREADY_MEMBER -> SwarmException.Reason.IN_SWARM;
            case BUSY, NOT_UNDERSTOOD, UNREACHABLE -> SwarmException.Reason.UNREACHABLE;
        };
    }

    private void awaitCatchUp() {
        long end = System.nanoTime() + CATCH_UP.toNanos();
        boolean voted = false;
        while (System.nanoTime() < end && !closed) {
            askToVote();
            voted = raft.status().voters().contains(key.id())
                    && records.members().containsKey(key.id());
            if (voted && sync.caughtUp()) {
                return;
            }
            LockSupport.parkNanos(50_000_000);
        }
        throw new SwarmException(
                SwarmException.Reason.TIMEOUT,
                voted
                        ? "this node is a member but has not caught up yet; it goes on in the background: see"
                                + " \"fazt swarm status\""
                        : "this node was admitted but can't be reached by its swarm yet; it goes on trying: see"
                                + " \"fazt swarm status\"");
    }

    private void keepAdmission(Admission admitted) {
        cartridge
                .writeLocal(tx -> tx.execute(
                        "INSERT INTO swarm_state VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                        ADMISSION,
                        Base64.getEncoder().encodeToString(admitted.toByteArray())))
                .toCompletableFuture()
                .join();
        use(admitted);
    }

    private void use(Admission admitted) {
        Map<NodeId, MemberRecord> members = new LinkedHashMap<>();
        admitted.getMembersMap().forEach((id, member) -> members.put(NodeId.parse(id), member));
        admission = members;
        swarmId = admitted.getSwarm().getId();
    }

    private String keptAdmission() {
        return cartridge.read(
                rows -> rows.first("SELECT value FROM swarm_state WHERE name = ?", row -> row.text(0), ADMISSION)
                        .orElse(""));
    }

    /** Whether this node is a swarm of one: in no other, and not about to be. */
    public boolean isAlone() {
        return records.members().size() <= 1 && keptAdmission().isEmpty();
    }

    /** A join that was interrupted goes on. */
    private void restoreAdmission() {
        String kept = keptAdmission();
        if (!kept.isEmpty()) {
            try {
                use(Admission.parseFrom(Base64.getDecoder().decode(kept)));
                wantsToVote = true;
            } catch (InvalidProtocolBufferException e) {
                LOG.warn("a kept admission is damaged and ignored", e);
            }
        }
    }

    private void forgetAdmission() {
        admission = Map.of();
        cartridge
                .writeLocal(tx -> tx.execute("DELETE FROM swarm_state WHERE name = ?", ADMISSION))
                .toCompletableFuture()
                .join();
    }

    /** While this node is no voter though it shall be one, it asks whoever it is linked to. */
    private void askToVote() {
        if (closed) {
            return;
        }
        if (!wantsToVote) {
            announce();
            return;
        }
        if (raft.status().voters().contains(key.id()) && raft.status().quorum()) {
            wantsToVote = false;
            forgetAdmission();
            follow();
            return;
        }
        Ask ask = Ask.newBuilder().setAddMe(raft.peerId()).build();
        for (LinkState state : links.states()) {
            if (state.up()) {
                try {
                    links.ask(state.peer(), Channel.SWARM, ask.toByteArray(), ASK)
                            .toCompletableFuture()
                            .join();
                    return;
                } catch (CompletionException e) {
                    LOG.debug("could not be added by {}", state.peer().shortText(), e);
                }
            }
        }
    }

    /** Where this node can be dialled is agreed too: after a move the record follows, once there is a quorum. */
    private void announce() {
        if (announced || !opened.isDone() || !raft.status().quorum()) {
            return;
        }
        ConfigEntry entry = records.entry(Records.MEMBER, key.id().toString());
        MemberRecord now = records.members().get(key.id());
        if (entry == null || now == null) {
            return;
        }
        if (!now.getAddressesList().equals(options.addresses())) {
            try {
                config.propose(List.of(Op.set(
                        entry, Records.MEMBER, entry.key(), self(now.getName()).toByteArray())));
            } catch (ConsensusException e) {
                LOG.debug("the new addresses are not agreed yet", e);
                return;
            }
        } else {
            announced = true;
        }
    }

    /** Leaves; this node is a swarm of one again, with all its data. Blocking. */
    public synchronized SwarmView leave() {
        ready();
        if (members().size() <= 1) {
            throw new SwarmException(
                    SwarmException.Reason.ALONE, "this node is a swarm of one: there is nothing to leave");
        }
        RaftStatus status = raft.status();
        if (!status.quorum()) {
            throw noQuorum(
                    "leave the swarm", status.unreachable(), status.voters().size());
        }
        guarded("leave the swarm", () -> {
            raft.removeVoter(key.id());
            return true;
        });
        boolean told = false;
        for (LinkState state : links.states()) {
            if (state.up() && !told) {
                try {
                    Ask ask = Ask.newBuilder().setForgetMe(true).build();
                    links.ask(state.peer(), Channel.SWARM, ask.toByteArray(), ASK)
                            .toCompletableFuture()
                            .join();
                    told = true;
                } catch (CompletionException e) {
                    LOG.debug("{} did not take the good-bye", state.peer().shortText(), e);
                }
            }
        }
        startOver();
        if (!told) {
            LOG.warn("left without good-bye: the others still list this node");
        }
        return view();
    }

    private void startOver() {
        membership.leave();
        raft.forget();
        forgetAdmission();
        wantsToVote = false;
        follow();
        found(options.name());
    }

    /** After the majority is lost for good: this node decides alone. Blocking. */
    public synchronized SwarmView recover() {
        ready();
        if (members().size() <= 1) {
            throw new SwarmException(SwarmException.Reason.ALONE, "this node decides alone already");
        }
        if (raft.status().quorum()) {
            throw new SwarmException(
                    SwarmException.Reason.INVALID,
                    "the swarm has its quorum: there is nothing to recover. To take a member out, let it leave");
        }
        guarded("recover", () -> {
            raft.recoverForce();
            return true;
        });
        agree(() -> {
            List<Op> ops = new ArrayList<>();
            ConfigEntry entry = records.entry(Records.SWARM, Records.SWARM);
            SwarmRecord record = records.swarm();
            if (entry != null && record != null) {
                ops.add(Op.set(
                        entry,
                        Records.SWARM,
                        Records.SWARM,
                        record.toBuilder()
                                .setEpoch(record.getEpoch() + 1)
                                .build()
                                .toByteArray()));
            }
            for (ConfigEntry member : config.list(Records.MEMBER)) {
                if (!member.key().equals(key.id().toString())) {
                    ops.add(Op.delete(member));
                }
            }
            return ops;
        });
        follow();
        return view();
    }

    /** Cuts this node's links, or lets them come up again. */
    public void online(boolean on) {
        online = on;
        follow();
        if (on) {
            links.redial();
        }
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
        agree(() -> List.of(Op.set(
                records.entry(Records.ALIAS, label), Records.ALIAS, label, app.getBytes(StandardCharsets.UTF_8))));
    }

    private interface Change {
        List<Op> ops();
    }

    private interface Guarded<T> {
        T run();
    }

    /** Reads, proposes, and again when somebody was faster. */
    private void agree(Change change) {
        for (int i = 0; i < 5; i++) {
            SwarmConfig.Result result = guarded("change this", () -> config.propose(change.ops()));
            if (result instanceof SwarmConfig.Result.Applied) {
                return;
            }
        }
        throw new SwarmException(
                SwarmException.Reason.CONFLICT, "others change the same at this moment: look, then try again");
    }

    private static void require(SwarmConfig.Result result) {
        if (!(result instanceof SwarmConfig.Result.Applied)) {
            throw new IllegalStateException("a swarm of one can't be in conflict with itself: " + result);
        }
    }

    private <T> T guarded(String what, Guarded<T> action) {
        try {
            return action.run();
        } catch (NoQuorumException e) {
            throw noQuorum(what, e.missing(), e.voters());
        } catch (ConsensusException e) {
            throw new SwarmException(SwarmException.Reason.TIMEOUT, "can't " + what + ": " + e.getMessage());
        }
    }

    private SwarmException noQuorum(String what, List<NodeId> missing, int voters) {
        Map<NodeId, MemberRecord> members = members();
        List<String> names = new ArrayList<>();
        for (NodeId id : missing) {
            MemberRecord member = members.get(id);
            names.add(member == null ? id.shortText() : member.getName());
        }
        return new SwarmException(
                SwarmException.Reason.NO_QUORUM,
                "can't " + what + " without a quorum: "
                        + names.stream().sorted().collect(Collectors.joining(", ")) + " of " + voters
                        + " voters don't answer. Members and aliases stay as they are until a majority is back;"
                        + " sites, apps, deploys and data go on working meanwhile");
    }

    // ---- what other members ask ----

    private CompletionStage<byte[]> answer(NodeId from, byte[] request) {
        CompletableFuture<byte[]> answer = new CompletableFuture<>();
        io.execute(() -> {
            try {
                Ask ask = Ask.parseFrom(request);
                if (!records.members().containsKey(from)) {
                    throw new IllegalStateException("you are no member of this swarm");
                }
                if (!ask.getAddMe().isEmpty()) {
                    if (!ask.getAddMe().startsWith(from + ".")) {
                        throw new IllegalStateException("a node speaks for itself only");
                    }
                    raft.addVoter(from, ask.getAddMe());
                } else if (ask.getForgetMe()) {
                    ConfigEntry entry = records.entry(Records.MEMBER, from.toString());
                    if (entry != null) {
                        config.propose(List.of(Op.delete(entry)));
                    }
                }
                answer.complete(new byte[0]);
            } catch (InvalidProtocolBufferException | RuntimeException e) {
                answer.completeExceptionally(e);
            }
        });
        return answer;
    }

    // ---- how it looks ----

    /** How the swarm looks from here; never waits. */
    public SwarmView view() {
        SwarmRecord record = records.swarm();
        Map<NodeId, MemberRecord> members = members();
        RaftStatus status = raft.status();
        NodeId leader = status.leader();
        MembersSnapshot snapshot = membership.snapshot();
        Map<NodeId, SyncService.Progress> progress = sync.progress();
        Map<NodeId, LinkState> state = new HashMap<>();
        links.states().forEach(link -> state.put(link.peer(), link));
        List<SwarmView.Member> list = new ArrayList<>();
        members.forEach((id, member) -> {
            boolean self = id.equals(key.id());
            LinkState link = state.get(id);
            SyncService.Progress behind = progress.get(id);
            list.add(new SwarmView.Member(
                    new SwarmView.Named(id.toString(), member.getName()),
                    Objects.equals(id, leader) ? "leader" : status.voters().contains(id) ? "voter" : "joining",
                    self
                            ? "alive"
                            : snapshot.state(id)
                                    .map(s -> s.name().toLowerCase(Locale.ROOT))
                                    .orElse("suspect"),
                    member.getAddressesCount() == 0 ? "" : member.getAddresses(0),
                    self || link == null || !link.up() ? null : link.roundTrip(),
                    self ? Long.valueOf(0) : behind == null ? null : Long.valueOf(behind.behind()),
                    self || behind == null ? 0 : behind.behindBytes()));
        });
        MemberRecord leading = leader == null ? null : members.get(leader);
        MemberRecord me = members.get(key.id());
        return new SwarmView(
                new SwarmView.Named(swarmId, record == null ? "" : record.getName()),
                new SwarmView.Named(key.id().toString(), me == null ? options.name() : me.getName()),
                leader == null
                        ? null
                        : new SwarmView.Named(leader.toString(), leading == null ? "" : leading.getName()),
                status.quorum(),
                list);
    }

    private void keepLinks() {
        try {
            ledger.keep();
        } catch (RuntimeException e) {
            LOG.warn("what links have to remember is not kept", e);
        }
    }

    /** Every member's link as it stands, with the member's name. Never waits. */
    public Map<SwarmView.Named, LinkState> linkStates() {
        Map<NodeId, MemberRecord> members = members();
        Map<SwarmView.Named, LinkState> states = new LinkedHashMap<>();
        for (LinkState state : links.states()) {
            MemberRecord member = members.get(state.peer());
            states.put(new SwarmView.Named(state.peer().toString(), member == null ? "" : member.getName()), state);
        }
        return states;
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
        ledger.set(peer.equals(LinkSettings.DEFAULT) ? null : member(peer), key, value);
    }

    /** The member that is meant by a name, an id or the beginning of an id. */
    private NodeId member(String text) {
        Map<NodeId, MemberRecord> members = members();
        List<NodeId> meant = members.entrySet().stream()
                .filter(entry -> entry.getValue().getName().equals(text)
                        || (text.length() >= 4 && entry.getKey().toString().startsWith(text)))
                .map(Map.Entry::getKey)
                .toList();
        if (meant.size() == 1) {
            return meant.get(0);
        }
        if (meant.isEmpty()) {
            throw new SwarmException(
                    SwarmException.Reason.NOT_FOUND,
                    "there is no member \"" + text + "\": see \"fazt swarm status\" for names and ids");
        }
        throw new SwarmException(
                SwarmException.Reason.INVALID,
                "\"" + text + "\" is the name of " + meant.size() + " members: use the id, as "
                        + meant.get(0).shortText());
    }

    /** What sync has found wrong, ever: equal vectors with unequal digests. */
    public long alarms() {
        return sync.alarms();
    }

    /** Says good-bye, hands over the lead, and ends. */
    @Override
    public void close() {
        closed = true;
        raft.close();
        membership.close();
        sync.close();
        links.close();
        keepLinks();
    }
}
