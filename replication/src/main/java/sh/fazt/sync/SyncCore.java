package sh.fazt.sync;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.change.Changeset;
import sh.fazt.cartridge.change.Dot;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.ReplicaStore.Applied;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;

/**
 * The decisions of replication.md section 5: whom to push to, when to tell vectors, whom to pull from. Everything
 * it remembers can be derived again from the replica, so what overflows is dropped and becomes "I have up to X".
 * Pure: events in, effects out; time is an argument. Confined to its caller's thread.
 */
public final class SyncCore {
    /** Vectors are told at most so often while news go on; pushes carry the news in between. */
    static final Duration TELL_EVERY = Duration.ofSeconds(1);

    /**
     * What begins may be told so often without a pause: after a split everything is, then what was pulled, then the
     * conflicts that were found, and nobody knows before that all have all.
     */
    static final int TELLS_AT_ONCE = 3;

    /**
     * A peer that lacks something of what is here for so long is told again, and asked, as the news or its answer
     * may be lost: the control lane drops what it has no room for. Each time after twice as long.
     */
    static final Duration ASK_AFTER = Duration.ofSeconds(15);

    static final Duration ASK_AT_LEAST = Duration.ofMinutes(16);

    /** A pull that brings nothing for so long is tried with another peer. */
    static final Duration PULL_PATIENCE = Duration.ofSeconds(60);

    /** Of one peer at a time: each has a few pieces under way. */
    static final int MOST_PULLS = 4;

    /** After a pull that came to nothing the same is tried again so much later, each time after twice as long. */
    static final Duration RETRY_AFTER = Duration.ofSeconds(1);

    static final Duration RETRY_AT_LEAST = Duration.ofMinutes(2);

    /** Once something has changed, no retry waits for longer. */
    static final Duration RETRY_CHANGED = Duration.ofSeconds(5);

    /** Scopes times origins that are remembered of one peer: some tens of megabytes at most. */
    static final int MOST_TOLD = 1 << 17;

    private final Map<NodeId, Peer> peers = new TreeMap<>();
    private final Reach reach = new Reach();
    private final Map<Scope, Pulling> pulling = new HashMap<>();
    /** Changesets that a peer sent and that the replica has not answered for: whom not to send them back to. */
    private final Map<Dot, NodeId> arriving = new HashMap<>();

    private long alarms;
    private long pulls;

    private static final class Peer {
        boolean linked;
        /** When the last link broke. */
        long linkedUntil = Long.MIN_VALUE / 2;
        /** Whether it has told what it holds, be it nothing. */
        boolean told;

        final Map<Scope, VersionVector> has = new HashMap<>();
        /** What it said on the present link: another link's words may be those of a life that it has forgotten. */
        final Map<Scope, VersionVector> said = new HashMap<>();
        /** Scopes of which it has once sent less on the present link than it had said. */
        final Set<Scope> contradicted = new HashSet<>();

        final Map<Scope, Retry> retries = new HashMap<>();
        /** Entries of all vectors in {@code has}. */
        int entries;

        final Set<Scope> untold = new HashSet<>();
        /** How far what it was told has used up its time. */
        long toldUntil = Long.MIN_VALUE / 2;

        long askedAt;
        long askAfter = ASK_AFTER.toNanos();

        boolean mayBeTold(long nanos) {
            return toldUntil - nanos <= (TELLS_AT_ONCE - 1) * TELL_EVERY.toNanos();
        }

        void isTold(long nanos) {
            toldUntil = Math.max(toldUntil, nanos) + TELL_EVERY.toNanos();
        }
    }

    /**
     * @param said  what the peer had said of the scope when the pull began, on the link that it goes over
     * @param since what was here when it began
     */
    private record Pulling(SyncEffect.Pull pull, VersionVector said, VersionVector since, long heard) {
        NodeId from() {
            return pull.from();
        }
    }

    /** When a pull that came to nothing is tried again, and what it was that was tried. */
    private record Retry(long since, Duration after, VersionVector theirs, VersionVector ours) {
        boolean due(long nanos, VersionVector theirsNow, VersionVector oursNow) {
            boolean changed = !theirs.equals(theirsNow) || !ours.equals(oursNow);
            Duration wait = changed && after.compareTo(RETRY_CHANGED) > 0 ? RETRY_CHANGED : after;
            return nanos - since >= wait.toNanos();
        }

        Duration next() {
            Duration twice = after.multipliedBy(2);
            return twice.compareTo(RETRY_AT_LEAST) > 0 ? RETRY_AT_LEAST : twice;
        }
    }

    /** What the core may know of the replica: as of its last commit. */
    public interface View {
        Origin origin();

        Map<Scope, VersionVector> vectors();

        VersionVector vector(Scope scope);

        /** See {@link ReplicaStore#inDoubt}. */
        default boolean inDoubt() {
            return false;
        }

        /** See {@link ReplicaStore#certain}. */
        default VersionVector certain(Scope scope) {
            return vector(scope);
        }

        long digest(Scope scope);

        /** Which members keep the scope, as far as this node knows. */
        Holders holders();
    }

    private final View view;
    private final Parting parting;
    private final Claims claims;
    private final Doubts doubts;
    private final Sources sources = new Sources();

    public SyncCore(View view) {
        this.view = view;
        this.claims = new Claims(view);
        this.doubts = new Doubts(view);
        this.parting = new Parting(view, this::having);
    }

    /** The linked peers that keep a scope and have told that they have seen all of a vector. */
    private Stream<NodeId> having(Scope scope, VersionVector vector) {
        return peers.entrySet().stream()
                .filter(entry -> entry.getValue().linked && holds(entry.getKey(), scope))
                .filter(entry -> entry.getValue()
                        .has
                        .getOrDefault(scope, VersionVector.EMPTY)
                        .covers(vector))
                .map(Map.Entry::getKey);
    }

    private Peer peer(NodeId id) {
        return peers.computeIfAbsent(id, unknown -> new Peer());
    }

    /** A link came up: both sides tell everything. */
    public List<SyncEffect> linkUp(NodeId id, long nanos) {
        Peer peer = peer(id);
        peer.linked = true;
        reach.up(id);
        peer.said.clear();
        peer.contradicted.clear();
        peer.retries.clear();
        peer.untold.clear();
        peer.toldUntil = nanos + TELL_EVERY.toNanos();
        peer.askedAt = nanos;
        peer.askAfter = ASK_AFTER.toNanos();
        doubts.up(id, nanos);
        // In doubt it is asked too, as it tells by itself of no scope that it never heard of.
        List<SyncEffect> effects = new ArrayList<>(List.of(new SyncEffect.Tell(id, null, view.inDoubt())));
        deny(id, claims.denied(nanos), effects);
        return effects;
    }

    /** A link broke: what was being pulled over it is asked for elsewhere. */
    public List<SyncEffect> linkDown(NodeId id, long nanos) {
        Peer peer = peers.get(id);
        // One that is forgotten loses its link after that.
        if (peer != null) {
            peer.linked = false;
            peer.linkedUntil = nanos;
        }
        reach.down(id);
        doubts.down(id);
        List<SyncEffect> effects = new ArrayList<>();
        for (Scope scope : List.copyOf(pulling.keySet())) {
            Pulling pull = pulling.get(scope);
            if (pull != null && pull.from().equals(id)) {
                pulling.remove(scope);
                pullFromAny(scope, nanos, effects);
            }
        }
        return effects;
    }

    /** A member that is gone for good. */
    public void forget(NodeId id) {
        peers.remove(id);
        doubts.down(id);
        pulling.values().removeIf(pull -> pull.from().equals(id));
        sources.forget(id);
    }

    /** The replica committed. @param changeset what to push on; null for a pull, whose news travel as vectors */
    public List<SyncEffect> committed(Scope scope, @Nullable Changeset changeset) {
        List<SyncEffect> effects = new ArrayList<>();
        NodeId source = changeset == null ? null : arriving.get(changeset.dot());
        boolean certain = changeset != null && isCertain(changeset.dot());
        peers.forEach((id, peer) -> {
            if (!peer.linked) {
                return;
            }
            // The vector is the acknowledgement of what came, and the news of what went by.
            peer.untold.add(scope);
            if (changeset != null
                    && certain
                    && (source == null
                            || !id.equals(source)
                                    && !reach.between(
                                            id, changeset.dot().origin().node()))
                    && holds(id, scope)
                    && !peer.has
                            .getOrDefault(scope, VersionVector.EMPTY)
                            .includes(changeset.dot().origin(), changeset.dot().sequence())) {
                effects.add(new SyncEffect.Push(id, changeset));
            }
        });
        return effects;
    }

    /** Not of what this node wrote itself while it is in doubt, or wrote in doubt and has given another name since. */
    private boolean isCertain(Dot dot) {
        return !dot.origin().node().equals(view.origin().node())
                || view.certain(dot.scope()).includes(dot.origin(), dot.sequence());
    }

    /** A peer sent a changeset. */
    public List<SyncEffect> pushed(NodeId from, Changeset changeset, long nanos) {
        Dot dot = changeset.dot();
        noteSeen(from, dot);
        List<SyncEffect> effects = new ArrayList<>();
        if (!holdsHere(dot.scope())) {
            return effects;
        }
        if (dot.origin().equals(view.origin())) {
            claimed(from, dot.scope(), VersionVector.EMPTY.with(dot.origin(), dot.sequence()), nanos, effects);
        }
        if (view.inDoubt() || view.vector(dot.scope()).includes(dot.origin(), dot.sequence())) {
            return effects;
        }
        arriving.put(dot, from);
        effects.add(new SyncEffect.Apply(from, changeset));
        return effects;
    }

    /** It has at least this, and all before it. */
    private void noteSeen(NodeId id, Dot dot) {
        Peer peer = peer(id);
        VersionVector one = VersionVector.EMPTY.with(dot.origin(), dot.sequence());
        if (remember(
                peer,
                dot.scope(),
                peer.has.getOrDefault(dot.scope(), VersionVector.EMPTY).merge(one))) {
            peer.said.merge(dot.scope(), one, VersionVector::merge);
        }
    }

    private static void drop(Peer peer, Scope scope) {
        VersionVector had = peer.has.remove(scope);
        if (had != null) {
            peer.entries -= had.entries().size() + 1;
        }
        peer.said.remove(scope);
        peer.contradicted.remove(scope);
    }

    /** Answers false where there is no room for it. */
    private static boolean remember(Peer peer, Scope scope, VersionVector has) {
        VersionVector before = peer.has.get(scope);
        // One at least: a scope with an empty vector takes room as well.
        int more =
                has.entries().size() - (before == null ? -1 : before.entries().size());
        if (more > 0 && peer.entries + peer.retries.size() + more > MOST_TOLD) {
            return false;
        }
        peer.entries += more;
        peer.has.put(scope, has);
        return true;
    }

    /** What became of a peer's changeset; null when the replica refused it. */
    public List<SyncEffect> applied(NodeId from, Dot dot, @Nullable Applied outcome, long nanos) {
        arriving.remove(dot);
        List<SyncEffect> effects = new ArrayList<>();
        if (outcome == Applied.DONE) {
            sources.pushed(from, dot);
        } else if (outcome == Applied.NEEDS_PULL) {
            pull(from, dot.scope(), nanos, effects);
        }
        return effects;
    }

    /** A push could not be sent, or the queue was full: the peer will ask once it hears how far we are. */
    public void pushDropped(NodeId to, Scope scope) {
        Peer peer = peers.get(to);
        if (peer != null) {
            peer.untold.add(scope);
        }
    }

    /** A peer told whom it is linked with. */
    public void toldReach(NodeId from, Set<NodeId> linked) {
        reach.told(from, linked);
    }

    /** A peer told what it holds. @param asks whether it wants to hear the same from here: all, if it told of nothing */
    public List<SyncEffect> told(
            NodeId from, Map<Scope, VersionVector> vectors, Map<Scope, Long> digests, boolean asks, long nanos) {
        Peer peer = peer(from);
        peer.told = true;
        List<SyncEffect> effects = new ArrayList<>();
        boolean tooMuch = false;
        for (Map.Entry<Scope, VersionVector> entry : vectors.entrySet()) {
            Scope scope = entry.getKey();
            VersionVector ours = view.vector(scope);
            // Most of the time they are equal: as one they are kept once, and compared at once.
            VersionVector theirs = entry.getValue().equals(ours) ? ours : entry.getValue();
            if (!remember(peer, scope, theirs)) {
                tooMuch = true;
                continue;
            }
            peer.said.put(scope, theirs);
            claimed(from, scope, theirs, nanos, effects);
            if (asks) {
                peer.untold.add(scope);
            }
            if (theirs.equals(ours)) {
                Long digest = digests.get(scope);
                if (digest != null
                        && !view.inDoubt()
                        && digest != view.digest(scope)
                        && view.vector(scope).equals(ours)) {
                    alarms++;
                    effects.add(new SyncEffect.Alarm(from, scope));
                }
                continue;
            }
            if (!theirs.covers(ours)) {
                peer.untold.add(scope);
            }
        }
        if (asks && vectors.isEmpty()) {
            effects.add(new SyncEffect.Tell(from, null, false));
        }
        if (tooMuch) {
            effects.add(new SyncEffect.Offence(from, Offence.TELLS_TOO_MUCH, "more than " + MOST_TOLD + " entries"));
        }
        if (view.inDoubt()) {
            doubts.told(from, vectors.keySet());
            doubts.look(nanos, effects);
        }
        vectors.keySet().forEach(scope -> pull(from, scope, nanos, effects));
        return effects;
    }

    private void claimed(NodeId from, Scope scope, VersionVector theirs, long nanos, List<SyncEffect> effects) {
        if (claims.heard(from, scope, theirs, nanos, effects) && view.inDoubt()) {
            doubts.refuted();
        }
    }

    /** What was in doubt is settled, one way or the other, or could not be: then all are asked again. */
    public List<SyncEffect> settled(long nanos) {
        List<SyncEffect> effects = new ArrayList<>();
        doubts.ended();
        peers.forEach((id, peer) -> {
            if (peer.linked) {
                effects.add(new SyncEffect.Tell(id, null, view.inDoubt()));
                peer.has.keySet().forEach(scope -> pull(id, scope, nanos, effects));
            }
        });
        return effects;
    }

    private void pull(NodeId from, Scope scope, long nanos, List<SyncEffect> effects) {
        Peer peer = peers.get(from);
        if (peer == null || !peer.linked || pulling.containsKey(scope) || !holdsHere(scope) || view.inDoubt()) {
            return;
        }
        VersionVector theirs = peer.has.getOrDefault(scope, VersionVector.EMPTY);
        VersionVector ours = view.vector(scope);
        Retry retry = peer.retries.get(scope);
        if (!ours.covers(theirs) && (retry == null || retry.due(nanos, theirs, ours)) && pullsOf(from) < MOST_PULLS) {
            SyncEffect.Pull pull = new SyncEffect.Pull(from, scope, ++pulls);
            pulling.put(scope, new Pulling(pull, peer.said.getOrDefault(scope, VersionVector.EMPTY), ours, nanos));
            effects.add(pull);
        }
    }

    private long pullsOf(NodeId from) {
        return pulling.values().stream()
                .filter(pull -> pull.from().equals(from))
                .count();
    }

    /** A pull from a peer brings something. */
    public void underWay(NodeId from, Scope scope, long nanos) {
        pulling.computeIfPresent(
                scope,
                (any, pull) ->
                        pull.from().equals(from) ? new Pulling(pull.pull(), pull.said(), pull.since(), nanos) : pull);
    }

    /** A pull goes on with what was read before the peer told what it has told since: it is not held against that. */
    public void goesOn(SyncEffect.Pull pull) {
        pulling.computeIfPresent(
                pull.scope(),
                (any, now) -> now.pull().equals(pull)
                        ? new Pulling(pull, VersionVector.EMPTY, now.since(), now.heard())
                        : now);
    }

    private void pullFromAny(Scope scope, long nanos, List<SyncEffect> effects) {
        peers.keySet().forEach(id -> pull(id, scope, nanos, effects));
    }

    /**
     * A pull ended, well or not. A peer that had said more when the pull began than it then sent has contradicted
     * itself, and is believed what it sent. The first time may be a word that a former link left behind; a second
     * time on one link is a lie. A peer that holds nothing of the scope any more has let go of it: that is no lie.
     *
     * @param theirs  the vector of what was pulled, as far as it is admissible here; null when it failed
     * @param sent    the vector of what was pulled as the peer sent it; null when it failed
     */
    public List<SyncEffect> pulled(
            SyncEffect.Pull pull, @Nullable VersionVector theirs, @Nullable VersionVector sent, long nanos) {
        NodeId from = pull.from();
        Scope scope = pull.scope();
        Pulling ended = pulling.get(scope);
        if (ended == null || !ended.pull().equals(pull)) {
            return List.of();
        }
        pulling.remove(scope);
        List<SyncEffect> effects = new ArrayList<>();
        Peer peer = peer(from);
        if (theirs != null && sent != null) {
            sources.pulled(from, scope, ended.since(), theirs);
            boolean kept = sent.covers(ended.said());
            if (theirs.isEmpty()) {
                // It has let go of the scope since it told.
                drop(peer, scope);
            } else if (kept) {
                remember(
                        peer,
                        scope,
                        peer.has.getOrDefault(scope, VersionVector.EMPTY).merge(theirs));
            } else {
                remember(peer, scope, theirs);
                peer.said.remove(scope);
                if (!peer.contradicted.add(scope)) {
                    effects.add(new SyncEffect.Offence(
                            from,
                            Offence.CLAIMS_WITHOUT_ROWS,
                            "scope=" + scope + " said=" + ended.said() + " sent=" + sent));
                }
            }
            if (kept) {
                peer.retries.remove(scope);
                pullFromAny(scope, nanos, effects);
                peer.has.keySet().forEach(other -> pull(from, other, nanos, effects));
                return effects;
            }
        }
        Retry last = peer.retries.get(scope);
        VersionVector has = peer.has.getOrDefault(scope, VersionVector.EMPTY);
        peer.retries.put(scope, new Retry(nanos, last == null ? RETRY_AFTER : last.next(), has, view.vector(scope)));
        // Somebody else first.
        pullFromAny(scope, nanos, effects);
        return effects;
    }

    /** Time passed; a few times a second. */
    public List<SyncEffect> tick(long nanos) {
        List<SyncEffect> effects = new ArrayList<>(reach.tick(nanos));
        pulling.values().removeIf(pull -> nanos - pull.heard() > PULL_PATIENCE.toNanos());
        peers.forEach((id, peer) -> {
            if (!peer.linked) {
                return;
            }
            if (!peer.untold.isEmpty() && peer.mayBeTold(nanos)) {
                Map<Scope, VersionVector> news = new HashMap<>();
                peer.untold.forEach(scope -> news.put(scope, view.vector(scope)));
                peer.untold.clear();
                peer.isTold(nanos);
                effects.add(new SyncEffect.Tell(id, news, false));
            }
            if (nanos - peer.askedAt >= peer.askAfter) {
                ask(id, peer, nanos, effects);
            }
            peer.has.keySet().forEach(scope -> pull(id, scope, nanos, effects));
            peer.retries
                    .entrySet()
                    .removeIf(retry -> !peer.has.containsKey(retry.getKey())
                            && nanos - retry.getValue().since() > RETRY_AT_LEAST.toNanos());
        });
        if (view.inDoubt()) {
            doubts.tick(nanos, effects);
        } else {
            view.vectors().forEach((scope, vector) -> parting.tick(scope, vector, nanos, effects));
        }
        if (claims.isDue(nanos)) {
            Map<Scope, Map<Origin, Long>> known = claims.denied(nanos);
            peers.forEach((id, peer) -> {
                if (peer.linked) {
                    deny(id, known, effects);
                }
            });
        }
        return effects;
    }

    // ---- changes in another's name ----

    private static void deny(NodeId to, Map<Scope, Map<Origin, Long>> known, List<SyncEffect> effects) {
        if (!known.isEmpty()) {
            effects.add(new SyncEffect.Deny(to, known));
        }
    }

    /** A peer told how far it knows what it wrote itself, as others hold more. Of other nodes it has no say. */
    public List<SyncEffect> denied(NodeId from, Map<Scope, Map<Origin, Long>> known) {
        List<SyncEffect> effects = new ArrayList<>();
        known.forEach((scope, origins) -> origins.forEach((origin, sequence) -> {
            if (origin.node().equals(from)) {
                NodeId source = sources.beyond(scope, origin, sequence);
                if (source != null && sources.isNews(origin, source)) {
                    effects.add(new SyncEffect.Disowned(scope, origin, sequence, source));
                }
            }
        }));
        return effects;
    }

    // ---- scopes that are placed elsewhere ----

    private boolean holds(NodeId id, Scope scope) {
        return view.holders().holds(id, scope);
    }

    private boolean holdsHere(Scope scope) {
        return holds(view.origin().node(), scope);
    }

    /** See {@link Parting#keeps}. */
    public boolean keeps(Scope scope, VersionVector all) {
        return !view.inDoubt() && parting.keeps(scope, all);
    }

    /** See {@link Parting#kept}. */
    public List<SyncEffect> kept(NodeId holder, Scope scope, VersionVector all, boolean keeps, long nanos) {
        return parting.kept(holder, scope, all, keeps, nanos);
    }

    /** What became of letting go. @param gone false when something was written meanwhile */
    public List<SyncEffect> forgotten(Scope scope, boolean gone) {
        parting.ended(scope);
        List<SyncEffect> effects = new ArrayList<>();
        if (gone) {
            sources.forget(scope);
            peers.forEach((id, peer) -> {
                if (peer.linked) {
                    effects.add(new SyncEffect.Tell(id, Map.of(scope, VersionVector.EMPTY), false));
                }
            });
        }
        return effects;
    }

    private void ask(NodeId id, Peer peer, long nanos, List<SyncEffect> effects) {
        Map<Scope, VersionVector> lacking = new HashMap<>();
        view.vectors().forEach((scope, ours) -> {
            if (holds(id, scope)
                    && !peer.has.getOrDefault(scope, VersionVector.EMPTY).covers(ours)) {
                lacking.put(scope, ours);
            }
        });
        peer.askedAt = nanos;
        peer.askAfter = lacking.isEmpty() && peer.told
                ? ASK_AFTER.toNanos()
                : Math.min(2 * peer.askAfter, ASK_AT_LEAST.toNanos());
        if (!lacking.isEmpty() || !peer.told) {
            effects.add(new SyncEffect.Tell(id, lacking, true));
        }
    }

    /** How many transactions the peer lacks of what is here, as far as it has told. */
    public long behind(NodeId id) {
        Peer peer = peers.get(id);
        long changes = 0;
        for (Map.Entry<Scope, VersionVector> ours : view.vectors().entrySet()) {
            if (!holds(id, ours.getKey())) {
                continue;
            }
            VersionVector theirs = peer == null ? null : peer.has.get(ours.getKey());
            changes += ours.getValue().aheadOf(theirs == null ? VersionVector.EMPTY : theirs);
        }
        return changes;
    }

    /** How many transactions of the peer's are lacking here; -1 while that is not known. */
    public long ahead(NodeId id) {
        Peer peer = peers.get(id);
        if (peer == null || !peer.told || view.inDoubt()) {
            return -1;
        }
        long changes = 0;
        for (Map.Entry<Scope, VersionVector> theirs : peer.has.entrySet()) {
            if (holdsHere(theirs.getKey())) {
                changes += theirs.getValue().aheadOf(view.vector(theirs.getKey()));
            }
        }
        return changes;
    }

    /** Everybody who has been linked since the start and is not forgotten. */
    public Set<NodeId> known() {
        return Set.copyOf(peers.keySet());
    }

    /** Until when something could be pushed to a peer: until now while it is linked. */
    long linkedUntil(NodeId id, long nanos) {
        Peer peer = peers.get(id);
        return peer == null ? Long.MIN_VALUE / 2 : peer.linked ? nanos : peer.linkedUntil;
    }

    /** What the peer holds of each scope of which it lacks something, as far as it has told. */
    public Map<Scope, VersionVector> lacking(NodeId id) {
        Peer peer = peers.get(id);
        Map<Scope, VersionVector> lacking = new HashMap<>();
        view.vectors().forEach((scope, ours) -> {
            VersionVector theirs = peer == null ? null : peer.has.get(scope);
            VersionVector held = theirs == null ? VersionVector.EMPTY : theirs;
            if (holds(id, scope) && !held.covers(ours)) {
                lacking.put(scope, held);
            }
        });
        return lacking;
    }

    /** The scopes of which a linked peer holds all that is here and no more, as far as it has told. */
    public List<Scope> inStep(NodeId id) {
        Peer peer = peers.get(id);
        List<Scope> scopes = new ArrayList<>();
        if (peer != null && peer.linked && !view.inDoubt()) {
            peer.has.forEach((scope, theirs) -> {
                if (!theirs.isEmpty() && theirs.equals(view.vector(scope)) && holds(id, scope) && holdsHere(scope)) {
                    scopes.add(scope);
                }
            });
        }
        return scopes;
    }

    /** How many transactions of a scope each linked peer that keeps it lacks, as far as it has told. */
    public Map<NodeId, Long> behind(Scope scope) {
        Map<NodeId, Long> behind = new HashMap<>();
        peers.forEach((id, peer) -> {
            if (peer.linked && peer.told && holds(id, scope)) {
                behind.put(id, view.vector(scope).aheadOf(peer.has.getOrDefault(scope, VersionVector.EMPTY)));
            }
        });
        return behind;
    }

    /** Transactions of each scope that a peer has told of, and nobody else has as far as all have told. */
    public Map<Scope, Long> onlyAt(NodeId id) {
        Map<Scope, Long> only = new TreeMap<>();
        Peer peer = peers.get(id);
        if (peer != null) {
            peer.has.forEach((scope, theirs) -> {
                VersionVector others = view.vector(scope);
                for (Map.Entry<NodeId, Peer> other : peers.entrySet()) {
                    if (!other.getKey().equals(id)) {
                        others = others.merge(other.getValue().has.getOrDefault(scope, VersionVector.EMPTY));
                    }
                }
                if (!others.covers(theirs)) {
                    only.put(scope, theirs.aheadOf(others));
                }
            });
        }
        return only;
    }

    /** What this node and all the given ones have of a scope, as far as they have told since the start. */
    public VersionVector acknowledged(Scope scope, Set<NodeId> nodes) {
        // What a peer has under a number in doubt may be something else.
        VersionVector all = view.certain(scope);
        for (NodeId id : nodes) {
            Peer peer = peers.get(id);
            all = all.least(peer == null ? VersionVector.EMPTY : peer.has.getOrDefault(scope, VersionVector.EMPTY));
        }
        return all;
    }

    /** How often equal vectors had unequal digests: never, unless there is a bug. */
    public long alarms() {
        return alarms;
    }
}
