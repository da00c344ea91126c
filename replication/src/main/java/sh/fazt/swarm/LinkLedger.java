package sh.fazt.swarm;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import sh.fazt.cartridge.LocalTx;
import sh.fazt.cartridge.SchemaPart;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.identity.NodeId;
import sh.fazt.link.GrpcLinks;
import sh.fazt.link.LinkSettings;

/**
 * What links have to remember over a restart: what the owner set, what metered links carried today, and the
 * address books. It is this node's own and not replicated. Thread-safe; blocks.
 */
final class LinkLedger {
    private static final Logger LOG = LoggerFactory.getLogger(LinkLedger.class);

    static final SchemaPart SCHEMA = new SchemaPart("link", List.of("""
                    CREATE TABLE link_setting (
                        peer TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
                        PRIMARY KEY (peer, key)
                    ) WITHOUT ROWID;
                    CREATE TABLE link_usage (
                        peer TEXT PRIMARY KEY, day INTEGER NOT NULL, bytes INTEGER NOT NULL
                    ) WITHOUT ROWID;
                    CREATE TABLE link_book (book BLOB NOT NULL);
                    """), List.of());

    private record Used(NodeId peer, long day, long bytes) {}

    private final SqliteCartridge cartridge;
    private final GrpcLinks links;
    private GrpcLinks.Usage kept = new GrpcLinks.Usage(0, Map.of());
    private int keptBooks;

    LinkLedger(SqliteCartridge cartridge, GrpcLinks links) {
        this.cartridge = cartridge;
        this.links = links;
    }

    /** Before the links start. */
    void restore() {
        restoreSettings();
        List<Used> used = cartridge.read(rows -> rows.query(
                "SELECT peer, day, bytes FROM link_usage",
                row -> new Used(NodeId.parse(row.text(0)), row.integer(1), row.integer(2))));
        if (!used.isEmpty()) {
            long day = used.stream().mapToLong(Used::day).max().orElse(0);
            links.restoreUsage(new GrpcLinks.Usage(
                    day,
                    used.stream().filter(one -> one.day() == day).collect(Collectors.toMap(Used::peer, Used::bytes))));
        }
    }

    /** What was set of a member's link holds under its new key too. */
    synchronized void follow(NodeId before, NodeId after) {
        if (links.settings().entries().stream().noneMatch(entry -> entry.of().equals(before.toString()))) {
            return;
        }
        cartridge
                .writeLocal(tx -> tx.execute(
                        "UPDATE OR REPLACE link_setting SET peer = ? WHERE peer = ?",
                        after.toString(),
                        before.toString()))
                .toCompletableFuture()
                .join();
        restoreSettings();
    }

    private void restoreSettings() {
        LinkSettings settings = LinkSettings.NONE;
        List<LinkSettings.Entry> entries = cartridge.read(rows -> rows.query(
                "SELECT peer, key, value FROM link_setting",
                row -> new LinkSettings.Entry(row.text(0), row.text(1), row.text(2))));
        for (LinkSettings.Entry entry : entries) {
            try {
                settings = settings.set(peer(entry.of()), entry.key(), entry.value());
            } catch (IllegalArgumentException e) {
                LOG.warn(
                        "a setting of links is ignored peer={} key={} why={}", entry.of(), entry.key(), e.getMessage());
            }
        }
        links.settings(settings);
    }

    /** Once the members are known. */
    void restoreBooks() {
        links.restoreBooks(cartridge.read(rows -> rows.query("SELECT book FROM link_book", row -> row.bytes(0))));
    }

    private static @Nullable NodeId peer(String text) {
        return text.equals(LinkSettings.DEFAULT) ? null : NodeId.parse(text);
    }

    /**
     * Sets one thing, kept before it holds.
     *
     * @throws SwarmException when the value is none
     */
    synchronized void set(@Nullable NodeId peer, String key, String value) {
        LinkSettings next;
        try {
            next = links.settings().set(peer, key, value);
        } catch (IllegalArgumentException e) {
            throw new SwarmException(SwarmException.Reason.INVALID, String.valueOf(e.getMessage()));
        }
        String of = peer == null ? LinkSettings.DEFAULT : peer.toString();
        cartridge
                .writeLocal(tx -> {
                    tx.execute("DELETE FROM link_setting WHERE peer = ? AND key = ?", of, key);
                    next.entries().stream()
                            .filter(entry ->
                                    entry.of().equals(of) && entry.key().equals(key))
                            .forEach(entry ->
                                    tx.execute("INSERT INTO link_setting VALUES (?, ?, ?)", of, key, entry.value()));
                    return true;
                })
                .toCompletableFuture()
                .join();
        links.settings(next);
    }

    /** Keeps what has changed since the last time; once in a while, and at the end. */
    synchronized void keep() {
        GrpcLinks.Usage usage = links.usage();
        if (!usage.equals(kept) && !usage.bytes().isEmpty()) {
            cartridge
                    .writeLocal(tx -> {
                        tx.execute("DELETE FROM link_usage");
                        new TreeMap<>(usage.bytes())
                                .forEach((peer, bytes) -> tx.execute(
                                        "INSERT INTO link_usage VALUES (?, ?, ?)",
                                        peer.toString(),
                                        usage.day(),
                                        bytes));
                        return true;
                    })
                    .toCompletableFuture()
                    .join();
            kept = usage;
        }
        int revision = links.bookRevision();
        if (revision != keptBooks) {
            List<byte[]> books = links.books();
            cartridge
                    .writeLocal(tx -> {
                        tx.execute("DELETE FROM link_book");
                        books.forEach(book -> tx.execute("INSERT INTO link_book VALUES (?)", (Object) book));
                        return true;
                    })
                    .toCompletableFuture()
                    .join();
            keptBooks = revision;
        }
    }

    /** Forgets what was set and measured of peers. */
    static void forget(LocalTx tx) {
        tx.execute("DELETE FROM link_setting WHERE peer <> ?", LinkSettings.DEFAULT);
        tx.execute("DELETE FROM link_usage");
        tx.execute("DELETE FROM link_book");
    }
}
