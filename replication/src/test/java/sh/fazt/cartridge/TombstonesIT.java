package sh.fazt.cartridge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static sh.fazt.cartridge.Cartridges.APP;
import static sh.fazt.cartridge.Cartridges.add;
import static sh.fazt.cartridge.Cartridges.done;
import static sh.fazt.cartridge.Cartridges.node;
import static sh.fazt.cartridge.Cartridges.open;
import static sh.fazt.cartridge.Cartridges.pairs;
import static sh.fazt.cartridge.Cartridges.profile;
import static sh.fazt.cartridge.Cartridges.pull;
import static sh.fazt.cartridge.Cartridges.set;
import static sh.fazt.cartridge.Cartridges.sum;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.cartridge.change.Changeset;
import sh.fazt.cartridge.change.Hlc;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;
import sh.fazt.sync.Tombstones;

/** What is deleted stays deleted, and nothing else does, though nobody remembers the deletion. On real cartridges. */
class TombstonesIT {
    private static final Duration DAY = Duration.ofDays(1);

    @TempDir
    Path folder;

    private final Cartridges.Wall wall = new Cartridges.Wall();

    private static boolean delete(Cartridge cartridge, String name) throws Exception {
        return done(cartridge.write(APP, tx -> tx.delete("pair", List.of(name))));
    }

    private static long tombstones(Cartridge cartridge) {
        return tombstones(cartridge, "pair");
    }

    private static long tombstones(Cartridge cartridge, String table) {
        return cartridge
                .read(rows -> rows.first(
                        "SELECT count(*) FROM " + table + " WHERE scope = ? AND _deleted = 1",
                        row -> row.integer(0),
                        APP.id()))
                .orElse(0L);
    }

    private static void write(Cartridge cartridge, String profile, String field, String value) throws Exception {
        done(cartridge.write(APP, tx -> {
            tx.update("profile", List.of(profile), Map.of(field, value));
            return true;
        }));
    }

    private static boolean drop(Cartridge cartridge, String profile) throws Exception {
        return done(cartridge.write(APP, tx -> tx.delete("profile", List.of(profile))));
    }

    private static Map<String, Map<String, String>> profiles(Cartridge cartridge) {
        Map<String, Map<String, String>> profiles = new TreeMap<>();
        cartridge
                .read(rows -> rows.query("SELECT name FROM profile_live WHERE scope = ?", row -> row.text(0), APP.id()))
                .forEach(name -> profiles.put(name, Objects.requireNonNull(profile(cartridge, name))));
        return profiles;
    }

    private void collect(Cartridge here, VersionVector stable) throws Exception {
        done(here.replica().collect(APP, stable, Hlc.of(wall.millis.get() + 1, 0), 1000));
    }

    private static void agree(List<SqliteCartridge> all) {
        SqliteCartridge first = all.get(0);
        for (SqliteCartridge other : all) {
            assertThat(other.replica().vector(APP)).isEqualTo(first.replica().vector(APP));
            assertThat(pairs(other)).isEqualTo(pairs(first));
            assertThat(profiles(other)).isEqualTo(profiles(first));
            assertThat(other.replica().digest(APP)).isEqualTo(first.replica().digest(APP));
            ReplicaStore.Scan scan = other.replica().scan(APP, null, row -> {});
            assertThat(scan.sound()).as("digest kept and found").isTrue();
        }
    }

    @Test
    void aDeletionGoesOnceEveryCountingMemberHasItAndAWeekHasPassed() throws Exception {
        try (SqliteCartridge a = open(folder.resolve("a.db"), node("a"), wall)) {
            set(a, "old", "1");
            delete(a, "old");
            VersionVector here = a.replica().vector(APP);
            Set<NodeId> linked = new HashSet<>(Set.of(node("b"), node("c")));
            Map<NodeId, VersionVector> told = new TreeMap<>(Map.of(node("b"), here, node("c"), VersionVector.EMPTY));
            Tombstones tombstones = new Tombstones(
                    a,
                    a.replica(),
                    wall,
                    () -> Set.of(node("b"), node("c")),
                    () -> linked,
                    (node, scope) -> true,
                    (scope, nodes) -> CompletableFuture.completedFuture(
                            nodes.stream().map(told::get).reduce(a.replica().vector(scope), VersionVector::least)),
                    (scope, nodes) -> CompletableFuture.completedFuture(false));
            wall.millis.addAndGet(8 * DAY.toMillis());
            tombstones.turn();
            assertThat(tombstones(a)).as("c has not seen it").isEqualTo(1);
            told.put(node("c"), here);
            set(a, "new", "1");
            delete(a, "new");
            told.replaceAll((id, before) -> a.replica().vector(APP));
            tombstones.turn();
            assertThat(tombstones(a)).as("the new one is not old enough").isEqualTo(1);

            told.put(node("c"), VersionVector.EMPTY);
            linked.remove(node("c"));
            wall.millis.addAndGet(29 * DAY.toMillis());
            tombstones.turn();
            assertThat(tombstones(a)).as("c counts for a month").isEqualTo(1);
            linked.remove(node("b"));
            wall.millis.addAndGet(2 * DAY.toMillis());
            tombstones.turn();
            assertThat(tombstones.removed())
                    .as("c does not count any more, b does")
                    .isEqualTo(2);

            set(a, "late", "1");
            delete(a, "late");
            wall.millis.addAndGet(60 * DAY.toMillis());
            tombstones.turn();
            assertThat(tombstones(a)).as("one of three alone removes nothing").isEqualTo(1);
        }
    }

    @Test
    void whoWasAwayLosesWhatWasDeletedAndKeepsWhatItWrote() throws Exception {
        try (SqliteCartridge a = open(folder.resolve("a.db"), node("a"), wall);
                SqliteCartridge b = open(folder.resolve("b.db"), node("b"), wall);
                SqliteCartridge c = open(folder.resolve("c.db"), node("c"), wall)) {
            set(a, "gone", "1");
            set(a, "edited", "1");
            set(a, "stays", "1");
            add(a, "visits", 2);
            pull(a, b);
            pull(a, c);
            wall.millis.addAndGet(1);
            set(c, "edited", "2");
            set(c, "new", "1");
            add(c, "visits", 3);
            wall.millis.addAndGet(1);
            delete(a, "gone");
            delete(a, "edited");
            pull(a, b);
            collect(a, b.replica().vector(APP));
            assertThat(tombstones(a)).isZero();
            assertThat(tombstones(b)).isEqualTo(2);
            agree(List.of(a, b));

            // It is told of the deletions by one who remembers none, and b hears of c before a does.
            pull(a, c);
            assertThat(pairs(c)).containsOnlyKeys("edited", "new", "stays");
            pull(c, b);
            pull(b, a);
            pull(a, c);
            agree(List.of(a, b, c));
            assertThat(pairs(a)).containsOnlyKeys("edited", "new", "stays").containsEntry("edited", "2");
            assertThat(sum(a, "visits")).isEqualTo(5);

            // The floor is handed on with the rows: c remembers nothing either, and says so.
            try (SqliteCartridge d = open(folder.resolve("d.db"), node("d"), wall)) {
                pull(c, d);
                agree(List.of(c, d));
                assertThat(d.replica().floor(APP)).isEqualTo(c.replica().floor(APP));
            }
        }
    }

    @Test
    void aDeletedDocumentGoesOnceAllThatWroteToItIsStable() throws Exception {
        try (SqliteCartridge a = open(folder.resolve("a.db"), node("a"), wall);
                SqliteCartridge b = open(folder.resolve("b.db"), node("b"), wall);
                SqliteCartridge c = open(folder.resolve("c.db"), node("c"), wall)) {
            write(a, "gone", "x", "1");
            write(a, "edited", "x", "1");
            pull(a, b);
            pull(a, c);
            wall.millis.addAndGet(1);
            write(b, "gone", "y", "2");
            pull(b, a);
            VersionVector beforeB = c.replica().vector(APP);
            wall.millis.addAndGet(1);
            drop(a, "gone");
            drop(a, "edited");
            wall.millis.addAndGet(1);
            write(c, "edited", "z", "3");
            write(c, "new", "x", "4");
            // Of what b wrote nobody knows yet whether all have it.
            collect(
                    a,
                    beforeB.merge(VersionVector.EMPTY.with(
                            a.replica().origin(),
                            a.replica().vector(APP).get(a.replica().origin()))));
            assertThat(tombstones(a, "profile"))
                    .as("the one that b wrote to stays")
                    .isEqualTo(1);
            pull(a, b);
            collect(a, b.replica().vector(APP));
            assertThat(tombstones(a, "profile")).isZero();
            assertThat(a.replica().floor(APP).below()).isEqualTo(a.replica().vector(APP));
            assertThat(tombstones(b, "profile"))
                    .as("the other went with the rows")
                    .isEqualTo(1);
            agree(List.of(a, b));

            pull(a, c);
            assertThat(profiles(c)).containsOnlyKeys("edited", "new");
            pull(c, b);
            pull(b, a);
            pull(a, c);
            pull(c, b);
            pull(c, a);
            pull(a, b);
            pull(a, c);
            pull(b, a);
            agree(List.of(a, b, c));
            assertThat(profiles(a)).containsOnlyKeys("edited", "new");
            assertThat(profiles(a).get("edited")).containsEntry("z", "3");

            write(b, "gone", "z", "5");
            pull(b, a);
            pull(b, c);
            agree(List.of(a, b, c));
            assertThat(profiles(a).get("gone"))
                    .as("a new one, nothing of the old")
                    .isEqualTo(Map.of("z", "5"));
        }
    }

    @Test
    void aFieldThatNobodyHasSeenKeepsItsDocumentThoughItsLastWriteIsOlderThanTheDeletion() throws Exception {
        try (SqliteCartridge a = open(folder.resolve("a.db"), node("a"), wall);
                SqliteCartridge b = open(folder.resolve("b.db"), node("b"), wall);
                SqliteCartridge c = open(folder.resolve("c.db"), node("c"), wall)) {
            write(a, "k", "x", "1");
            pull(a, b);
            pull(a, c);
            wall.millis.addAndGet(1);
            write(c, "k", "y", "2");
            wall.millis.addAndGet(1);
            write(b, "k", "z", "3");
            // The document is b's by its last write now, and has a field of c's that nobody else knows.
            pull(b, c);
            pull(b, a);
            wall.millis.addAndGet(1);
            drop(a, "k");
            collect(a, a.replica().vector(APP));
            pull(a, c);
            assertThat(profiles(c)).containsEntry("k", Map.of("x", "1", "y", "2", "z", "3"));
            pull(c, b);
            pull(c, a);
            pull(a, b);
            pull(b, a);
            pull(a, c);
            pull(a, b);
            agree(List.of(a, b, c));
            assertThat(profiles(a)).containsKey("k");
        }
    }

    @Test
    void theFloorIsThereAfterReopeningAndGoesWithTheScope() throws Exception {
        Path file = folder.resolve("a.db");
        try (SqliteCartridge a = open(file, node("a"), wall)) {
            set(a, "gone", "1");
            delete(a, "gone");
            collect(a, a.replica().vector(APP));
        }
        try (SqliteCartridge a = open(file, node("a"), wall)) {
            assertThat(a.replica().floor(APP).below()).isEqualTo(a.replica().vector(APP));
            done(a.replica().forget(APP, a.replica().vector(APP)));
            assertThat(a.replica().floor(APP).isNone()).isTrue();
        }
    }

    @Test
    void oneNodeTidiesAndOnlyWhileAllThatCountAreInStep() throws Exception {
        List<NodeId> ids = new ArrayList<>(List.of(node("a"), node("b"), node("c")));
        ids.sort(null);
        Set<NodeId> linked = new HashSet<>(ids);
        Set<NodeId> inStep = new HashSet<>(ids);
        List<Boolean> may = new ArrayList<>();
        for (NodeId self : ids) {
            try (SqliteCartridge file = open(folder.resolve(self.shortText() + ".db"), self, wall)) {
                set(file, "k", "1");
                Set<NodeId> others = new HashSet<>(ids);
                others.remove(self);
                VersionVector[] seen = {VersionVector.EMPTY};
                Tombstones tombstones = new Tombstones(
                        file,
                        file.replica(),
                        wall,
                        () -> others,
                        () -> linked,
                        (node, scope) -> true,
                        (scope, nodes) -> CompletableFuture.completedFuture(seen[0]),
                        (scope, nodes) -> CompletableFuture.completedFuture(inStep.containsAll(nodes)));
                may.add(tombstones.mayTidy(APP));
                NodeId last = ids.get(2);
                inStep.remove(last);
                assertThat(tombstones.mayTidy(APP)).as("one may have more").isFalse();
                linked.remove(last);
                wall.millis.addAndGet(31 * DAY.toMillis());
                if (!self.equals(last)) {
                    assertThat(tombstones.mayTidy(APP))
                            .as("it does not count any more")
                            .isEqualTo(self.equals(ids.get(0)));
                }
                long before = wall.millis.get();
                tombstones.turn();
                wall.millis.addAndGet(1000);
                tombstones.turn();
                assertThat(tombstones.seenByAll()).as("nobody has seen it").isZero();
                seen[0] = file.replica().vector(APP);
                tombstones.turn();
                assertThat(tombstones.seenByAll()).isEqualTo(before);
                linked.addAll(ids);
                inStep.addAll(ids);
            }
        }
        assertThat(may).as("the one with the smallest id").containsExactly(true, false, false);
    }

    @Test
    void aCartridgeFromBeforeIsCountedAnew() throws Exception {
        Path file = folder.resolve("a.db");
        long digest;
        try (SqliteCartridge a = open(file, node("a"), wall)) {
            set(a, "gone", "1");
            set(a, "stays", "1");
            delete(a, "gone");
            digest = a.replica().digest(APP);
        }
        try (Connection before = DriverManager.getConnection("jdbc:sqlite:" + file);
                Statement statement = before.createStatement()) {
            statement.executeUpdate("UPDATE fazt_migration SET level = 1 WHERE room = 'cartridge'");
            statement.executeUpdate("DROP TABLE fazt_floor");
            statement.executeUpdate("DROP TABLE fazt_heard");
            statement.executeUpdate("DROP TABLE fazt_unused");
            statement.executeUpdate("DROP TABLE fazt_damaged");
            statement.executeUpdate("DROP TABLE fazt_scrub");
            statement.executeUpdate("DROP TABLE fazt_doubt");
            statement.executeUpdate("DROP TABLE fazt_doubt_share");
            statement.executeUpdate("UPDATE fazt_scope SET digest = digest + 7");
        }
        try (SqliteCartridge a = open(file, node("a"), wall)) {
            assertThat(a.replica().digest(APP)).isEqualTo(digest);
        }
        try (Connection before = DriverManager.getConnection("jdbc:sqlite:" + file);
                Statement statement = before.createStatement()) {
            statement.executeUpdate("UPDATE fazt_migration SET level = 4 WHERE room = 'cartridge'");
            statement.executeUpdate("DROP TABLE fazt_damaged");
            statement.executeUpdate("DROP TABLE fazt_scrub");
            statement.executeUpdate("DROP TABLE fazt_doubt");
            statement.executeUpdate("DROP TABLE fazt_doubt_share");
            statement.executeUpdate("UPDATE fazt_scope SET digest = digest + 7");
        }
        try (SqliteCartridge a = open(file, node("a"), wall)) {
            assertThat(a.replica().digest(APP)).isEqualTo(digest);
            assertThat(a.replica().scan(APP, null, row -> {}).sound()).isTrue();
        }
    }

    /** Three members, of which one at a time is away while the others write, delete and forget deletions. */
    private void schedule(long seed, boolean floors) throws Exception {
        Random random = new Random(seed);
        // A few documents that everybody writes to, or a bit of everything.
        boolean documents = seed % 2 == 0;
        Path home = Files.createDirectories(folder.resolve(seed + (floors ? "" : "-planted")));
        List<SqliteCartridge> all = new ArrayList<>();
        List<List<Changeset>> pushed = new ArrayList<>();
        Set<String> deleted = new HashSet<>();
        Map<String, String> ofTheAway = new TreeMap<>();
        Set<String> documentsOfTheAway = new HashSet<>();
        try {
            for (int i = 0; i < 3; i++) {
                all.add(open(home.resolve(i + ".db"), node("n" + i), wall));
                List<Changeset> own = new CopyOnWriteArrayList<>();
                pushed.add(own);
                all.get(i).listen(commit -> {
                    if (commit.local() && commit.changeset() != null) {
                        own.add(commit.changeset());
                    }
                });
            }
            int value = 0;
            for (int round = 0; round < 4; round++) {
                int away = random.nextInt(3);
                for (int step = 0; step < 25; step++) {
                    wall.millis.addAndGet(1 + random.nextInt(3));
                    int at = random.nextInt(3);
                    SqliteCartridge here = all.get(at);
                    String key = "k" + random.nextInt(documents ? 2 : 6);
                    switch (documents ? 3 + random.nextInt(5) : random.nextInt(9)) {
                        case 0, 1 -> {
                            String written = "v" + value++;
                            set(here, key, written);
                            if (at == away) {
                                set(here, "own" + written, "own");
                                ofTheAway.put("own" + written, "own");
                            }
                        }
                        case 2 -> {
                            String before = pairs(here).get(key);
                            if (delete(here, key)) {
                                deleted.add(before);
                            }
                        }
                        case 3, 4 -> {
                            write(here, key, List.of("x", "y", "z").get(random.nextInt(3)), "v" + value++);
                            if (at == away) {
                                write(here, "own" + value, "y", "own");
                                documentsOfTheAway.add("own" + value);
                            }
                        }
                        case 5 -> drop(here, key);
                        default -> {
                            int other = random.nextInt(3);
                            if (at != away && other != away && at != other) {
                                tell(here, all.get(other), pushed.get(at), random);
                                collect(
                                        here,
                                        here.replica()
                                                .vector(APP)
                                                .least(all.get(other).replica().vector(APP)));
                                if (!floors) {
                                    done(here.writeLocal(tx -> tx.execute("DELETE FROM fazt_floor")));
                                }
                            }
                        }
                    }
                }
                // Everybody meets everybody, in any order, until all have seen the same.
                for (int i = 0; i < 40; i++) {
                    int at = random.nextInt(3);
                    tell(all.get(at), all.get(random.nextInt(3)), pushed.get(at), random);
                }
                for (int i = 0; i < 9; i++) {
                    if (i / 3 != i % 3) {
                        pull(all.get(i / 3), all.get(i % 3));
                    }
                }
                for (int i = 0; i < 9; i++) {
                    if (i / 3 != i % 3) {
                        pull(all.get(i / 3), all.get(i % 3));
                    }
                }
                agree(all);
                assertThat(pairs(all.get(0)).values())
                        .as("nothing deleted comes back")
                        .noneMatch(deleted::contains);
                assertThat(pairs(all.get(0)))
                        .as("nothing that the absent one wrote is lost")
                        .containsAllEntriesOf(ofTheAway);
                assertThat(profiles(all.get(0)).keySet()).containsAll(documentsOfTheAway);
            }
        } finally {
            all.forEach(SqliteCartridge::close);
        }
    }

    /** By a pull, or by what was pushed and arrives as far as its causes are there. */
    private static void tell(SqliteCartridge from, SqliteCartridge to, List<Changeset> pushed, Random random)
            throws Exception {
        if (from != to && random.nextBoolean()) {
            pull(from, to);
        } else if (from != to) {
            for (Changeset changeset : List.copyOf(pushed)) {
                done(to.replica().apply(changeset));
            }
        }
    }

    @Test
    void anyScheduleEndsTheSameEverywhere() throws Exception {
        for (long seed = 1; seed <= Long.getLong("sim.seeds", 8); seed++) {
            long one = seed;
            assertThat(one).satisfies(replayed -> schedule(replayed, true));
        }
    }

    @Test
    void aReplicaThatForgetsItsFloorIsFound() {
        assertThatThrownBy(() -> {
                    for (long seed = 1; seed <= 8; seed++) {
                        schedule(seed, false);
                    }
                })
                .isInstanceOf(AssertionError.class);
    }
}
