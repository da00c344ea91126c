package sh.fazt.sync;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import sh.fazt.cartridge.change.Document;
import sh.fazt.cartridge.change.Origin;
import sh.fazt.identity.NodeKey;
import sh.fazt.testkit.Await;

/**
 * A node whose whole folder is set back, with the marker beside its cartridge: nothing in it tells. Real cartridges, real
 * links.
 */
@Timeout(240)
class SetBackIT {
    private static final Duration SOON = Duration.ofSeconds(60);

    @TempDir
    Path folder;

    private final NodeKey key = NodeKey.generate();
    private Side node;
    private Side one;
    private Side two;

    /** What every life has written, as it has to be in the end. */
    private final Set<String> pairs = new TreeSet<>();

    private final Set<String> deleted = new TreeSet<>();
    private final Map<String, Long> totals = new TreeMap<>();
    private final Map<String, String> fields = new TreeMap<>();

    @BeforeEach
    void start() {
        one = new Side(folder.resolve("one"));
        two = new Side(folder.resolve("two"));
        node = begin();
        link();
        node.cartridge
                .write(Side.SCOPE, tx -> {
                    for (String life : List.of("first", "second", "third")) {
                        tx.put("pair", List.of("gone-" + life), Map.of("value", "v"));
                    }
                    tx.put("pair", List.of("both"), Map.of("value", "before"));
                    tx.increment("total", List.of("hits"), 1_000);
                    tx.put("doc", List.of("d"), Map.of("both", "before", "before", "before"));
                    return true;
                })
                .toCompletableFuture()
                .join();
        totals.put("hits", 1_000L);
        fields.put("before", "before");
        write("before", 4);
        settled();
    }

    @AfterEach
    void stop() {
        node.close();
        two.close();
        one.close();
    }

    private Side begin() {
        return new Side(key, folder.resolve("node").resolve("data.db"), links -> links);
    }

    private void link() {
        node.trust(one, two);
        one.trust(node, two);
        two.trust(node, one);
        Await.until("all are linked", SOON, () -> node.linked(2) && one.linked(2) && two.linked(2));
    }

    /** Keeps the folder as it is. */
    private void keep() throws IOException {
        copy(folder.resolve("node"), folder.resolve("kept"));
    }

    private void setBack() throws IOException {
        node.close();
        copy(folder.resolve("kept"), folder.resolve("node"));
        node = begin();
    }

    private static void copy(Path from, Path to) throws IOException {
        if (Files.isDirectory(to)) {
            try (Stream<Path> files = Files.list(to)) {
                for (Path file : files.filter(Files::isRegularFile).toList()) {
                    Files.delete(file);
                }
            }
        }
        Files.createDirectories(to);
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, to.resolve(file.getFileName()), StandardCopyOption.COPY_ATTRIBUTES);
            }
        }
    }

    private void restart() {
        node.close();
        node = begin();
    }

    /** So many transactions of everything there is; the first has what other lives write too. */
    private void write(String life, int transactions) {
        for (int i = 0; i < transactions; i++) {
            String name = life + i;
            boolean first = i == 0;
            long by = pairs.size() + 1;
            node.cartridge
                    .write(Side.SCOPE, tx -> {
                        tx.put("pair", List.of(name), Map.of("value", life));
                        tx.increment("total", List.of("hits"), by);
                        tx.increment("total", List.of("hits-" + life), 1);
                        Map<String, String> changes = new HashMap<>(Map.of(name, life));
                        if (first) {
                            tx.put("pair", List.of("both"), Map.of("value", life));
                            tx.delete("pair", List.of("gone-" + life));
                            changes.put("both", life);
                        }
                        tx.update("doc", List.of("d"), changes);
                        return true;
                    })
                    .toCompletableFuture()
                    .join();
            pairs.add(name);
            deleted.add("gone-" + life);
            totals.merge("hits", by, Long::sum);
            totals.merge("hits-" + life, 1L, Long::sum);
            fields.put(name, life);
        }
        fields.put("both", life);
    }

    private void settled() {
        Await.until(
                "all have the same",
                SOON,
                () -> Stream.of(one, two)
                        .allMatch(side -> side.cartridge
                                        .replica()
                                        .vectors()
                                        .equals(node.cartridge.replica().vectors())
                                && !node.cartridge.replica().inDoubt()
                                && side.cartridge.replica().digest(Side.SCOPE)
                                        == node.cartridge.replica().digest(Side.SCOPE)));
    }

    private void checkAll(String last) {
        settled();
        for (Side side : List.of(node, one, two)) {
            Map<String, String> rows = new TreeMap<>();
            side.cartridge
                    .read(read ->
                            read.query("SELECT name, value FROM pair_live", row -> Map.entry(row.text(0), row.text(1))))
                    .forEach(row -> rows.put(row.getKey(), row.getValue()));
            assertThat(rows.keySet()).containsAll(pairs).doesNotContainAnyElementsOf(deleted);
            assertThat(rows).containsEntry("both", last);
            Map<String, Long> sums = new TreeMap<>();
            side.cartridge
                    .read(read -> read.query(
                            "SELECT name, value FROM total_live", row -> Map.entry(row.text(0), row.integer(1))))
                    .forEach(row -> sums.put(row.getKey(), row.getValue()));
            assertThat(sums).isEqualTo(totals);
            List<byte[]> document = side.cartridge.read(
                    read -> read.query("SELECT fields FROM doc_live WHERE name = 'd'", row -> row.bytes(0)));
            assertThat(Document.fields(document.get(0))).isEqualTo(fields);
        }
        for (Side peer : List.of(one, two)) {
            assertThat(node.sync
                            .audit(peer.key.id(), Side.SCOPE, false)
                            .toCompletableFuture()
                            .join())
                    .extracting(AuditResult::state, AuditResult::damaged)
                    .containsExactly(AuditResult.State.EQUAL, "");
        }
        assertThat(Stream.of(one, two).flatMap(side -> side.named.stream()))
                .noneMatch(text -> text.startsWith("forged") || text.startsWith("offence"));
    }

    /** What lost without its writer knowing is kept. */
    private void lost(String life) {
        List<String> lost = new ArrayList<>();
        node.cartridge
                .conflicts()
                .page(Optional.empty(), 0, 100)
                .conflicts()
                .forEach(conflict -> lost.add(conflict.table() + " " + conflict.values()));
        assertThat(lost).anyMatch(text -> text.startsWith("pair ") && text.contains(life));
        assertThat(lost).anyMatch(text -> text.startsWith("doc/both ") && text.contains(life));
    }

    @ParameterizedTest
    @CsvSource({"7, 3, false", "3, 7, false", "5, 5, false", "5, 5, true"})
    void nothingOfBothLivesIsLost(int first, int second, boolean running) throws Exception {
        if (running) {
            keep();
        } else {
            node.close();
            keep();
            node = begin();
            link();
        }
        write("first", first);
        settled();
        setBack();
        Origin before = node.cartridge.replica().origin();
        write("second", second);
        link();
        checkAll("second");
        lost("first");
        assertThat(node.epochs).hasValue(1);
        assertThat(node.cartridge.replica().origin()).isNotEqualTo(before);
        Await.until(
                "whoever it meets first says that it was set back",
                SOON,
                () -> Stream.of(one, two)
                        .flatMap(side -> side.named.stream())
                        .anyMatch(text -> text.startsWith("set-back " + key.id())));
        write("third", 3);
        checkAll("third");
    }

    @Test
    void norWhatItWroteOverSeveralStartsBeforeItHeardOthers() throws Exception {
        keep();
        write("first", 4);
        settled();
        setBack();
        write("second", 3);
        restart();
        write("third", 3);
        link();
        checkAll("third");
        lost("first");
    }

    @Test
    void norWhenItIsSetBackTwice() throws Exception {
        keep();
        write("first", 4);
        settled();
        setBack();
        write("second", 5);
        link();
        checkAll("second");
        setBack();
        write("third", 6);
        link();
        checkAll("third");
        lost("second");
    }

    @Test
    void whoWasNotSetBackGoesOn() {
        restart();
        Origin before = node.cartridge.replica().origin();
        write("first", 4);
        assertThat(node.cartridge.replica().inDoubt()).isTrue();
        restart();
        write("second", 4);
        link();
        checkAll("second");
        assertThat(node.cartridge.replica().origin()).isEqualTo(before);
        assertThat(node.epochs).hasValue(0);
    }
}
