package sh.fazt.cartridge;

import static org.assertj.core.api.Assertions.assertThat;
import static sh.fazt.cartridge.Cartridges.APP;
import static sh.fazt.cartridge.Cartridges.done;
import static sh.fazt.cartridge.Cartridges.node;
import static sh.fazt.cartridge.Cartridges.open;
import static sh.fazt.cartridge.Cartridges.pairs;
import static sh.fazt.cartridge.Cartridges.profile;
import static sh.fazt.cartridge.Cartridges.pull;
import static sh.fazt.cartridge.Cartridges.set;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.cartridge.change.Scope;

class ConflictsIT {
    @TempDir
    Path folder;

    private final Cartridges.Wall wall = new Cartridges.Wall();
    private SqliteCartridge a;
    private SqliteCartridge b;
    private SqliteCartridge old;

    @BeforeEach
    void threeNodes() throws Exception {
        wall.millis.addAndGet(1);
        a = open(folder.resolve("a.db"), node("a"), wall);
        b = open(folder.resolve("b.db"), node("b"), wall);
        old = open(folder.resolve("old.db"), node("old"), wall);
        set(a, "title", "mine");
        pull(a, old);
        wall.millis.addAndGet(10);
        set(b, "title", "yours");
    }

    @AfterEach
    void close() {
        List.of(a, b, old).forEach(SqliteCartridge::close);
    }

    private void meet() throws Exception {
        pull(a, b);
        pull(b, a);
        pull(a, b);
    }

    private static List<Conflict> listed(SqliteCartridge of) {
        return of.conflicts().page(Optional.empty(), 0, 10).conflicts();
    }

    @Test
    void hasOneIdOnEveryNodeAndShowsBothSides() throws Exception {
        meet();
        Conflict lost = listed(a).get(0);
        assertThat(lost.id()).matches("[0-9a-f]{12}").isEqualTo(listed(b).get(0).id());
        assertThat(a.conflicts().ids()).containsExactly(lost.id());
        Conflicts.Shown shown = b.conflicts().find(lost.id()).orElseThrow();
        assertThat(shown.conflict().values()).isEqualTo(Map.of("value", "mine"));
        assertThat(shown.conflict().loser()).startsWith(node("a").toString());
        assertThat(shown.settled()).isFalse();
        assertThat(shown.present().orElseThrow().values()).isEqualTo(Map.of("value", "yours"));
        assertThat(shown.present().orElseThrow().by()).startsWith(node("b").toString());
        assertThat(b.conflicts().find("000000000000")).isEmpty();
        assertThat(a.conflicts().page(Optional.of(APP), 0, 10).total()).isEqualTo(1);
        assertThat(a.conflicts().page(Optional.of(APP), 1, 10))
                .as("past the end")
                .isEqualTo(new Conflicts.Page(List.of(), 1));
        assertThat(a.conflicts().page(Optional.of(Scope.SYSTEM), 0, 10).total()).isZero();
    }

    @Test
    void aRestoreIsAnOrdinaryWriteAndKeepsWhatItOverwrites() throws Exception {
        meet();
        Conflict lost = listed(a).get(0);
        Conflicts.Restored restored = done(a.conflicts().restore(lost));
        assertThat(restored.written()).isTrue();
        pull(a, b);
        for (SqliteCartridge each : List.of(a, b)) {
            assertThat(pairs(each)).containsEntry("title", "mine");
            assertThat(listed(each))
                    .singleElement()
                    .isEqualTo(restored.overwritten().orElseThrow());
            assertThat(listed(each).get(0).values()).isEqualTo(Map.of("value", "yours"));
            assertThat(each.conflicts().find(lost.id()).orElseThrow().settled()).isTrue();
        }
        assertThat(done(b.conflicts().restore(lost)).written())
                .as("it says so already")
                .isFalse();
        // The way back is a restore too.
        done(b.conflicts().restore(listed(b).get(0)));
        pull(b, a);
        assertThat(pairs(a)).containsEntry("title", "yours");
        assertThat(a.replica().digest(APP)).isEqualTo(b.replica().digest(APP));
    }

    @Test
    void aDeletionThatLostDeletesAgainAndADeletedRowComesBack() throws Exception {
        meet();
        done(a.conflicts().dismiss(listed(a).get(0)));
        meet();
        done(a.write(APP, tx -> tx.delete("pair", List.of("title"))));
        wall.millis.addAndGet(10);
        set(b, "title", "changed");
        meet();
        Conflict lost = listed(a).get(0);
        assertThat(lost.deleted()).isTrue();
        Conflicts.Restored restored = done(a.conflicts().restore(lost));
        meet();
        assertThat(pairs(b)).doesNotContainKey("title");
        done(b.conflicts().restore(restored.overwritten().orElseThrow()));
        meet();
        assertThat(pairs(a)).containsEntry("title", "changed");
    }

    private void edit(SqliteCartridge of, String field, @Nullable String value) throws Exception {
        wall.millis.addAndGet(10);
        Map<String, @Nullable String> changes = new HashMap<>();
        changes.put(field, value);
        done(of.write(APP, tx -> {
            tx.update("profile", List.of("ann"), changes);
            return true;
        }));
    }

    @Test
    void aFieldOfADocumentLosesAloneAndIsRestoredAlone() throws Exception {
        meet();
        done(a.conflicts().dismiss(listed(a).get(0)));
        edit(a, "x", "1");
        edit(a, "y", "1");
        meet();
        edit(a, "x", "a");
        edit(a, "y", "a");
        edit(b, "y", "b");
        edit(b, "z", "b");
        meet();
        Conflict lost = listed(b).get(0);
        for (SqliteCartridge each : List.of(a, b)) {
            assertThat(profile(each, "ann")).isEqualTo(Map.of("x", "a", "y", "b", "z", "b"));
            assertThat(listed(each)).singleElement().isEqualTo(lost);
        }
        assertThat(lost.table()).isEqualTo("profile/y");
        assertThat(lost.key()).isEqualTo(List.of("ann"));
        assertThat(lost.values()).isEqualTo(Map.of("y", "a"));
        Conflicts.Version present =
                a.conflicts().find(lost.id()).orElseThrow().present().orElseThrow();
        assertThat(present.values()).isEqualTo(Map.of("y", "b"));
        assertThat(present.by()).startsWith(node("b").toString());

        Conflicts.Restored restored = done(a.conflicts().restore(lost));
        meet();
        assertThat(profile(b, "ann")).isEqualTo(Map.of("x", "a", "y", "a", "z", "b"));
        assertThat(restored.overwritten().orElseThrow().values()).isEqualTo(Map.of("y", "b"));
        assertThat(listed(b)).singleElement().isEqualTo(restored.overwritten().orElseThrow());
        assertThat(a.replica().digest(APP)).isEqualTo(b.replica().digest(APP));
        assertThat(a.replica().scan(APP, null, row -> {}).sound()).isTrue();
    }

    @Test
    void theLaterOfADeletionAndAFieldDecidesAboutTheWholeDocument() throws Exception {
        edit(a, "x", "1");
        edit(a, "y", "1");
        meet();
        a.conflicts()
                .page(Optional.empty(), 0, 10)
                .conflicts()
                .forEach(one -> a.conflicts().dismiss(one).toCompletableFuture().join());
        done(a.write(APP, tx -> tx.delete("profile", List.of("ann"))));
        edit(b, "x", "2");
        meet();
        for (SqliteCartridge each : List.of(a, b)) {
            assertThat(profile(each, "ann")).isEqualTo(Map.of("x", "2", "y", "1"));
        }
        Conflict deletion = listed(a).get(0);
        assertThat(deletion.table()).isEqualTo("profile");
        assertThat(deletion.deleted()).isTrue();
        done(a.conflicts().restore(deletion));
        meet();
        assertThat(profile(b, "ann")).isNull();

        // The other way round: a field that loses against a deletion brings the document back when it is restored.
        edit(a, "x", "3");
        meet();
        assertThat(profile(a, "ann"))
                .as("what was deleted does not come back with it")
                .isEqualTo(Map.of("x", "3"));
        edit(a, "y", "3");
        meet();
        edit(b, "x", "4");
        wall.millis.addAndGet(10);
        done(a.write(APP, tx -> tx.delete("profile", List.of("ann"))));
        meet();
        assertThat(profile(b, "ann")).isNull();
        Conflict field = listed(b).get(0);
        assertThat(field.table()).isEqualTo("profile/x");
        assertThat(field.values()).isEqualTo(Map.of("x", "4"));
        assertThat(b.conflicts()
                        .find(field.id())
                        .orElseThrow()
                        .present()
                        .orElseThrow()
                        .deleted())
                .isTrue();
        Conflicts.Restored restored = done(b.conflicts().restore(field));
        meet();
        assertThat(profile(a, "ann")).isEqualTo(Map.of("x", "4", "y", "3"));
        assertThat(restored.overwritten().orElseThrow().deleted()).isTrue();
    }

    @Test
    void whatIsDismissedStaysSoWhenAnOldPeerNoticesItLate() throws Exception {
        meet();
        assertThat(done(a.conflicts().dismiss(listed(a).get(0)))).isTrue();
        meet();
        assertThat(listed(b)).isEmpty();
        assertThat(b.conflicts().count()).isZero();
        Conflict settled =
                b.conflicts().find(b.conflicts().ids().get(0)).orElseThrow().conflict();
        assertThat(done(b.conflicts().dismiss(settled))).as("a second time").isFalse();
        // The old peer has the loser and hears of the winner by somebody who knows of no conflict.
        try (SqliteCartridge c = open(folder.resolve("c.db"), node("c"), wall)) {
            wall.millis.addAndGet(1000);
            set(c, "title", "third");
            pull(c, old);
            assertThat(listed(old)).as("noticed by itself").hasSize(1);
            pull(old, a);
            pull(a, old);
            pull(old, a);
            assertThat(listed(a))
                    .as("only what lost against it")
                    .noneMatch(one -> one.id().equals(settled.id()));
            assertThat(listed(old)).isEqualTo(listed(a));
        }
    }
}
