package sh.fazt.blob;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.cartridge.Cartridge.Reference;
import sh.fazt.cartridge.CartridgeException;
import sh.fazt.cartridge.CartridgeOptions;
import sh.fazt.cartridge.ReplicatedTable;
import sh.fazt.cartridge.SchemaPart;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.identity.NodeId;

/** Stored bytes that a disk changed. */
class DamageIT {
    private static final Scope APP = new Scope("fazt_app_000000000001");
    private static final Scope OTHER = new Scope("fazt_app_000000000002");
    private static final SchemaPart ROOM = new SchemaPart(
            "test",
            List.of(),
            List.of(new ReplicatedTable(
                    "picture",
                    ReplicatedTable.Policy.REGISTER,
                    List.of(new ReplicatedTable.Column("name", ReplicatedTable.Type.TEXT)),
                    List.of(new ReplicatedTable.Column("body", ReplicatedTable.Type.BLOB_REFERENCE)))));

    @TempDir
    Path folder;

    private final List<Set<String>> told = new ArrayList<>();
    private final List<Set<String>> stuck = new ArrayList<>();
    private SqliteCartridge cartridge;
    private Blobs blobs;

    @BeforeEach
    void open() {
        cartridge = SqliteCartridge.open(folder.resolve("a.db"), CartridgeOptions.standard(), List.of(ROOM));
        cartridge.bind(NodeId.of(new byte[32]));
        blobs = new Blobs(cartridge);
        blobs.damage().listen(told::add);
        blobs.damage().whenStuck(stuck::add);
    }

    @AfterEach
    void close() {
        cartridge.close();
    }

    private static byte[] random(int size, long seed) {
        byte[] bytes = new byte[size];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private String show(Scope scope, String name, byte[] content) {
        String hash = blobs.put(content);
        cartridge
                .write(scope, tx -> {
                    tx.put("picture", List.of(name), Map.of("body", hash));
                    return true;
                })
                .toCompletableFuture()
                .join();
        return hash;
    }

    /** As a bad disk: one bit of one byte. */
    private void flip(String chunk) {
        byte[] body = blobs.chunk(chunk).orElseThrow();
        body[body.length / 2] ^= 1;
        foreign("UPDATE fazt_chunk SET body = ? WHERE hash = ?", body, chunk);
    }

    private void foreign(String sql, Object... arguments) {
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + cartridge.file());
                PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < arguments.length; i++) {
                statement.setObject(i + 1, arguments[i]);
            }
            assertThat(statement.executeUpdate()).as(sql).isEqualTo(1);
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    /** As a bad sector: nothing is left of the pages of the file that hold the middle of some chunks. */
    private void losePages(byte[]... chunks) throws IOException {
        cartridge.close();
        LostPage.of(folder.resolve("a.db"), chunks);
        open();
    }

    private long count(String sql) {
        return cartridge.read(rows -> rows.first(sql, row -> row.integer(0))).orElseThrow();
    }

    private String firstChunk(String blob) {
        return blobs.manifest(blob).orElseThrow().chunks().get(0).hash();
    }

    @Test
    void aFlippedBitIsFoundOfEveryBlobThatSharesItAndTheRowsThatNameThemAreNamed() {
        byte[] one = random(4_000_000, 1);
        byte[] two = one.clone();
        two[two.length - 1] ^= 1;
        String first = show(APP, "first", one);
        String second = show(OTHER, "second", two);
        String sound = show(APP, "sound", random(1000, 2));
        assertThat(firstChunk(first)).as("it is shared").isEqualTo(firstChunk(second));
        assertThat(blobs.damage().find(null, true)).isEmpty();
        long examined = blobs.damage().examined();
        assertThat(examined).as("all bytes, and each once").isBetween(4_001_000L, 5_100_000L);

        flip(firstChunk(first));
        Reference ofFirst = new Reference(APP, "picture", List.of("first"));
        Reference ofSecond = new Reference(OTHER, "picture", List.of("second"));
        assertThat(blobs.damage().find(null, false))
                .isEqualTo(Map.of(first, List.of(ofFirst), second, List.of(ofSecond)));
        assertThat(blobs.damage().find(APP, false)).isEqualTo(Map.of(first, List.of(ofFirst)));
        assertThat(blobs.contains(first)).as("looking changes nothing").isTrue();
        assertThat(told).isEmpty();

        assertThat(blobs.damage().find(APP, true)).containsOnlyKeys(first);
        assertThat(told).containsExactly(Set.of(first, second));
        assertThat(blobs.missing(List.of(first, second, sound))).containsExactly(first, second);
        assertThat(blobs.wanted(OTHER, "", 10)).containsExactly(new Blobs.Wanted(second, two.length, true));
        assertThat(blobs.chunk(firstChunk(first))).isEmpty();
        assertThat(blobs.damage().left()).isEqualTo(2);
        assertThat(blobs.damage().find(null, true))
                .as("until it has come again")
                .containsOnlyKeys(first, second);
        assertThat(told).as("once").hasSize(1);

        Blobs.Manifest manifest = blobs.manifest(first).orElseThrow();
        assertThat(blobs.lacking(manifest)).containsExactly(manifest.chunks().get(0));
        blobs.putChunk(
                firstChunk(first),
                java.util.Arrays.copyOf(one, manifest.chunks().get(0).size()));
        assertThat(blobs.assemble(first)).isTrue();
        assertThat(blobs.assemble(second)).isTrue();
        assertThat(blobs.read(first).orElseThrow()).isEqualTo(one);
        assertThat(blobs.read(second).orElseThrow()).isEqualTo(two);
        assertThat(blobs.damage().find(null, false)).isEmpty();
        assertThat(count("SELECT count(*) FROM fazt_damaged")).isZero();
        assertThat(blobs.lackingOf(null)).isEqualTo(new Blobs.Amount(0, 0));
    }

    @Test
    void whatIsReadWholeOrHandedToAPeerIsRightOrNotHere() {
        byte[] content = random(1000, 3);
        String hash = show(APP, "page", content);
        flip(hash);
        assertThat(blobs.right(hash)).isEmpty();
        assertThat(blobs.contains(hash)).isFalse();
        assertThat(told).containsExactly(Set.of(hash));
        assertThat(blobs.put(content)).isEqualTo(hash);
        assertThat(blobs.right(hash)).isPresent();
        flip(hash);
        assertThat(blobs.read(hash)).isEmpty();
        assertThat(blobs.contains(hash)).isFalse();
    }

    @Test
    void whoUploadsItAgainHealsWhatNobodyKnewToBeDamaged() throws Exception {
        for (int size : new int[] {1000, 4_000_000}) {
            byte[] content = random(size, size);
            String hash = show(APP, "of " + size, content);
            flip(firstChunk(hash));
            blobs.put(hash, size, new ByteArrayInputStream(content));
            assertThat(blobs.read(hash).orElseThrow()).isEqualTo(content);
            assertThat(blobs.damage().find(null, false)).isEmpty();
        }
        // Another blob that shares a chunk brings it too.
        byte[] one = random(4_000_000, 4_000_000);
        byte[] two = one.clone();
        two[two.length - 1] ^= 1;
        String first = Blobs.sha256(one, 0, one.length);
        flip(firstChunk(first));
        assertThat(blobs.read(show(APP, "shares it", two)).orElseThrow()).isEqualTo(two);
        assertThat(blobs.read(first).orElseThrow()).isEqualTo(one);
        assertThat(told).hasSize(2);
    }

    @Test
    void aManifestIsNoLieWhereAChunkThatWasHereIsDamaged() {
        byte[] one = random(4_000_000, 4);
        String first = show(APP, "one", one);
        byte[] two = one.clone();
        two[two.length - 1] ^= 1;
        Blobs other = new Blobs(
                cartridge = reopened(() ->
                        SqliteCartridge.open(folder.resolve("b.db"), CartridgeOptions.standard(), List.of(ROOM))));
        String second = other.put(two);
        Blobs.Manifest manifest = other.manifest(second).orElseThrow();
        byte[] last = other.chunk(
                        manifest.chunks().get(manifest.chunks().size() - 1).hash())
                .orElseThrow();
        byte[] shared = other.chunk(manifest.chunks().get(0).hash()).orElseThrow();
        cartridge.close();
        open();

        flip(firstChunk(first));
        assertThat(blobs.accept(manifest)).hasSize(1);
        blobs.putChunk(manifest.chunks().get(manifest.chunks().size() - 1).hash(), last);
        assertThat(blobs.assemble(second)).isFalse();
        assertThat(blobs.manifest(second)).contains(manifest);
        assertThat(blobs.lacking(manifest)).containsExactly(manifest.chunks().get(0));
        assertThat(blobs.missing(List.of(first))).containsExactly(first);
        blobs.putChunk(manifest.chunks().get(0).hash(), shared);
        assertThat(blobs.assemble(second)).isTrue();
        assertThat(blobs.assemble(first)).isTrue();
        assertThat(blobs.read(first).orElseThrow()).isEqualTo(one);
    }

    private SqliteCartridge reopened(java.util.function.Supplier<SqliteCartridge> other) {
        cartridge.close();
        return other.get();
    }

    @Test
    void whatIsPutTogetherWronglyIsFound() {
        byte[] content = random(3_000_000, 5);
        for (String harm : List.of(
                "DELETE FROM fazt_chunk WHERE hash = (SELECT chunk FROM fazt_blob_chunk WHERE hash = ? AND position = 1)",
                "UPDATE fazt_blob_chunk SET start = start + 1 WHERE hash = ? AND position = 1",
                "UPDATE fazt_blob_chunk SET size = size + 1 WHERE hash = ? AND position = 1",
                "UPDATE fazt_blob_chunk SET chunk = 'x' || chunk WHERE hash = ? AND position = 0",
                "UPDATE fazt_blob SET size = size + 8 WHERE hash = ?")) {
            String hash = show(APP, "picture", content);
            assertThat(blobs.damage().find(null, false)).isEmpty();
            foreign(harm, hash);
            assertThat(blobs.damage().find(null, false)).as(harm).containsOnlyKeys(hash);
            assertThat(blobs.damage().find(null, true)).containsOnlyKeys(hash);
            assertThat(blobs.damage().find(null, true)).as("still").containsOnlyKeys(hash);
            blobs.put(content);
            assertThat(blobs.damage().find(null, false)).as("healed of " + harm).isEmpty();
            assertThat(blobs.read(hash).orElseThrow()).isEqualTo(content);
        }
    }

    @Test
    void whatIsLeftOfAChunkStaysWhileARowNeedsIt() {
        String hash = show(APP, "page", random(3_000_000, 6));
        flip(firstChunk(hash));
        blobs.damage().find(null, true);
        Unused unused = new Unused(cartridge);
        unused.turn(1000, 0);
        unused.turn(2000, 1500);
        assertThat(count("SELECT count(*) FROM fazt_damaged WHERE length(body) > 1000"))
                .isEqualTo(1);
        cartridge
                .write(APP, tx -> {
                    tx.delete("picture", List.of("page"));
                    return true;
                })
                .toCompletableFuture()
                .join();
        unused.turn(3000, 0);
        unused.turn(4000, 3500);
        unused.turn(5000, 0);
        assertThat(count("SELECT count(*) FROM fazt_damaged")).isZero();
        assertThat(blobs.damage().find(null, true)).isEmpty();
        assertThat(blobs.lackingOf(null).blobs()).isZero();
    }

    @Test
    void aChunkThatCanNotBeReadIsDamagedAndComesAgain() throws IOException {
        byte[] content = random(500_000, 8);
        byte[] large = random(4_000_000, 9);
        String hash = show(APP, "page", content);
        String film = show(APP, "film", large);
        String sound = show(OTHER, "sound", random(500_000, 10));
        losePages(content, large);
        assertThat(blobs.damage().find(null, false)).containsOnlyKeys(hash, film);
        assertThat(blobs.damage().find(OTHER, false)).isEmpty();
        assertThat(blobs.missing(List.of(hash, film)))
                .as("looking changes nothing")
                .isEmpty();

        assertThat(blobs.damage().find(null, true)).containsOnlyKeys(hash, film);
        assertThat(told).containsExactlyInAnyOrder(Set.of(hash), Set.of(film));
        assertThat(blobs.missing(List.of(hash, film, sound))).containsExactly(hash, film);
        assertThat(blobs.damage().stuck()).isEmpty();
        blobs.put(content);
        blobs.put(large);
        assertThat(blobs.read(hash).orElseThrow()).isEqualTo(content);
        assertThat(blobs.read(film).orElseThrow()).isEqualTo(large);
        assertThat(blobs.damage().find(null, true)).isEmpty();
        assertThat(count("SELECT count(*) FROM fazt_damaged")).isZero();
    }

    @Test
    void whoeverReadsWhatCanNotBeReadFindsIt() throws IOException {
        byte[] content = random(500_000, 11);
        String hash = show(APP, "page", content);
        for (Predicate<String> reading : List.<Predicate<String>>of(
                blob -> blobs.right(blob).isPresent(), blob -> blobs.read(blob).isPresent())) {
            losePages(content);
            assertThat(blobs.contains(hash)).isTrue();
            assertThat(reading.test(hash)).isFalse();
            assertThat(blobs.contains(hash)).isFalse();
            assertThat(blobs.put(content)).isEqualTo(hash);
            assertThat(reading.test(hash)).isTrue();
        }
        losePages(content);
        assertThat(blobs.put(content)).as("sent again, as it does not come up").isEqualTo(hash);
        assertThat(blobs.read(hash).orElseThrow()).isEqualTo(content);
    }

    @Test
    void whereAPageCanNotBeChangedEitherItIsNamedAndTheOthersGoOn() throws IOException {
        List<byte[]> all = new ArrayList<>();
        List<String> hashes = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            all.add(random(900, 200 + i));
            hashes.add(show(APP, "p" + i, all.get(i)));
        }
        // Several lie on one page of the table.
        losePages(all.get(20));
        flip(hashes.get(59));
        Set<String> found = new TreeSet<>(blobs.damage().find(null, false).keySet());
        assertThat(found)
                .contains(hashes.get(20), hashes.get(59))
                .doesNotContain(hashes.get(0), hashes.get(58))
                .hasSizeBetween(3, 6);
        assertThat(stuck).isEmpty();

        AtomicLong nanos = new AtomicLong();
        Scrub scrub = new Scrub(blobs, nanos::get);
        nanos.addAndGet(Scrub.PASS.toNanos());
        scrub.turn();
        assertThat(told).as("what lies behind it is looked at").containsExactly(Set.of(hashes.get(59)));
        found.remove(hashes.get(59));
        assertThat(stuck.stream().flatMap(Set::stream)).containsExactlyInAnyOrderElementsOf(found);
        assertThat(blobs.damage().stuck()).isEqualTo(found);
        assertThat(blobs.damage().left()).isEqualTo(found.size() + 1);
        assertThat(blobs.damage().find(null, true)).containsKeys(found.toArray(String[]::new));
        assertThat(stuck).as("told once").hasSameSizeAs(found);

        assertThat(blobs.right(hashes.get(20))).isEmpty();
        assertThat(blobs.read(hashes.get(20))).isEmpty();
        blobs.put(all.get(59));
        assertThat(blobs.lacksAny(APP)).as("nobody may rely on this node").isTrue();
        assertThatThrownBy(() -> blobs.put(all.get(20)))
                .isInstanceOfSatisfying(
                        CartridgeException.class,
                        e -> assertThat(e.reason()).isEqualTo(CartridgeException.Reason.DAMAGED));
        String next = show(APP, "next", random(900, 300));
        assertThat(blobs.right(next)).as("writing goes on").isPresent();
    }

    @Test
    void scrubReadsEverythingOnceAWeekAndGoesOnAfterARestart() {
        AtomicLong nanos = new AtomicLong(5);
        int chunks = 100;
        for (int i = 0; i < chunks; i++) {
            show(APP, "p" + i, random(1000, 100 + i));
        }
        String last = show(APP, "last", random(1000, 7));
        flip(last);
        Scrub scrub = new Scrub(blobs, nanos::get);
        long minutes = Scrub.PASS.toMinutes();
        long begun = blobs.damage().examined();
        for (long i = 0; i < minutes; i++) {
            if (i == minutes / 2) {
                assertThat(blobs.damage().examined() - begun).isBetween(45_000L, 55_000L);
                assertThat(told).isEmpty();
                scrub = new Scrub(blobs, nanos::get);
            }
            nanos.addAndGet(60_000_000_000L);
            scrub.turn();
        }
        assertThat(blobs.damage().examined() - begun).isBetween(99_000L, 101_000L);
        for (long i = 0; i < minutes / 20; i++) {
            nanos.addAndGet(60_000_000_000L);
            scrub.turn();
        }
        assertThat(told).containsExactly(Set.of(last));
        assertThat(blobs.contains(last)).isFalse();

        // A second pass finds what the first has left behind it, and what lacks.
        String first = cartridge
                .read(rows -> rows.first("SELECT hash FROM fazt_chunk ORDER BY id", row -> row.text(0)))
                .orElseThrow();
        foreign("DELETE FROM fazt_chunk WHERE hash = ?", first);
        for (long i = 0; i < minutes; i++) {
            nanos.addAndGet(60_000_000_000L);
            scrub.turn();
        }
        assertThat(told).containsExactly(Set.of(last), Set.of(first));
    }

    @Test
    void aTurnOfTheScrubIsBoundedHoweverMuchIsDue() {
        AtomicLong nanos = new AtomicLong();
        for (int i = 0; i < 70; i++) {
            blobs.put(random(Blobs.WHOLE, i));
        }
        Scrub scrub = new Scrub(blobs, nanos::get);
        nanos.addAndGet(10 * Scrub.PASS.toNanos());
        scrub.turn();
        assertThat(blobs.damage().examined()).isEqualTo(Scrub.MOST_BYTES);
    }
}
