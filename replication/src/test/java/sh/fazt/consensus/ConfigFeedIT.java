package sh.fazt.consensus;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import sh.fazt.identity.NodeId;
import sh.fazt.identity.NodeKey;
import sh.fazt.link.Channel;
import sh.fazt.testkit.Await;

/** How an observer follows, over links that a test can cut. */
class ConfigFeedIT extends RaftNodes {
    private static final int TIMES = 200;

    private final NodeKey voterKey = NodeKey.generate();
    private final NodeKey observerKey = NodeKey.generate();

    /** Nodes have the ids of keys here: what a voter tells is signed. */
    @Override
    NodeId id(int number) {
        return (number == 1 ? voterKey : observerKey).id();
    }

    private int gaveWayTo;
    private Node voter;
    private Node observer;
    private ConfigFeed feed;

    private final class Two implements ConfigFeed.Facts {
        @Override
        public String swarm() {
            return "swarm";
        }

        @Override
        public int epoch() {
            return 1;
        }

        @Override
        public Set<NodeId> voters() {
            return Set.of(voterKey.id());
        }

        @Override
        public Set<NodeId> observers() {
            return Set.of(observerKey.id());
        }

        @Override
        public Set<NodeId> former() {
            return Set.of();
        }

        @Override
        public int gaveWayTo() {
            return gaveWayTo;
        }

        @Override
        public boolean metered() {
            return false;
        }
    }

    @BeforeEach
    void follow() {
        voter = new Node(1);
        voter.raft.initialise();
        observer = new Node(2);
        observer.raft.prepareObserve(Objects.requireNonNull(voter.raft.groupId()));
        new ConfigFeed(voterKey, voter.raft, voter.links, new Two());
        feed = new ConfigFeed(observerKey, observer.raft, observer.links, new Two());
    }

    @Test
    void newsThatComeFasterThanTheyAreFetchedTakeOneThread() throws Exception {
        voter.set("a", "first");
        assertThat(feed.fetch()).isTrue();
        assertThat(observer.alias("a")).isEqualTo("first");

        AtomicInteger asked = new AtomicInteger();
        network.tap = (to, question) -> {
            if (to.equals(voter.id) && question[0] == ConfigFeed.ASK) {
                asked.incrementAndGet();
            }
        };
        // Its questions hang until they are given up.
        network.loses = (to, question) -> to.equals(voter.id);
        voter.set("a", "second");
        CompletableFuture<?>[] told = new CompletableFuture<?>[TIMES];
        for (int i = 0; i < TIMES; i++) {
            told[i] = voter.links
                    .ask(observer.id, Channel.RAFT, new byte[] {ConfigFeed.NEWS}, Duration.ofSeconds(20))
                    .toCompletableFuture();
        }
        Await.until("one fetches", PATIENCE, () -> asked.get() > 0);
        Await.until("the news are taken, but for those that fetch", PATIENCE, () -> {
            int taken = 0;
            for (CompletableFuture<?> one : told) {
                taken += one.isDone() ? 1 : 0;
            }
            return taken >= TIMES - 1;
        });
        assertThat(((ThreadPoolExecutor) observer.io).getActiveCount())
                .as("threads that others wait for")
                .isLessThanOrEqualTo(1);
        network.loses = (to, question) -> false;
        CompletableFuture.allOf(told).get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        voter.set("a", "third");
        voter.links
                .ask(observer.id, Channel.RAFT, new byte[] {ConfigFeed.NEWS}, PATIENCE)
                .toCompletableFuture()
                .get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        Await.until("the last is heard of", PATIENCE, () -> observer.alias("a").equals("third"));
        assertThat(asked.get()).as("questions for %d news", TIMES + 1).isLessThan(20);
    }

    /** Else a node that gave its group up would hear from there that it votes, and go back. */
    @Test
    void whoHasNotHeardOfALaterEpochIsNotBelievedByWhoHas() {
        voter.set("a", "of the first epoch");
        gaveWayTo = 2;
        assertThat(feed.fetch()).isFalse();
        assertThat(observer.alias("a")).isEmpty();
        gaveWayTo = 1;
        assertThat(feed.fetch()).isTrue();
        assertThat(observer.alias("a")).isEqualTo("of the first epoch");
    }
}
