package sh.fazt.sync;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import sh.fazt.blob.Blobs.Chunk;
import sh.fazt.blob.Blobs.Manifest;
import sh.fazt.identity.NodeId;
import sh.fazt.sim.SimSeeds;
import sh.fazt.sim.SimWorld;

/** Blobs are fetched from holders of every kind, in virtual time. */
class BlobSim {
    /** What whoever carries out the core's effects could do wrong. */
    enum Bug {
        NONE,
        /** What is here counts as lacking. */
        FORGOTTEN_CHUNKS,
        /** The core doesn't hear that a chunk came. */
        UNTOLD_CHUNKS,
        /** A wrong chunk passes for one that did not come. */
        UNNAMED_LIARS,
        /** A wrong chunk is kept. */
        UNCHECKED_CHUNKS,
        /** Sizes are told too small. */
        SMALL_SIZES,
        /** Whatever is wanted passes for asked for. */
        EVERYTHING_ASKED,
        /** Nobody hears that a blob was asked for. */
        UNHEARD_ASKS
    }

    @Test
    void everyBlobArrivesWhoeverHoldsIt() {
        SimSeeds.each("BlobSim#everyBlobArrivesWhoeverHoldsIt", 400, world -> new Fetching(world, Bug.NONE).run());
    }

    @ParameterizedTest
    @EnumSource(value = Bug.class, mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void aPlantedBugIsFound(Bug bug) {
        assertThat(SimSeeds.firstFailure(60, world -> new Fetching(world, bug).run()))
                .isPresent();
    }

    private enum Kind {
        HONEST,
        /** Some chunks, and more as time goes by. */
        PARTIAL,
        WRONG_CHUNKS,
        /** Says that it has the blob whole, of chunks that make another. */
        WRONG_MANIFEST,
        WRONG_SIZES,
        /** Never answers. */
        MUTE,
        SLOW,
        /** Its link breaks midway, and may come back. */
        DYING
    }

    private static final class Fetching {
        private static final Duration DEADLINE = Duration.ofSeconds(30);

        private final SimWorld world;
        private final RandomGenerator random;
        private final Bug bug;
        private final Map<String, Manifest> blobs = new TreeMap<>();
        private final Map<String, Manifest> accepted = new HashMap<>();
        private final Map<NodeId, Peer> peers = new LinkedHashMap<>();
        private final Set<String> stored = new HashSet<>();
        private final Set<String> damaged = new HashSet<>();
        private final Set<String> whole = new HashSet<>();
        private final Map<String, Map<NodeId, Long>> asked = new HashMap<>();
        private final Set<NodeId> named = new HashSet<>();
        /** What somebody waits for; the rest is not worth paying for, unless it is small. */
        private final Set<String> waitedFor = new HashSet<>();
        /** Blobs of which rows tell the size. */
        private final Set<String> sized = new HashSet<>();

        private BlobCore core;
        private int restarts;
        /** Somebody took so long that others were asked. */
        private boolean tardy;

        private final class Peer {
            final NodeId id;
            final Kind kind;
            final long latencyMillis;
            final long rate;
            final boolean metered;
            final Set<String> holds = new HashSet<>();
            boolean linked = true;
            long freeAt;
            long inFlight;
            long served;
            long refusals;

            Peer(int number, Kind kind, boolean metered) {
                id = world.node(number);
                this.kind = kind;
                this.metered = metered;
                latencyMillis = 1 + random.nextInt(150);
                rate = kind == Kind.SLOW ? 20_000 + random.nextInt(50_000) : 1_000_000 + random.nextInt(20_000_000);
                for (Manifest manifest : blobs.values()) {
                    for (Chunk chunk : manifest.chunks()) {
                        if (kind != Kind.PARTIAL || random.nextInt(3) == 0) {
                            holds.add(chunk.hash());
                        }
                    }
                }
            }

            boolean lies() {
                return kind == Kind.WRONG_CHUNKS || kind == Kind.WRONG_MANIFEST || kind == Kind.WRONG_SIZES;
            }

            BlobCore.Offer offer(String blob) {
                Manifest manifest = Objects.requireNonNull(blobs.get(blob));
                List<Chunk> chunks = new ArrayList<>(manifest.chunks());
                if (kind == Kind.WRONG_MANIFEST) {
                    chunks.addAll(blobs.values().iterator().next().chunks());
                    chunks.add(chunks.get(0));
                }
                if (kind == Kind.WRONG_SIZES) {
                    chunks.replaceAll(chunk -> new Chunk(chunk.hash(), chunk.start(), chunk.size() / 2));
                }
                Set<String> has =
                        chunks.stream().map(Chunk::hash).filter(holds::contains).collect(Collectors.toSet());
                boolean all = kind != Kind.PARTIAL;
                return new BlobCore.Offer(new Manifest(blob, manifest.size(), chunks), all, has);
            }
        }

        Fetching(SimWorld world, Bug bug) {
            this.world = world;
            this.bug = bug;
            this.random = world.random("blobs");
            this.core = new BlobCore(random.nextInt(1000));
        }

        void run() {
            int count = 1 + random.nextInt(4);
            List<Chunk> all = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                List<Chunk> chunks = new ArrayList<>();
                long at = 0;
                int length = random.nextInt(3) == 0 ? 1 : 1 + random.nextInt(60);
                for (int j = 0; j < length; j++) {
                    Chunk chunk = !all.isEmpty() && random.nextInt(6) == 0
                            ? all.get(random.nextInt(all.size()))
                            : new Chunk("c" + i + "." + j, 0, 1000 + random.nextInt(1 << 20));
                    chunks.add(new Chunk(chunk.hash(), at, chunk.size()));
                    at += chunk.size();
                }
                all.addAll(chunks);
                blobs.put("b" + i, new Manifest("b" + i, at, chunks));
            }
            blobs.keySet().forEach(blob -> {
                if (random.nextBoolean()) {
                    sized.add(blob);
                }
                if (random.nextInt(4) == 0) {
                    waitedFor.add(blob);
                }
            });
            all.stream().filter(chunk -> random.nextInt(8) == 0).forEach(chunk -> stored.add(chunk.hash()));
            boolean costly = random.nextInt(4) == 0;
            add(Kind.HONEST, costly);
            int others = 1 + random.nextInt(6);
            for (int i = 0; i < others; i++) {
                add(Kind.values()[random.nextInt(Kind.values().length)], random.nextInt(4) == 0);
            }
            tick();
            world.runUntil(() -> whole.size() == blobs.size(), Duration.ofMinutes(random.nextInt(3)));
            ask();
            boolean done = world.runUntil(() -> whole.size() == blobs.size(), Duration.ofMinutes(20));
            assertThat(done).as("every blob arrives").isTrue();
            assertThat(core.held()).as("nothing is held back that is here").isEmpty();
            assertThat(damaged).as("nothing wrong is kept").isEmpty();
            boolean free = peers.values().stream().anyMatch(peer -> peer.kind == Kind.HONEST && !peer.metered);
            peers.values().forEach(peer -> {
                assertThat(peer.refusals == 0 || named.contains(peer.id))
                        .as("whoever sent a wrong chunk is named")
                        .isTrue();
                assertThat(peer.metered && free && peer.served > 0 && !costly && !troubled())
                        .as("nobody pays for what is free elsewhere")
                        .isFalse();
            });
        }

        /** Somebody wants all of it. */
        private void ask() {
            if (bug == Bug.UNHEARD_ASKS) {
                return;
            }
            for (String blob : blobs.keySet()) {
                if (!whole.contains(blob) && waitedFor.add(blob)) {
                    step(core, new BlobCore.Event.Asked(blob));
                }
            }
        }

        private boolean isWorth(String blob) {
            return waitedFor.contains(blob)
                    || Objects.requireNonNull(blobs.get(blob)).size() <= HeldBack.UNASKED;
        }

        /** Whether anything but distance decided: then a link that costs may be what is left for a while. */
        private boolean troubled() {
            return restarts > 0
                    || tardy
                    || peers.values().stream().anyMatch(peer -> peer.kind != Kind.HONEST && peer.kind != Kind.PARTIAL);
        }

        private void add(Kind kind, boolean metered) {
            Peer peer = new Peer(peers.size() + 1, kind, metered);
            peers.put(peer.id, peer);
            if (kind == Kind.DYING) {
                world.schedule(Duration.ofMillis(random.nextInt(3000)), () -> {
                    peer.linked = false;
                    peer.inFlight = 0;
                    asked.values().forEach(waiting -> waiting.remove(peer.id));
                    if (random.nextBoolean()) {
                        world.schedule(Duration.ofMillis(random.nextInt(20_000)), () -> peer.linked = true);
                    }
                });
            }
            if (kind == Kind.PARTIAL) {
                grow(peer);
            }
        }

        private Peer peer(NodeId id) {
            return Objects.requireNonNull(peers.get(id));
        }

        private void grow(Peer peer) {
            world.schedule(Duration.ofSeconds(5), () -> {
                blobs.values()
                        .forEach(manifest -> manifest.chunks().stream()
                                .filter(chunk -> random.nextInt(3) == 0)
                                .forEach(chunk -> peer.holds.add(chunk.hash())));
                grow(peer);
            });
        }

        private void tick() {
            List<BlobCore.Holder> near = peers.values().stream()
                    .filter(peer -> peer.linked)
                    .sorted(Comparator.comparing((Peer peer) -> peer.metered).thenComparing(peer -> peer.latencyMillis))
                    .map(peer -> new BlobCore.Holder(peer.id, peer.metered))
                    .toList();
            List<Wishes.Wish> wanted = blobs.values().stream()
                    .filter(blob -> !whole.contains(blob.hash()))
                    .map(blob -> new Wishes.Wish(
                            blob.hash(),
                            sized.contains(blob.hash()) ? blob.size() : -1,
                            bug == Bug.EVERYTHING_ASKED || waitedFor.contains(blob.hash())))
                    .toList();
            if (random.nextInt(80) == 0) {
                // The process starts again: only what is stored is left.
                restarts++;
                core = new BlobCore(random.nextInt(1000));
                asked.clear();
                peers.values().forEach(peer -> {
                    peer.inFlight = 0;
                    peer.refusals = 0;
                });
                named.clear();
            }
            step(core, new BlobCore.Event.Looked(wanted, near));
            step(core, new BlobCore.Event.Tick());
            world.schedule(Duration.ofMillis(250), this::tick);
        }

        private void step(BlobCore asker, BlobCore.Event event) {
            if (asker == core) {
                asker.step(event, world.nanos()).forEach(effect -> run(asker, effect));
            }
        }

        private void run(BlobCore asker, BlobCore.Effect effect) {
            if (effect instanceof BlobCore.Effect.AskBlob ask) {
                askBlob(asker, peer(ask.to()), ask.blob());
            } else if (effect instanceof BlobCore.Effect.AskChunk ask) {
                askChunk(asker, peer(ask.to()), ask.chunk());
            } else if (effect instanceof BlobCore.Effect.Accept accept) {
                later(3, () -> step(asker, accept(accept)));
            } else if (effect instanceof BlobCore.Effect.Assemble assemble) {
                later(3, () -> step(asker, assemble(assemble.blob())));
            } else if (effect instanceof BlobCore.Effect.Lied lied) {
                assertThat(peer(lied.peer()).lies())
                        .as("nobody honest is called a liar")
                        .isTrue();
                named.add(lied.peer());
            }
        }

        private void later(long millis, Runnable task) {
            world.schedule(Duration.ofMillis(millis), task);
        }

        private BlobCore.Event accept(BlobCore.Effect.Accept accept) {
            Manifest manifest = accept.manifest();
            long size = manifest.chunks().stream().mapToLong(Chunk::size).sum();
            if (size != manifest.size() && peer(accept.from()).kind == Kind.WRONG_SIZES) {
                return new BlobCore.Event.Accepted(accept.from(), manifest.hash(), null);
            }
            accepted.put(manifest.hash(), manifest);
            List<Chunk> lacking = manifest.chunks().stream()
                    .filter(chunk -> bug == Bug.FORGOTTEN_CHUNKS || !stored.contains(chunk.hash()))
                    .map(chunk -> bug == Bug.SMALL_SIZES ? new Chunk(chunk.hash(), chunk.start(), 1) : chunk)
                    .toList();
            return new BlobCore.Event.Accepted(accept.from(), manifest.hash(), lacking);
        }

        private BlobCore.Event assemble(String blob) {
            Manifest manifest = Objects.requireNonNull(accepted.get(blob));
            if (manifest.chunks().stream().anyMatch(chunk -> !stored.contains(chunk.hash()))) {
                return new BlobCore.Event.Assembled(blob, false, false);
            }
            boolean right = manifest.equals(blobs.get(blob))
                    && manifest.chunks().stream().noneMatch(chunk -> damaged.contains(chunk.hash()));
            if (right) {
                whole.add(blob);
            }
            return new BlobCore.Event.Assembled(blob, right, !right);
        }

        private void askBlob(BlobCore asker, Peer peer, String blob) {
            assertThat(named).as("no liar is asked again").doesNotContain(peer.id);
            answer(
                    peer,
                    1000,
                    ok -> step(asker, new BlobCore.Event.Offered(peer.id, blob, ok ? peer.offer(blob) : null, !ok)));
        }

        private void askChunk(BlobCore asker, Peer peer, String chunk) {
            assertThat(named).as("no liar is asked again").doesNotContain(peer.id);
            assertThat(peer.refusals)
                    .as("whoever sent a wrong chunk is not asked for another")
                    .isZero();
            assertThat(stored).as("what is here is not asked for").doesNotContain(chunk);
            assertThat(!peer.metered
                            || accepted.values().stream()
                                    .anyMatch(manifest -> isWorth(manifest.hash())
                                            && manifest.chunks().stream()
                                                    .anyMatch(one -> one.hash().equals(chunk))))
                    .as("nobody pays for what nobody waits for")
                    .isTrue();
            asked.getOrDefault(chunk, Map.of())
                    .forEach((other, since) -> assertThat(world.nanos() - since >= BlobCore.SLOW.toNanos()
                                    || !peer(other).linked
                                    || peer(other).lies())
                            .as("nobody else is asked while the first may still answer in time")
                            .isTrue());
            asked.computeIfAbsent(chunk, none -> new HashMap<>()).put(peer.id, world.nanos());
            int size = size(chunk);
            peer.inFlight += size;
            assertThat(peer.inFlight)
                    .as("bytes under way from one")
                    .isLessThanOrEqualTo(Math.max(BlobCore.MOST_FROM_ONE, size));
            assertThat(peers.values().stream().mapToLong(one -> one.inFlight).sum())
                    .as("bytes under way from all")
                    .isLessThanOrEqualTo(BlobCore.MOST_IN_FLIGHT + (1 << 20));
            answer(peer, size, ok -> {
                if (asker != core) {
                    return;
                }
                Map<NodeId, Long> waiting = asked.get(chunk);
                if (waiting != null && waiting.remove(peer.id) != null && peer.inFlight > 0) {
                    peer.inFlight -= size;
                }
                BlobCore.Outcome outcome = outcome(peer, chunk, ok);
                if (outcome == BlobCore.Outcome.KEPT) {
                    peer.served++;
                    stored.add(chunk);
                }
                step(asker, new BlobCore.Event.Ended(peer.id, chunk, told(outcome)));
            });
        }

        private BlobCore.Outcome outcome(Peer peer, String chunk, boolean ok) {
            if (!ok) {
                return BlobCore.Outcome.FAILED;
            }
            if (!peer.holds.contains(chunk)) {
                return BlobCore.Outcome.ABSENT;
            }
            if (peer.kind == Kind.WRONG_CHUNKS) {
                if (bug == Bug.UNCHECKED_CHUNKS) {
                    damaged.add(chunk);
                    return BlobCore.Outcome.KEPT;
                }
                peer.refusals++;
                return BlobCore.Outcome.WRONG;
            }
            return BlobCore.Outcome.KEPT;
        }

        private BlobCore.Outcome told(BlobCore.Outcome outcome) {
            return switch (bug) {
                case UNTOLD_CHUNKS -> outcome == BlobCore.Outcome.KEPT ? BlobCore.Outcome.ABSENT : outcome;
                case UNNAMED_LIARS -> outcome == BlobCore.Outcome.WRONG ? BlobCore.Outcome.FAILED : outcome;
                default -> outcome;
            };
        }

        private interface Answer {
            void come(boolean ok);
        }

        /** One link carries one answer after another. */
        private void answer(Peer peer, int bytes, Answer answer) {
            if (!peer.linked || peer.kind == Kind.MUTE) {
                world.schedule(peer.linked ? DEADLINE : Duration.ofMillis(1), () -> answer.come(false));
                return;
            }
            long start = Math.max(world.nanos(), peer.freeAt);
            peer.freeAt = start + bytes * 1_000_000_000L / peer.rate;
            long wait = peer.freeAt
                    - world.nanos()
                    + Duration.ofMillis(peer.latencyMillis).toNanos();
            tardy |= wait >= BlobCore.SLOW.toNanos();
            boolean late = wait > DEADLINE.toNanos();
            world.schedule(late ? DEADLINE : Duration.ofNanos(wait), () -> answer.come(!late && peer.linked));
        }

        private int size(String chunk) {
            for (Manifest manifest : blobs.values()) {
                for (Chunk one : manifest.chunks()) {
                    if (one.hash().equals(chunk)) {
                        return one.size();
                    }
                }
            }
            throw new AssertionError("nobody has " + chunk);
        }
    }

    // ---- one step at a time ----

    private static final NodeId NEAR = id(1);
    private static final NodeId FAR = id(2);
    private static final Chunk ONE = new Chunk("one", 0, 600_000);
    private static final Chunk TWO = new Chunk("two", 600_000, 600_000);
    private static final Manifest BLOB = new Manifest("blob", 1_200_000, List.of(ONE, TWO));
    private static final BlobCore.Offer ALL = new BlobCore.Offer(BLOB, true, Set.of("one", "two"));

    private static final Wishes.Wish WISH = new Wishes.Wish("blob", 1_200_000, true);

    private final BlobCore core = new BlobCore(0);

    private static NodeId id(int number) {
        byte[] bytes = new byte[32];
        bytes[0] = (byte) number;
        return NodeId.of(bytes);
    }

    private List<BlobCore.Effect> begin(boolean farIsMetered, BlobCore.@Nullable Offer near) {
        assertThat(core.step(
                        new BlobCore.Event.Looked(
                                List.of(WISH),
                                List.of(new BlobCore.Holder(NEAR, false), new BlobCore.Holder(FAR, farIsMetered))),
                        0))
                .containsExactly(new BlobCore.Effect.AskBlob(NEAR, "blob"), new BlobCore.Effect.AskBlob(FAR, "blob"));
        core.step(new BlobCore.Event.Offered(FAR, "blob", ALL, false), 0);
        core.step(new BlobCore.Event.Offered(NEAR, "blob", near, false), 0);
        return core.step(new BlobCore.Event.Accepted(FAR, "blob", List.of(ONE, TWO)), 0);
    }

    @Test
    void theNearestIsAskedFirstAndTheNextForWhatItHasNoRoomFor() {
        assertThat(begin(false, ALL))
                .containsExactly(new BlobCore.Effect.AskChunk(NEAR, "one"), new BlobCore.Effect.AskChunk(FAR, "two"));
        assertThat(core.inFlight()).isEqualTo(1_200_000);
    }

    @Test
    void aLinkThatIsPaidForIsUsedForWhatNobodyElseHas() {
        assertThat(begin(true, ALL)).containsExactly(new BlobCore.Effect.AskChunk(NEAR, "one"));
        assertThat(core.step(new BlobCore.Event.Ended(NEAR, "two", BlobCore.Outcome.ABSENT), 0))
                .containsExactly(new BlobCore.Effect.AskChunk(FAR, "two"));
    }

    @Test
    void whatASlowOneWasAskedIsAskedOfAnotherAndTheFirstAnswerCounts() {
        begin(false, ALL);
        core.step(new BlobCore.Event.Ended(FAR, "two", BlobCore.Outcome.KEPT), 1);
        assertThat(core.step(new BlobCore.Event.Tick(), BlobCore.SLOW.toNanos() - 1))
                .isEmpty();
        assertThat(core.step(new BlobCore.Event.Tick(), BlobCore.SLOW.toNanos()))
                .containsExactly(new BlobCore.Effect.AskChunk(FAR, "one"));
        assertThat(core.step(new BlobCore.Event.Ended(NEAR, "one", BlobCore.Outcome.KEPT), BlobCore.SLOW.toNanos() + 1))
                .containsExactly(new BlobCore.Effect.Assemble("blob"));
    }

    @Test
    void aBlobThatNobodyHasIsSoughtEverLaterAndAtOnceOverANewLink() {
        List<BlobCore.Holder> near = List.of(new BlobCore.Holder(NEAR, false));
        BlobCore.Event look = new BlobCore.Event.Looked(List.of(WISH), near);
        List<Integer> seconds = new ArrayList<>();
        for (int second = 0; second < 200; second++) {
            long now = Duration.ofSeconds(second).toNanos();
            if (core.step(look, now).equals(List.of(new BlobCore.Effect.AskBlob(NEAR, "blob")))) {
                seconds.add(second);
                assertThat(core.step(new BlobCore.Event.Offered(NEAR, "blob", null, false), now))
                        .as("whoever waits is told")
                        .containsExactly(new BlobCore.Effect.Missed("blob"));
            }
        }
        assertThat(seconds).containsExactly(0, 1, 3, 7, 15, 31, 63, 123, 183);
        assertThat(core.step(
                        new BlobCore.Event.Looked(List.of(WISH), List.of(near.get(0), new BlobCore.Holder(FAR, false))),
                        Duration.ofSeconds(201).toNanos()))
                .contains(new BlobCore.Effect.AskBlob(FAR, "blob"));
    }

    @Test
    void whatIsLargeStaysWithWhoeverIsPaidForUntilItIsAskedForOrAFreeLinkComes() {
        Wishes.Wish large = new Wishes.Wish("blob", 1_200_000, false);
        List<BlobCore.Holder> paid = List.of(new BlobCore.Holder(NEAR, true));
        assertThat(core.step(new BlobCore.Event.Looked(List.of(large), paid), 0))
                .isEmpty();
        assertThat(core.held()).containsExactly("blob");
        assertThat(core.step(new BlobCore.Event.Looked(List.of(large), List.of(new BlobCore.Holder(NEAR, false))), 0))
                .containsExactly(new BlobCore.Effect.AskBlob(NEAR, "blob"));
        assertThat(core.held()).isEmpty();

        BlobCore other = new BlobCore(0);
        other.step(new BlobCore.Event.Looked(List.of(large), paid), 0);
        assertThat(other.step(new BlobCore.Event.Looked(List.of(WISH), paid), 0))
                .containsExactly(new BlobCore.Effect.AskBlob(NEAR, "blob"));
    }

    @Test
    void aSizeThatRowsToldTooSmallIsFoundOutBeforeItIsPaidFor() {
        Wishes.Wish small = new Wishes.Wish("blob", 100, false);
        List<BlobCore.Holder> paid = List.of(new BlobCore.Holder(NEAR, true));
        assertThat(core.step(new BlobCore.Event.Looked(List.of(small), paid), 0))
                .containsExactly(new BlobCore.Effect.AskBlob(NEAR, "blob"));
        assertThat(core.step(new BlobCore.Event.Offered(NEAR, "blob", ALL, false), 0))
                .isEmpty();
        assertThat(core.held()).containsExactly("blob");
    }
}
