package sh.fazt.sync;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.cartridge.CartridgeOptions;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.cartridge.change.Changeset;
import sh.fazt.cartridge.change.ReplicaStore;
import sh.fazt.cartridge.change.ReplicaStore.Applied;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;

/** What becomes of an evicted node's rows, and of what members wrote who knew of them. Real cartridges, no links. */
class FencedReplicaIT {
    @TempDir
    Path folder;

    private final List<Node> nodes = new ArrayList<>();
    private Node home;
    private Node barn;
    private Node office;
    private Node thief;

    private final class Node {
        final NodeId id;
        final SqliteCartridge cartridge;
        final FencedReplica replica;
        private final List<Changeset> told = new ArrayList<>();

        Node(int number) {
            byte[] bytes = new byte[32];
            bytes[0] = (byte) number;
            id = NodeId.of(bytes);
            cartridge = SqliteCartridge.open(
                    folder.resolve(id.shortText()), CartridgeOptions.standard(), List.of(Side.ROOM));
            cartridge.bind(id);
            cartridge.listen(commit -> {
                if (commit.local() && commit.changeset() != null) {
                    told.add(commit.changeset());
                }
            });
            replica = new FencedReplica(cartridge.replica(), System::nanoTime);
            nodes.add(this);
        }

        Changeset writes(String name, String value) {
            cartridge
                    .write(Side.SCOPE, tx -> {
                        tx.put("pair", List.of(name), Map.of("value", value));
                        return true;
                    })
                    .toCompletableFuture()
                    .join();
            return told.remove(told.size() - 1);
        }

        Applied takes(Changeset changeset) {
            return replica.apply(changeset).toCompletableFuture().join();
        }

        String says(String name) {
            return cartridge
                    .read(rows -> rows.first("SELECT value FROM pair_live WHERE name = ?", row -> row.text(0), name))
                    .orElse("-");
        }

        Pulls.Whole whole() {
            try (ReplicaStore.Spool spool = cartridge.replica().open(Side.SCOPE, VersionVector.EMPTY)) {
                List<sh.fazt.cartridge.change.Row> rows = new ArrayList<>();
                for (int i = 0; i < spool.parts(); i++) {
                    rows.addAll(sh.fazt.cartridge.change.RowCodec.read(spool.part(i))
                            .rows());
                }
                return new Pulls.Whole(spool.vector(), rows);
            }
        }

        /** Hears that a node was evicted. @param last the last that stays of it; null when nothing does */
        void hears(Node out, long last) {
            VersionVector upTo =
                    VersionVector.EMPTY.with(out.cartridge.replica().origin(), last);
            replica.fence(Map.of(out.id, Map.of(Side.SCOPE, upTo)));
        }

        Applied cut(Set<NodeId> counting, Instead instead) {
            return replica.cut(Side.SCOPE, counting, instead)
                    .toCompletableFuture()
                    .join();
        }
    }

    @BeforeEach
    void start() {
        home = new Node(1);
        barn = new Node(2);
        office = new Node(3);
        thief = new Node(4);
    }

    @AfterEach
    void stop() {
        nodes.forEach(node -> node.cartridge.close());
    }

    @Test
    void whatAMemberPushesThatKnewOfRefusedRowsIsTaken() {
        Changeset before = thief.writes("before", "kept");
        Changeset late = thief.writes("late", "stolen");
        for (Changeset changeset : List.of(before, late)) {
            barn.takes(changeset);
        }
        home.takes(before);
        home.hears(thief, 1);

        assertThat(home.takes(barn.writes("own", "right"))).isEqualTo(Applied.DONE);
        assertThat(List.of(home.says("before"), home.says("late"), home.says("own")))
                .containsExactly("kept", "-", "right");
    }

    @Test
    void whatIsOnlyHeldBackIsWaitedFor() {
        Changeset cause = thief.writes("cause", "1");
        barn.takes(cause);
        home.replica.hold(thief.id);
        Changeset effect = barn.writes("effect", "2");

        assertThat(home.takes(effect)).isEqualTo(Applied.NEEDS_PULL);
        home.replica.release(thief.id);
        assertThat(home.takes(cause)).isEqualTo(Applied.DONE);
        assertThat(home.takes(effect)).isEqualTo(Applied.DONE);
    }

    @Test
    void whatAMemberHasNotHeardOfIsNotPutBackOver() {
        Changeset right = office.writes("note", "right");
        thief.takes(right);
        barn.takes(right);
        barn.takes(thief.writes("note", "stolen"));
        barn.takes(thief.writes("late", "stolen"));
        Set<NodeId> counting = Set.of(home.id, office.id);
        barn.hears(thief, 0);

        // Home has never heard of the note: it would be gone here, and then at the office.
        Instead instead = new Instead();
        barn.replica.add(Side.SCOPE, instead, home.id, home.whole());
        assertThat(barn.cut(counting, instead)).isEqualTo(Applied.NEEDS_PULL);
        assertThat(barn.says("note")).isEqualTo("stolen");
        barn.replica.add(Side.SCOPE, instead, office.id, office.whole());
        assertThat(barn.cut(counting, instead)).isEqualTo(Applied.DONE);
        assertThat(barn.cut(counting, instead)).isEqualTo(Applied.KNOWN);
        assertThat(List.of(barn.says("note"), barn.says("late"))).containsExactly("right", "-");
    }

    @Test
    void twoThatWereTakenInTogetherHelpEachOther() {
        Changeset barns = barn.writes("barn", "right");
        Changeset offices = office.writes("office", "right");
        barn.takes(offices);
        office.takes(barns);
        thief.takes(barns);
        thief.takes(offices);
        for (Changeset late : List.of(thief.writes("barn", "stolen"), thief.writes("late", "stolen"))) {
            office.takes(late);
        }
        barn.takes(thief.writes("other", "stolen"));
        office.hears(thief, 0);
        Instead instead = new Instead();
        office.replica.add(Side.SCOPE, instead, home.id, home.whole());
        // It has late rows itself, but who else should have what it wrote?
        office.replica.add(Side.SCOPE, instead, barn.id, barn.whole());
        assertThat(office.cut(Set.of(home.id, barn.id), instead)).isEqualTo(Applied.DONE);
        assertThat(List.of(office.says("barn"), office.says("office"), office.says("late")))
                .containsExactly("right", "right", "-");
    }

    @Test
    void nothingIsTakenWhileRowsAreReplaced() {
        Changeset written = office.writes("note", "right");
        home.replica.still(Side.SCOPE);
        assertThat(home.replica.apply(written)).isCompletedExceptionally();
        home.replica.resume(Side.SCOPE);
        assertThat(home.takes(written)).isEqualTo(Applied.DONE);
    }
}
