package sh.fazt.consensus;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RaftHostTest {
    @TempDir
    Path folder;

    /** As Ratis does, for a moment after it is closed. */
    @Test
    void aFolderIsClearedThoughSomebodyElseDeletesThereToo() throws Exception {
        for (int round = 0; round < 50; round++) {
            Path directory = folder.resolve("round-" + round);
            fill(directory);
            AtomicBoolean over = new AtomicBoolean();
            Thread other = new Thread(() -> {
                for (int i = 199; i >= 0 && !over.get(); i--) {
                    remove(directory.resolve("current-" + i % 10).resolve("log_" + i));
                }
            });
            other.start();
            RaftHost.delete(directory);
            over.set(true);
            other.join();
            assertThat(directory).doesNotExist();
        }
    }

    private static void fill(Path directory) throws IOException {
        for (int i = 0; i < 200; i++) {
            Path inner = Files.createDirectories(directory.resolve("current-" + i % 10));
            Files.createFile(inner.resolve("log_" + i));
        }
    }

    private static void remove(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aFolderThatIsNotThereIsClear() {
        RaftHost.delete(folder.resolve("none"));
        assertThat(folder.resolve("none")).doesNotExist();
    }
}
