package sh.fazt.sync;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;
import sh.fazt.blob.Blobs.Chunk;
import sh.fazt.blob.Blobs.Manifest;
import sh.fazt.identity.NodeId;

/**
 * Decides which chunk of which wanted blob is asked of whom: of several holders at once, the nearest first, each with
 * as many bytes under way as it answers in time. Who is slow, fails or lies is passed over, and what it was asked is
 * asked of others. What is stored stays stored, so that nothing here has to outlive the process. Pure: events in,
 * effects out; time is an argument. Confined to its caller's monitor.
 */
final class BlobCore {
    /** So many blobs are fetched at once; what they cost is bounded in bytes. */
    static final int BLOBS_AT_A_TIME = 16;

    /** Bytes under way from all peers together, and from one; a peer starts with one chunk of the largest size. */
    static final int MOST_IN_FLIGHT = 16 << 20;

    static final int MOST_FROM_ONE = 4 << 20;
    static final int FIRST_WINDOW = 1 << 20;
    static final int LEAST_WINDOW = 64 << 10;

    /** What a request counts at least, so that their number is bounded too. */
    static final int LEAST_COST = 16 << 10;

    /** So many holders are sought for a blob of one chunk, and for one of several. */
    static final int HOLDERS_OF_ONE = 2;

    static final int HOLDERS = 4;

    /** Whoever has not answered by then is slow: others are asked the same. */
    static final Duration SLOW = Duration.ofSeconds(5);

    /** What has not ended by then never tells how it did. */
    static final Duration LOST = Duration.ofMinutes(2);

    /** A holder that has only some of a blob is asked again what it has by now. */
    static final Duration ASK_AGAIN = Duration.ofSeconds(10);

    /** Whoever fails is passed over for so long, each time twice as long. */
    static final Duration PAUSE = Duration.ofSeconds(2);

    static final Duration LONGEST_PAUSE = Duration.ofMinutes(1);

    /** Whoever sends what is not what it says is passed over for so long. */
    static final Duration LIAR_PAUSE = Duration.ofMinutes(10);

    /** A blob that nobody can give is sought again, each time after twice as long. */
    static final Duration SEEK_AGAIN = Duration.ofSeconds(1);

    private final long offset;
    private final Map<String, Later> later = new HashMap<>();
    private final Map<String, Want> active = new LinkedHashMap<>();
    private final Map<NodeId, Peer> peers = new HashMap<>();
    private final Map<String, Map<NodeId, Request>> requests = new HashMap<>();
    private final Wishes wanted = new Wishes();
    private List<Holder> near = List.of();
    private int inFlight;

    /** A linked peer. @param metered whether its link is paid for by the byte */
    record Holder(NodeId id, boolean metered) {}

    /** What a peer said of a blob. @param whole whether it has all of it @param chunks the hashes of those it has */
    record Offer(Manifest manifest, boolean whole, Set<String> chunks) {
        Offer {
            chunks = Set.copyOf(chunks);
        }
    }

    /** What came of asking for a chunk. */
    enum Outcome {
        KEPT,
        /** The peer does not have it. */
        ABSENT,
        /** It sent something else. */
        WRONG,
        /** No answer came. */
        FAILED,
        /** It came, and could not be stored here. */
        UNKEPT
    }

    sealed interface Event {
        /** Blobs that are not here and should be, and linked peers, the nearest first. */
        record Looked(List<Wishes.Wish> wanted, List<Holder> near) implements Event {}

        /** Somebody waits for a blob: it is not left for later because nobody had it before. */
        record Asked(String blob) implements Event {}

        /** What a peer has of a blob; null when it has nothing of it, or did not say. */
        record Offered(NodeId from, String blob, @Nullable Offer offer, boolean failed) implements Event {}

        /** What is lacking of a blob under a manifest; null when the manifest does not add up. */
        record Accepted(NodeId from, String blob, @Nullable List<Chunk> lacking) implements Event {}

        /** A request for a chunk ended. */
        record Ended(NodeId from, String chunk, Outcome outcome) implements Event {}

        /** All chunks were here. @param lied the manifest was of something else */
        record Assembled(String blob, boolean whole, boolean lied) implements Event {}

        /** Something here failed, as a full disk does: the blob is tried again later. */
        record Broke(String blob) implements Event {}

        /** Time passed; a few times a second. */
        record Tick() implements Event {}
    }

    sealed interface Effect {
        record AskBlob(NodeId to, String blob) implements Effect {}

        /** Check and store how the blob is put together. */
        record Accept(NodeId from, Manifest manifest) implements Effect {}

        record AskChunk(NodeId to, String chunk) implements Effect {}

        record Assemble(String blob) implements Effect {}

        /** A peer said or sent what is not so. */
        record Lied(NodeId peer) implements Effect {}

        /** An urgent blob can't be had now; it is sought again. */
        record Missed(String blob) implements Effect {}
    }

    private record Later(long at, long pause) {}

    private static final class Request {
        final int size;
        final long since;
        /** Others may be asked for the same. */
        boolean moved;

        Request(int size, long since) {
            this.size = size;
            this.since = since;
        }
    }

    private static final class Peer {
        int window = FIRST_WINDOW;
        int inFlight;
        int failures;
        long pausedUntil = Long.MIN_VALUE / 2;
        long distrustedUntil = Long.MIN_VALUE / 2;

        boolean paused(long nanos) {
            return nanos - pausedUntil < 0 || nanos - distrustedUntil < 0;
        }

        void fails(long nanos) {
            // All that is under way fails together: that is one failure.
            if (!paused(nanos)) {
                window = Math.max(LEAST_WINDOW, window / 2);
                long pause = PAUSE.toNanos() << Math.min(failures++, 6);
                pausedUntil = nanos + Math.min(pause, LONGEST_PAUSE.toNanos());
            }
        }
    }

    private static final class Want {
        final String blob;
        /** When each peer was asked, while it has not answered. */
        final Map<NodeId, Long> asking = new HashMap<>();

        final Map<NodeId, Long> askedAt = new HashMap<>();
        final Map<NodeId, Offer> offers = new HashMap<>();
        final Set<Manifest> refused = new HashSet<>();

        @Nullable
        Manifest manifest;

        /** By hash, with sizes; null until the manifest is accepted. */
        @Nullable
        Map<String, Integer> lacking;

        boolean assembling;
        /** Since when its manifest is being stored, or it is put together. */
        long busySince;
        /** Some chunk of it has come. */
        boolean moved;

        Want(String blob) {
            this.blob = blob;
        }
    }

    /** @param offset where in a blob this node begins, so that nodes that fetch the same soon have what others lack */
    BlobCore(long offset) {
        this.offset = offset;
    }

    /** Takes in what happened and says what to do. */
    List<Effect> step(Event event, long nanos) {
        List<Effect> effects = new ArrayList<>();
        if (event instanceof Event.Looked looked) {
            looked(looked, nanos);
        } else if (event instanceof Event.Asked asked) {
            later.remove(asked.blob());
        } else if (event instanceof Event.Offered offered) {
            offered(offered, nanos);
        } else if (event instanceof Event.Accepted accepted) {
            accepted(accepted, nanos, effects);
        } else if (event instanceof Event.Ended ended) {
            ended(ended, nanos, effects);
        } else if (event instanceof Event.Assembled assembled) {
            assembled(assembled, nanos, effects);
        } else if (event instanceof Event.Broke broke) {
            postpone(broke.blob(), nanos, effects);
        } else {
            slow(nanos, effects);
        }
        plan(nanos, effects);
        return effects;
    }

    /** Bytes that are asked for and have not come. */
    int inFlight() {
        return inFlight;
    }

    /** Wanted blobs that are only to be had, as far as is known, over links that are paid for: they wait to be asked for. */
    Set<String> held() {
        Set<String> held = new HashSet<>();
        if (near.stream().anyMatch(Holder::metered)) {
            for (Wishes.Wish wish : wanted.all()) {
                if (wanted.isCostly(wish) && !active.containsKey(wish.blob())) {
                    held.add(wish.blob());
                }
            }
        }
        return held;
    }

    private @Nullable Holder near(NodeId id) {
        return near.stream()
                .filter(holder -> holder.id().equals(id))
                .findFirst()
                .orElse(null);
    }

    private Peer peer(NodeId id) {
        return peers.computeIfAbsent(id, unknown -> new Peer());
    }

    // ---- what happened ----

    private void looked(Event.Looked looked, long nanos) {
        wanted.set(looked.wanted());
        active.keySet().retainAll(wanted.blobs());
        later.keySet().retainAll(wanted.blobs());
        Set<NodeId> before = new HashSet<>();
        near.forEach(holder -> before.add(holder.id()));
        near = List.copyOf(looked.near());
        Set<NodeId> linked = new HashSet<>();
        near.forEach(holder -> linked.add(holder.id()));
        for (NodeId id : linked) {
            if (!before.contains(id)) {
                // It may have what nobody had, and what it did over its last link is no matter.
                later.clear();
                Peer peer = peer(id);
                peer.failures = 0;
                peer.pausedUntil = nanos;
            }
        }
        // No answer comes over a link that is gone.
        release((id, request) -> !linked.contains(id));
        for (Want want : active.values()) {
            want.offers.keySet().retainAll(linked);
            want.asking.keySet().retainAll(linked);
            want.askedAt.keySet().retainAll(linked);
        }
        peers.entrySet()
                .removeIf(entry ->
                        !linked.contains(entry.getKey()) && !entry.getValue().paused(nanos));
    }

    private void release(BiPredicate<NodeId, Request> which) {
        requests.values()
                .forEach(asked -> asked.entrySet().removeIf(entry -> {
                    boolean over = which.test(entry.getKey(), entry.getValue());
                    if (over) {
                        release(entry.getKey(), entry.getValue());
                    }
                    return over;
                }));
        requests.values().removeIf(Map::isEmpty);
    }

    private void release(NodeId id, Request request) {
        inFlight -= request.size;
        peer(id).inFlight -= request.size;
    }

    private void offered(Event.Offered offered, long nanos) {
        Want want = active.get(offered.blob());
        if (offered.failed()) {
            peer(offered.from()).fails(nanos);
        }
        if (want == null || want.asking.remove(offered.from()) == null) {
            return;
        }
        Offer offer = offered.offer();
        if (offer != null) {
            wanted.told(want.blob, offer.manifest().size());
        }
        if (offer == null
                || !wanted.isWorth(want.blob, near(offered.from()))
                || !offer.manifest().hash().equals(want.blob)
                || want.refused.contains(offer.manifest())) {
            want.offers.remove(offered.from());
        } else {
            want.offers.put(offered.from(), offer);
        }
    }

    private void accepted(Event.Accepted accepted, long nanos, List<Effect> effects) {
        Want want = active.get(accepted.blob());
        if (want == null || want.manifest == null || want.lacking != null) {
            return;
        }
        List<Chunk> lacking = accepted.lacking();
        if (lacking == null) {
            lied(want, want.manifest, nanos, effects);
            return;
        }
        List<Chunk> turned = new ArrayList<>(lacking);
        if (!turned.isEmpty()) {
            Collections.rotate(turned, (int) Math.floorMod(offset, (long) turned.size()));
        }
        Map<String, Integer> sizes = new LinkedHashMap<>();
        turned.forEach(chunk -> sizes.put(chunk.hash(), chunk.size()));
        want.lacking = sizes;
    }

    /** A manifest that is of something else: whoever has the blob whole and says this of it lies. */
    private void lied(Want want, Manifest manifest, long nanos, List<Effect> effects) {
        want.refused.add(manifest);
        want.manifest = null;
        want.lacking = null;
        List<NodeId> liars = new ArrayList<>();
        want.offers.forEach((id, offer) -> {
            if (offer.whole() && offer.manifest().equals(manifest)) {
                liars.add(id);
            }
        });
        want.offers.values().removeIf(offer -> offer.manifest().equals(manifest));
        liars.forEach(id -> liar(id, nanos, effects));
    }

    private void liar(NodeId id, long nanos, List<Effect> effects) {
        peer(id).distrustedUntil = nanos + LIAR_PAUSE.toNanos();
        active.values().forEach(want -> want.offers.remove(id));
        requests.values().forEach(asked -> {
            Request request = asked.get(id);
            if (request != null) {
                request.moved = true;
            }
        });
        effects.add(new Effect.Lied(id));
    }

    private void ended(Event.Ended ended, long nanos, List<Effect> effects) {
        Peer peer = peer(ended.from());
        Map<NodeId, Request> asked = requests.get(ended.chunk());
        Request request = asked == null ? null : asked.remove(ended.from());
        if (asked != null && asked.isEmpty()) {
            requests.remove(ended.chunk());
        }
        if (request != null) {
            release(ended.from(), request);
        }
        switch (ended.outcome()) {
            case KEPT -> {
                if (request != null && !request.moved) {
                    peer.failures = 0;
                    peer.window = Math.min(MOST_FROM_ONE, peer.window + request.size);
                }
                for (Want want : active.values()) {
                    if (want.lacking != null && want.lacking.remove(ended.chunk()) != null) {
                        want.moved = true;
                    }
                }
            }
            case ABSENT ->
                active.values()
                        .forEach(want -> want.offers.computeIfPresent(ended.from(), (id, offer) -> {
                            if (!offer.whole() && !offer.chunks().contains(ended.chunk())) {
                                return offer;
                            }
                            Set<String> left = new HashSet<>(offer.chunks());
                            left.remove(ended.chunk());
                            return new Offer(offer.manifest(), false, left);
                        }));
            case WRONG -> liar(ended.from(), nanos, effects);
            case FAILED -> peer.fails(nanos);
            case UNKEPT ->
                List.copyOf(active.values()).stream()
                        .filter(want -> want.lacking != null && want.lacking.containsKey(ended.chunk()))
                        .forEach(want -> postpone(want.blob, nanos, effects));
        }
    }

    private void assembled(Event.Assembled assembled, long nanos, List<Effect> effects) {
        Want want = active.get(assembled.blob());
        if (want == null) {
            return;
        }
        if (assembled.whole()) {
            active.remove(want.blob);
            later.remove(want.blob);
            wanted.fulfilled(want.blob);
        } else if (assembled.lied() && want.manifest != null) {
            want.assembling = false;
            lied(want, want.manifest, nanos, effects);
        } else {
            postpone(want.blob, nanos, effects);
        }
    }

    private void postpone(String blob, long nanos, List<Effect> effects) {
        Want want = active.remove(blob);
        if (want == null) {
            return;
        }
        Later before = later.get(blob);
        long pause = before == null || want.moved
                ? SEEK_AGAIN.toNanos()
                : Math.min(2 * before.pause(), LONGEST_PAUSE.toNanos());
        later.put(blob, new Later(nanos + pause, pause));
        if (wanted.isUrgent(blob)) {
            effects.add(new Effect.Missed(blob));
        }
    }

    private void slow(long nanos, List<Effect> effects) {
        requests.values()
                .forEach(asked -> asked.forEach((id, request) -> {
                    if (!request.moved && nanos - request.since >= SLOW.toNanos()) {
                        request.moved = true;
                        peer(id).fails(nanos);
                    }
                }));
        release((id, request) -> nanos - request.since >= LOST.toNanos());
        for (Want want : List.copyOf(active.values())) {
            want.asking.values().removeIf(since -> nanos - since >= LOST.toNanos());
            boolean busy = want.assembling || want.manifest != null && want.lacking == null;
            if (busy && nanos - want.busySince >= LOST.toNanos()) {
                postpone(want.blob, nanos, effects);
            }
        }
    }

    // ---- what to do ----

    private void plan(long nanos, List<Effect> effects) {
        for (Wishes.Wish wish : wanted.all()) {
            String blob = wish.blob();
            Later when = later.get(blob);
            // Somebody waits for what is urgent: it does not wait for the rest.
            if (active.size() >= (wish.urgent() ? 2 * BLOBS_AT_A_TIME : BLOBS_AT_A_TIME)) {
                break;
            }
            if (!active.containsKey(blob)
                    && (when == null || nanos - when.at() >= 0)
                    && near.stream().anyMatch(holder -> wanted.isWorth(blob, holder))) {
                active.put(blob, new Want(blob));
            }
        }
        for (Want want : active.values()) {
            if (want.lacking != null && want.lacking.isEmpty()) {
                if (!want.assembling) {
                    want.assembling = true;
                    want.busySince = nanos;
                    effects.add(new Effect.Assemble(want.blob));
                }
                continue;
            }
            seek(want, nanos, effects);
            if (want.manifest == null) {
                choose(want, nanos, effects);
            }
        }
        for (Holder holder : near) {
            askChunks(holder, nanos, effects);
        }
        for (Want want : List.copyOf(active.values())) {
            if (isStuck(want)) {
                postpone(want.blob, nanos, effects);
            }
        }
    }

    /** Asks the nearest what they have, until enough are known. */
    private void seek(Want want, long nanos, List<Effect> effects) {
        int enough = want.lacking != null && want.lacking.size() > 1 ? HOLDERS : HOLDERS_OF_ONE;
        long known = want.offers.entrySet().stream()
                        .filter(entry -> entry.getValue().whole()
                                && (want.manifest == null
                                        || want.manifest.equals(entry.getValue().manifest()))
                                && !peer(entry.getKey()).paused(nanos))
                        .count()
                + want.asking.values().stream()
                        .filter(since -> nanos - since < SLOW.toNanos())
                        .count();
        for (Holder holder : near) {
            NodeId id = holder.id();
            if (peer(id).paused(nanos) || want.asking.containsKey(id) || !wanted.isWorth(want.blob, holder)) {
                continue;
            }
            Long asked = want.askedAt.get(id);
            Offer offer = want.offers.get(id);
            if (asked == null && known < enough) {
                known++;
            } else if (asked == null
                    || nanos - asked < ASK_AGAIN.toNanos()
                    || offer != null && offer.whole()
                    || offer == null && known >= enough) {
                continue;
            }
            want.asking.put(id, nanos);
            want.askedAt.put(id, nanos);
            effects.add(new Effect.AskBlob(id, want.blob));
        }
    }

    /** Whoever has the blob whole has checked its manifest; what others say is the last resort. */
    private void choose(Want want, long nanos, List<Effect> effects) {
        Holder chosen = null;
        for (Holder holder : near) {
            Offer offer = want.offers.get(holder.id());
            if (offer == null || !wanted.isWorth(want.blob, holder)) {
                continue;
            }
            if (offer.whole()) {
                chosen = holder;
                break;
            }
            if (chosen == null) {
                chosen = holder;
            }
        }
        Offer offer = chosen == null ? null : want.offers.get(chosen.id());
        if (chosen == null || offer == null) {
            return;
        }
        boolean askedEverybody = want.asking.values().stream().noneMatch(since -> nanos - since < SLOW.toNanos());
        if (offer.whole() || askedEverybody) {
            want.manifest = offer.manifest();
            want.busySince = nanos;
            effects.add(new Effect.Accept(chosen.id(), offer.manifest()));
        }
    }

    private void askChunks(Holder holder, long nanos, List<Effect> effects) {
        NodeId id = holder.id();
        Peer peer = peer(id);
        if (peer.paused(nanos)) {
            return;
        }
        List<Want> order = new ArrayList<>(active.values());
        order.sort(Comparator.comparing(want -> !wanted.isUrgent(want.blob)));
        for (Want want : order) {
            Offer offer = want.offers.get(id);
            if (offer == null || want.lacking == null || !wanted.isWorth(want.blob, holder)) {
                continue;
            }
            for (Map.Entry<String, Integer> chunk : want.lacking.entrySet()) {
                if (peer.inFlight >= peer.window) {
                    return;
                }
                if (offer.chunks().contains(chunk.getKey())
                        && isFree(chunk.getKey(), id)
                        && !(holder.metered() && isElsewhere(want, chunk.getKey(), nanos))) {
                    int size = Math.max(LEAST_COST, chunk.getValue());
                    // One chunk may always be under way, be it larger than the window.
                    if (peer.inFlight > 0 && peer.inFlight + size > peer.window || inFlight + size > MOST_IN_FLIGHT) {
                        return;
                    }
                    requests.computeIfAbsent(chunk.getKey(), none -> new HashMap<>())
                            .put(id, new Request(size, nanos));
                    peer.inFlight += size;
                    inFlight += size;
                    effects.add(new Effect.AskChunk(id, chunk.getKey()));
                }
            }
        }
    }

    private boolean isFree(String chunk, NodeId from) {
        Map<NodeId, Request> asked = requests.getOrDefault(chunk, Map.of());
        return !asked.containsKey(from) && asked.values().stream().allMatch(request -> request.moved);
    }

    /** Whether it can be had over a link that nobody pays for, or may be: somebody there has not answered yet. */
    private boolean isElsewhere(Want want, String chunk, long nanos) {
        for (Holder holder : near) {
            Offer offer = want.offers.get(holder.id());
            Long asked = want.asking.get(holder.id());
            if (!holder.metered()
                    && !peer(holder.id()).paused(nanos)
                    && (offer != null && offer.chunks().contains(chunk)
                            || asked != null && nanos - asked < SLOW.toNanos())) {
                return true;
            }
        }
        return false;
    }

    /** Nothing is under way for it, though it had its turn: others shall have theirs. */
    private boolean isStuck(Want want) {
        if (want.assembling || !want.asking.isEmpty()) {
            return false;
        }
        Map<String, Integer> lacking = want.lacking;
        if (lacking == null) {
            return want.manifest == null;
        }
        // While the bytes of others take all the room it has not had its turn.
        return lacking.keySet().stream().noneMatch(requests::containsKey) && (inFlight == 0 || want.offers.isEmpty());
    }
}
