package sh.fazt.swarm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.testkit.Await;

/** An app that is kept by some members: where it is, where it goes, and what is refused. */
@Timeout(120)
class PlacementIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final SwarmView.Named SHOP = new SwarmView.Named(SwarmNode.APP.id(), "shop");

    @TempDir
    Path folder;

    @Test
    void anAppGoesWhereItIsPlacedAndNothingOfItIsLost() {
        try (SwarmNode home = new SwarmNode(folder, "home");
                SwarmNode office = new SwarmNode(folder, "office");
                SwarmNode phone = new SwarmNode(folder, "phone")) {
            office.join(home);
            phone.join(home);
            phone.set("from", "phone");
            awaitPairs(Map.of("from", "phone"), home, office, phone);

            assertThatThrownBy(() -> home.swarm.placeByLabel(SHOP, "disk=big", List.of()))
                    .hasMessageContaining("no member has it")
                    .hasMessageContaining("fazt swarm label NODE disk=big");
            assertThatThrownBy(() -> home.swarm.placeByLabel(SHOP, "Disk", List.of()))
                    .hasMessageContaining("key=value");
            assertThatThrownBy(() -> home.swarm.placeOn(SHOP, List.of(), List.of()))
                    .hasMessageContaining("on no node");
            assertThatThrownBy(() -> home.swarm.placeOn(SHOP, List.of("laptop"), List.of()))
                    .hasMessageContaining("no member \"laptop\"");
            assertThat(home.swarm.placement().apps()).isEmpty();

            assertThat(home.swarm
                            .placeOn(SHOP, List.of("home", "office"), List.of())
                            .apps())
                    .singleElement()
                    .extracting(Placement::rule)
                    .isEqualTo("on home, office");
            awaitGone(phone);
            assertThat(office.swarm.watch().events().since(0))
                    .filteredOn(event -> event.kind().equals("placement"))
                    .extracting(SwarmEvents.Event::what)
                    .containsExactly("app shop is placed on home, office");
            home.set("later", "1");
            awaitPairs(Map.of("from", "phone", "later", "1"), home, office);
            Placement elsewhere =
                    Objects.requireNonNull(phone.swarm.placements().elsewhere("shop"));
            assertThat(elsewhere.holders())
                    .extracting(holder -> holder.node().name())
                    .containsExactlyInAnyOrder("home", "office");
            assertThat(phone.pairs()).isEmpty();
            assertThat(home.swarm.watch().verify(SwarmNode.APP, false))
                    .as("nobody is asked for what it does not keep")
                    .extracting(verified -> verified.member().name())
                    .containsExactlyInAnyOrder("home", "office");
            // Vectors are told once a second.
            Await.until(
                    "nobody lacks what it does not keep",
                    PATIENCE,
                    () -> home.swarm.view().members().stream()
                            .allMatch(member -> Long.valueOf(0).equals(member.behind())));

            home.swarm.label("phone", List.of("disk=big"));
            home.swarm.placeByLabel(SHOP, "disk=big", List.of());
            awaitPairs(Map.of("from", "phone", "later", "1"), phone);
            awaitGone(home);
            awaitGone(office);
            phone.set("alone", "2");
            assertThatThrownBy(() -> home.swarm.label("phone", List.of("disk-")))
                    .hasMessageContaining("only member that keeps shop");
            assertThatThrownBy(() -> phone.swarm.leave(false, Scope::id))
                    .hasMessageContaining("only this node keeps shop")
                    .hasMessageContaining("--force");

            assertThatThrownBy(() -> home.swarm.evict("phone"))
                    .hasMessageContaining("it alone keeps shop")
                    .hasMessageContaining("--force");

            phone.swarm.placeEverywhere(SHOP, List.of());
            awaitPairs(Map.of("from", "phone", "later", "1", "alone", "2"), home, office, phone);
            assertThat(home.swarm.alarms() + office.swarm.alarms() + phone.swarm.alarms())
                    .isZero();
        }
    }

    @Test
    void whoeverLeavesIsHeldUntilAnotherHasAllThatItKeeps() {
        try (SwarmNode home = new SwarmNode(folder, "home");
                SwarmNode office = new SwarmNode(folder, "office");
                SwarmNode phone = new SwarmNode(folder, "phone")) {
            phone.join(home);
            office.swarm.join(home.swarm.token(Duration.ofHours(1)).token().text(), true);
            office.swarm.online(false);
            phone.set("from", "phone");
            awaitPairs(Map.of("from", "phone"), home);
            home.swarm.placeOn(SHOP, List.of("office", "phone"), List.of());
            awaitGone(home);

            // By what is agreed another keeps it.
            assertThatThrownBy(() -> phone.swarm.leave(false, scope -> "the app " + scope))
                    .isInstanceOfSatisfying(
                            SwarmException.class, e -> assertThat(e.reason()).isEqualTo(SwarmException.Reason.CONFLICT))
                    .hasMessageContaining("the app " + SwarmNode.APP + " (office is not linked)")
                    .hasMessageContaining("--force");
            assertThat(phone.swarm.view().members()).as("nothing was done").hasSize(3);

            office.swarm.online(true);
            awaitPairs(Map.of("from", "phone"), office);
            assertThat(phone.swarm.leave(false, Scope::id).members()).hasSize(1);
            Await.until(
                    "it is off the list",
                    PATIENCE,
                    () -> home.swarm.view().members().size() == 2);
            assertThat(office.pairs()).isEqualTo(phone.pairs());
        }
    }

    @Test
    void ofTwoThatLeaveAtOneTimeNeitherReliesOnTheOther() {
        try (SwarmNode home = new SwarmNode(folder, "home");
                SwarmNode office = new SwarmNode(folder, "office");
                SwarmNode phone = new SwarmNode(folder, "phone")) {
            phone.join(home);
            office.swarm.join(home.swarm.token(Duration.ofHours(1)).token().text(), true);
            home.swarm.placeOn(SHOP, List.of("office", "phone"), List.of());
            phone.set("from", "phone");
            awaitPairs(Map.of("from", "phone"), office);
            List<CompletableFuture<Boolean>> leaving = Stream.of(office, phone)
                    .map(node -> CompletableFuture.supplyAsync(() -> node.swarm.leave(false, Scope::id))
                            .handle((left, refused) -> refused == null))
                    .toList();
            assertThat(leaving)
                    .extracting(CompletableFuture::join)
                    .as("whether each has left")
                    .containsAnyOf(false);
            leaving.forEach(CompletableFuture::join);
        }
    }

    private static void awaitGone(SwarmNode node) {
        Await.until(node.name + " has let go", PATIENCE, () -> node.pairs().isEmpty());
        Await.until(
                node.name + " is done with it",
                PATIENCE,
                () -> node.swarm.placement().leaving().isEmpty());
    }

    private static void awaitPairs(Map<String, String> pairs, SwarmNode... nodes) {
        for (SwarmNode node : nodes) {
            Await.until(pairs + " on " + node.name, PATIENCE, () -> node.pairs().equals(pairs));
        }
    }
}
