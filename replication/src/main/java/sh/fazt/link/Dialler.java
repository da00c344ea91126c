package sh.fazt.link;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * When a peer is dialled, and by which way. Without a link all ways are tried in turn, best first, with pauses
 * after each round, for ever; with one, the better ways alone, rarely, so that a link that had to be relayed
 * does not stay so. Confined to the loop.
 */
final class Dialler {
    static final long MIN_PAUSE_MILLIS = 200;
    private static final long MIN_BETTER_MILLIS = 5000;
    private static final long MAX_BETTER_MILLIS = Duration.ofMinutes(5).toMillis();
    /** A way that failed stands behind those that did not, for so long. */
    private static final long FAILED_NANOS = TimeUnit.SECONDS.toNanos(60);
    /** A way that was taken over and broke sooner than this is left alone, longer each time. */
    private static final long HOLDS_NANOS = TimeUnit.SECONDS.toNanos(60);

    private static final long FLAPPED_NANOS = TimeUnit.SECONDS.toNanos(60);
    private static final long PATIENCE_MILLIS = 5000;
    private static final long HASTY_MILLIS = 2000;
    private static final int MAX_FLAPS = 6;
    private static final int MAX_REMEMBERED = 64;

    private static final class Record {
        long failedNanos;
        boolean failed;
        int flaps;
        long avoidUntilNanos;
    }

    private final GrpcLinks links;
    private final Peer peer;
    private final Map<Way, Record> records = new HashMap<>();
    private List<Way> round = List.of();
    private int next;
    private boolean wasLocal = true;
    private long pauseMillis = MIN_PAUSE_MILLIS;
    private long betterMillis = MIN_BETTER_MILLIS;
    private @Nullable ScheduledFuture<?> waiting;
    private @Nullable Dial dial;
    private @Nullable Link dialledLink;
    private long linkedNanos;

    Dialler(GrpcLinks links, Peer peer) {
        this.links = links;
        this.peer = peer;
    }

    @Nullable
    Dial dial() {
        return dial;
    }

    // ---- when ----

    /** Now rather than after the pause: the network has changed or someone asked. */
    void redial() {
        pauseMillis = MIN_PAUSE_MILLIS;
        betterMillis = MIN_BETTER_MILLIS;
        records.clear();
        begin(0);
    }

    /** There may be a way that was not known. */
    void hasNewWays() {
        Link link = peer.link();
        if (link == null || isImprovable(link)) {
            pauseMillis = MIN_PAUSE_MILLIS;
            betterMillis = MIN_BETTER_MILLIS;
            begin(0);
        }
    }

    /** A way through a relay may have come up; one in use needs no other. */
    void hasNewRelay() {
        if (peer.link() == null && dial == null) {
            // Not all at once when a relay comes back.
            begin(links.chance(MIN_PAUSE_MILLIS));
        }
    }

    private void begin(long millis) {
        if (dial == null) {
            round = List.of();
            next = 0;
            in(millis);
        }
    }

    private void in(long millis) {
        stopWaiting();
        if (peer.isTrusted() && !links.isClosed()) {
            waiting = links.later(millis, this::now);
        }
    }

    void stopWaiting() {
        ScheduledFuture<?> set = waiting;
        if (set != null) {
            set.cancel(false);
            waiting = null;
        }
    }

    /** No dial and no intention of one. */
    void stop(String why) {
        stopWaiting();
        abandon(why);
    }

    void forget() {
        records.clear();
        round = List.of();
    }

    private static boolean isImprovable(Link link) {
        return link.isUp() && link.isModern() && link.terms().rank() != LinkClass.LAN;
    }

    private void now() {
        waiting = null;
        Link link = peer.link();
        if (dial != null || !peer.isTrusted() || links.isClosed() || peer.standby() != null) {
            return;
        }
        if (link != null && !isImprovable(link)) {
            return;
        }
        if (next >= round.size()) {
            round = link == null ? ways() : betterThan(link);
            next = 0;
        }
        if (round.isEmpty()) {
            if (link != null) {
                in(better());
            }
            return;
        }
        long wait = links.dialBudget().delayNanos();
        if (wait > 0) {
            // Many are dialled at this moment; in another order next time.
            in(1 + TimeUnit.NANOSECONDS.toMillis(wait) + links.chance(MIN_PAUSE_MILLIS));
            return;
        }
        links.dialBudget().take(1);
        Way way = round.get(next++);
        peer.trying(way.text());
        Dial started = new Dial(links, peer, way, link, patience(way));
        dial = started;
        started.start();
    }

    // ---- which way ----

    private List<Way> ways() {
        List<Way> good = new ArrayList<>();
        List<Way> bad = new ArrayList<>();
        long now = links.nanos();
        for (Way way : links.directory().ways(peer)) {
            Record record = records.get(way);
            boolean failed = record != null
                    && (record.avoidUntilNanos - now > 0 || (record.failed && now - record.failedNanos < FAILED_NANOS));
            (failed ? bad : good).add(way);
        }
        good.addAll(bad);
        return good;
    }

    private List<Way> betterThan(Link link) {
        long now = links.nanos();
        return links.directory().ways(peer).stream()
                .filter(way -> way.rank().compareTo(link.terms().rank()) < 0)
                .filter(way -> {
                    Record record = records.get(way);
                    return record == null || record.flaps == 0 || record.avoidUntilNanos - now <= 0;
                })
                .toList();
    }

    /** While a relay could do it at once, a way that does not answer is not waited for long: it is tried again. */
    private long patience(Way way) {
        boolean relayWaits =
                way instanceof Way.Direct && round.stream().skip(next).anyMatch(later -> later instanceof Way.Via);
        return relayWaits ? HASTY_MILLIS : PATIENCE_MILLIS;
    }

    private Record record(Way way) {
        if (records.size() >= MAX_REMEMBERED) {
            records.clear();
        }
        return records.computeIfAbsent(way, unused -> new Record());
    }

    // ---- what came of it ----

    void failed(Dial failed, String why) {
        if (dial != failed) {
            return;
        }
        dial = null;
        Record record = record(failed.way());
        record.failed = true;
        record.failedNanos = links.nanos();
        if (peer.link() == null) {
            peer.failed(failed.address() + ": " + why);
        }
        goOn();
    }

    /** The next way at once; a pause only after a round through all of them. */
    private void goOn() {
        if (next < round.size()) {
            in(0);
        } else {
            round = List.of();
            in(peer.link() == null ? pause() : better());
        }
    }

    /** Another link took the place of our dial. */
    void abandon(String why) {
        Dial running = dial;
        if (running != null) {
            dial = null;
            running.cancel(why);
        }
    }

    /** The dial has become a link. */
    void done(Dial finished) {
        if (dial == finished) {
            dial = null;
        }
    }

    /** A link is up: are there better ones? */
    void linked(Link now) {
        stopWaiting();
        round = List.of();
        next = 0;
        linkedNanos = links.nanos();
        dialledLink = now.terms().dialled() ? now : null;
        wasLocal = now.terms().rank() == LinkClass.LAN;
        Record record = records.get(now.terms().way());
        if (record != null) {
            record.failed = false;
        }
        if (isImprovable(now)) {
            in(better());
        }
    }

    void moveFailed(Link gone, String why) {
        if (gone.terms().dialled()) {
            Record record = record(gone.terms().way());
            record.flaps = Math.min(MAX_FLAPS, record.flaps + 1);
            record.avoidUntilNanos = links.nanos() + (FLAPPED_NANOS << record.flaps - 1);
        }
        Link link = peer.link();
        if (link != null && isImprovable(link)) {
            in(better());
        }
    }

    /** The link is gone. */
    void lost(Link gone, boolean lasted) {
        long now = links.nanos();
        if (gone == dialledLink) {
            Record record = record(gone.terms().way());
            record.failed = true;
            record.failedNanos = now;
            if (now - linkedNanos >= HOLDS_NANOS) {
                record.flaps = 0;
            } else {
                record.flaps = Math.min(MAX_FLAPS, record.flaps + 1);
                record.avoidUntilNanos = now + (FLAPPED_NANOS << record.flaps - 1);
            }
        }
        dialledLink = null;
        if (lasted) {
            pauseMillis = MIN_PAUSE_MILLIS;
        }
        round = List.of();
        next = 0;
        in(pause());
    }

    /** Nothing that a quick retry would change. */
    void calmDown() {
        pauseMillis = longest();
    }

    private long longest() {
        boolean local = wasLocal || links.directory().ways(peer).stream().anyMatch(way -> way.rank() == LinkClass.LAN);
        return (local ? LinkClass.LAN : LinkClass.WAN).longestPause().toMillis();
    }

    private long pause() {
        long base = pauseMillis;
        pauseMillis = Math.min(longest(), base * 2);
        return jittered(base);
    }

    private long better() {
        long base = betterMillis;
        betterMillis = Math.min(MAX_BETTER_MILLIS, base * 2);
        return jittered(base);
    }

    /** Between half and all of it, so that a swarm that lost one node does not call it in step. */
    private long jittered(long base) {
        return base / 2 + links.chance(base / 2 + 1);
    }
}
