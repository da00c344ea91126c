package sh.fazt.link;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import sh.fazt.identity.NodeId;
import sh.fazt.identity.NodeKey;
import sh.fazt.protocol.peer.v1.Book;
import sh.fazt.protocol.peer.v1.Candidate;
import sh.fazt.protocol.peer.v1.KnownBook;
import sh.fazt.protocol.peer.v1.SignedBook;

/**
 * What every member publishes of its addresses, signed with its key: the newest of each, whoever passed it on.
 * Confined to the loop, but for {@link #all}.
 */
final class Books {
    /** A book with all its addresses; more is refused unread. */
    static final int MAX_BYTES = 8 << 10;

    private static final byte[] DOMAIN = "fazt-book".getBytes(StandardCharsets.US_ASCII);
    /** A clock that is further ahead than this must not shut out the node's later books. */
    private static final long AHEAD_MILLIS = 400L * 86_400_000;

    /** A book that was believed. */
    record Entry(NodeId node, String swarm, long version, Map<HostPort, AddressSource> addresses, SignedBook signed) {}

    private final NodeKey key;
    private final Map<NodeId, Entry> entries = new ConcurrentHashMap<>();

    Books(NodeKey key) {
        this.key = key;
    }

    /**
     * Signs what this node says of itself in that swarm from now on; null when it says that already. What is known
     * of another swarm is forgotten.
     */
    @Nullable
    SignedBook publish(String swarm, Map<HostPort, AddressSource> addresses, long wallMillis) {
        entries.values()
                .removeIf(entry -> !entry.swarm().equals(swarm) && !entry.node().equals(key.id()));
        Entry mine = entries.get(key.id());
        if (mine != null
                && mine.swarm().equals(swarm)
                && new TreeMap<>(text(mine.addresses())).equals(new TreeMap<>(text(addresses)))) {
            return null;
        }
        Book.Builder book = Book.newBuilder()
                .setNodeId(ByteString.copyFrom(key.id().bytes()))
                .setSwarmId(swarm)
                .setVersion(Math.max(wallMillis, mine == null ? 0 : mine.version() + 1));
        addresses.forEach((address, source) -> book.addCandidates(
                Candidate.newBuilder().setAddress(address.toString()).setSource(source.number())));
        ByteString bytes = book.build().toByteString();
        SignedBook signed = SignedBook.newBuilder()
                .setBook(bytes)
                .setPublicKey(ByteString.copyFrom(key.publicKey()))
                .setSignature(ByteString.copyFrom(key.sign(DOMAIN, bytes.toByteArray())))
                .build();
        entries.put(key.id(), new Entry(key.id(), swarm, book.getVersion(), Map.copyOf(addresses), signed));
        return signed;
    }

    private static Map<String, AddressSource> text(Map<HostPort, AddressSource> addresses) {
        Map<String, AddressSource> text = new HashMap<>();
        addresses.forEach((address, source) -> text.put(address.toString(), source));
        return text;
    }

    /** Reads one and checks its signature, which takes a while: on any thread. */
    static Entry verify(byte[] bytes, String swarm, long wallMillis) throws ForgedBookException {
        try {
            SignedBook signed = SignedBook.parseFrom(bytes);
            NodeId node = NodeKey.signer(
                    signed.getPublicKey().toByteArray(),
                    DOMAIN,
                    signed.getBook().toByteArray(),
                    signed.getSignature().toByteArray());
            Book book = Book.parseFrom(signed.getBook());
            if (!Arrays.equals(book.getNodeId().toByteArray(), node.bytes())) {
                throw new ForgedBookException("node " + node.shortText() + " signed it in another's name");
            }
            if (!book.getSwarmId().equals(swarm)) {
                throw new ForgedBookException("it is of another swarm");
            }
            if (book.getVersion() <= 0) {
                throw new ForgedBookException("its version is " + book.getVersion());
            }
            if (book.getVersion() > wallMillis + AHEAD_MILLIS) {
                // Taken, it would hide all that its owner says once its clock is right.
                throw new EarlyBookException("its version is more than a year ahead");
            }
            Map<HostPort, AddressSource> addresses = new HashMap<>();
            for (Candidate candidate : book.getCandidatesList()) {
                if (addresses.size() < AddressBook.MAX_ALL) {
                    addresses.put(HostPort.parse(candidate.getAddress()), AddressSource.of(candidate.getSource()));
                }
            }
            return new Entry(node, swarm, book.getVersion(), Map.copyOf(addresses), signed);
        } catch (InvalidProtocolBufferException | GeneralSecurityException | IllegalArgumentException e) {
            throw new ForgedBookException("it can't be read: " + e.getMessage());
        }
    }

    /** A book that nobody has to believe. */
    static sealed class ForgedBookException extends Exception {
        private static final long serialVersionUID = 1L;

        ForgedBookException(String message) {
            super(message);
        }
    }

    /** One of a node whose clock is far ahead, or that is read by one whose clock is far behind: nobody's fault. */
    static final class EarlyBookException extends ForgedBookException {
        private static final long serialVersionUID = 1L;

        EarlyBookException(String message) {
            super(message);
        }
    }

    /** True when it is newer than what was known. */
    boolean take(Entry entry) {
        Entry before = entries.get(entry.node());
        if (before != null && before.version() >= entry.version()) {
            return false;
        }
        entries.put(entry.node(), entry);
        return true;
    }

    long version(NodeId node) {
        Entry entry = entries.get(node);
        return entry == null ? 0 : entry.version();
    }

    void forget(NodeId node) {
        entries.remove(node);
    }

    List<KnownBook> known() {
        List<KnownBook> known = new ArrayList<>();
        entries.values()
                .forEach(entry -> known.add(KnownBook.newBuilder()
                        .setNode(prefix(entry.node()))
                        .setVersion(entry.version())
                        .build()));
        return known;
    }

    /** What somebody who knows that much does not know yet. */
    List<SignedBook> newerThan(List<KnownBook> known) {
        Map<ByteString, Long> versions = new HashMap<>();
        known.forEach(one -> versions.put(one.getNode(), one.getVersion()));
        return entries.values().stream()
                .filter(entry -> entry.version() > versions.getOrDefault(prefix(entry.node()), 0L))
                .map(Entry::signed)
                .toList();
    }

    List<byte[]> all() {
        return entries.values().stream()
                .map(entry -> entry.signed().toByteArray())
                .toList();
    }

    static ByteString prefix(NodeId node) {
        return ByteString.copyFrom(node.bytes(), 0, 8);
    }
}
