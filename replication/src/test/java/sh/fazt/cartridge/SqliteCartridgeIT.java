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

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.DriverManager;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.cartridge.CommitListener.Commit;
import sh.fazt.cartridge.change.Changeset;
import sh.fazt.cartridge.change.ReplicaStore.Applied;
import sh.fazt.cartridge.change.VersionVector;

class SqliteCartridgeIT {
    @TempDir
    Path folder;

    private final Cartridges.Wall wall = new Cartridges.Wall();

    @BeforeEach
    void later() {
        wall.millis.addAndGet(1);
    }

    @Test
    void whatWasAcknowledgedIsThereAfterReopening() throws Exception {
        int epoch;
        try (SqliteCartridge a = open(folder.resolve("a.db"), node("a"), wall)) {
            set(a, "color", "green");
            add(a, "visits", 3);
            epoch = a.replica().origin().epoch();
        }
        try (SqliteCartridge a = open(folder.resolve("a.db"), node("a"), wall)) {
            assertThat(pairs(a)).containsExactly(Map.entry("color", "green"));
            assertThat(sum(a, "visits")).isEqualTo(3);
            assertThat(a.replica().origin().epoch()).isEqualTo(epoch);
            assertThat(a.check()).isEmpty();
        }
    }

    @Test
    void aBodyThatFailsLeavesNothingAndFailsNobodyElse() throws Exception {
        try (SqliteCartridge a = open(folder.resolve("a.db"), node("a"), wall)) {
            List<CompletionStage<Boolean>> stages = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                int number = i;
                stages.add(a.write(APP, tx -> {
                    tx.put("pair", List.of("k" + number), Map.of("value", "v"));
                    if (number % 10 == 3) {
                        throw new IllegalStateException("on purpose");
                    }
                    return true;
                }));
            }
            int failed = 0;
            for (CompletionStage<Boolean> stage : stages) {
                try {
                    done(stage);
                } catch (ExecutionException e) {
                    assertThat(e.getCause()).hasMessage("on purpose");
                    failed++;
                }
            }
            assertThat(failed).isEqualTo(5);
            assertThat(pairs(a)).hasSize(45).doesNotContainKey("k13");
            // No hole in the sequences: the failed ones used none.
            assertThat(a.replica().vector(APP).get(a.replica().origin())).isEqualTo(45);
        }
    }

    @Test
    void aTransactionThatNoPeerWouldTakeIsRefusedWholeWhereItIsWritten() throws Exception {
        String large = "x".repeat(1 << 20);
        try (SqliteCartridge a = open(folder.resolve("a.db"), node("a"), wall)) {
            CompletionStage<Boolean> refused = a.write(APP, tx -> {
                for (int i = 0; i < 65; i++) {
                    tx.put("pair", List.of("k" + i), Map.of("value", large));
                }
                return true;
            });
            assertThatThrownBy(() -> done(refused))
                    .hasCauseInstanceOf(CartridgeException.class)
                    .cause()
                    .satisfies(cause -> assertThat(((CartridgeException) cause).reason())
                            .isEqualTo(CartridgeException.Reason.TOO_LARGE))
                    .hasMessageContaining("64 MiB");
            assertThat(pairs(a)).as("not by half").isEmpty();
            done(a.write(APP, tx -> {
                tx.put("pair", List.of("k"), Map.of("value", large));
                return true;
            }));
            assertThat(a.replica().vector(APP).get(a.replica().origin()))
                    .as("no number is lost")
                    .isEqualTo(1);
        }
    }

    @Test
    void theWriterOutlivesErrors() throws Exception {
        try (SqliteCartridge a = open(folder.resolve("a.db"), node("a"), wall)) {
            assertThatThrownBy(() -> done(a.write(APP, tx -> {
                        tx.put("pair", List.of("half"), Map.of("value", "v"));
                        throw new OutOfMemoryError("on purpose");
                    })))
                    .hasRootCauseMessage("on purpose");
            set(a, "after", "1");
            a.listen(commit -> {
                throw new LinkageError("on purpose");
            });
            set(a, "listener", "1");
            set(a, "again", "1");
            assertThat(pairs(a)).containsOnlyKeys("after", "listener", "again");
        }
    }

    @Test
    void pushedChangesetsApplyInOrderOnceAndOnlyWithTheirCauses() throws Exception {
        try (SqliteCartridge a = open(folder.resolve("a.db"), node("a"), wall);
                SqliteCartridge b = open(folder.resolve("b.db"), node("b"), wall);
                SqliteCartridge c = open(folder.resolve("c.db"), node("c"), wall)) {
            List<Changeset> fromA = pushes(a);
            List<Changeset> fromB = pushes(b);
            set(a, "x", "1");
            set(a, "x", "2");
            assertThat(done(b.replica().apply(fromA.get(1)))).isEqualTo(Applied.NEEDS_PULL);
            assertThat(done(b.replica().apply(fromA.get(0)))).isEqualTo(Applied.DONE);
            assertThat(done(b.replica().apply(fromA.get(0)))).isEqualTo(Applied.KNOWN);
            assertThat(done(b.replica().apply(fromA.get(1)))).isEqualTo(Applied.DONE);
            set(b, "x", "3");
            Changeset reply = fromB.get(fromB.size() - 1);
            assertThat(done(c.replica().apply(reply)))
                    .as("its cause is missing")
                    .isEqualTo(Applied.NEEDS_PULL);
            pull(b, c);
            assertThat(pairs(c)).containsEntry("x", "3");
            assertThat(c.replica().digest(APP)).isEqualTo(b.replica().digest(APP));
            assertThat(c.conflicts().page(Optional.empty(), 0, 10).conflicts()).isEmpty();
        }
    }

    @Test
    void whatLosesInATableThatOnlyOthersKnowIsKeptToo() throws Exception {
        SchemaPart before = new SchemaPart("test", Cartridges.ROOM.migrations(), List.of(Cartridges.SUMS));
        try (SqliteCartridge a = open(folder.resolve("a.db"), node("a"), wall);
                SqliteCartridge b = open(folder.resolve("b.db"), node("b"), wall);
                SqliteCartridge c = open(folder.resolve("c.db"), node("c"), wall);
                SqliteCartridge old = SqliteCartridge.open(
                        folder.resolve("old.db"), CartridgeOptions.standard().withWall(wall), List.of(before))) {
            old.bind(node("old"));
            set(a, "title", "mine");
            wall.millis.addAndGet(10);
            set(b, "title", "yours");
            // Nobody else sees both: a is gone then.
            pull(a, old);
            pull(b, old);
            pull(old, c);
            assertThat(pairs(c)).containsEntry("title", "yours");
            assertThat(c.conflicts().page(Optional.empty(), 0, 10).conflicts())
                    .singleElement()
                    .satisfies(conflict -> {
                        assertThat(conflict.table()).isEqualTo("pair");
                        assertThat(conflict.values()).isEqualTo(Map.of("value", "mine"));
                    });
        }
    }

    @Test
    void theLoserOfTwoConcurrentWritesIsKeptOnEveryNode() throws Exception {
        try (SqliteCartridge a = open(folder.resolve("a.db"), node("a"), wall);
                SqliteCartridge b = open(folder.resolve("b.db"), node("b"), wall);
                SqliteCartridge c = open(folder.resolve("c.db"), node("c"), wall)) {
            set(a, "title", "mine");
            wall.millis.addAndGet(10);
            set(b, "title", "yours");
            pull(a, b);
            pull(b, a);
            pull(a, b);
            pull(b, c);
            for (SqliteCartridge each : List.of(a, b, c)) {
                assertThat(pairs(each)).containsEntry("title", "yours");
                assertThat(each.conflicts().page(Optional.empty(), 0, 10).conflicts())
                        .singleElement()
                        .satisfies(conflict -> {
                            assertThat(conflict.table()).isEqualTo("pair");
                            assertThat(conflict.key()).isEqualTo(List.of("title"));
                            assertThat(conflict.values()).isEqualTo(Map.of("value", "mine"));
                        });
                assertThat(each.replica().digest(APP)).isEqualTo(a.replica().digest(APP));
                assertThat(each.replica().vector(APP)).isEqualTo(a.replica().vector(APP));
            }
        }
    }

    @Test
    void randomSchedulesConverge() throws Exception {
        for (int seed = 0; seed < 12; seed++) {
            Random random = new Random(seed);
            List<SqliteCartridge> all = new ArrayList<>();
            long added = 0;
            try {
                for (int i = 0; i < 3; i++) {
                    all.add(open(folder.resolve(seed + "-" + i + ".db"), node("n" + i), wall));
                }
                List<List<Changeset>> pushed =
                        all.stream().map(SqliteCartridgeIT::pushes).toList();
                for (int step = 0; step < 60; step++) {
                    SqliteCartridge one = all.get(random.nextInt(3));
                    int other = random.nextInt(3);
                    switch (random.nextInt(6)) {
                        case 0, 1 -> set(one, "k" + random.nextInt(4), "s" + step);
                        case 2 -> {
                            String key = "k" + random.nextInt(4);
                            done(one.write(APP, tx -> tx.delete("pair", List.of(key))));
                        }
                        case 3 -> {
                            add(one, "sum", step);
                            added += step;
                        }
                        case 4 -> {
                            List<Changeset> log = pushed.get(other);
                            if (!log.isEmpty()) {
                                done(one.replica().apply(log.get(random.nextInt(log.size()))));
                            }
                        }
                        default -> pull(all.get(other), one);
                    }
                    wall.millis.addAndGet(random.nextInt(3));
                }
                for (int round = 0; round < 3; round++) {
                    for (SqliteCartridge from : all) {
                        for (SqliteCartridge to : all) {
                            pull(from, to);
                        }
                    }
                }
                for (SqliteCartridge each : all) {
                    assertThat(pairs(each)).as("seed " + seed).isEqualTo(pairs(all.get(0)));
                    assertThat(sum(each, "sum")).as("seed " + seed).isEqualTo(added);
                    assertThat(each.replica().digest(APP))
                            .isEqualTo(all.get(0).replica().digest(APP));
                    assertThat(each.replica().vector(APP))
                            .isEqualTo(all.get(0).replica().vector(APP));
                    assertThat(each.conflicts().page(Optional.empty(), 0, 1000).conflicts())
                            .isEqualTo(all.get(0)
                                    .conflicts()
                                    .page(Optional.empty(), 0, 1000)
                                    .conflicts());
                }
            } finally {
                all.forEach(SqliteCartridge::close);
            }
        }
    }

    @Test
    void smallBlobsTravelWithTheRowsThatReferToThem() throws Exception {
        byte[] page = "<h1>hello</h1>".getBytes(StandardCharsets.UTF_8);
        try (SqliteCartridge a = open(folder.resolve("a.db"), node("a"), wall);
                SqliteCartridge b = open(folder.resolve("b.db"), node("b"), wall);
                SqliteCartridge c = open(folder.resolve("c.db"), node("c"), wall)) {
            List<Changeset> fromA = pushes(a);
            String hash = done(a.write(APP, tx -> {
                String stored = tx.putBlob(page);
                tx.put("fact", List.of("f1"), Map.of("body", stored));
                return stored;
            }));
            done(b.replica().apply(fromA.get(0)));
            pull(a, c);
            for (SqliteCartridge each : List.of(b, c)) {
                byte[] kept = each.read(
                        rows -> rows.first("SELECT body FROM fazt_chunk WHERE hash = ?", row -> row.bytes(0), hash)
                                .orElse(new byte[0]));
                assertThat(kept).isEqualTo(page);
                List<String> wanted = each.read(rows -> rows.query("SELECT hash FROM fazt_wanted", row -> row.text(0)));
                assertThat(wanted).isEmpty();
            }
        }
    }

    @Test
    void anOldCopyGoesOnUnderANewEpoch() throws Exception {
        Path file = folder.resolve("a.db");
        open(file, node("a"), wall).close();
        Files.copy(file, folder.resolve("old.db"));
        Set<Integer> epochs = new HashSet<>();
        try (SqliteCartridge a = open(file, node("a"), wall)) {
            set(a, "x", "1");
            epochs.add(a.replica().origin().epoch());
        }
        for (int i = 0; i < 2; i++) {
            Files.copy(folder.resolve("old.db"), file, StandardCopyOption.REPLACE_EXISTING);
            try (SqliteCartridge a = open(file, node("a"), wall)) {
                assertThat(epochs.add(a.replica().origin().epoch()))
                        .as("the same copy twice")
                        .isTrue();
            }
        }
    }

    @Test
    void aCopyOfThisVeryRunIsFoundOutAfterACrash() throws Exception {
        Path file = folder.resolve("a.db");
        Path early = Files.createDirectory(folder.resolve("early"));
        Path crashed = Files.createDirectory(folder.resolve("crashed"));
        int epoch;
        try (SqliteCartridge a = open(file, node("a"), wall)) {
            set(a, "x", "1");
            copyAll(early);
            set(a, "y", "2");
            copyAll(crashed);
            epoch = a.replica().origin().epoch();
        }
        Path again = Files.createDirectory(folder.resolve("again"));
        for (String name : List.of("a.db", "a.db-wal", "a.db.marker")) {
            Files.copy(crashed.resolve(name), again.resolve(name));
        }
        try (SqliteCartridge a = open(again.resolve("a.db"), node("a"), wall)) {
            assertThat(pairs(a)).containsEntry("y", "2");
            assertThat(a.replica().origin().epoch()).as("a crash alone").isEqualTo(epoch);
        }
        for (String name : List.of("a.db", "a.db-wal")) {
            Files.copy(early.resolve(name), crashed.resolve(name), StandardCopyOption.REPLACE_EXISTING);
        }
        try (SqliteCartridge a = open(crashed.resolve("a.db"), node("a"), wall)) {
            assertThat(pairs(a)).doesNotContainKey("y");
            assertThat(a.replica().origin().epoch()).isGreaterThan(epoch);
        }
    }

    private void copyAll(Path to) throws IOException {
        for (String name : List.of("a.db", "a.db-wal", "a.db.marker")) {
            Files.copy(folder.resolve(name), to.resolve(name));
        }
    }

    @Test
    void aForgottenScopeStartsAgainUnderANewEpoch() throws Exception {
        try (SqliteCartridge a = open(folder.resolve("a.db"), node("a"), wall)) {
            set(a, "x", "1");
            int epoch = a.replica().origin().epoch();
            done(a.forget(APP));
            assertThat(pairs(a)).isEmpty();
            assertThat(a.replica().vectors()).doesNotContainKey(APP);
            set(a, "x", "2");
            assertThat(a.replica().origin().epoch()).isGreaterThan(epoch);
            assertThat(a.replica().vector(APP).get(a.replica().origin())).isEqualTo(1);
        }
    }

    @Test
    void aScopeIsLetGoOfOnlyAsItWasAskedFor() throws Exception {
        try (SqliteCartridge a = open(folder.resolve("a.db"), node("a"), wall)) {
            set(a, "x", "1");
            VersionVector before = a.replica().vector(APP);
            set(a, "x", "2");
            assertThat(done(a.replica().forget(APP, before)))
                    .as("something was written meanwhile")
                    .isFalse();
            assertThat(pairs(a)).containsEntry("x", "2");
            int epoch = a.replica().origin().epoch();
            assertThat(done(a.replica().forget(APP, a.replica().vector(APP)))).isTrue();
            assertThat(pairs(a)).isEmpty();
            assertThat(a.replica().origin().epoch()).isGreaterThan(epoch);
        }
    }

    @Test
    void aClosedCartridgeSaysSo() throws Exception {
        SqliteCartridge a = open(folder.resolve("a.db"), node("a"), wall);
        a.close();
        assertThatThrownBy(() -> pairs(a)).hasMessageContaining("is closed");
        assertThatThrownBy(() -> set(a, "x", "1")).hasStackTraceContaining("is closed");
    }

    @Test
    void aForeignProgramCantWriteAReplicatedTable() throws Exception {
        Path file = folder.resolve("a.db");
        try (SqliteCartridge a = open(file, node("a"), wall)) {
            set(a, "x", "1");
            try (var foreign = DriverManager.getConnection("jdbc:sqlite:" + file);
                    var statement = foreign.createStatement()) {
                for (String sql : List.of(
                        "UPDATE pair SET value = 'hacked'",
                        "UPDATE pair SET name = 'hacked'",
                        "UPDATE pair SET _seq = 9",
                        "UPDATE pair SET _deleted = 1",
                        "INSERT INTO pair SELECT * FROM pair WHERE true ON CONFLICT DO UPDATE SET value = 'hacked'",
                        "DELETE FROM pair",
                        "DELETE FROM pair WHERE name = 'x'")) {
                    assertThatThrownBy(() -> statement.executeUpdate(sql))
                            .as(sql)
                            .hasMessageContaining("fazt_writer");
                }
                try (var checked = statement.executeQuery("PRAGMA integrity_check")) {
                    assertThat(checked.getString(1))
                            .as("anybody can check the file")
                            .isEqualTo("ok");
                }
            }
            for (String sql : List.of(
                    "DELETE FROM pair",
                    "UPDATE pair SET value = 'hacked'",
                    "WITH old AS (SELECT text FROM note) DELETE FROM pair WHERE name IN old")) {
                assertThatThrownBy(() -> done(a.writeLocal(tx -> tx.execute(sql))))
                        .as(sql)
                        .hasStackTraceContaining("pair is replicated");
            }
            assertThat(pairs(a)).containsEntry("x", "1");
        }
    }

    @Test
    void aSecondProcessIsToldWhoHasTheCartridge() {
        Path file = folder.resolve("a.db");
        try (SqliteCartridge a = open(file, node("a"), wall)) {
            assertThatThrownBy(() -> open(file, node("a"), wall))
                    .isInstanceOfSatisfying(
                            CartridgeException.class,
                            e -> assertThat(e.reason()).isEqualTo(CartridgeException.Reason.IN_USE))
                    .hasMessageContaining("process " + ProcessHandle.current().pid());
        }
    }

    @Test
    void aCartridgeOfANewerVersionIsRefusedUntouched() throws Exception {
        Path file = folder.resolve("a.db");
        open(file, node("a"), wall).close();
        try (var newer = DriverManager.getConnection("jdbc:sqlite:" + file);
                var statement = newer.createStatement()) {
            statement.executeUpdate("UPDATE fazt_migration SET level = 99 WHERE room = 'test'");
        }
        assertThatThrownBy(() -> open(file, node("a"), wall))
                .isInstanceOfSatisfying(
                        CartridgeException.class,
                        e -> assertThat(e.reason()).isEqualTo(CartridgeException.Reason.NEWER_VERSION))
                .hasMessageContaining("newer fazt");
    }

    @Test
    void whatIsNoCartridgeIsRefused() throws Exception {
        Path text = Files.writeString(folder.resolve("text.db"), "this is a letter, not a database ".repeat(50));
        refusedUntouched(text, "is no cartridge");
        Path other = folder.resolve("other.db");
        try (var db = DriverManager.getConnection("jdbc:sqlite:" + other);
                var statement = db.createStatement()) {
            statement.executeUpdate("CREATE TABLE t (a)");
        }
        refusedUntouched(other, "another program");
        assertThatThrownBy(() -> open(Files.createDirectory(folder.resolve("folder.db")), node("a"), wall))
                .hasMessageContaining("is a folder");
        try (var beside = Files.list(folder)) {
            assertThat(beside).as("no lock, no log").hasSize(3);
        }
        Path empty = Files.createFile(folder.resolve("empty.db"));
        open(empty, node("a"), wall).close();
    }

    private void refusedUntouched(Path file, String why) throws Exception {
        byte[] before = Files.readAllBytes(file);
        assertThatThrownBy(() -> open(file, node("a"), wall))
                .isInstanceOfSatisfying(
                        CartridgeException.class,
                        e -> assertThat(e.reason()).isEqualTo(CartridgeException.Reason.DAMAGED))
                .hasMessageContaining(why);
        assertThat(file).hasBinaryContent(before);
    }

    @Test
    void aDamagedCartridgeIsNamed() throws Exception {
        Path file = folder.resolve("a.db");
        open(file, node("a"), wall).close();
        byte[] bytes = Files.readAllBytes(file);
        java.util.Arrays.fill(bytes, 100, 8192, (byte) 0xa5);
        Files.write(file, bytes);
        assertThatThrownBy(() -> open(file, node("a"), wall))
                .isInstanceOfSatisfying(
                        CartridgeException.class,
                        e -> assertThat(e.reason()).isEqualTo(CartridgeException.Reason.DAMAGED))
                .hasMessageContaining(file.toString())
                .hasMessageContaining("restore a backup");
    }

    @Test
    void writesAreRefusedWhileTheDiskIsFullAndWorkAgainAfterwards() throws Exception {
        try (SqliteCartridge a = open(folder.resolve("a.db"), node("a"), wall)) {
            set(a, "x", "1");
            long pages = a.read(rows ->
                    rows.first("PRAGMA page_count", row -> row.integer(0)).orElseThrow());
            done(a.writeLocal(tx -> tx.first("PRAGMA max_page_count = " + pages, row -> row.integer(0))));
            assertThatThrownBy(() -> set(a, "big", "y".repeat(1 << 20)))
                    .cause()
                    .isInstanceOfSatisfying(
                            CartridgeException.class,
                            e -> assertThat(e.reason()).isEqualTo(CartridgeException.Reason.NOT_WRITABLE));
            assertThat(pairs(a)).containsOnlyKeys("x");
            done(a.writeLocal(tx -> tx.first("PRAGMA max_page_count", row -> row.integer(0))));
            wall.millis.addAndGet(60_000);
            assertThat(a.notWritable()).as("a commit of nothing proves nothing").contains("full");
            assertThatThrownBy(() -> set(a, "big", "y".repeat(1 << 20))).hasStackTraceContaining("full");
            done(a.writeLocal(tx -> tx.first("PRAGMA max_page_count = 1000000", row -> row.integer(0))));
            set(a, "big", "y".repeat(1 << 20));
            assertThat(a.notWritable())
                    .as("a small write may fit where a large one does not")
                    .contains("full");
            wall.millis.addAndGet(60_000);
            assertThat(a.notWritable()).isNull();
            assertThat(a.replica().vector(APP).get(a.replica().origin())).isEqualTo(2);
        }
    }

    @Test
    void rowsOfAnUnknownTableAreParkedForwardedAndAppliedLater() throws Exception {
        Path old = folder.resolve("old.db");
        SchemaPart before = new SchemaPart("test", Cartridges.ROOM.migrations(), List.of(Cartridges.SUMS));
        try (SqliteCartridge a = open(folder.resolve("a.db"), node("a"), wall)) {
            set(a, "x", "1");
            try (SqliteCartridge b =
                    SqliteCartridge.open(old, CartridgeOptions.standard().withWall(wall), List.of(before))) {
                b.bind(node("b"));
                pull(a, b);
                assertThat(b.replica().digest(APP)).isEqualTo(a.replica().digest(APP));
                try (SqliteCartridge c = open(folder.resolve("c.db"), node("c"), wall)) {
                    pull(b, c);
                    assertThat(pairs(c)).containsEntry("x", "1");
                }
            }
            try (SqliteCartridge b = open(old, node("b"), wall)) {
                assertThat(pairs(b)).containsEntry("x", "1");
                assertThat(b.replica().digest(APP)).isEqualTo(a.replica().digest(APP));
            }
        }
    }

    private static void edit(SqliteCartridge of, String field, String value) throws Exception {
        done(of.write(APP, tx -> {
            tx.update("profile", List.of("ann"), Map.of(field, value));
            return true;
        }));
    }

    @Test
    void aDocumentTravelsByEveryDotThatContributesToIt() throws Exception {
        try (SqliteCartridge a = open(folder.resolve("a.db"), node("a"), wall);
                SqliteCartridge b = open(folder.resolve("b.db"), node("b"), wall);
                SqliteCartridge c = open(folder.resolve("c.db"), node("c"), wall)) {
            edit(a, "x", "1");
            wall.millis.addAndGet(10);
            edit(b, "y", "2");
            pull(b, c);
            pull(a, b);
            // The document's own dot is known to c: only the one of its field x is not.
            assertThat(b.replica().weigh(APP, c.replica().vector(APP)).rows()).isEqualTo(1);
            pull(b, c);
            assertThat(profile(c, "ann")).isEqualTo(Map.of("x", "1", "y", "2"));
            assertThat(c.replica().digest(APP)).isEqualTo(b.replica().digest(APP));
            long before = done(c.write(APP, tx -> {
                tx.update("profile", List.of("ann"), Map.of("x", "1"));
                tx.put("profile", List.of("ann"), Map.of("x", "1", "y", "2"));
                return c.replica().vector(APP).get(c.replica().origin());
            }));
            assertThat(c.replica().vector(APP).get(c.replica().origin()))
                    .as("what changes nothing is no write")
                    .isEqualTo(before);
            assertThatThrownBy(() -> edit(c, "_fields", "1")).cause().hasMessageContaining("_fields");
            assertThatThrownBy(() -> done(c.write(APP, tx -> {
                        tx.update("pair", List.of("ann"), Map.of("value", "1"));
                        return true;
                    })))
                    .cause()
                    .hasMessageContaining("holds no documents");
            done(c.forget(APP));
            pull(b, c);
            assertThat(profile(c, "ann")).isEqualTo(Map.of("x", "1", "y", "2"));
            assertThat(c.replica().scan(APP, null, row -> {}).sound()).isTrue();
        }
    }

    @Test
    void anOlderCartridgePassesOnDocumentsAndBecomesOneThatMergesThem() throws Exception {
        Path parked = folder.resolve("parked.db");
        Path whole = folder.resolve("whole.db");
        SchemaPart without = new SchemaPart("test", Cartridges.ROOM.migrations(), List.of(Cartridges.SUMS));
        SchemaPart register = new SchemaPart(
                "test",
                Cartridges.ROOM.migrations(),
                List.of(new ReplicatedTable(
                        "profile",
                        ReplicatedTable.Policy.REGISTER,
                        Cartridges.PROFILES.key(),
                        Cartridges.PROFILES.columns())));
        try (SqliteCartridge a = open(folder.resolve("a.db"), node("a"), wall);
                SqliteCartridge b = open(folder.resolve("b.db"), node("b"), wall)) {
            edit(a, "x", "1");
            wall.millis.addAndGet(10);
            edit(b, "y", "2");
            try (SqliteCartridge old =
                    SqliteCartridge.open(parked, CartridgeOptions.standard().withWall(wall), List.of(without))) {
                old.bind(node("old"));
                pull(b, old);
                pull(a, old);
                try (SqliteCartridge c = open(folder.resolve("c.db"), node("c"), wall)) {
                    pull(b, c);
                    pull(old, c);
                    assertThat(profile(c, "ann")).isEqualTo(Map.of("x", "1", "y", "2"));
                    assertThat(c.replica().digest(APP)).isEqualTo(old.replica().digest(APP));
                }
            }
            try (SqliteCartridge old = open(parked, node("old"), wall)) {
                assertThat(profile(old, "ann")).isEqualTo(Map.of("x", "1", "y", "2"));
                assertThat(old.replica().scan(APP, null, row -> {}).sound()).isTrue();
            }
            pull(a, b);
            try (SqliteCartridge old =
                    SqliteCartridge.open(whole, CartridgeOptions.standard().withWall(wall), List.of(register))) {
                old.bind(node("whole"));
                pull(b, old);
                done(old.write(APP, tx -> {
                    tx.put("profile", List.of("bob"), Map.of("x", "9"));
                    return true;
                }));
            }
            try (SqliteCartridge old = open(whole, node("whole"), wall)) {
                assertThat(old.replica().scan(APP, null, row -> {}).sound()).isTrue();
                // The index of what contributes is made anew.
                try (SqliteCartridge d = open(folder.resolve("d.db"), node("d"), wall)) {
                    wall.millis.addAndGet(10);
                    edit(d, "z", "3");
                    pull(d, old);
                    pull(old, d);
                    assertThat(profile(d, "ann")).isEqualTo(Map.of("x", "1", "y", "2", "z", "3"));
                    assertThat(profile(d, "bob")).isEqualTo(Map.of("x", "9"));
                    done(d.write(APP, tx -> tx.delete("profile", List.of("ann"))));
                    pull(d, old);
                    pull(old, d);
                    assertThat(profile(old, "ann")).isNull();
                    assertThat(d.replica().digest(APP)).isEqualTo(old.replica().digest(APP));
                }
            }
        }
    }

    @Test
    void aBackupIsWholeAndKnowsThatItIsACopy() throws Exception {
        Path copy = folder.resolve("copy.db");
        int epoch;
        try (SqliteCartridge a = open(folder.resolve("a.db"), node("a"), wall)) {
            epoch = a.replica().origin().epoch();
            set(a, "x", "1");
            a.backup(copy);
            assertThatThrownBy(() -> a.backup(copy)).hasMessageContaining("never overwrites");
        }
        try (SqliteCartridge b = open(copy, node("a"), wall)) {
            assertThat(pairs(b)).containsEntry("x", "1");
            assertThat(b.replica().origin().epoch()).isGreaterThan(epoch);
        }
    }

    private static List<Changeset> pushes(SqliteCartridge cartridge) {
        List<Changeset> pushes = new CopyOnWriteArrayList<>();
        cartridge.listen((Commit commit) -> {
            if (commit.changeset() != null && commit.local()) {
                pushes.add(commit.changeset());
            }
        });
        return pushes;
    }
}
