package sh.fazt.cartridge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static sh.fazt.cartridge.Cartridges.APP;
import static sh.fazt.cartridge.Cartridges.node;
import static sh.fazt.cartridge.Cartridges.open;
import static sh.fazt.cartridge.Cartridges.pairs;
import static sh.fazt.cartridge.Cartridges.set;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.cartridge.change.Origin;

class BackupsIT {
    @TempDir
    Path folder;

    private final Cartridges.Wall wall = new Cartridges.Wall();

    private Path file(String name) {
        return folder.resolve(name);
    }

    private Backups.Done restore(Path backup) {
        return Backups.restore(backup, file("a.db"), List.of(Cartridges.ROOM), wall);
    }

    private List<String> files() throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            return all.map(path -> String.valueOf(path.getFileName())).sorted().toList();
        }
    }

    @Test
    void aBackupComesBackAndWhatItReplacesIsKept() throws Exception {
        Origin before;
        try (SqliteCartridge a = open(file("a.db"), node("a"), wall)) {
            set(a, "x", "then");
            before = a.replica().origin();
            a.backup(file("backup"));
            set(a, "x", "now");
        }
        Backups.Done done = restore(file("backup"));
        assertThat(done.bytes()).isEqualTo(Files.size(file("a.db")));
        try (SqliteCartridge a = open(file("a.db"), node("a"), wall)) {
            assertThat(pairs(a)).containsEntry("x", "then");
            assertThat(a.replica().origin())
                    .as("peers know of later writes under the old epoch")
                    .isNotEqualTo(before);
        }
        Path replaced = Objects.requireNonNull(done.replaced());
        try (SqliteCartridge old = open(replaced, node("a"), wall)) {
            assertThat(pairs(old)).containsEntry("x", "now");
        }
        assertThat(files()).noneMatch(name -> name.contains("restoring"));
    }

    /** Kill -9, then a backup: SQLite would read what the crash left in the log into the restored file. */
    @Test
    void whatACrashLeftInTheLogDoesNotGetIntoTheRestoredCartridge() throws Exception {
        try (SqliteCartridge a = open(file("a.db"), node("a"), wall)) {
            set(a, "x", "then");
            a.backup(file("backup"));
            for (int i = 0; i < 200; i++) {
                set(a, "later-" + i, "z".repeat(500));
            }
            crash(a);
        }
        Backups.Done done = restore(file("backup"));
        try (SqliteCartridge a = open(file("a.db"), node("a"), wall)) {
            assertThat(pairs(a)).containsOnlyKeys("x");
            assertThat(a.check()).isEmpty();
        }
        try (SqliteCartridge old = open(Objects.requireNonNull(done.replaced()), node("a"), wall)) {
            assertThat(pairs(old)).as("nor is it lost").hasSize(201);
        }
    }

    /** Puts what a crash would leave in the place of what the cartridge leaves when it is closed. */
    private void crash(SqliteCartridge running) throws IOException {
        Path left = Files.createDirectories(file("crashed"));
        for (String name : List.of("a.db", "a.db-wal")) {
            Files.copy(file(name), left.resolve(name));
        }
        running.close();
        for (String name : List.of("a.db", "a.db-wal")) {
            Files.copy(left.resolve(name), file(name), StandardCopyOption.REPLACE_EXISTING);
        }
    }

    @Test
    void aDamagedCartridgeIsKeptAsItWas() throws Exception {
        try (SqliteCartridge a = open(file("a.db"), node("a"), wall)) {
            set(a, "x", "1");
            a.backup(file("backup"));
        }
        byte[] bytes = Files.readAllBytes(file("a.db"));
        java.util.Arrays.fill(bytes, 100, 8192, (byte) 0xa5);
        Files.write(file("a.db"), bytes);
        Backups.Done done = restore(file("backup"));
        assertThat(Files.readAllBytes(Objects.requireNonNull(done.replaced()))).isEqualTo(bytes);
        try (SqliteCartridge a = open(file("a.db"), node("a"), wall)) {
            assertThat(pairs(a)).containsEntry("x", "1");
        }
    }

    @Test
    void nothingIsRestoredWhileANodeRunsOrFromWhatIsNoBackup() throws Exception {
        try (SqliteCartridge a = open(file("a.db"), node("a"), wall)) {
            set(a, "x", "1");
            a.backup(file("backup"));
            assertThatThrownBy(() -> restore(file("backup")))
                    .isInstanceOfSatisfying(
                            CartridgeException.class,
                            e -> assertThat(e.reason()).isEqualTo(CartridgeException.Reason.IN_USE))
                    .hasMessageContaining("stop that one");
            set(a, "x", "2");
        }
        byte[] half = java.util.Arrays.copyOf(Files.readAllBytes(file("backup")), 20_000);
        Files.write(file("half"), half);
        Files.writeString(file("text"), "no cartridge at all, whatever its name says");
        List<String> before = files();
        for (String name : List.of("half", "text", "none", "a.db")) {
            assertThatThrownBy(() -> restore(file(name)))
                    .as(name)
                    .isInstanceOf(CartridgeException.class)
                    .hasMessageContaining(file(name).toString());
        }
        assertThat(files()).isEqualTo(before);
        try (SqliteCartridge a = open(file("a.db"), node("a"), wall)) {
            assertThat(pairs(a)).containsEntry("x", "2");
        }
    }

    @Test
    void nothingIsWrittenIntoAFileThatAnotherTookThePlaceOf() throws Exception {
        try (SqliteCartridge a = open(file("a.db"), node("a"), wall)) {
            set(a, "x", "1");
            a.backup(file("backup"));
            Files.move(file("a.db"), file("aside"));
            refused(a, "was taken away");
            Files.move(file("backup"), file("a.db"));
            refused(a, "another file was put in the place");
            assertThat(a.notWritable()).contains("fazt server restore");
            Files.delete(file("a.db"));
            Files.move(file("aside"), file("a.db"));
            set(a, "x", "3");
            assertThat(a.replica().vector(APP).get(a.replica().origin())).isEqualTo(2);
        }
        try (SqliteCartridge a = open(file("a.db"), node("a"), wall)) {
            assertThat(pairs(a)).containsEntry("x", "3");
        }
    }

    private static void refused(SqliteCartridge cartridge, String why) {
        assertThatThrownBy(() -> set(cartridge, "x", "lost"))
                .cause()
                .isInstanceOfSatisfying(
                        CartridgeException.class,
                        e -> assertThat(e.reason()).isEqualTo(CartridgeException.Reason.NOT_WRITABLE))
                .hasMessageContaining(why)
                .hasMessageContaining("nothing was written");
    }
}
