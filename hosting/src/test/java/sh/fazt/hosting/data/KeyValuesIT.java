package sh.fazt.hosting.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.hosting.Cartridges;
import sh.fazt.hosting.HostingException;

class KeyValuesIT {
    private static final String APP = "fazt_app_000000000001";
    private static final long DAY = 86_400_000;

    @TempDir
    Path folder;

    private final AtomicLong now = new AtomicLong(1_700_000_000_000L);
    private final InstantSource clock = () -> Instant.ofEpochMilli(now.get());
    private SqliteCartridge fileOfA;
    private SqliteCartridge fileOfB;
    private KeyValues a;
    private KeyValues b;

    @BeforeEach
    void open() {
        fileOfA = Cartridges.open(folder.resolve("a.db"), 1, clock, KeyValues.SCHEMA);
        fileOfB = Cartridges.open(folder.resolve("b.db"), 2, clock, KeyValues.SCHEMA);
        a = new KeyValues(fileOfA, clock);
        b = new KeyValues(fileOfB, clock);
    }

    @AfterEach
    void close() {
        fileOfA.close();
        fileOfB.close();
    }

    /** Each learns what the other knew. */
    private void meet() throws Exception {
        Cartridges.pull(new Scope(APP), fileOfA, fileOfB);
        Cartridges.pull(new Scope(APP), fileOfB, fileOfA);
        now.addAndGet(1);
    }

    private void both(String key, @Nullable String value) {
        for (KeyValues node : List.of(a, b)) {
            if (value == null) {
                assertThat(node.get(APP, key)).isEmpty();
                assertThat(node.list(APP, key)).isEmpty();
            } else {
                assertThat(node.get(APP, key)).hasValue(value);
                assertThat(node.list(APP, key))
                        .extracting(KeyValues.Pair::value)
                        .containsExactly(value);
            }
        }
    }

    @Test
    void valuesComeAndGo() {
        a.set(APP, "color", "\"green\"", null);
        a.set(APP, "cart/1", "{\"n\":1}", 1000L);
        assertThat(a.get(APP, "color")).hasValue("\"green\"");
        assertThat(a.list(APP, "cart/")).containsExactly(new KeyValues.Pair("cart/1", "{\"n\":1}", now.get() + 1000));
        now.addAndGet(1000);
        assertThat(a.get(APP, "cart/1")).isEmpty();
        assertThat(a.list(APP, "")).extracting(KeyValues.Pair::key).containsExactly("color");
        assertThat(a.delete(APP, "cart/1")).isFalse();
        assertThat(a.delete(APP, "color")).isTrue();
        assertThat(a.delete(APP, "color")).isFalse();
        assertThat(a.get(APP, "color")).isEmpty();
    }

    @Test
    void aListTakesItsPrefixLiterally() {
        for (String key : List.of("a", "a%", "a%b", "a_", "A%", "b", "ab", "a\u00ff", "a\ud83d\ude00")) {
            a.set(APP, key, "1", null);
        }
        assertThat(a.list(APP, "a%")).extracting(KeyValues.Pair::key).containsExactly("a%", "a%b");
        assertThat(a.list(APP, "a")).hasSize(7);
        assertThat(a.list(APP, "a\ud83d\ude00")).hasSize(1);
        assertThat(a.list(APP, "")).hasSize(9);
        a.increment(APP, "a%b", 4);
        a.increment(APP, "a%c", 1);
        assertThat(a.list(APP, "a%"))
                .containsExactly(
                        new KeyValues.Pair("a%", "1", null),
                        new KeyValues.Pair("a%b", "5", null),
                        new KeyValues.Pair("a%c", "1", null));
    }

    @Test
    void incrementsOfNodesThatNeverMetAddUp() throws Exception {
        a.increment(APP, "n", 1);
        b.increment(APP, "n", 5);
        meet();
        both("n", "6");
    }

    @Test
    void incrementsOfANumberThatWasSetAddUp() throws Exception {
        a.set(APP, "n", "10", null);
        meet();
        assertThat(a.increment(APP, "n", 1)).isEqualTo(11);
        assertThat(b.increment(APP, "n", 2)).isEqualTo(12);
        meet();
        both("n", "13");
        a.set(APP, "n", "0", null);
        meet();
        both("n", "0");
        a.increment(APP, "n", -3);
        b.increment(APP, "n", 1);
        meet();
        both("n", "-2");
    }

    @Test
    void aDeletedCounterStartsAgain() throws Exception {
        a.increment(APP, "n", 7);
        meet();
        assertThat(b.delete(APP, "n")).isTrue();
        meet();
        both("n", null);
        a.increment(APP, "n", 2);
        b.increment(APP, "n", 3);
        meet();
        both("n", "5");
        a.set(APP, "n", "\"text\"", null);
        meet();
        both("n", "\"text\"");
        assertThatThrownBy(() -> b.increment(APP, "n", 1)).hasMessageContaining("whole number");
    }

    @Test
    void anExpiredCounterStartsAgainOnEveryNodeAlike() throws Exception {
        a.set(APP, "hits", "0", 1000L);
        a.increment(APP, "hits", 4);
        assertThat(a.list(APP, "hits")).containsExactly(new KeyValues.Pair("hits", "4", now.get() + 1000));
        meet();
        now.addAndGet(1000);
        both("hits", null);
        a.increment(APP, "hits", 1);
        b.increment(APP, "hits", 1);
        meet();
        both("hits", "2");
    }

    @Test
    void sweepingRemovesRowsAndChangesNothingElse() throws Exception {
        a.set(APP, "session", "1", 1000L);
        a.increment(APP, "old", 3);
        a.set(APP, "old", "0", 1000L);
        a.set(APP, "count", "0", 1000L);
        a.set(APP, "stays", "1", null);
        a.set(APP, "later", "1", 30 * DAY);
        now.addAndGet(2000);
        a.increment(APP, "count", 5);
        assertThat(a.sweep()).as("it has not expired for long").isZero();
        now.addAndGet(KeyValues.GRACE.toMillis());
        meet();
        assertThat(a.sweep()).isEqualTo(3);
        assertThat(a.sweep()).isZero();
        assertThat(b.sweep()).isEqualTo(3);
        meet();
        both("session", null);
        both("old", null);
        both("count", "5");
        both("stays", "1");
        both("later", "1");
        assertThat(fileOfA.<Long>read(
                        rows -> rows.first("SELECT count(*) FROM kv_live WHERE name = 'session'", row -> row.integer(0))
                                .orElseThrow()))
                .isZero();
        b.increment(APP, "count", 1);
        a.increment(APP, "old", 1);
        meet();
        both("count", "6");
        both("old", "1");
    }

    @Test
    void manyThreadsLoseNoIncrement() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                running.add(threads.submit(() -> {
                    for (int j = 0; j < 50; j++) {
                        a.increment(APP, "n", 1);
                    }
                }));
            }
            for (Future<?> one : running) {
                one.get(30, TimeUnit.SECONDS);
            }
        } finally {
            threads.shutdownNow();
        }
        assertThat(a.get(APP, "n")).hasValue("400");
    }

    @Test
    void limitsAreNamed() {
        assertThatThrownBy(() -> a.set(APP, "", "1", null)).hasMessageContaining("1 to 512");
        assertThatThrownBy(() -> a.get(APP, "k".repeat(513))).hasMessageContaining("513");
        assertThatThrownBy(() -> a.set(APP, "a\0b", "1", null)).hasMessageContaining("NUL");
        assertThatThrownBy(() -> a.set(APP, "\ud800", "1", null)).hasMessageContaining("Unicode");
        assertThatThrownBy(() -> a.set(APP, "x", "1", 0L)).hasMessageContaining("ttl");
        assertThatThrownBy(() -> a.set(APP, "x", "1", Long.MAX_VALUE)).hasMessageContaining("ttl");
        assertThatThrownBy(() -> a.set(APP, "x", '"' + "\u00e4".repeat(1 << 19) + '"', null))
                .isInstanceOfSatisfying(
                        HostingException.class,
                        e -> assertThat(e.reason()).isEqualTo(HostingException.Reason.TOO_LARGE))
                .hasMessageContaining("1048578 bytes");
        a.set(APP, "x", '"' + "a".repeat((1 << 20) - 2) + '"', null);
        a.set(APP, "n", "9007199254740990", null);
        assertThat(a.increment(APP, "n", 1)).isEqualTo(KeyValues.MOST_NUMBER);
        assertThatThrownBy(() -> a.increment(APP, "n", 1)).hasMessageContaining("2^53");
        assertThatThrownBy(() -> a.increment(APP, "m", Long.MIN_VALUE)).hasMessageContaining("2^53");
        assertThat(a.get(APP, "n")).hasValue("9007199254740991");
        assertThat(a.get(APP, "m")).isEmpty();
        for (String other : List.of("1.5", "true", "null", "\"1\"", "[1]", "12345678901234567890123")) {
            a.set(APP, "other", other, null);
            assertThatThrownBy(() -> a.increment(APP, "other", 1)).hasMessageContaining("whole number");
            assertThat(a.get(APP, "other")).hasValue(other);
        }
    }

    @Test
    void aListThatIsTooLongSaysSo() throws Exception {
        String large = '"' + "a".repeat((1 << 20) - 2) + '"';
        for (int i = 0; i < 17; i++) {
            a.set(APP, "large" + i, large, null);
        }
        assertThatThrownBy(() -> a.list(APP, "")).hasMessageContaining("longer prefix");
        assertThat(a.list(APP, "large1")).hasSize(8);
        fileOfB.write(new Scope(APP), tx -> {
                    for (int i = 0; i <= KeyValues.MOST_LISTED; i++) {
                        tx.put("kv", List.of("k" + i), java.util.Map.of("value", "1"));
                    }
                    return true;
                })
                .toCompletableFuture()
                .get(30, TimeUnit.SECONDS);
        assertThatThrownBy(() -> b.list(APP, "k")).hasMessageContaining("at most 10000 keys");
    }
}
