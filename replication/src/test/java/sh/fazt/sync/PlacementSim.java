package sh.fazt.sync;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import sh.fazt.cartridge.change.Changeset;
import sh.fazt.cartridge.change.Dot;
import sh.fazt.cartridge.change.HybridClock;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.cartridge.change.VersionVector;
import sh.fazt.identity.NodeId;
import sh.fazt.link.Channel;
import sh.fazt.link.Links;
import sh.fazt.protocol.sync.v1.PullReply;
import sh.fazt.protocol.sync.v1.PullRequest;
import sh.fazt.sim.LinkQuality;
import sh.fazt.sim.SimExecutor;
import sh.fazt.sim.SimSeeds;
import sh.fazt.sim.SimWorld;

/**
 * A scope is placed on some members, then on others, while links break and each member hears of it at another time.
 * Nothing that was written may be lost, and in the end it is where it shall be and nowhere else.
 */
class PlacementSim {
    @Test
    void nothingIsLostHoweverAScopeMoves() {
        SimSeeds.each("PlacementSim#nothingIsLostHoweverAScopeMoves", 500, world -> new Run(world, Bug.NONE).all());
    }

    private enum Bug {
        NONE,
        /** A member says that it keeps everything, whatever it has. */
        LIES,
        /** A member that has all rows vouches for blobs that it lacks. */
        BLIND_TO_BLOBS
    }

    /** So a holder that fetches blobs on first use could be taken for one that has them. */
    @Test
    void whoeverVouchesForBlobsThatItLacksIsFoundOut() {
        assertThat(SimSeeds.firstFailure(500, world -> new Run(world, Bug.BLIND_TO_BLOBS).all()))
                .isPresent();
    }

    /** A member that says that it keeps everything, whatever it has. */
    @Test
    void whoeverLiesAboutWhatItKeepsIsFoundOut() {
        assertThat(SimSeeds.firstFailure(500, world -> new Run(world, Bug.LIES).all()))
                .isPresent();
    }

    private static final class Run {
        private final SimWorld world;
        private final Bug bug;
        private final RandomGenerator random;
        private final List<Member> members = new ArrayList<>();
        private final Set<Dot> written = new HashSet<>();
        /** What is agreed; each member hears of it some time. */
        private Set<NodeId> agreed = Set.of();
        /** Those of them that fetch blobs on first use: never all. */
        private Set<NodeId> agreedLazy = Set.of();

        /** Whether somebody asks for blobs now and then. */
        private boolean visited = true;

        private long added;

        Run(SimWorld world, Bug bug) {
            this.world = world;
            this.bug = bug;
            this.random = world.random("schedule");
        }

        void all() {
            int count = 2 + random.nextInt(4);
            LinkQuality quality = random.nextBoolean() ? LinkQuality.lan() : LinkQuality.wan();
            world.network()
                    .quality(
                            random.nextBoolean()
                                    ? quality
                                    : quality.withDrop(0.3).withDuplicate(0.1).withBreaks(0.01));
            for (int i = 1; i <= count; i++) {
                members.add(new Member(i));
            }
            place();
            members.forEach(Member::hear);
            for (int i = 0; i < 60; i++) {
                step();
                world.run(Duration.ofMillis(1 + random.nextInt(random.nextInt(4) == 0 ? 3000 : 300)));
            }
            settle();
        }

        private void place() {
            Set<NodeId> next = new HashSet<>();
            while (next.isEmpty()) {
                members.stream().filter(one -> random.nextBoolean()).forEach(one -> next.add(one.id));
            }
            agree(next);
        }

        private void agree(Set<NodeId> next) {
            agreed = Set.copyOf(next);
            Set<NodeId> lazy = new HashSet<>();
            members.stream()
                    .map(one -> one.id)
                    .filter(next::contains)
                    .skip(1)
                    .filter(one -> random.nextInt(3) == 0)
                    .forEach(lazy::add);
            agreedLazy = Set.copyOf(lazy);
        }

        private void step() {
            Member one = members.get(random.nextInt(members.size()));
            Member other = members.get(random.nextInt(members.size()));
            switch (random.nextInt(20)) {
                case 0 -> world.network().isolate(one.id);
                case 1, 2 -> world.network().heal();
                case 3 -> {
                    if (one != other) {
                        world.network().cut(one.id, other.id);
                    }
                }
                case 4 -> world.pause(one.id, Duration.ofMillis(random.nextInt(3000)));
                case 5 -> one.restart();
                case 6 -> {
                    if (one != other) {
                        world.network().breakLink(one.id, other.id);
                    }
                }
                case 7 -> place();
                case 8 -> swap(one, other);
                case 9, 10, 11, 12 -> one.hear();
                default -> one.write();
            }
        }

        /** Two changes, of which each of two members has heard another: each takes the other for the only holder. */
        private void swap(Member one, Member other) {
            if (one != other) {
                agree(Set.of(one.id));
                other.hear();
                agree(Set.of(other.id));
                one.hear();
            }
        }

        private void settle() {
            visited = false;
            world.network().quality(LinkQuality.lan());
            world.network().heal();
            members.forEach(Member::hear);
            boolean quiet = world.runUntil(
                    () -> members.stream()
                            .allMatch(one -> agreed.contains(one.id)
                                    ? one.hasAll() && (agreedLazy.contains(one.id) || !one.lacksBlobs())
                                    : one.vector().isEmpty()),
                    Duration.ofSeconds(180));
            assertThat(quiet)
                    .as("everything is where it shall be and nowhere else")
                    .isTrue();
            world.run(Duration.ofSeconds(60));
            MemoryReplica first = members.stream()
                    .filter(one -> agreed.contains(one.id))
                    .findFirst()
                    .orElseThrow()
                    .replica;
            assertThat(first.sum("n")).as("no increment is lost").isEqualTo(added);
            for (Member one : members) {
                if (agreed.contains(one.id)) {
                    assertThat(one.replica.rows()).as("equal rows").isEqualTo(first.rows());
                } else {
                    assertThat(one.replica.rows()).isEmpty();
                    assertThat(one.sync.progress().values())
                            .as("nothing is owed to whom it is not placed on")
                            .allMatch(progress -> progress.ahead() == 0);
                }
            }
        }

        private final class Member {
            final NodeId id;
            final MemoryReplica replica;
            private volatile Set<NodeId> heard = Set.of();
            private Set<NodeId> heardLazy = Set.of();
            /** What is here of the blob that each transaction refers to. */
            private final Set<Dot> blobs = new HashSet<>();

            SyncService sync;

            Member(int number) {
                id = world.node(number);
                replica = new MemoryReplica(new Origin(id, 1), new HybridClock(world.clock(id)), Set.of());
                boot();
            }

            private void boot() {
                SimExecutor swarm = world.executor(id);
                Links links = world.network().linksOf(id);
                sync = new SyncService(
                        replica,
                        null,
                        bug == Bug.LIES ? yes(links) : links,
                        swarm,
                        swarm,
                        world.nanoClock(),
                        world.clock(id),
                        Notices.NONE,
                        Duration.ofDays(1),
                        (node, scope) -> heard.contains(node),
                        () -> false,
                        scope -> bug != Bug.BLIND_TO_BLOBS && lacksBlobs());
                replica.listen(sync);
                swarm.scheduleWithFixedDelay(this::fetchBlobs, 150, 250, TimeUnit.MILLISECONDS);
                swarm.scheduleWithFixedDelay(sync::tick, 100, 250, TimeUnit.MILLISECONDS);
            }

            void restart() {
                world.crash(id);
                replica.deafen();
                world.run(Duration.ofMillis(random.nextInt(500)));
                world.restart(id);
                boot();
            }

            void hear() {
                if (world.isUp(id) && heard.contains(id) && !agreed.contains(id)) {
                    // What runs when that changes may write a little later.
                    if (random.nextBoolean()) {
                        world.executor(id).schedule(this::writeAnyway, random.nextInt(400), TimeUnit.MILLISECONDS);
                    }
                }
                heard = agreed;
                heardLazy = agreedLazy;
            }

            /** From whoever is linked and has some; a lazy holder seldom, while somebody asks. */
            private void fetchBlobs() {
                if (vector().isEmpty()) {
                    blobs.clear();
                } else if (!heardLazy.contains(id) || visited && random.nextInt(40) == 0) {
                    for (Member other : members) {
                        if (other != this && world.isUp(other.id) && isLinked(other)) {
                            written.stream()
                                    .filter(this::lacks)
                                    .filter(other::holds)
                                    .forEach(blobs::add);
                        }
                    }
                }
            }

            private boolean isLinked(Member other) {
                return world.network().linksOf(id).states().stream()
                        .anyMatch(state -> state.up() && state.peer().equals(other.id));
            }

            private boolean holds(Dot dot) {
                return blobs.contains(dot) && vector().includes(dot.origin(), dot.sequence());
            }

            private boolean lacks(Dot dot) {
                return vector().includes(dot.origin(), dot.sequence()) && !blobs.contains(dot);
            }

            boolean lacksBlobs() {
                return written.stream().anyMatch(this::lacks);
            }

            /** An app is served where it is placed. */
            void write() {
                if (world.isUp(id) && heard.contains(id)) {
                    writeAnyway();
                }
            }

            private void writeAnyway() {
                int by = 1 + random.nextInt(9);
                boolean sum = random.nextBoolean();
                Changeset changeset = sum
                        ? replica.add("n", by)
                        : replica.write("v" + written.size(), List.of("k" + random.nextInt(3)));
                added += sum ? by : 0;
                assertThat(written.add(changeset.dot()))
                        .as("a sequence is never used twice")
                        .isTrue();
                blobs.add(changeset.dot());
            }

            VersionVector vector() {
                return replica.vector(MemoryReplica.SCOPE);
            }

            boolean hasAll() {
                return written.stream().allMatch(dot -> vector().includes(dot.origin(), dot.sequence()))
                        && members.stream()
                                .filter(one -> agreed.contains(one.id))
                                .allMatch(one -> one.vector().equals(vector()));
            }
        }
    }

    /** Links whose node says yes to whoever wants to let go. */
    private static Links yes(Links links) {
        return (Links) Proxy.newProxyInstance(
                Links.class.getClassLoader(), new Class<?>[] {Links.class}, (proxy, method, args) -> {
                    if (method.getName().equals("handle") && args[0] == Channel.PULL) {
                        Links.Handler handler = (Links.Handler) args[1];
                        links.handle(Channel.PULL, new Links.Handler() {
                            @Override
                            public void message(NodeId from, byte[] message) {
                                handler.message(from, message);
                            }

                            @Override
                            public CompletionStage<byte[]> request(NodeId from, byte[] request) {
                                try {
                                    return PullRequest.parseFrom(request).getKeeps()
                                            ? CompletableFuture.completedFuture(PullReply.newBuilder()
                                                    .setKeeps(true)
                                                    .build()
                                                    .toByteArray())
                                            : handler.request(from, request);
                                } catch (com.google.protobuf.InvalidProtocolBufferException e) {
                                    return CompletableFuture.failedFuture(e);
                                }
                            }
                        });
                        return null;
                    }
                    try {
                        return method.invoke(links, args);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }
}
