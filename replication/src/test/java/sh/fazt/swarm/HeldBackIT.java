package sh.fazt.swarm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.blob.Blobs;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.link.LinkClass;
import sh.fazt.link.LinkState;
import sh.fazt.sync.HeldBack;
import sh.fazt.sync.Syncing;
import sh.fazt.testkit.Await;

/** Blobs that stay with peers until somebody asks for them, over real links. */
@Timeout(120)
class HeldBackIT {
    private static final SwarmView.Named SHOP = new SwarmView.Named(SwarmNode.APP.id(), "shop");
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    private static byte[] bytes(int seed, int size) {
        byte[] bytes = new byte[size];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private static HeldBack.Outcome fetch(SwarmNode node, String blob) {
        return node.swarm.fetch(blob, PATIENCE).toCompletableFuture().join();
    }

    private static long sent(SwarmNode node) {
        return node.swarm.linkStates().values().stream()
                .mapToLong(LinkState::sentBytes)
                .sum();
    }

    @Test
    void overAMeteredLinkComesWhatIsSmallOrAskedForAndTheRestOnceItIsFree() {
        try (SwarmNode home = new SwarmNode(folder, "home");
                SwarmNode phone = new SwarmNode(folder, "phone")) {
            phone.swarm.setLink("default", "metered", "on");
            String before = home.show("before", bytes(1, 300_000));
            // Returns once the phone has caught up: what it holds back does not count.
            phone.join(home);
            String small = home.show("small", bytes(2, 60_000));
            String eager = home.show("eager", bytes(3, 200_000));
            String asked = home.show("asked", bytes(4, 3_000_000));
            String large = home.show("large", bytes(5, 100_000));
            home.set("last", "1");
            Await.until("the rows", PATIENCE, () -> phone.pairs().equals(Map.of("last", "1")));
            Await.until("what is small", PATIENCE, () -> phone.blobs.contains(small));
            Await.until("what can't wait", PATIENCE, () -> phone.blobs.contains(eager));
            Await.until(
                    "the rest is shown as held back",
                    PATIENCE,
                    () -> phone.swarm.heldBack().amount().equals(new Blobs.Amount(3, 3_400_000)));
            assertThat(phone.swarm.watch().totals().held()).isEqualTo(new Blobs.Amount(3, 3_400_000));
            assertThat(phone.blobs.missing(List.of(before, asked, large))).hasSize(3);
            assertThat(phone.swarm.heldBack().is(SwarmNode.APP, large, 100_000)).isTrue();
            assertThat(phone.swarm.heldBack().is(SwarmNode.APP, small, 60_000)).isFalse();

            assertThat(fetch(phone, asked)).isEqualTo(HeldBack.Outcome.HERE);
            assertThat(phone.blobs.read(asked).orElseThrow()).isEqualTo(bytes(4, 3_000_000));
            assertThat(fetch(phone, asked)).as("now it is here").isEqualTo(HeldBack.Outcome.HERE);
            assertThat(fetch(phone, "0".repeat(64))).as("nobody has it").isEqualTo(HeldBack.Outcome.NOBODY);
            assertThat(phone.blobs.missing(List.of(before, large)))
                    .as("nobody asked for these")
                    .hasSize(2);

            // To let go, another must have all of it: a node that holds something back has not.
            home.swarm.placeOn(SHOP, List.of("phone"), List.of());
            Await.until(
                    "home is asked to let go",
                    PATIENCE,
                    () -> !home.swarm.placement().leaving().isEmpty());
            home.swarm.placeEverywhere(SHOP, List.of());

            phone.swarm.setLink("default", "metered", "off");
            Await.until(
                    "all of it",
                    PATIENCE,
                    () -> phone.blobs.missing(List.of(before, large)).isEmpty());
            Await.until(
                    "nothing is held back",
                    PATIENCE,
                    () -> phone.swarm.heldBack().amount().equals(new Blobs.Amount(0, 0)));
        }
    }

    @Test
    void everythingIsFetchedWhenTheOwnerAsksAndWhatNobodyHasIsNamed() {
        try (SwarmNode home = new SwarmNode(folder, "home");
                SwarmNode phone = new SwarmNode(folder, "phone")) {
            phone.swarm.setLink("default", "metered", "on");
            phone.join(home);
            assertThat(phone.swarm.syncBlobs(null).running())
                    .as("nothing is lacking")
                    .isFalse();
            home.show("one", bytes(7, 2_000_000));
            home.show("two", bytes(8, 100_000));
            String ghost = "0".repeat(64);
            home.refer("ghost", ghost, 70_000);
            Await.until(
                    "it is held back",
                    PATIENCE,
                    () -> phone.swarm.heldBack().amount().blobs() == 3);

            assertThat(phone.swarm.syncBlobs(SwarmNode.APP).all()).isEqualTo(new Blobs.Amount(3, 2_170_000));
            assertThatThrownBy(() -> phone.swarm.syncBlobs(null)).hasMessageContaining("being fetched already");
            Await.until("it has ended", PATIENCE, () -> !phone.swarm.syncing().running());
            Syncing ended = phone.swarm.syncing();
            assertThat(ended.got()).isEqualTo(new Blobs.Amount(2, 2_100_000));
            assertThat(ended.missing()).containsExactly(ghost);
            assertThat(ended.lost()).isEqualTo(1);
            assertThat(ended.from()).containsExactly(Map.entry(home.key.id(), 2_100_000L));
        }
    }

    @Test
    void whereAnAppIsPlacedLazilyItsBlobsComeOnFirstUse() {
        try (SwarmNode home = new SwarmNode(folder, "home");
                SwarmNode office = new SwarmNode(folder, "office");
                SwarmNode phone = new SwarmNode(folder, "phone")) {
            office.join(home);
            phone.join(home);
            assertThatThrownBy(() -> home.swarm.placeEverywhere(SHOP, List.of("home", "office", "phone")))
                    .hasMessageContaining("lazily on every member");
            assertThatThrownBy(() -> home.swarm.placeOn(SHOP, List.of("home"), List.of("home")))
                    .hasMessageContaining("lazily on every member");
            assertThatThrownBy(() -> home.swarm.placeEverywhere(SHOP, List.of("laptop")))
                    .hasMessageContaining("no member \"laptop\"");
            assertThat(home.swarm.placeEverywhere(SHOP, List.of("phone")).apps())
                    .singleElement()
                    .extracting(Placement::rule)
                    .isEqualTo("all, lazy on phone");
            Await.until(
                    "the phone knows",
                    PATIENCE,
                    () -> phone.swarm.placements().lazy().contains(SwarmNode.APP));

            String tiny = home.show("tiny", bytes(9, 20_000));
            String large = home.show("large", bytes(10, 2_000_000));
            String eager = home.show("eager", bytes(11, 30_000));
            Await.until(
                    "office has all of it",
                    PATIENCE,
                    () -> office.blobs.missing(List.of(tiny, large, eager)).isEmpty());
            Await.until("what can't wait", PATIENCE, () -> phone.blobs.contains(eager));
            Await.until(
                    "the rest is held back, however small",
                    PATIENCE,
                    () -> phone.swarm.heldBack().amount().equals(new Blobs.Amount(2, 2_020_000)));
            assertThat(phone.swarm.heldBack().is(SwarmNode.APP, tiny, 20_000)).isTrue();
            assertThat(fetch(phone, tiny)).isEqualTo(HeldBack.Outcome.HERE);

            // Who keeps it lazily has not got all of it: the others can't rely on that.
            home.swarm.placeOn(SHOP, List.of("office"), List.of("phone"));
            Await.until(
                    "home has let go, as office has it",
                    PATIENCE,
                    () -> home.blobs.missing(List.of(large)).size() == 1);
            assertThatThrownBy(() -> office.swarm.leave(false, Scope::id))
                    .hasMessageContaining("only this node keeps shop");
            assertThatThrownBy(() -> home.swarm.evict("office")).hasMessageContaining("it alone keeps shop");
            home.swarm.placeOn(SHOP, List.of("phone"), List.of());
            Await.until("the phone has all of it now", PATIENCE, () -> phone.blobs.contains(large));
            Await.until(
                    "and then office lets go",
                    PATIENCE,
                    () -> office.blobs.missing(List.of(large)).size() == 1);
            assertThat(phone.blobs.read(large).orElseThrow()).isEqualTo(bytes(10, 2_000_000));
        }
    }

    @Test
    void whatTheOwnerOfAPhoneSharesIsNotFetchedFromItUnasked() {
        try (SwarmNode home = new SwarmNode(folder, "home");
                SwarmNode office = new SwarmNode(folder, "office");
                SwarmNode phone = new SwarmNode(folder, "phone")) {
            office.join(home);
            phone.join(home);
            phone.swarm.setLink("default", "metered", "on");
            Await.until(
                    "its links are metered",
                    PATIENCE,
                    () -> home.swarm.linkStates().entrySet().stream()
                            .anyMatch(link -> link.getKey().name().equals("phone")
                                    && link.getValue().linkClass() == LinkClass.METERED));
            String film = phone.show("film", bytes(6, 400_000));
            for (SwarmNode node : List.of(home, office)) {
                Await.until(
                        node.name + " leaves it there, though its other link is free",
                        PATIENCE,
                        () -> node.swarm.heldBack().is(SwarmNode.APP, film, 400_000)
                                && node.swarm.heldBack().amount().equals(new Blobs.Amount(1, 400_000)));
            }
            assertThat(fetch(home, film)).isEqualTo(HeldBack.Outcome.HERE);
            long paid = sent(phone);
            assertThat(fetch(office, film)).isEqualTo(HeldBack.Outcome.HERE);
            assertThat(sent(phone) - paid)
                    .as("from home, as that costs nothing")
                    .isLessThan(400_000);
        }
    }
}
