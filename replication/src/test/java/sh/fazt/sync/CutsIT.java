package sh.fazt.sync;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;
import sh.fazt.testkit.Await;

/**
 * Home has heard of one of two evictions only, and has rows of both thieves; the barn knows of both. Real links and
 * cartridges.
 */
class CutsIT {
    @TempDir
    Path folder;

    private final List<Side> sides = new ArrayList<>();
    private final Set<NodeId> counting = new HashSet<>();
    private Side home;
    private Side barn;
    private Side first;
    private Side second;

    @BeforeEach
    void start() {
        home = side("home");
        barn = side("barn");
        first = side("first");
        second = side("second");
        home.trust(barn, first, second);
        List.of(barn, first, second).forEach(other -> other.trust(home));
        barn.set("note", "right");
        until("the note is everywhere", () -> sides.stream().allMatch(side -> says(side, "right")));
        evicted(barn, first, second);
        second.set("note", "stolen by the second");
        until("home has the second's", () -> says(home, "stolen by the second"));
        evicted(second, first);
        until("so has the first", () -> says(first, "stolen by the second"));
        first.set("note", "stolen by the first");
        until("home has the first's", () -> says(home, "stolen by the first"));
        home.trust(barn, second);
        evicted(home, first);
        counting.addAll(Set.of(barn.key.id(), second.key.id()));
    }

    @AfterEach
    void stop() {
        sides.forEach(Side::close);
    }

    @Test
    void rowsOfOneThatIsNotKnownToBeEvictedYetAreNotPutInTheirPlace() {
        Cuts cuts = cuts(() -> {
            home.trust(barn);
            evicted(home, first, second);
            counting.remove(second.key.id());
            return true;
        });
        until("the note is put back", () -> {
            cuts.turn();
            return says(home, "right");
        });
        assertThat(home.replica.overrun()).isEmpty();
        until(
                "all that is left is of members",
                () -> home.replica.digest(Side.SCOPE) == barn.replica.digest(Side.SCOPE));
    }

    @Test
    void whereTheGroupIsNotReachedNothingIsPutBackAndWorkGoesOn() {
        Cuts cuts = cuts(() -> false);
        for (int i = 0; i < 10; i++) {
            cuts.turn();
        }
        assertThat(home.replica.overrun()).containsExactly(Side.SCOPE);
        assertThat(says(home, "stolen by the first")).isTrue();
        barn.set("other", "right");
        until("home takes what members write", () -> home.pairs() == 2);
    }

    private Cuts cuts(BooleanSupplier catchUp) {
        return new Cuts(home.replica, home.sync, home.links, new Cuts.Group() {
            @Override
            public Set<NodeId> counting() {
                return Set.copyOf(counting);
            }

            @Override
            public boolean catchUp() {
                return catchUp.getAsBoolean();
            }
        });
    }

    private Side side(String name) {
        Side side = new Side(folder.resolve(name));
        sides.add(side);
        return side;
    }

    /** A node hears that others were evicted, of whom nothing stays. */
    private static void evicted(Side hears, Side... out) {
        Map<NodeId, Map<Scope, VersionVector>> fences = new HashMap<>();
        Arrays.stream(out).forEach(side -> fences.put(side.key.id(), Map.of()));
        hears.replica.fence(fences);
    }

    private static boolean says(Side side, String value) {
        return side.cartridge
                .read(rows -> rows.first("SELECT value FROM pair_live WHERE name = 'note'", row -> row.text(0)))
                .filter(value::equals)
                .isPresent();
    }

    private static void until(String what, Callable<Boolean> holds) {
        Await.until(what, Duration.ofSeconds(30), holds);
    }
}
