package sh.fazt.membership;

import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import sh.fazt.identity.NodeId;
import sh.fazt.membership.Probes.Probe;
import sh.fazt.membership.Probes.Relay;
import sh.fazt.membership.Roster.Entry;
import sh.fazt.protocol.membership.v1.IndirectPing;
import sh.fazt.protocol.membership.v1.Packet;

/**
 * SWIM with Lifeguard, pure: it neither waits nor sends, but says what it wants.
 *
 * <p>Each period one member is pinged; without an answer others are asked to ping it; without any, it is
 * suspected, and declared dead unless it refutes in time by speaking with a higher incarnation. Claims of one
 * member are totally ordered by incarnation, then by the rank of the state, and each node keeps the highest
 * it has heard: the order in which claims arrive does not matter. A claim about the receiver itself rides on
 * every message to it while it is held for anything but alive, so that whoever can be reached can refute. A link that
 * breaks or falls silent only brings the next probe forward. The dead are asked again, rarely, for ever.
 *
 * <p>Sources: Das, Gupta, Motivala, "SWIM" (2002); Dadgar, Phillips, Currey, "Lifeguard" (2018). Confined to
 * one thread. Same events, times and chance give the same effects.
 */
public class Membership {
    /** How many suspects are asked again at a time: bounds the traffic when half the swarm is gone. */
    private static final int SUSPECTS_AT_ONCE = 3;

    private static final int MAX_RELAYS = 256;
    /** No alarm comes sooner: whatever is overdue can't make the thread spin. */
    private static final long MIN_WAKE_NANOS = 1_000_000;

    private static final long LINK_EXCHANGE_GAP_NANOS = 1_000_000_000L;

    private final NodeId self;
    private MembershipConfig config;
    private final RandomGenerator random;
    private final Roster roster;
    private final Probes probes = new Probes();
    private final Outbox out;
    private final LocalHealth health;

    private MemberState ownState = MemberState.ALIVE;
    private long incarnation;
    private MemberMetadata metadata;

    private long now;
    private boolean started;
    private long nextProbe;
    private long nextSuspectProbe;
    private long nextGossip;
    private long nextExchange;
    private long nextDeadProbe;
    private long lastLinkExchange;
    private long lastSilent;
    private long wake = Long.MAX_VALUE;

    private long received;
    private long garbage;
    private long strangers;
    private long suspicions;
    private long deaths;
    private long refutations;
    private long late;

    /**
     * @param incarnation where to begin, at least 1; higher than in an earlier life saves a refutation, so the
     *     wall clock's milliseconds are a good choice: of two lives within one second each has its own
     */
    public Membership(
            NodeId self,
            MemberMetadata metadata,
            long incarnation,
            MembershipConfig config,
            RandomGenerator random,
            long nowNanos) {
        if (incarnation < 1) {
            throw new IllegalArgumentException("an incarnation begins at 1 or higher, not " + incarnation);
        }
        this.self = self;
        this.metadata = metadata;
        this.incarnation = incarnation;
        this.config = config;
        this.random = random;
        this.roster = new Roster(random);
        this.out = new Outbox(roster, config);
        this.health = new LocalHealth(config.healthMax());
        this.now = nowNanos;
        this.lastLinkExchange = nowNanos - LINK_EXCHANGE_GAP_NANOS;
        this.lastSilent = nowNanos - config.probePeriod().toNanos();
    }

    // ---- door ----

    /** Takes in what happened and returns what to do, in order. Time never goes back. */
    public List<MembershipEffect> step(MembershipEvent event, long nowNanos) {
        noticeLateness(nowNanos);
        now = nowNanos;
        if (event instanceof MembershipEvent.Received message) {
            receive(message.from(), message.message());
        } else if (event instanceof MembershipEvent.Admitted admitted) {
            admit(admitted.members());
        } else if (event instanceof MembershipEvent.LinkUp up) {
            linkUp(up.peer());
        } else if (event instanceof MembershipEvent.LinkDown down) {
            linkDown(down.peer());
        } else if (event instanceof MembershipEvent.Silent silent) {
            silent(silent.peer());
        } else if (event instanceof MembershipEvent.Describe described) {
            metadata = described.metadata();
            speak(ownState);
        } else if (event instanceof MembershipEvent.Sleep sleep) {
            speak(sleep.asleep() ? MemberState.AWAY : MemberState.ALIVE);
            nextExchange = now + (sleep.asleep() ? config.awayPeriod() : config.probePeriod()).toNanos();
            tellNow();
        } else if (event instanceof MembershipEvent.Pace pace) {
            pace(pace.config());
        } else if (event instanceof MembershipEvent.Leave) {
            speak(MemberState.LEFT);
            tellNow();
        }
        doWhatIsDue();
        wake = nextWake();
        return out.drain();
    }

    /** When to step with {@link MembershipEvent.Tick} at the latest; {@link Long#MAX_VALUE} when never. */
    public long wakeNanos() {
        return wake;
    }

    /** This node as it presents itself. */
    public Member self() {
        return new Member(self, ownState, incarnation, metadata);
    }

    /** What is believed of the others, in the order of their ids. */
    public List<Member> others() {
        return roster.all().stream().map(Entry::member).toList();
    }

    /** Nanoseconds at which a message last came from the member, or null. */
    public @Nullable Long lastHeardNanos(NodeId id) {
        Entry entry = roster.get(id);
        return entry == null || !entry.heard ? null : entry.lastHeardNanos;
    }

    public MembershipCounters counters() {
        return new MembershipCounters(
                out.sent(), received, garbage, strangers, suspicions, deaths, refutations, late, health.score());
    }

    // ---- rules that a test may break, to see that its checkers notice ----

    /** Whether a claim wins over what is believed. */
    boolean supersedes(Claim claim, MemberState state, long than) {
        return claim.incarnation() > than
                || (claim.incarnation() == than && claim.state().compareTo(state) > 0);
    }

    /** Says that this node lives, over a claim that it does not. */
    void refute(Claim claim) {
        refutations++;
        if (claim.state() == MemberState.SUSPECT || claim.state() == MemberState.DEAD) {
            health.worse(1);
        }
        incarnation = Math.max(incarnation, claim.incarnation());
        speak(ownState);
        for (NodeId accuser : claim.accusers()) {
            if (roster.get(accuser) != null) {
                out.gossip(accuser, own());
            }
        }
    }

    /** Ends the suspicions that nobody refuted. */
    void expireSuspicions() {
        for (Entry entry : roster.all()) {
            Suspicion running = entry.suspicion;
            if (running != null && running.deadlineNanos() <= now) {
                deaths++;
                believe(entry, new Claim(entry.id, MemberState.DEAD, entry.incarnation, List.of(), null, 0));
            }
        }
    }

    /** Asks one of the dead whether it is back. */
    void probeDead() {
        Entry dead = roster.nextDead();
        if (dead != null) {
            out.ping(dead, probes.unanswered());
        }
    }

    // ---- what happens ----

    /** What is due comes by the new constants; what runs ends by those that it began with. */
    private void pace(MembershipConfig next) {
        config = next;
        nextProbe = Math.min(nextProbe, now + next.probePeriod().toNanos());
        nextSuspectProbe = Math.min(nextSuspectProbe, now + next.probeTimeout().toNanos());
        nextDeadProbe = Math.min(nextDeadProbe, now + next.deadProbePeriod().toNanos());
        if (!isQuiet()) {
            nextExchange = Math.min(nextExchange, now + next.exchangePeriod().toNanos());
        }
    }

    private void admit(Map<NodeId, MemberMetadata> admitted) {
        for (NodeId id : roster.all().stream().map(entry -> entry.id).toList()) {
            if (!admitted.containsKey(id)) {
                roster.remove(id);
                probes.forget(id);
                out.removed(id);
            }
        }
        for (NodeId id : admitted.keySet().stream().sorted().toList()) {
            MemberMetadata known = admitted.get(id);
            Entry entry = roster.get(id);
            if (id.equals(self) || known == null) {
                continue;
            }
            if (entry == null) {
                // Not alive before it was heard: until then a suspect whom nobody accuses.
                entry = roster.add(id, known);
                entry.suspicion = suspicion(List.of());
                out.changed(entry.member());
            } else if (entry.metadataIncarnation == 0 && !entry.metadata.equals(known)) {
                entry.metadata = known;
                out.changed(entry.member());
            }
        }
        if (!started && roster.size() > 0) {
            started = true;
            nextProbe = now + chance(config.probePeriod().toNanos());
            nextSuspectProbe = now + chance(retryNanos());
            nextExchange = now + chance(config.probePeriod().toNanos());
            nextDeadProbe = now + chance(config.deadProbePeriod().toNanos());
            speak(ownState);
        }
    }

    private void linkUp(NodeId peer) {
        Entry entry = roster.get(peer);
        if (entry == null
                || entry.state == MemberState.ALIVE && ownState != MemberState.AWAY
                || ownState == MemberState.LEFT) {
            return;
        }
        out.ping(entry, probes.unanswered());
        // After a split the two sides have much to tell each other, but one exchange at a time.
        if (now - lastLinkExchange >= LINK_EXCHANGE_GAP_NANOS) {
            lastLinkExchange = now;
            out.exchange(peer, own(), false);
        }
    }

    private void linkDown(NodeId peer) {
        Entry entry = roster.get(peer);
        if (entry == null || entry.state != MemberState.ALIVE || isQuiet()) {
            return;
        }
        long failsAt = now + health.stretch(config.linkDownTimeout().toNanos());
        Probe running = probes.of(peer);
        if (running == null) {
            running = probes.start(peer, now, failsAt);
            running.hasty = true;
            out.ping(entry, running.sequence);
        } else {
            running.hasty = true;
            running.indirectAt = Math.min(running.indirectAt, now);
            running.failsAt = Math.min(running.failsAt, failsAt);
        }
    }

    /** The link has asked already, so others are at once; one in a period, as half the swarm may be silent. */
    private void silent(NodeId peer) {
        Entry entry = roster.get(peer);
        if (entry == null || entry.state != MemberState.ALIVE || isQuiet()) {
            return;
        }
        Probe running = probes.of(peer);
        if (running != null) {
            running.indirectAt = Math.min(running.indirectAt, now);
        } else if (now - lastSilent < config.probePeriod().toNanos()) {
            roster.turnIsNext(peer);
        } else {
            lastSilent = now;
            long rest = config.probePeriod().minus(config.probeTimeout()).toNanos();
            Probe begun = probes.start(peer, now, now + health.stretch(rest));
            out.ping(entry, begun.sequence);
        }
    }

    private void receive(NodeId from, byte[] message) {
        received++;
        Entry sender = roster.get(from);
        if (sender == null) {
            strangers++;
            return;
        }
        Packet packet = MembershipCodec.packet(message);
        if (packet == null) {
            garbage++;
            out.garbled(from);
            return;
        }
        sender.heard = true;
        sender.lastHeardNanos = now;
        boolean behind = false;
        for (var wire : packet.getClaimsList()) {
            Claim claim = MembershipCodec.claim(wire);
            if (claim == null) {
                garbage++;
            } else if (claim.id().equals(self)) {
                hearOfSelf(claim);
                behind |= claim.incarnation() < incarnation;
            } else {
                hear(claim);
            }
        }
        switch (packet.getBodyCase()) {
            case PING -> {
                long sequence = packet.getPing().getSequence();
                if (behind || packet.getPing().getIncarnation() < incarnation) {
                    out.ack(from, sequence, own());
                } else {
                    out.ack(from, sequence);
                }
            }
            case ACK -> {
                acked(from, packet.getAck().getSequence());
                answerIf(behind, from);
            }
            case INDIRECT_PING -> {
                relay(from, packet.getIndirectPing());
                answerIf(behind, from);
            }
            case NACK -> {
                Probe probe = probes.get(packet.getNack().getSequence());
                if (probe != null && probe.nacks < probe.relays) {
                    probe.nacks++;
                }
                answerIf(behind, from);
            }
            case EXCHANGE -> {
                if (packet.getExchange().getAnswer()) {
                    answerIf(behind, from);
                } else {
                    out.exchange(from, own(), true);
                }
            }
            case GOSSIP -> answerIf(behind, from);
            case BODY_NOT_SET -> garbage++;
        }
    }

    /** Tells one who believes something outdated of this node. */
    private void answerIf(boolean behind, NodeId from) {
        if (behind) {
            out.gossip(from, own());
        }
    }

    private void hearOfSelf(Claim claim) {
        boolean earlierLife = claim.incarnation() > incarnation;
        boolean wrong = claim.incarnation() == incarnation && claim.state() != ownState;
        // An earlier life may have begun, or spoken up, to the very incarnation that this one began with.
        boolean describesAnother = claim.metadataIncarnation() == incarnation
                && claim.metadata() != null
                && !claim.metadata().equals(metadata);
        // Once left, it may be held for dead too: that is no lie worth a word.
        if ((earlierLife || wrong || describesAnother) && ownState != MemberState.LEFT) {
            refute(claim);
        }
    }

    private void hear(Claim claim) {
        Entry entry = roster.get(claim.id());
        if (entry == null) {
            // Consensus has not told us of it yet, or no longer: an exchange brings it when it has.
            return;
        }
        MemberMetadata said = claim.metadata();
        boolean describes = said != null && claim.metadataIncarnation() > entry.metadataIncarnation;
        if (said != null && describes) {
            entry.metadata = said;
            entry.metadataIncarnation = claim.metadataIncarnation();
        }
        Suspicion running = entry.suspicion;
        if (supersedes(claim, entry.state, entry.incarnation)) {
            believe(entry, claim);
        } else if (running != null
                && claim.state() == MemberState.SUSPECT
                && claim.incarnation() == entry.incarnation) {
            boolean confirmed = false;
            for (NodeId accuser : claim.accusers()) {
                confirmed |= running.confirm(accuser);
            }
            if (confirmed) {
                out.tell(entry.claim().withoutMetadata());
            }
        } else if (describes) {
            out.changed(entry.member());
        }
    }

    /** Takes the claim for true and passes it on. */
    private void believe(Entry entry, Claim claim) {
        entry.state = claim.state();
        entry.incarnation = claim.incarnation();
        entry.suspicion = claim.state() == MemberState.SUSPECT ? suspicion(claim.accusers()) : null;
        out.changed(entry.member());
        out.tell(claim.isItsOwn() ? entry.claim() : entry.claim().withoutMetadata());
    }

    private void acked(NodeId from, long sequence) {
        Relay relay = probes.relayAnswered(sequence);
        if (relay != null && relay.target.equals(from)) {
            out.ack(relay.asker, relay.askerSequence);
            return;
        }
        if (probes.answered(sequence) != null) {
            health.better();
        }
    }

    private void relay(NodeId asker, IndirectPing request) {
        NodeId id = MembershipCodec.id(request.getTarget());
        Entry target = id == null ? null : roster.get(id);
        if (target == null || probes.relaying() >= MAX_RELAYS) {
            return;
        }
        // The nack has to be there before the asker's period ends.
        long rest = config.probePeriod().minus(config.probeTimeout()).toNanos();
        long sequence = probes.relay(
                asker,
                request.getSequence(),
                target.id,
                now + rest * 4 / 5,
                now + 2 * config.probePeriod().toNanos());
        out.ping(target, sequence);
    }

    /** Speaks for itself anew: a higher incarnation, told to all. */
    private void speak(MemberState state) {
        ownState = state;
        incarnation++;
        out.changed(self());
        out.tell(own());
        if (isQuiet()) {
            probes.clear();
        }
    }

    /** Does not wait for the next turn of gossip: there may be none. */
    private void tellNow() {
        for (Entry entry : roster.some(config.gossipFanout(), Entry::isActive)) {
            out.gossip(entry.id);
        }
    }

    private long retryNanos() {
        return config.probeTimeout().toNanos();
    }

    private boolean isQuiet() {
        return ownState != MemberState.ALIVE;
    }

    private Claim own() {
        return new Claim(self, ownState, incarnation, List.of(), metadata, incarnation);
    }

    // ---- what is due ----

    /** After standing still, answers may wait unread: every deadline moves, and this node trusts itself less. */
    private void noticeLateness(long nowNanos) {
        if (wake == Long.MAX_VALUE || nowNanos - wake <= config.lateness().toNanos()) {
            return;
        }
        long stood = nowNanos - wake;
        late++;
        health.worse(1);
        probes.shift(stood);
        for (Entry entry : roster.all()) {
            if (entry.suspicion != null) {
                entry.suspicion.shift(stood);
            }
        }
    }

    private void doWhatIsDue() {
        if (!started || roster.size() == 0) {
            return;
        }
        for (Relay relay : probes.unanswered(now)) {
            out.nack(relay.asker, relay.askerSequence);
        }
        probes.late(now).forEach(this::askOthers);
        probes.failed(now).forEach(this::noAnswer);
        expireSuspicions();
        if (nextGossip <= now && out.hasNews()) {
            nextGossip = now + config.gossipPeriod().toNanos();
            tellNow();
        }
        if (ownState == MemberState.AWAY && nextExchange <= now) {
            compare();
            long period = config.awayPeriod().toNanos();
            nextExchange = now + period - chance(period / 8);
        }
        if (isQuiet()) {
            return;
        }
        if (nextSuspectProbe <= now) {
            nextSuspectProbe = now + retryNanos();
            roster.some(SUSPECTS_AT_ONCE, entry -> entry.state == MemberState.SUSPECT)
                    .forEach(this::probe);
        }
        if (nextProbe <= now) {
            nextProbe = now + health.stretch(config.probePeriod().toNanos());
            Entry next = roster.nextTurn();
            if (next != null) {
                probe(next);
            }
        }
        if (nextDeadProbe <= now) {
            nextDeadProbe = now + config.deadProbePeriod().toNanos();
            probeDead();
        }
        if (nextExchange <= now) {
            nextExchange =
                    now + (compare() ? exchangeNanos() : config.probePeriod().toNanos());
        }
    }

    /** Compares all that is known with one who is there, if anybody is. */
    private boolean compare() {
        List<Entry> partner = roster.some(1, entry -> entry.state == MemberState.ALIVE);
        partner.forEach(entry -> out.exchange(entry.id, own(), false));
        return !partner.isEmpty();
    }

    /** Everything goes over the wire, so large swarms compare less often. */
    private long exchangeNanos() {
        int doublings = Math.max(0, 31 - Integer.numberOfLeadingZeros(roster.size() / 32));
        long period = config.exchangePeriod().toNanos() * (roster.size() < 32 ? 1 : doublings + 2);
        return period - period / 8 + chance(period / 4);
    }

    private void probe(Entry entry) {
        if (probes.of(entry.id) != null) {
            return;
        }
        Probe probe = probes.start(
                entry.id,
                now + health.stretch(config.probeTimeout().toNanos()),
                now + health.stretch(config.probePeriod().toNanos()));
        out.ping(entry, probe.sequence);
    }

    private void askOthers(Probe probe) {
        List<Entry> relays = roster.some(
                config.indirectProbes(), entry -> entry.state == MemberState.ALIVE && !entry.id.equals(probe.target));
        probe.relays = relays.size();
        for (Entry relay : relays) {
            out.indirectPing(relay.id, probe.sequence, probe.target);
        }
    }

    private void noAnswer(Probe probe) {
        Entry entry = roster.get(probe.target);
        if (entry == null) {
            return;
        }
        if (entry.state == MemberState.ALIVE && !probe.hasty) {
            // Relays that are silent too, or none: this node may be the one that is cut off.
            health.worse(probe.relays == 0 ? 1 : probe.relays - probe.nacks);
        }
        Suspicion running = entry.suspicion;
        if (entry.state == MemberState.ALIVE) {
            suspicions++;
            believe(entry, new Claim(entry.id, MemberState.SUSPECT, entry.incarnation, List.of(self), null, 0));
        } else if (running != null && entry.incarnation > 0 && running.confirm(self)) {
            out.tell(entry.claim().withoutMetadata());
        }
    }

    private Suspicion suspicion(List<NodeId> accusers) {
        int others = roster.active() + 1;
        double scale = Math.max(1, Math.log10(Math.max(1, others)));
        long min = (long) (config.suspicionMin().toNanos() * scale);
        int confirmations = Math.min(config.confirmations(), Math.max(0, others - 2));
        return new Suspicion(now, accusers, min, min * config.suspicionFactor(), confirmations);
    }

    private long nextWake() {
        if (!started || roster.size() == 0) {
            return Long.MAX_VALUE;
        }
        long next = probes.wakeNanos();
        boolean suspects = false;
        boolean dead = false;
        for (Entry entry : roster.all()) {
            Suspicion running = entry.suspicion;
            if (running != null) {
                suspects = true;
                next = Math.min(next, running.deadlineNanos());
            }
            dead |= entry.state == MemberState.DEAD;
        }
        if (out.hasNews()) {
            next = Math.min(next, nextGossip);
        }
        if (ownState == MemberState.AWAY) {
            next = Math.min(next, nextExchange);
        } else if (!isQuiet()) {
            next = Math.min(next, Math.min(nextProbe, nextExchange));
            next = suspects ? Math.min(next, nextSuspectProbe) : next;
            next = dead ? Math.min(next, nextDeadProbe) : next;
        }
        return Math.max(next, now + MIN_WAKE_NANOS);
    }

    private long chance(long nanos) {
        return (long) (random.nextDouble() * nanos);
    }
}
