package sh.fazt.hosting.document;

import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.Cartridge;
import sh.fazt.cartridge.ReplicatedTable;
import sh.fazt.cartridge.ReplicatedTable.Column;
import sh.fazt.cartridge.ReplicatedTable.Policy;
import sh.fazt.cartridge.ReplicatedTable.Type;
import sh.fazt.cartridge.Rows;
import sh.fazt.cartridge.SchemaPart;
import sh.fazt.cartridge.change.Hlc;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.hosting.HostingException;

/**
 * An app's documents: JSON objects, in collections that are there as soon as they are named. Each top-level field
 * merges by itself: of what two nodes that are cut off from each other write into different fields of a document, both
 * stays; what they write into the same one is a conflict. An update writes the fields that it changes and no other.
 *
 * <p>Whatever is not asked for by its id is looked for in the whole collection, one document in memory at a time, on
 * the caller's thread; a write then looks again, in its transaction, at those that were found.
 *
 * <p>Thread-safe. Writes wait until they are durable.
 */
public final class Documents {
    /** What this room keeps. */
    public static final SchemaPart SCHEMA = new SchemaPart(
            "documents",
            List.of(),
            List.of(new ReplicatedTable(
                    "document",
                    Policy.DOCUMENT,
                    List.of(new Column("collection", Type.TEXT), new Column("id", Type.TEXT)),
                    List.of())));

    /** Collections and ids are part of an index on every node. */
    static final int MOST_NAME = 256;

    /** What is found is held in memory, as JSON and as the script's objects. */
    static final int MOST_FOUND = 10_000;

    static final int MOST_FOUND_CHARS = 16 << 20;

    /** How far a page may begin from where the order does: so many keys are held in memory. */
    static final int MOST_OFFSET = 100_000;

    /** More would hold up every other writer. */
    static final int MOST_CHANGED = 10_000;

    /** A deleted document travels with its fields, which a concurrent change may bring back. */
    private static final int MOST_DELETED_BYTES = 8 << 20;

    private static final int PAGE = 500;
    private static final String DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    private static final int ID_DIGITS = 26;

    private final Cartridge cartridge;
    private final InstantSource clock;
    private final RandomGenerator random;
    private final Runnable poll;
    private final AtomicLong lastCreated = new AtomicLong();

    /** @param poll called now and then by whoever looks through a collection; what it throws ends the call */
    public Documents(Cartridge cartridge, InstantSource clock, RandomGenerator random, Runnable poll) {
        this.cartridge = cartridge;
        this.clock = clock;
        this.random = random;
        this.poll = poll;
    }

    /**
     * Stores a new document; answers its id: its own {@code id} if that is a text that says something, or one that
     * sorts by time.
     *
     * @param json an object; what the store adds to an answer is left out
     * @throws HostingException {@code EXISTS} when there is one with this id
     */
    public String insert(String app, String collection, String json) {
        checkName("a collection", collection);
        Map<String, @Nullable Object> given = JsonText.readObject(json, "a document");
        long created = lastCreated.updateAndGet(
                last -> Math.max(Hlc.of(clock.millis(), 0).value(), last + 1));
        String id = given.get(DocumentQuery.ID) instanceof String text && !text.isEmpty() ? text : id(created);
        checkName("an id", id);
        Map<String, Object> fields = new LinkedHashMap<>();
        given.forEach((name, value) -> {
            if (!StoredDocument.isOurs(name)) {
                StoredDocument.checkField(name);
                fields.put(name, JsonText.write(value));
            }
        });
        StoredDocument.checkSize(id, fields);
        fields.put(StoredDocument.CREATED, created);
        return write(app, tx -> {
            if (stored(tx, app, collection, id).isPresent()) {
                throw new HostingException(
                        HostingException.Reason.EXISTS,
                        "there is a document \"" + id + "\" in \"" + collection
                                + "\" already: update it, or insert without an id to get a new one");
            }
            tx.put("document", List.of(collection, id), fields);
            return id;
        });
    }

    /** As a ULID: 26 digits, of which the first tell the time; nobody guesses the others. */
    private String id(long created) {
        char[] digits = new char[ID_DIGITS];
        long high = created;
        long low = random.nextLong();
        for (int i = ID_DIGITS - 1; i >= 0; i--) {
            digits[i] = DIGITS.charAt((int) (low & 31));
            low = low >>> 5 | high << 59;
            high >>>= 5;
        }
        return new String(digits);
    }

    /**
     * Which of the documents that were found are answered, and in what order.
     *
     * @param limit null for all
     */
    public record Page(@Nullable Integer limit, int offset, boolean oldestFirst) {
        /** All, the newest first. */
        public static final Page ALL = new Page(null, 0, false);

        /** The newest. */
        public static final Page FIRST = new Page(1, 0, false);

        public Page {
            if (limit != null && (limit < 1 || limit > MOST_FOUND)) {
                throw JsonText.invalid("a limit is 1 to " + MOST_FOUND + ", not " + limit);
            }
            if (offset < 0 || offset > MOST_OFFSET) {
                throw JsonText.invalid("an offset is 0 to " + MOST_OFFSET + ", not " + offset
                        + ": go on from the last one with a query of its _createdAt");
            }
        }

        private Comparator<Key> order() {
            return oldestFirst ? Key.OLDEST_FIRST : Key.OLDEST_FIRST.reversed();
        }

        private int most() {
            return limit == null ? MOST_FOUND + 1 : limit;
        }
    }

    /** A document's place in the order of their making; those of two nodes may have the same time. */
    private record Key(long created, String id) {
        static final Comparator<Key> OLDEST_FIRST =
                Comparator.comparingLong(Key::created).thenComparing(Key::id);
    }

    /**
     * The documents that a query finds, as JSON with {@code id}, {@code _createdAt} and {@code _updatedAt}.
     *
     * @throws HostingException {@code TOO_LARGE} above 10,000 documents or 16 Mi characters
     */
    public List<String> find(String app, String collection, String query, Page page) {
        DocumentQuery parsed = query(collection, query);
        return cartridge.read(rows -> {
            TreeSet<Key> keys = new TreeSet<>(page.order());
            scan(rows, app, collection, parsed, "", found -> {
                keep(keys, found, page.offset() + page.most());
                return true;
            });
            List<String> texts = new ArrayList<>();
            long chars = 0;
            for (Key key : keys.stream().skip(page.offset()).toList()) {
                String text =
                        stored(rows, app, collection, key.id()).orElseThrow().text();
                chars += text.length();
                texts.add(text);
                if (texts.size() > MOST_FOUND || chars > MOST_FOUND_CHARS) {
                    throw new HostingException(
                            HostingException.Reason.TOO_LARGE,
                            "at most " + MOST_FOUND + " documents and " + MOST_FOUND_CHARS
                                    + " characters are found at once, and there are more in \"" + collection
                                    + "\": set a limit, and go on with an offset");
                }
                poll.run();
            }
            return texts;
        });
    }

    private static void keep(TreeSet<Key> keys, StoredDocument found, int most) {
        keys.add(new Key(found.created(), found.id()));
        if (keys.size() > most) {
            keys.pollLast();
        }
    }

    /** How many documents a query finds. */
    public long count(String app, String collection, String query) {
        DocumentQuery parsed = query(collection, query);
        return cartridge.read(rows -> {
            long[] count = {0};
            scan(rows, app, collection, parsed, "", found -> {
                count[0]++;
                return true;
            });
            return count[0];
        });
    }

    /**
     * Changes every document that a query finds, in one transaction: all or, when one can't be changed, none. Answers
     * how many were found, also where they said already what they were to say.
     *
     * @throws HostingException {@code TOO_LARGE} above 10,000 documents
     */
    public long update(String app, String collection, String query, String changes) {
        DocumentQuery parsed = query(collection, query);
        DocumentChanges change = DocumentChanges.parse(changes);
        List<String> ids = matching(app, collection, parsed, "", MOST_CHANGED + 1, Long.MAX_VALUE);
        if (ids.size() > MOST_CHANGED) {
            throw new HostingException(
                    HostingException.Reason.TOO_LARGE,
                    "an update changes at most " + MOST_CHANGED + " documents, and the query finds more in \""
                            + collection + "\": narrow it");
        }
        return write(app, tx -> {
            long count = 0;
            for (String id : ids) {
                Optional<StoredDocument> stored = matching(tx, app, collection, id, parsed);
                if (stored.isPresent()) {
                    Map<String, @Nullable String> changed = change.apply(stored.get()::json);
                    stored.get().checkChanged(changed);
                    tx.update("document", List.of(collection, id), changed);
                    count++;
                }
            }
            return count;
        });
    }

    /** Deletes what a query finds, a bounded number in one transaction; answers how many. */
    public long delete(String app, String collection, String query) {
        DocumentQuery parsed = query(collection, query);
        long count = 0;
        String after = "";
        while (true) {
            List<String> ids = matching(app, collection, parsed, after, MOST_CHANGED, MOST_DELETED_BYTES);
            if (ids.isEmpty()) {
                return count;
            }
            count += delete(app, collection, ids, parsed);
            after = ids.get(ids.size() - 1);
        }
    }

    private long delete(String app, String collection, List<String> ids, DocumentQuery query) {
        return write(app, tx -> {
            long deleted = 0;
            for (String id : ids) {
                if (matching(tx, app, collection, id, query).isPresent()) {
                    tx.delete("document", List.of(collection, id));
                    deleted++;
                }
            }
            return deleted;
        });
    }

    /** Deletes all documents of a collection but the newest; answers how many. */
    public long deleteOldest(String app, String collection, long keep) {
        if (keep < 0) {
            throw JsonText.invalid("the number of documents to keep is 0 or more, not " + keep);
        }
        DocumentQuery all = query(collection, "{}");
        long count = 0;
        while (true) {
            List<String> oldest = oldest(app, collection, all, keep);
            if (oldest.isEmpty()) {
                return count;
            }
            count += delete(app, collection, oldest, all);
        }
    }

    /** Some of those beyond the newest, the oldest first: as many as one transaction deletes. */
    private List<String> oldest(String app, String collection, DocumentQuery all, long keep) {
        return cartridge.read(rows -> {
            TreeSet<Key> keys = new TreeSet<>(Key.OLDEST_FIRST);
            Map<String, Long> sizes = new HashMap<>();
            long[] count = {0};
            scan(rows, app, collection, all, "", found -> {
                count[0]++;
                sizes.put(found.id(), found.size());
                keys.add(new Key(found.created(), found.id()));
                if (keys.size() > MOST_CHANGED) {
                    sizes.remove(keys.pollLast().id());
                }
                return true;
            });
            List<String> oldest = new ArrayList<>();
            long bytes = 0;
            for (Key key : keys) {
                if (oldest.size() >= count[0] - keep || bytes > MOST_DELETED_BYTES) {
                    break;
                }
                oldest.add(key.id());
                bytes += sizes.getOrDefault(key.id(), 0L);
            }
            return oldest;
        });
    }

    // Looking for them.

    /** Is shown what a query finds. */
    private interface Seer {
        /** Answers whether there may be more. */
        boolean see(StoredDocument found);
    }

    private static DocumentQuery query(String collection, String query) {
        checkName("a collection", collection);
        return DocumentQuery.parse(query);
    }

    /** The ids of those that a query finds after an id, in their order, until there are enough. */
    private List<String> matching(
            String app, String collection, DocumentQuery query, String after, int most, long mostBytes) {
        return cartridge.read(rows -> {
            List<String> ids = new ArrayList<>();
            long[] bytes = {0};
            scan(rows, app, collection, query, after, found -> {
                ids.add(found.id());
                bytes[0] += found.size();
                return ids.size() < most && bytes[0] < mostBytes;
            });
            return ids;
        });
    }

    private static Optional<StoredDocument> matching(
            Rows rows, String app, String collection, String id, DocumentQuery query) {
        return stored(rows, app, collection, id).filter(found -> query.matches(found::value));
    }

    /** Shows what a query finds after an id, in the order of the ids, until told that it is enough. */
    private void scan(Rows rows, String app, String collection, DocumentQuery query, String after, Seer seer) {
        if (query.id().isPresent()) {
            String id = query.id().get();
            if (id.compareTo(after) > 0) {
                matching(rows, app, collection, id, query).ifPresent(seer::see);
            }
            return;
        }
        String last = after;
        boolean[] enough = {false};
        List<String> page;
        do {
            page = rows.query(
                    "SELECT " + StoredDocument.COLUMNS + " FROM document_live"
                            + " WHERE scope = ? AND collection = ? AND id > ? ORDER BY id LIMIT ?",
                    row -> {
                        if (!enough[0]) {
                            poll.run();
                            StoredDocument found = StoredDocument.of(row);
                            enough[0] = query.matches(found::value) && !seer.see(found);
                        }
                        return row.text(0);
                    },
                    app,
                    collection,
                    last,
                    PAGE);
            last = page.isEmpty() ? last : page.get(page.size() - 1);
        } while (page.size() == PAGE && !enough[0]);
    }

    private static Optional<StoredDocument> stored(Rows rows, String app, String collection, String id) {
        return rows.first(
                "SELECT " + StoredDocument.COLUMNS + " FROM document_live"
                        + " WHERE scope = ? AND collection = ? AND id = ?",
                StoredDocument::of,
                app,
                collection,
                id);
    }

    private static void checkName(String what, String name) {
        if (name.isEmpty() || name.length() > MOST_NAME) {
            throw JsonText.invalid(what + " has 1 to " + MOST_NAME + " characters, not " + name.length());
        }
        if (!StoredDocument.isProper(name)) {
            throw JsonText.invalid(
                    what + " is proper Unicode text without NUL: " + JsonText.brief((Object) name) + " is not");
        }
    }

    private <T> T write(String app, Cartridge.WriteBody<T> body) {
        try {
            return cartridge.write(new Scope(app), body).toCompletableFuture().join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
    }
}
