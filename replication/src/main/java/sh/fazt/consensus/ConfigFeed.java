package sh.fazt.consensus;

import com.google.protobuf.InvalidProtocolBufferException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.identity.NodeId;
import sh.fazt.identity.NodeKey;
import sh.fazt.link.Channel;
import sh.fazt.link.LinkState;
import sh.fazt.link.Links;
import sh.fazt.protocol.consensus.v1.ConfigHead;
import sh.fazt.protocol.consensus.v1.FeedReply;
import sh.fazt.protocol.consensus.v1.FeedRequest;
import sh.fazt.protocol.consensus.v1.LeaderReply;
import sh.fazt.protocol.consensus.v1.Record;
import sh.fazt.protocol.consensus.v1.SignedConfig;

/**
 * What is agreed, for members outside the Raft group. A voter says that there is news; an observer fetches what
 * changed from any voter, signed, checks it against what it trusts already, and never goes back. It asks by itself too,
 * now and then, so that lost news only cost time. Thread-safe; what says so blocks.
 */
public final class ConfigFeed {
    private static final Logger LOG = LoggerFactory.getLogger(ConfigFeed.class);
    /** First octets on the channel; those of Raft itself are smaller. */
    static final byte ASK = 101;

    static final byte NEWS = 102;

    /** How often an observer asks without news, and for how long an answer says how the group is. */
    private static final Duration EVERY = Duration.ofSeconds(15);

    private static final Duration FRESH = Duration.ofSeconds(40);
    /** The same where each byte is paid for. */
    private static final Duration EVERY_METERED = Duration.ofMinutes(15);

    private static final Duration FRESH_METERED = Duration.ofMinutes(31);
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    /** What this room has to know of the swarm. */
    public interface Facts {
        String swarm();

        int epoch();

        /** Members that are voters as far as this node knows. */
        Set<NodeId> voters();

        /** Members that are not. */
        Set<NodeId> observers();

        /** Members that voted before a survivor was made to decide alone: they are believed of a later epoch. */
        Set<NodeId> former();

        /** The later epoch that this node gave its group up for: nothing older is believed; 0 when there is none. */
        int gaveWayTo();

        /** Whether this node pays for what it sends: then it relies on being told. */
        boolean metered();
    }

    /**
     * How a voter says that the group is. Immutable.
     *
     * @param epoch   the swarm's, in the signed head
     * @param quorum  whether the one asked can change config
     * @param voters  who is in its group
     * @param version of its config
     */
    public record Standing(NodeId from, int epoch, boolean quorum, Set<NodeId> voters, long version) {
        public Standing {
            voters = Set.copyOf(voters);
        }
    }

    private record Heard(RaftStatus status, NodeId from, long at) {}

    private final SwarmRaft raft;
    private final Links links;
    private final Facts facts;
    private final ConfigTeller teller;
    private volatile @Nullable Heard heard;
    private volatile boolean news = true;
    private final AtomicBoolean following = new AtomicBoolean();
    private volatile long tried;
    /** The next answer has to hold everything: a difference did not fit. */
    private boolean whole;

    public ConfigFeed(NodeKey key, SwarmRaft raft, Links links, Facts facts) {
        this.raft = raft;
        this.links = links;
        this.facts = facts;
        teller = new ConfigTeller(key, raft.store(), facts);
        raft.feed(this);
    }

    Facts facts() {
        return facts;
    }

    // ---- the voter's side ----

    /** Says to everybody who is linked and does not hear the log that there is news. Never waits. */
    public void tell() {
        if (raft.observing()) {
            return;
        }
        // Who shall vote from now on is no observer, but goes by the feed until it is in the group.
        Set<NodeId> outside = new HashSet<>(facts.voters());
        outside.removeAll(raft.status().voters());
        outside.addAll(facts.observers());
        for (LinkState state : links.states()) {
            if (state.up() && outside.contains(state.peer())) {
                links.ask(state.peer(), Channel.RAFT, new byte[] {NEWS}, PATIENCE)
                        .whenComplete((done, failed) -> {
                            if (failed != null) {
                                LOG.debug("news not taken by {}", state.peer().shortText(), failed);
                            }
                        });
            }
        }
    }

    byte[] serve(byte[] request) throws InvalidProtocolBufferException {
        if (request[0] == NEWS) {
            news = true;
            follow();
            return new byte[0];
        }
        RaftStatus status = raft.status();
        if (raft.observing() || !status.member()) {
            throw new IllegalStateException("this node is no voter");
        }
        return teller.answer(FeedRequest.parseFrom(ByteBuffer.wrap(request, 1, request.length - 1)), status)
                .toByteArray();
    }

    // ---- the observer's side ----

    /**
     * Fetches until there is no news. Every voter tells of every change: who comes while another fetches leaves it to
     * that one, or all threads would soon wait for their turn. What fails is tried again at the next turn.
     */
    private void follow() {
        while (news && raft.observing() && following.compareAndSet(false, true)) {
            try {
                if (!fetch()) {
                    return;
                }
            } finally {
                following.set(false);
            }
        }
    }

    /** A link came or went: what was heard may hold no more. */
    public void wake() {
        news = true;
    }

    /** An observer fetches when it is time to. Answers whether links came or went since the last turn. Blocking. */
    public boolean tend() {
        boolean woken = news;
        Heard last = heard;
        if (!raft.observing()) {
            news = false;
        } else if (woken || isOld(last)) {
            fetch();
        }
        return woken;
    }

    private boolean isOld(@Nullable Heard last) {
        long now = System.nanoTime();
        boolean told = last != null && last.status().quorum();
        if (facts.metered()) {
            // What is to be waited for costs each time it is asked for.
            return now - tried > (told ? EVERY_METERED : EVERY).toNanos();
        }
        return last == null || !told || now - last.at() > EVERY.toNanos();
    }

    /** Fetches what is new from the first voter that answers; tells whether one did. Blocking. */
    public synchronized boolean fetch() {
        news = false;
        tried = System.nanoTime();
        for (NodeId voter : reachable()) {
            try {
                FeedReply reply = ask(voter, whole);
                if (take(voter, reply)) {
                    return true;
                }
            } catch (SignedConfigs.ForgedConfigException e) {
                LOG.warn("a config is not believed from={} why={}", voter.shortText(), e.getMessage());
            } catch (InvalidProtocolBufferException | ExecutionException | TimeoutException e) {
                LOG.debug("{} tells nothing", voter.shortText(), e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                break;
            }
        }
        heard = null;
        return false;
    }

    /** Voters with a link, the leader first, and who voted once last. */
    private List<NodeId> reachable() {
        Heard last = heard;
        NodeId leader = last == null ? null : last.status().leader();
        Set<NodeId> known = new HashSet<>(facts.voters());
        known.addAll(facts.former());
        if (last != null) {
            known.addAll(last.status().voters());
        }
        List<NodeId> voters = new ArrayList<>();
        for (LinkState state : links.states()) {
            if (state.up() && known.contains(state.peer())) {
                voters.add(state.peer());
            }
        }
        Set<NodeId> now = facts.voters();
        voters.sort(Comparator.comparing((NodeId voter) -> !Objects.equals(voter, leader))
                .thenComparing(voter -> !now.contains(voter)));
        return voters;
    }

    private FeedReply ask(NodeId voter, boolean everything)
            throws InterruptedException, ExecutionException, TimeoutException, InvalidProtocolBufferException {
        byte[] body = FeedRequest.newBuilder()
                .setEpoch(facts.epoch())
                .setVersion(raft.store().version())
                .setWhole(everything)
                .build()
                .toByteArray();
        byte[] message = new byte[body.length + 1];
        message[0] = ASK;
        System.arraycopy(body, 0, message, 1, body.length);
        return FeedReply.parseFrom(links.ask(voter, Channel.RAFT, message, PATIENCE)
                .toCompletableFuture()
                .get(PATIENCE.toMillis() + 200, TimeUnit.MILLISECONDS));
    }

    private ConfigHead check(FeedReply reply) throws SignedConfigs.ForgedConfigException {
        SignedConfigs.Head signed = SignedConfigs.verify(reply.getConfig());
        boolean later = signed.head().getEpoch() > facts.epoch();
        if (!facts.voters().contains(signed.signer())
                && !(later && facts.former().contains(signed.signer()))) {
            throw new SignedConfigs.ForgedConfigException(
                    "node " + signed.signer().shortText() + ", which signed it, is no voter as far as this node knows");
        }
        if (!signed.head().getSwarm().equals(facts.swarm())) {
            throw new SignedConfigs.ForgedConfigException("it is of another swarm");
        }
        return signed.head();
    }

    private boolean take(NodeId from, FeedReply reply) throws SignedConfigs.ForgedConfigException {
        ConfigHead head = check(reply);
        long version = raft.store().version();
        boolean older = head.getEpoch() < Math.max(facts.epoch(), facts.gaveWayTo())
                || head.getEpoch() == facts.epoch() && head.getVersion() < version;
        if (older) {
            // This voter lags, or is of a part of the swarm that was given up.
            return false;
        }
        List<String> kinds = store(reply.getConfig(), head);
        if (kinds == null) {
            whole = true;
            news = true;
            return false;
        }
        whole = false;
        heard = new Heard(status(reply, head.getVersion()), from, System.nanoTime());
        if (!kinds.isEmpty()) {
            raft.changed(kinds);
        }
        return true;
    }

    private static RaftStatus status(FeedReply reply, long version) {
        return new RaftStatus(
                false,
                false,
                reply.getLeader().isEmpty() ? null : NodeId.parse(reply.getLeader()),
                reply.getTerm(),
                reply.getQuorum(),
                reply.getVotersList().stream().map(NodeId::parse).toList(),
                reply.getUnreachableList().stream().map(NodeId::parse).toList(),
                version);
    }

    /** Puts it into the cartridge; answers the kinds that changed, null when the result is not what was signed. */
    private @Nullable List<String> store(SignedConfig config, ConfigHead head) {
        Set<String> kinds = new HashSet<>();
        for (Record record : config.getChangedList()) {
            kinds.add(record.getKind());
        }
        for (Record record : config.getRemovedList()) {
            kinds.add(record.getKind());
        }
        boolean fits = raft.cartridge()
                .writeLocal(tx -> ConfigStore.follow(tx, config, head) || undo())
                .toCompletableFuture()
                .handle((done, failed) -> {
                    if (failed == null) {
                        return true;
                    }
                    LOG.debug("what was told is not what was signed", failed);
                    return false;
                })
                .join();
        return fits ? List.copyOf(kinds) : null;
    }

    /** Takes the transaction back. */
    private static boolean undo() {
        throw new IllegalStateException("the records don't have the digest that was signed");
    }

    /** Waits until this observer has that version, fetching it. Blocking. */
    boolean awaitVersion(long version, Duration patience) {
        long end = System.nanoTime() + patience.toNanos();
        while (raft.store().version() < version) {
            if (System.nanoTime() > end || Thread.interrupted()) {
                return false;
            }
            if (!fetch() || raft.store().version() < version) {
                LockSupport.parkNanos(20_000_000);
            }
        }
        return true;
    }

    /** Has voters, one after the other, take something to the leader; null when none did. Blocking. */
    @Nullable
    LeaderReply forward(byte[] message, Duration patience) throws InterruptedException {
        for (NodeId voter : reachable()) {
            try {
                LeaderReply reply = LeaderReply.parseFrom(links.ask(voter, Channel.RAFT, message, patience)
                        .toCompletableFuture()
                        .get(patience.toMillis() + 200, TimeUnit.MILLISECONDS));
                if (!reply.getNotLeader()) {
                    return reply;
                }
            } catch (InvalidProtocolBufferException | ExecutionException | TimeoutException e) {
                LOG.debug("{} did not pass it on", voter.shortText(), e);
            }
        }
        return null;
    }

    /** How the group is, as a voter said lately. */
    RaftStatus status() {
        Heard last = heard;
        if (last == null || System.nanoTime() - last.at() > (facts.metered() ? FRESH_METERED : FRESH).toNanos()) {
            List<NodeId> voters = facts.voters().stream().sorted().toList();
            return new RaftStatus(
                    false, false, null, 0, false, voters, voters, raft.store().version());
        }
        return last.status();
    }

    // ---- for a voter that is cut off from its group, or was taken out of it ----

    /** What linked voters say of the group, as far as they can be believed. Blocking. */
    public List<Standing> standings() {
        List<Standing> standings = new ArrayList<>();
        for (NodeId voter : reachable()) {
            try {
                FeedReply reply = ask(voter, false);
                ConfigHead head = check(reply);
                Set<NodeId> voters = new HashSet<>();
                reply.getVotersList().forEach(id -> voters.add(NodeId.parse(id)));
                standings.add(new Standing(voter, head.getEpoch(), reply.getQuorum(), voters, head.getVersion()));
            } catch (SignedConfigs.ForgedConfigException
                    | InvalidProtocolBufferException
                    | ExecutionException
                    | TimeoutException e) {
                LOG.debug("{} says nothing of the group", voter.shortText(), e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                break;
            }
        }
        return standings;
    }
}
