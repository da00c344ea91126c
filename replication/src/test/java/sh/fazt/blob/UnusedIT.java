package sh.fazt.blob;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.cartridge.CartridgeOptions;
import sh.fazt.cartridge.ReplicatedTable;
import sh.fazt.cartridge.SchemaPart;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.identity.NodeId;

/** Whatever is done to blobs, no turn removes what something needs; and what nothing needs goes. */
class UnusedIT {
    private static final Scope APP = new Scope("fazt_app_000000000001");
    private static final long DAY = 86_400_000;
    private static final SchemaPart ROOM = new SchemaPart(
            "test",
            List.of(),
            List.of(new ReplicatedTable(
                    "picture",
                    ReplicatedTable.Policy.REGISTER,
                    List.of(new ReplicatedTable.Column("name", ReplicatedTable.Type.TEXT)),
                    List.of(new ReplicatedTable.Column("body", ReplicatedTable.Type.BLOB_REFERENCE)))));

    /** What a turn can do wrong. */
    private enum Bug {
        NONE,
        /** Takes what it has just marked. */
        NO_GRACE,
        /** Removes chunks that another blob shares. */
        SHARED_CHUNKS
    }

    @TempDir
    Path folder;

    @Test
    void nothingThatIsNeededIsEverRemoved() {
        for (long seed = 1; seed <= 12; seed++) {
            play(seed, Bug.NONE);
        }
    }

    @Test
    void aTurnThatTakesTooMuchIsFound() {
        assertThatThrownBy(() -> play(101, Bug.NO_GRACE)).isInstanceOf(AssertionError.class);
        assertThatThrownBy(() -> play(102, Bug.SHARED_CHUNKS)).isInstanceOf(AssertionError.class);
    }

    private void play(long seed, Bug bug) {
        Random random = new Random(seed);
        byte[] node = new byte[32];
        node[0] = 1;
        Path file = folder.resolve(bug + "-" + seed + ".db");
        try (SqliteCartridge cartridge = SqliteCartridge.open(file, CartridgeOptions.standard(), List.of(ROOM))) {
            cartridge.bind(NodeId.of(node));
            Model model = new Model(random, cartridge);
            for (int step = 0; step < 70; step++) {
                model.step();
                if (random.nextInt(4) == 0) {
                    model.turn(bug);
                }
                model.check();
            }
            model.end();
        }
    }

    /** What there is to be, by the rules and not by the tables. */
    private static final class Model {
        private final Random random;
        private final SqliteCartridge cartridge;
        private final Blobs blobs;
        private final Unused unused;
        private final Map<String, byte[]> contents = new TreeMap<>();
        private final Map<String, String> pictures = new HashMap<>();
        /** Until when a blob may not go: it was put, offered or referred to within the last day. */
        private final Map<String, Long> until = new HashMap<>();
        /** Blobs of which some chunks came, as a peer has sent them. */
        private final Map<String, Set<String>> coming = new HashMap<>();

        private byte[] last = new byte[0];
        private long now = 1_700_000_000_000L;

        Model(Random random, SqliteCartridge cartridge) {
            this.random = random;
            this.cartridge = cartridge;
            this.blobs = new Blobs(cartridge);
            this.unused = new Unused(cartridge);
        }

        void step() {
            switch (random.nextInt(9)) {
                case 0, 1 -> put(content());
                case 2 -> refer(known());
                case 3 -> pictures.keySet().stream().findAny().ifPresent(this::remove);
                case 4 -> fail(content());
                case 5 -> receive(content());
                case 6 -> {
                    String hash = known();
                    if (hash != null && blobs.contains(hash)) {
                        blobs.keep(List.of(hash));
                        until.put(hash, now + DAY);
                    }
                }
                default -> now += random.nextInt((int) (DAY / 2));
            }
        }

        private byte[] content() {
            int size = random.nextInt(3) == 0 ? 1_500_000 + random.nextInt(2_000_000) : random.nextInt(40_000);
            byte[] fresh = new byte[size];
            random.nextBytes(fresh);
            if (last.length > Blobs.WHOLE && random.nextBoolean()) {
                // Shares most of its chunks.
                fresh = Arrays.copyOf(last, last.length + 1 + random.nextInt(1000));
            }
            last = fresh;
            return fresh;
        }

        private @Nullable String known() {
            List<String> all = List.copyOf(contents.keySet());
            return all.isEmpty() ? null : all.get(random.nextInt(all.size()));
        }

        private void put(byte[] content) {
            String hash = blobs.put(content);
            contents.put(hash, content);
            coming.remove(hash);
            until.put(hash, now + DAY);
        }

        private void refer(@Nullable String hash) {
            if (hash != null) {
                String name = "p" + random.nextInt(6);
                drop(pictures.put(name, hash));
                cartridge
                        .write(APP, tx -> {
                            tx.put("picture", List.of(name), Map.of("body", hash));
                            return true;
                        })
                        .toCompletableFuture()
                        .join();
            }
        }

        private void remove(String name) {
            drop(pictures.remove(name));
            cartridge
                    .write(APP, tx -> tx.delete("picture", List.of(name)))
                    .toCompletableFuture()
                    .join();
        }

        /** It may go a day after it was found to be unused, not after it became so. */
        private void drop(@Nullable String hash) {
            if (hash != null && blobs.contains(hash)) {
                until.put(hash, now + DAY);
            }
        }

        /** An upload that ends early: chunks of no blob are left. */
        private void fail(byte[] content) {
            String hash = Blobs.sha256(content, 0, content.length);
            if (!contents.containsKey(hash) && content.length > 0) {
                assertThatThrownBy(() -> blobs.put(
                                hash, content.length, new ByteArrayInputStream(content, 0, content.length - 1)))
                        .isInstanceOf(Blobs.Mismatch.class);
            }
        }

        /** A blob that a row refers to, and of which a peer has sent some chunks. */
        private void receive(byte[] content) {
            Path other = cartridge.file().resolveSibling("peer-" + random.nextLong() + ".db");
            try (SqliteCartridge peer = SqliteCartridge.open(other, CartridgeOptions.standard(), List.of())) {
                Blobs theirs = new Blobs(peer);
                String hash = theirs.put(content);
                refer(hash);
                if (!blobs.contains(hash)) {
                    List<Blobs.Chunk> lacking =
                            blobs.accept(theirs.manifest(hash).orElseThrow());
                    Set<String> here = coming.computeIfAbsent(hash, any -> new HashSet<>());
                    for (Blobs.Chunk chunk : lacking.subList(0, lacking.size() / 2)) {
                        blobs.putChunk(chunk.hash(), theirs.chunk(chunk.hash()).orElseThrow());
                        here.add(chunk.hash());
                    }
                }
            }
        }

        void turn(Bug bug) {
            if (bug == Bug.SHARED_CHUNKS) {
                cartridge
                        .writeLocal(tx -> tx.execute("DELETE FROM fazt_chunk WHERE hash IN (SELECT chunk FROM"
                                + " fazt_blob_chunk WHERE hash IN (SELECT hash FROM fazt_unused))"))
                        .toCompletableFuture()
                        .join();
            }
            unused.turn(now, bug == Bug.NO_GRACE ? now : now - DAY);
        }

        void check() {
            Set<String> needed = new HashSet<>(pictures.values());
            contents.forEach((hash, content) -> {
                boolean young = until.getOrDefault(hash, 0L) > now;
                if (needed.contains(hash) && blobs.contains(hash) || young) {
                    assertThat(blobs.read(hash))
                            .as("needed or young: " + hash)
                            .hasValueSatisfying(read -> assertThat(read).isEqualTo(content));
                }
                // One that is here is all here, needed or not.
                if (blobs.contains(hash)) {
                    assertThat(blobs.lacking(blobs.manifest(hash).orElseThrow()))
                            .isEmpty();
                }
            });
            coming.forEach((hash, chunks) -> {
                if (needed.contains(hash)) {
                    chunks.forEach(chunk -> assertThat(blobs.chunk(chunk))
                            .as("came for a blob that is wanted")
                            .isPresent());
                }
            });
        }

        /** With nothing referred to, all of it goes. */
        void end() {
            Set<String> kept = new HashSet<>(pictures.values());
            List<String> whole = kept.stream().filter(blobs::contains).toList();
            now += 2 * DAY;
            unused.turn(now, now - DAY);
            now += 2 * DAY;
            unused.turn(now, now - DAY);
            check();
            assertThat(contents.keySet().stream().filter(blobs::contains))
                    .containsExactlyInAnyOrderElementsOf(
                            whole.stream().filter(contents::containsKey).toList());
            new ArrayList<>(pictures.keySet()).forEach(this::remove);
            unused.turn(now, now - DAY);
            now += 2 * DAY;
            unused.turn(now, now - DAY);
            assertThat(count("fazt_blob")
                            + count("fazt_chunk")
                            + count("fazt_blob_chunk")
                            + count("fazt_unused")
                            + count("fazt_wanted"))
                    .as("nothing is left of what nothing needs")
                    .isZero();
            cartridge.shrink();
            assertThat(cartridge.size().free()).as("what is free is given back").isLessThanOrEqualTo(8L << 20);
        }

        private long count(String table) {
            return cartridge.read(rows -> rows.first("SELECT count(*) FROM " + table, row -> row.integer(0))
                    .orElseThrow());
        }
    }
}
