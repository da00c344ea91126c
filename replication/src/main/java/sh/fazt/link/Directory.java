package sh.fazt.link;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.identity.NodeId;
import sh.fazt.protocol.peer.v1.Frame;
import sh.fazt.protocol.peer.v1.Hello;
import sh.fazt.protocol.peer.v1.NodeStatus;
import sh.fazt.protocol.peer.v1.SignedBook;

/**
 * Which ways lead to whom: the address book, what peers say of themselves and whom they are linked to, and the
 * signed books that members pass on. Confined to the loop.
 */
final class Directory {
    private static final Logger LOG = LoggerFactory.getLogger(Directory.class);
    /** Changes within this are told at once together. */
    private static final long GATHER_MILLIS = 200;
    /** Books of one peer that wait to be verified; a signature takes about a fifth of a millisecond. */
    private static final int MAX_UNVERIFIED = 64;
    /** In one status. */
    private static final int MAX_TOLD = 1000;

    private final GrpcLinks links;
    private final AddressBook book;
    private final Books books;
    private final Map<NodeId, Status> statuses = new HashMap<>();
    private final Map<NodeId, Integer> unverified = new HashMap<>();
    /** Where each peer sees this node. */
    private final Map<NodeId, HostPort> seen = new LinkedHashMap<>();

    private boolean telling;
    private volatile int revision;

    private record Status(boolean relays, Set<ByteString> linked) {}

    Directory(GrpcLinks links) {
        this.links = links;
        this.book = new AddressBook(links::nanos);
        this.books = new Books(links.key());
    }

    AddressBook book() {
        return book;
    }

    /** Rises when a book has changed. */
    int revision() {
        return revision;
    }

    // ---- ways ----

    /** Every way to a peer, the best first. */
    List<Way> ways(Peer peer) {
        List<Way> ways = new ArrayList<>();
        Set<HostPort> own = new HashSet<>(book.networks().reachable(links.openPort()));
        for (Way way : book.ways(peer.id())) {
            if (!(way instanceof Way.Direct direct && own.contains(direct.to()))) {
                ways.add(way);
            }
        }
        if (links.settings().reachedByRelay(peer.id())) {
            ByteString wanted = Books.prefix(peer.id());
            links.peers().stream()
                    .filter(relay -> relay != peer && relay.relayLane().isOpen())
                    .filter(relay -> {
                        Status status = statuses.get(relay.id());
                        return status != null
                                && status.relays()
                                && status.linked().contains(wanted);
                    })
                    .sorted(Comparator.comparingLong(Directory::cost))
                    .forEach(relay -> ways.add(new Way.Via(relay.id())));
        }
        return ways;
    }

    /** Whoever answers sooner relays better; who pays, last. */
    private static long cost(Peer relay) {
        Link link = relay.link();
        var trip = link == null ? null : link.pulse().roundTrip();
        long nanos = trip == null ? 1_000_000_000L : trip.toNanos();
        return relay.isMetered() ? nanos + 60_000_000_000L : nanos;
    }

    // ---- what is learned of others ----

    /** A link begins: what both hellos told. */
    void met(Peer peer, Hello hello, Way way) {
        peer.toldMetered(hello.getMetered());
        List<HostPort> told = new ArrayList<>();
        for (String text : hello.getAddressesList()) {
            if (told.size() < AddressBook.MAX_EACH) {
                try {
                    told.add(HostPort.parse(text));
                } catch (IllegalArgumentException e) {
                    peer.misbehaved(Fault.MALFORMED, "an address that is none");
                }
            }
        }
        if (books.version(peer.id()) == 0) {
            book.put(peer.id(), AddressSource.TOLD, told);
        }
        if (way instanceof Way.Direct) {
            observed(peer, hello.getObservedAddress());
        }
    }

    /** Where a peer sees us: our port there, unless it is this machine or a network that others can't see into. */
    private void observed(Peer peer, String text) {
        if (links.openPort() == 0 || text.isEmpty()) {
            return;
        }
        try {
            HostPort there = HostPort.parse(text);
            InetAddress host = LocalNetworks.literal(there.host());
            if (host != null && !LocalNetworks.isPrivate(host)) {
                HostPort candidate = new HostPort(there.host(), links.openPort());
                if (!candidate.equals(seen.put(peer.id(), candidate))) {
                    candidates(links.id(), AddressSource.OBSERVED, List.copyOf(seen.values()));
                }
            }
        } catch (IllegalArgumentException e) {
            peer.misbehaved(Fault.MALFORMED, "an address that is none");
        }
    }

    /** What a source knows of a node's addresses from now on. */
    void candidates(NodeId node, AddressSource source, List<HostPort> addresses) {
        if (!book.put(node, source, addresses)) {
            return;
        }
        if (node.equals(links.id())) {
            publish();
        } else {
            Peer peer = links.trusted(node);
            if (peer != null) {
                peer.dialler().hasNewWays();
            }
        }
    }

    void forget(NodeId node) {
        book.forget(node);
        books.forget(node);
        statuses.remove(node);
        seen.remove(node);
        revision++;
    }

    // ---- status ----

    /** A link is up, or has moved. */
    void linked(Link link) {
        if (link.isModern()) {
            link.say(status(link.peer(), true));
        }
        changed();
    }

    void unlinked(Peer peer) {
        statuses.remove(peer.id());
        changed();
    }

    /** Something that the status tells is different. */
    void changed() {
        if (!telling) {
            telling = true;
            links.after(GATHER_MILLIS, () -> {
                telling = false;
                each(null, link -> link.say(status(link.peer(), false)));
            });
        }
    }

    private interface Say {
        void to(Link link);
    }

    private void each(@Nullable Peer but, Say say) {
        for (Peer peer : links.peers()) {
            Link link = peer.link();
            if (peer != but && link != null && link.isUp() && link.isModern()) {
                say.to(link);
            }
        }
    }

    private Frame status(Peer to, boolean first) {
        LinkSettings settings = links.settings();
        NodeStatus.Builder status =
                NodeStatus.newBuilder().setMetered(settings.metered(to.id())).setRelays(settings.relays());
        links.peers().stream()
                .filter(peer -> peer.relayLane().isOpen())
                .limit(MAX_TOLD)
                .forEach(peer -> status.addLinked(Books.prefix(peer.id())));
        if (first) {
            books.known().stream().limit(MAX_TOLD).forEach(status::addBooks);
        }
        return Wire.frame(Wire.STATUS, first ? 1 : 0, status.build().toByteString());
    }

    /** A peer tells its status or somebody's book. */
    void told(Peer peer, Frame frame) {
        try {
            if (frame.getKind() == Wire.BOOK) {
                verify(peer, frame.getBody());
                return;
            }
            NodeStatus status = NodeStatus.parseFrom(frame.getBody());
            peer.toldMetered(status.getMetered());
            Status before = statuses.put(peer.id(), new Status(status.getRelays(), Set.copyOf(status.getLinkedList())));
            if (frame.getId() == 1) {
                Link link = peer.link();
                for (SignedBook newer : books.newerThan(status.getBooksList())) {
                    if (link != null) {
                        link.say(Wire.frame(Wire.BOOK, 0, newer.toByteString()));
                    }
                }
            }
            if (status.getRelays()) {
                Set<ByteString> added = new HashSet<>(status.getLinkedList());
                if (before != null && before.relays()) {
                    added.removeAll(before.linked());
                }
                for (Peer other : links.peers()) {
                    if (other.isTrusted() && added.contains(Books.prefix(other.id()))) {
                        other.dialler().hasNewRelay();
                    }
                }
            }
        } catch (InvalidProtocolBufferException e) {
            peer.misbehaved(Fault.MALFORMED, "a damaged status");
        }
    }

    // ---- books ----

    private void verify(Peer from, ByteString bytes) {
        int waiting = unverified.getOrDefault(from.id(), 0);
        if (bytes.size() > Books.MAX_BYTES || waiting >= MAX_UNVERIFIED) {
            from.misbehaved(Fault.OVERSIZED, "more address books, or larger ones, than a member has to tell");
            return;
        }
        unverified.put(from.id(), waiting + 1);
        String swarm = links.swarmId();
        long wall = links.wallMillis();
        links.block(() -> {
            Books.Entry entry = null;
            String problem = "";
            try {
                entry = Books.verify(bytes.toByteArray(), swarm, wall);
            } catch (Books.EarlyBookException e) {
                LOG.debug(
                        "an address book is not taken peer={} why={}", from.id().shortText(), e.getMessage());
            } catch (Books.ForgedBookException e) {
                problem = "a forged address book: " + e.getMessage();
            }
            Books.Entry good = entry;
            String why = problem;
            links.loop().execute(() -> {
                unverified.computeIfPresent(from.id(), (id, count) -> count <= 1 ? null : count - 1);
                if (good != null) {
                    take(from, good);
                } else if (!why.isEmpty()) {
                    links.counts().forgedBooks.increment();
                    from.misbehaved(Fault.MALFORMED, why);
                }
            });
        });
    }

    private void take(@Nullable Peer from, Books.Entry entry) {
        boolean own = entry.node().equals(links.id());
        Peer peer = links.trusted(entry.node());
        if ((!own && peer == null) || !books.take(entry)) {
            return;
        }
        revision++;
        if (own) {
            // Of before a restart, or of a copy: what is true now has to be newer.
            publish();
            return;
        }
        book.put(entry.node(), AddressSource.TOLD, List.copyOf(sorted(entry.addresses())));
        each(from, link -> {
            if (!link.peer().id().equals(entry.node())) {
                link.say(Wire.frame(Wire.BOOK, 0, entry.signed().toByteString()));
            }
        });
        if (peer != null) {
            peer.dialler().hasNewWays();
        }
    }

    private static List<HostPort> sorted(Map<HostPort, AddressSource> addresses) {
        return addresses.entrySet().stream()
                .sorted(Map.Entry.<HostPort, AddressSource>comparingByValue()
                        .thenComparing(entry -> entry.getKey().toString()))
                .map(Map.Entry::getKey)
                .toList();
    }

    /** Says to all where this node may be dialled, if that has changed. */
    void publish() {
        if (links.swarmId().isEmpty() || links.openPort() == 0) {
            return;
        }
        SignedBook mine = books.publish(links.swarmId(), book.of(links.id()), links.wallMillis());
        if (mine != null) {
            revision++;
            Frame frame = Wire.frame(Wire.BOOK, 0, mine.toByteString());
            each(null, link -> link.say(frame));
        }
    }

    /** Every book that was believed, to be kept over a restart. */
    List<byte[]> all() {
        return books.all();
    }

    /** Takes books that were kept; each is checked again. */
    void restore(List<byte[]> kept) {
        for (byte[] bytes : kept) {
            try {
                take(null, Books.verify(bytes, links.swarmId(), links.wallMillis()));
            } catch (Books.EarlyBookException e) {
                LOG.debug("an address book that was kept is not taken why={}", e.getMessage());
            } catch (Books.ForgedBookException e) {
                links.counts().forgedBooks.increment();
            }
        }
    }
}
