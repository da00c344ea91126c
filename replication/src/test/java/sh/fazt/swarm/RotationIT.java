package sh.fazt.swarm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicBoolean;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.cartridge.CartridgeOptions;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeKey;
import sh.fazt.link.Channel;
import sh.fazt.link.GrpcLinks;
import sh.fazt.link.LinkConfig;
import sh.fazt.link.LinkState;
import sh.fazt.protocol.swarm.v1.Ask;
import sh.fazt.protocol.swarm.v1.Fence;
import sh.fazt.protocol.swarm.v1.SignedKeyChange;
import sh.fazt.testkit.Await;

/** Nodes that get a new key, and are cut off at the worst moments: real links, cartridges and groups in one process. */
@Timeout(240)
class RotationIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final SwarmView.Named SHOP = new SwarmView.Named(SwarmNode.APP.id(), "shop");

    @TempDir
    Path folder;

    private final List<SwarmNode> running = new ArrayList<>();

    private SwarmNode start(String name) {
        SwarmNode node = new SwarmNode(folder, name);
        running.add(node);
        return node;
    }

    private void stop(SwarmNode node) {
        running.remove(node);
        node.close();
    }

    private SwarmNode restarted(SwarmNode node) {
        stop(node);
        return start(node.name);
    }

    @AfterEach
    void stopAll() {
        List.copyOf(running).forEach(this::stop);
    }

    private static void awaitRoles(int voters, SwarmNode... nodes) {
        for (SwarmNode node : nodes) {
            Await.until(node.name + " sees " + voters + " voters and a quorum", PATIENCE, () -> {
                SwarmView view = node.swarm.view();
                return view.quorum()
                        && view.members().stream()
                                .noneMatch(member -> member.role().equals("joining"))
                        && view.members().stream()
                                        .filter(member -> !member.role().equals("observer"))
                                        .count()
                                == voters;
            });
        }
    }

    private static void awaitId(String name, NodeKey key, SwarmNode... seenBy) {
        for (SwarmNode node : seenBy) {
            Await.until(
                    name + " has its new id to " + node.name,
                    PATIENCE,
                    () -> node.swarm.view().members().stream()
                            .filter(member -> member.node().name().equals(name))
                            .map(member -> member.node().id())
                            .toList()
                            .equals(List.of(key.id().toString())));
        }
    }

    private static void awaitSame(SwarmNode... nodes) {
        for (SwarmNode node : nodes) {
            Await.until(node.name + " has all", PATIENCE, () -> node.pairs().equals(nodes[0].pairs()));
        }
        for (SwarmNode node : nodes) {
            assertThat(node.swarm.alarms()).isZero();
        }
    }

    private static void refused(SwarmNode at, SwarmException.Reason reason, String... says) {
        assertThatThrownBy(at.swarm::rotateKey)
                .asInstanceOf(InstanceOfAssertFactories.type(SwarmException.class))
                .satisfies(refused -> {
                    assertThat(refused.reason()).isEqualTo(reason);
                    assertThat(refused).hasMessageContainingAll(says);
                });
    }

    private boolean hasNextKey(String name) {
        return Files.exists(folder.resolve(name + ".key.next"));
    }

    // ---- as it should be ----

    @Test
    void aNodeThatWritesAllTheTimeGetsANewKeyAndTheOldOneIsWorthNothing() throws Exception {
        SwarmNode home = start("home");
        SwarmNode office = start("office");
        SwarmNode phone = start("phone");
        office.join(home);
        phone.join(home);
        awaitRoles(3, home, office, phone);
        home.swarm.label("phone", List.of("disk=big"));
        home.swarm.placeOn(SHOP, List.of("home"), List.of("phone"));
        home.swarm.setLink("phone", "rate", "50mbit");
        long lease =
                phone.swarm.leases().take("job", Duration.ofMinutes(5), "me").token();
        phone.set("before", "kept");
        Await.until("home has it", PATIENCE, () -> home.pairs().containsKey("before"));
        String open = office.swarm.token(Duration.ofHours(1)).token().text();
        phone.cartridge.backup(folder.resolve("thief"));
        Files.copy(folder.resolve("phone.key"), folder.resolve("thief.key"));

        AtomicBoolean stop = new AtomicBoolean();
        Thread load = new Thread(() -> {
            for (int i = 0; !stop.get(); i++) {
                phone.set("n" + i, "1");
            }
        });
        load.start();
        String after = phone.swarm.rotateKey().toString();
        stop.set(true);
        load.join();
        Map<String, String> written = phone.pairs();
        SwarmNode renewed = restarted(phone);

        assertThat(renewed.key.id().toString())
                .isEqualTo(after)
                .isNotEqualTo(phone.key.id().toString());
        assertThat(hasNextKey("phone")).isFalse();
        awaitId("phone", renewed.key, home, office, renewed);
        awaitRoles(3, home, office, renewed);
        Await.until("nothing of the load is lost", PATIENCE, () -> home.pairs().equals(written));
        renewed.set("after", "kept");
        home.set("too", "kept");
        awaitSame(home, renewed);
        assertThat(office.pairs()).as("it is placed elsewhere").isEmpty();
        assertThat(home.swarm.placement().labels()).containsKey(new SwarmView.Named(after, "phone"));
        assertThat(home.swarm.placement().apps())
                .singleElement()
                .satisfies(app -> assertThat(app.holders())
                        .filteredOn(Placement.Holder::lazy)
                        .extracting(holder -> holder.node().id())
                        .containsExactly(after));
        assertThat(home.swarm.linkSettings().entries())
                .anySatisfy(entry -> assertThat(entry.of()).isEqualTo(after));
        renewed.swarm.alias("shop", "app");
        assertThat(renewed.swarm
                        .leases()
                        .take("job", Duration.ofMinutes(5), "me")
                        .token())
                .as("it holds what it held")
                .isEqualTo(lease);

        SwarmNode thief = start("thief");
        assertThat(thief.key.id()).isEqualTo(phone.key.id());
        Await.until("the thief is told", PATIENCE, () -> thief.swarm.evicted().contains(after));
        thief.set("before", "stolen");
        thief.set("late", "stolen");
        home.set("secret", "new");
        awaitSame(home, renewed);
        assertThat(home.pairs()).containsEntry("before", "kept").doesNotContainKey("late");
        assertThat(thief.pairs()).doesNotContainKey("secret");
        assertThat(thief.swarm.linkStates().values()).noneMatch(LinkState::up);
        SwarmNode fresh = start("fresh");
        assertThatThrownBy(() -> fresh.swarm.join(open)).hasMessageContaining("no such token");

        // The key is changed again, now by the former rotation's heir.
        renewed.swarm.rotateKey();
        SwarmNode third = restarted(renewed);
        awaitId("phone", third.key, home, office, third);
        third.set("third", "kept");
        awaitSame(home, third);
    }

    @Test
    void aSwarmOfOneStaysWhatItIs() {
        SwarmNode home = start("home");
        home.swarm.init("mine");
        home.swarm.alias("shop", "app");
        home.set("a", "1");
        String swarm = home.swarm.view().swarm().id();
        home.swarm.rotateKey();
        SwarmNode renewed = restarted(home);
        assertThat(renewed.key.id()).isNotEqualTo(home.key.id());
        awaitRoles(1, renewed);
        awaitId("home", renewed.key, renewed);
        assertThat(renewed.swarm.view().swarm().id()).isEqualTo(swarm);
        assertThat(renewed.swarm.view().warning()).isEmpty();
        assertThat(renewed.swarm.aliases()).containsEntry("shop", "app");
        renewed.set("b", "2");
        SwarmNode office = start("office");
        office.join(renewed);
        awaitSame(renewed, office);
        assertThat(office.pairs()).containsOnlyKeys("a", "b");
    }

    @Test
    void oneOfTwoAndAnObserverChangeTheirKeysAndTheLastVoterDoesNot() {
        SwarmNode home = start("home");
        SwarmNode phone = start("phone");
        phone.swarm.join(home.swarm.token(Duration.ofHours(1)).token().text(), true);
        awaitRoles(1, home, phone);
        refused(home, SwarmException.Reason.INVALID, "home", "last voter", "fazt swarm promote");
        assertThat(hasNextKey("home")).isFalse();

        phone.set("a", "1");
        phone.swarm.rotateKey();
        SwarmNode observer = restarted(phone);
        awaitId("phone", observer.key, home, observer);
        awaitRoles(1, home, observer);
        observer.set("b", "2");
        awaitSame(home, observer);
        assertThat(home.pairs()).containsOnlyKeys("a", "b");

        home.swarm.promote("phone");
        awaitRoles(2, home, observer);
        home.swarm.rotateKey();
        SwarmNode renewed = restarted(home);
        awaitId("home", renewed.key, renewed, observer);
        awaitRoles(2, renewed, observer);
        observer.swarm.alias("shop", "app");
        renewed.set("c", "3");
        awaitSame(renewed, observer);

        stop(renewed);
        Await.until("the quorum is gone", PATIENCE, () -> !observer.swarm.view().quorum());
        refused(observer, SwarmException.Reason.NO_QUORUM, "without a quorum", "home");
        assertThat(hasNextKey("phone")).isFalse();
    }

    // ---- cut off ----

    /** A node that was cut off after its next key was made: what it would have asked, and the keys. */
    private record CutOff(NodeKey before, NodeKey after, SignedKeyChange asked) {}

    /** Does as a node does up to the moment at which it asks. */
    private CutOff cutOffBeforeItAsks(SwarmNode node, SwarmNode other) {
        long version = other.cartridge
                .read(rows -> rows.first(
                        "SELECT version FROM config_entry WHERE kind = 'member' AND key = ?",
                        row -> row.integer(0),
                        node.key.id().toString()))
                .orElseThrow();
        String swarm = node.swarm.view().swarm().id();
        stop(node);
        SqliteCartridge file =
                SqliteCartridge.open(folder.resolve(node.name), CartridgeOptions.standard(), Swarm.schemas());
        try {
            NodeKey next = OwnKey.open(file, folder.resolve(node.name + ".key")).prepare();
            List<Fence> fences = new ArrayList<>();
            file.replica()
                    .vectors()
                    .forEach((scope, vector) -> vector.entries().forEach((origin, sequence) -> {
                        if (origin.node().equals(node.key.id())) {
                            fences.add(Fence.newBuilder()
                                    .setScope(scope.id())
                                    .setEpoch(origin.epoch())
                                    .setSequence(sequence)
                                    .build());
                        }
                    }));
            return new CutOff(node.key, next, KeyChanges.sign(node.key, next, swarm, version, fences));
        } finally {
            file.close();
        }
    }

    /** Asks a member over a link under that key; answers what it refused by, empty when it did not. */
    private String ask(NodeKey as, SwarmNode member, SignedKeyChange change) {
        ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor();
        String swarm = member.swarm.view().swarm().id();
        GrpcLinks links = new GrpcLinks(LinkConfig.of(
                        as, () -> swarm, Thread::new, thread, thread, Clock.systemUTC(), System::nanoTime, new Random())
                .withAddress("127.0.0.1", 0, List.of()));
        try {
            links.schemaLevels(SwarmOptions.SCHEMA_LEVEL, SwarmOptions.SCHEMA_LEVEL);
            links.start();
            links.trust(Map.of(member.key.id(), List.of("127.0.0.1:" + member.port)));
            Await.until("a link", PATIENCE, () -> links.states().stream().anyMatch(LinkState::up));
            links.ask(
                            member.key.id(),
                            Channel.SWARM,
                            Ask.newBuilder().setChangeKey(change).build().toByteArray(),
                            Duration.ofSeconds(40))
                    .toCompletableFuture()
                    .join();
            return "";
        } catch (RuntimeException e) {
            return String.valueOf(e.getMessage());
        } finally {
            links.close();
            thread.shutdownNow();
        }
    }

    @Test
    void aNodeThatDiesBeforeItHearsThatItIsAgreedGoesOnUnderTheNewKey() {
        SwarmNode home = start("home");
        SwarmNode office = start("office");
        SwarmNode phone = start("phone");
        office.join(home);
        phone.join(home);
        awaitRoles(3, home, office, phone);
        // Nobody has these yet: they are of the old key, and the fence covers them.
        phone.swarm.online(false);
        for (int i = 0; i < 20; i++) {
            phone.set("unsent" + i, "kept");
        }
        CutOff cut = cutOffBeforeItAsks(phone, home);
        ask(cut.before(), home, cut.asked());
        awaitId("phone", cut.after(), home, office);
        assertThat(hasNextKey("phone")).isTrue();

        SwarmNode old = start("phone");
        assertThat(old.key.id()).isEqualTo(cut.before().id());
        old.set("meanwhile", "kept");
        Await.until(
                "it finds out",
                PATIENCE,
                () -> old.swarm.rotated().toCompletableFuture().isDone());
        old.set("still", "kept");
        SwarmNode renewed = restarted(old);
        assertThat(renewed.swarm.view().members())
                .as("it does not trust its old key, whatever it has heard")
                .noneMatch(member -> member.node().id().equals(cut.before().id().toString()));
        assertThat(renewed.key.id()).isEqualTo(cut.after().id());
        awaitRoles(3, home, office, renewed);
        awaitId("phone", cut.after(), renewed);
        renewed.set("later", "kept");
        Await.until("all is there", PATIENCE, () -> home.pairs().size() == 23);
        awaitSame(home, office, renewed);
        VersionVector vector = home.cartridge.replica().vector(SwarmNode.APP);
        assertThat(vector.entries().keySet())
                .as("some under the old key, some under the new one")
                .anyMatch(origin -> origin.node().equals(cut.before().id()))
                .anyMatch(origin -> origin.node().equals(cut.after().id()));
        assertThat(home.swarm.refusedRows()).isZero();
    }

    @Test
    void aNodeThatDiesBeforeItAsksKeepsItsKeyAndNobodyAgreesLater() {
        SwarmNode home = start("home");
        SwarmNode office = start("office");
        SwarmNode phone = start("phone");
        office.join(home);
        phone.join(home);
        awaitRoles(3, home, office, phone);
        phone.set("a", "kept");
        CutOff cut = cutOffBeforeItAsks(phone, home);

        SwarmNode back = start("phone");
        back.set("b", "kept");
        Await.until("the next key goes", PATIENCE, () -> !hasNextKey("phone"));
        assertThat(back.key.id()).isEqualTo(cut.before().id());
        back.set("c", "kept");
        awaitRoles(3, home, office, back);
        awaitSame(home, office, back);
        assertThat(home.pairs()).containsOnlyKeys("a", "b", "c");
        stop(back);
        assertThat(ask(cut.before(), home, cut.asked())).contains("changed at the same moment");
        assertThat(home.swarm.view().members())
                .as("it keeps its vote")
                .noneMatch(member -> member.role().equals("joining"));
        SwarmNode again = start("phone");
        awaitRoles(3, home, office, again);
        awaitId("phone", cut.before(), home, office, again);

        // It can be changed for good after that.
        again.swarm.rotateKey();
        SwarmNode renewed = restarted(again);
        awaitId("phone", renewed.key, home, office, renewed);
        awaitSame(home, office, renewed);
    }

    @Test
    void untilItIsDecidedANodeKeepsWhatItKeepsAndGoesOn() {
        SwarmNode home = start("home");
        SwarmNode office = start("office");
        SwarmNode phone = start("phone");
        office.join(home);
        phone.swarm.join(home.swarm.token(Duration.ofHours(1)).token().text(), true);
        awaitRoles(2, home, office, phone);
        home.swarm.placeOn(SHOP, List.of("phone", "home"), List.of());
        phone.set("a", "kept");
        awaitSame(phone, home);
        CutOff cut = cutOffBeforeItAsks(phone, home);
        stop(office);

        SwarmNode back = start("phone");
        for (String key : List.of("b", "c", "d")) {
            back.set(key, "kept");
            home.set(key + "2", "kept");
            // Vectors are told once a second; a scope that is kept elsewhere would be let go of by then.
            Await.until(
                    "each knows what the other has",
                    PATIENCE,
                    () -> back.swarm.placement().apps().get(0).holders().stream()
                            .allMatch(holder -> Long.valueOf(0).equals(holder.behind())));
            awaitSame(home, back);
        }
        assertThat(back.pairs()).hasSize(7);
        assertThat(back.swarm.view().warning()).contains("not known yet whether the swarm agreed");
        refused(back, SwarmException.Reason.NO_QUORUM, "without a quorum");
        assertThat(hasNextKey("phone")).isTrue();

        SwarmNode again = start("office");
        Await.until("it is decided", PATIENCE, () -> !hasNextKey("phone"));
        awaitRoles(2, home, again, back);
        awaitId("phone", cut.before(), home, again, back);
        back.set("e", "kept");
        awaitSame(home, back);
    }

    @Test
    void nobodyChangesAKeyThatIsNotItsOwn() {
        SwarmNode home = start("home");
        SwarmNode office = start("office");
        SwarmNode phone = start("phone");
        office.join(home);
        phone.join(home);
        awaitRoles(3, home, office, phone);
        CutOff cut = cutOffBeforeItAsks(phone, home);
        NodeKey another = NodeKey.generate();
        String swarm = home.swarm.view().swarm().id();

        assertThat(ask(cut.before(), home, KeyChanges.sign(office.key, another, swarm, 1, List.of())))
                .contains("its own key only");
        assertThat(ask(cut.before(), home, KeyChanges.sign(cut.before(), another, "other", 1, List.of())))
                .contains("another swarm");
        SignedKeyChange mixed = KeyChanges.sign(cut.before(), another, swarm, 1, List.of()).toBuilder()
                .setByNewKey(cut.asked().getByNewKey())
                .build();
        assertThat(ask(cut.before(), home, mixed)).contains("not signed by both keys");
        assertThat(ask(
                        cut.before(),
                        home,
                        cut.asked().toBuilder()
                                .setChange(ByteString.copyFromUtf8("no"))
                                .build()))
                .contains("not signed by both keys");
        awaitId("phone", cut.before(), home, office);
    }
}
