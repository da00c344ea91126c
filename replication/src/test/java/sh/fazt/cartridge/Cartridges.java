package sh.fazt.cartridge;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.ReplicatedTable.Column;
import sh.fazt.cartridge.ReplicatedTable.Policy;
import sh.fazt.cartridge.ReplicatedTable.Type;
import sh.fazt.cartridge.change.Document;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;

/** Cartridges for tests: one table of each policy. */
public final class Cartridges {
    static final Scope APP = new Scope("fazt_app_000000000001");
    static final ReplicatedTable PAIRS = new ReplicatedTable(
            "pair", Policy.REGISTER, List.of(new Column("name", Type.TEXT)), List.of(new Column("value", Type.TEXT)));
    static final ReplicatedTable SUMS =
            new ReplicatedTable("total", Policy.COUNTER, List.of(new Column("name", Type.TEXT)), List.of());
    static final ReplicatedTable FACTS = new ReplicatedTable(
            "fact",
            Policy.IMMUTABLE,
            List.of(new Column("id", Type.TEXT)),
            List.of(new Column("body", Type.BLOB_REFERENCE)));
    static final ReplicatedTable PROFILES = new ReplicatedTable(
            "profile",
            Policy.DOCUMENT,
            List.of(new Column("name", Type.TEXT)),
            // y and z are fields that its writers made up.
            List.of(new Column("x", Type.TEXT)));
    static final SchemaPart ROOM = new SchemaPart(
            "test",
            List.of("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT)"),
            List.of(PAIRS, SUMS, FACTS, PROFILES));

    private Cartridges() {}

    /** A clock that a test moves. */
    static final class Wall implements InstantSource {
        final AtomicLong millis = new AtomicLong(1_700_000_000_000L);

        @Override
        public Instant instant() {
            return Instant.ofEpochMilli(millis.get());
        }
    }

    static SqliteCartridge open(Path file, NodeId node, InstantSource wall) {
        SqliteCartridge cartridge =
                SqliteCartridge.open(file, CartridgeOptions.standard().withWall(wall), List.of(ROOM));
        cartridge.bind(node);
        return cartridge;
    }

    static NodeId node(String name) {
        try {
            return NodeId.of(MessageDigest.getInstance("SHA-256").digest(name.getBytes(StandardCharsets.UTF_8)));
        } catch (java.security.NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    static <T> T done(CompletionStage<T> stage) throws Exception {
        return stage.toCompletableFuture().get(30, TimeUnit.SECONDS);
    }

    static void set(Cartridge cartridge, String name, String value) throws Exception {
        done(cartridge.write(APP, tx -> {
            tx.put("pair", List.of(name), Map.of("value", value));
            return true;
        }));
    }

    static long add(Cartridge cartridge, String name, long by) throws Exception {
        return done(cartridge.write(APP, tx -> tx.increment("total", List.of(name), by)));
    }

    static Map<String, String> pairs(Cartridge cartridge) {
        Map<String, String> pairs = new TreeMap<>();
        cartridge
                .read(rows -> rows.query(
                        "SELECT name, value FROM pair_live WHERE scope = ?",
                        row -> Map.entry(row.text(0), row.text(1)),
                        APP.id()))
                .forEach(pair -> pairs.put(pair.getKey(), pair.getValue()));
        return pairs;
    }

    /** What a profile says; null when it is not there. */
    static @Nullable Map<String, String> profile(Cartridge cartridge, String name) {
        return cartridge
                .read(rows -> rows.first(
                        "SELECT x, fields FROM profile_live WHERE scope = ? AND name = ?",
                        row -> {
                            Map<String, String> fields = new TreeMap<>();
                            Document.fields(row.bytesOrNull(1))
                                    .forEach((field, value) -> fields.put(field, String.valueOf(value)));
                            if (!row.isNull(0)) {
                                fields.put("x", row.text(0));
                            }
                            return fields;
                        },
                        APP.id(),
                        name))
                .orElse(null);
    }

    static long sum(Cartridge cartridge, String name) {
        return cartridge.read(rows -> rows.first(
                        "SELECT value FROM total_live WHERE scope = ? AND name = ?",
                        row -> row.integer(0),
                        APP.id(),
                        name)
                .orElse(0L));
    }

    /** {@code to} pulls whatever {@code from} has. */
    static void pull(Cartridge from, Cartridge to) throws Exception {
        VersionVector since = to.replica().vector(APP);
        try (var spool = from.replica().open(APP, since)) {
            List<byte[]> parts = new java.util.ArrayList<>();
            for (int i = 0; i < spool.parts(); i++) {
                parts.add(spool.part(i));
            }
            done(to.replica().apply(APP, since, spool.vector(), parts, spool.floor()));
        }
    }
}
