package sh.fazt.swarm;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.cartridge.CartridgeOptions;
import sh.fazt.cartridge.SqliteCartridge;
import sh.fazt.identity.NodeKey;

/** What a node does by itself, on a cartridge that takes nothing for a while. */
class ChoresIT {
    private static final Logger LOGGER = Logger.getLogger(Chores.class.getName());

    @TempDir
    Path folder;

    private final List<LogRecord> logged = new CopyOnWriteArrayList<>();
    private final Handler recorder = new Handler() {
        @Override
        public void publish(LogRecord record) {
            logged.add(record);
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
    };
    private final Chores chores = new Chores(Runnable::run, () -> false);
    private SqliteCartridge cartridge;

    @BeforeEach
    void start() {
        LOGGER.addHandler(recorder);
        cartridge = SqliteCartridge.open(folder.resolve("a"), CartridgeOptions.standard(), List.of(LinkLedger.SCHEMA));
        cartridge.bind(NodeKey.generate().id());
    }

    @AfterEach
    void stop() {
        cartridge.close();
        LOGGER.removeHandler(recorder);
    }

    private void pages(long most) {
        cartridge
                .writeLocal(tx -> tx.first("PRAGMA max_page_count = " + most, row -> row.integer(0)))
                .toCompletableFuture()
                .join();
    }

    private void keep() {
        chores.soon(
                "keep it",
                () -> cartridge
                        .writeLocal(tx -> {
                            tx.execute("INSERT INTO link_book VALUES (?)", (Object) new byte[1 << 20]);
                            return true;
                        })
                        .toCompletableFuture()
                        .join());
    }

    private List<Level> levels() {
        return logged.stream().map(LogRecord::getLevel).toList();
    }

    @Test
    void whatTheCartridgeRefusesIsToldOnceAndInShortUntilItIsDone() {
        pages(cartridge.read(
                rows -> rows.first("PRAGMA page_count", row -> row.integer(0)).orElseThrow()));
        keep();
        keep();
        keep();
        assertThat(chores.missed()).isTrue();
        assertThat(chores.missed()).isFalse();
        assertThat(levels()).containsExactly(Level.WARNING);
        pages(1_000_000);
        keep();
        keep();
        assertThat(levels()).containsExactly(Level.WARNING, Level.INFO);
        pages(1);
        keep();
        keep();
        assertThat(levels()).containsExactly(Level.WARNING, Level.INFO, Level.WARNING);
        assertThat(logged)
                .allSatisfy(line -> assertThat(line.getThrown()).isNull())
                .allSatisfy(line -> assertThat(line.getMessage()).contains("keep it"));
        assertThat(logged.get(0).getMessage()).contains("could not keep it").contains("full");
    }

    @Test
    void anyOtherFailureIsToldEachTimeWithItsTrace() {
        for (int i = 0; i < 2; i++) {
            chores.soon("do it", () -> {
                throw new IllegalStateException("a mistake");
            });
        }
        assertThat(logged)
                .hasSize(2)
                .allSatisfy(line -> assertThat(line.getThrown()).isInstanceOf(IllegalStateException.class));
    }
}
