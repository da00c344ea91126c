package sh.fazt.e2e;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Bad luck that a node's machine can have: its disk, its files, its clock. What it mounted is gone when it closes. */
final class FaultyMachine implements AutoCloseable {
    private static final List<String> FILES = List.of("", "-wal");

    private final List<Path> mounted = new ArrayList<>();

    /** Makes a disk of its own of a folder. */
    void mount(Path folder, int megabytes) throws Exception {
        Files.createDirectory(folder);
        Namespaces.run("mount", "-t", "tmpfs", "-o", "size=" + megabytes + "m", "fazt-test", folder.toString());
        mounted.add(folder);
    }

    /** Gives such a disk another size. */
    static void resize(Path disk, int megabytes) throws Exception {
        Namespaces.run("mount", "-o", "remount,size=" + megabytes + "m", disk.toString());
    }

    /** Leaves such a disk next to no room. */
    static void fill(Path disk, Random random) throws Exception {
        var store = Files.getFileStore(disk);
        long used = (store.getTotalSpace() - store.getUnallocatedSpace() >> 10) + 16 + random.nextInt(256);
        Namespaces.run("mount", "-o", "remount,size=" + used + "k", disk.toString());
    }

    /** Whether files here can be made so that nobody can write them: as root, and not on every file system. */
    static boolean hasReadOnlyFiles(Path folder) throws Exception {
        Path file = Files.createTempFile(folder, "immutable", "");
        try {
            Namespaces.run("chattr", "+i", file.toString());
            Namespaces.run("chattr", "-i", file.toString());
            return true;
        } catch (IOException notHere) {
            return false;
        } finally {
            Files.delete(file);
        }
    }

    /** Mode bits bind neither root nor files that are open; this binds both. */
    static void readOnly(NodeUnderTest node, boolean on) throws Exception {
        String file = node.cartridge.toString();
        Namespaces.run("chattr", on ? "+i" : "-i", file, file + "-wal");
    }

    /** Copies the cartridge of a node that does not run, as it was left. */
    static void copy(NodeUnderTest node, Path copy) throws IOException {
        replace(node.cartridge, copy);
    }

    /** Puts a copy in the place of the cartridge of a node that does not run; what lies beside it stays. */
    static void putBack(NodeUnderTest node, Path copy) throws IOException {
        replace(copy, node.cartridge);
    }

    /** The same, and the copy is of what it replaced from then on. */
    static void swap(NodeUnderTest node, Path copy) throws IOException {
        Path aside = copy.resolveSibling(copy.getFileName() + ".aside");
        copy(node, aside);
        putBack(node, copy);
        replace(aside, copy);
    }

    private static void replace(Path from, Path to) throws IOException {
        for (String suffix : FILES) {
            Path source = from.resolveSibling(from.getFileName() + suffix);
            Path target = to.resolveSibling(to.getFileName() + suffix);
            if (Files.exists(source)) {
                Files.copy(source, target, StandardCopyOption.REPLACE_EXISTING);
            } else {
                Files.deleteIfExists(target);
            }
        }
    }

    /** How wrong the clock of the node's machine is, from its next start on. */
    static void clock(NodeUnderTest node, Duration ahead) {
        node.environment.put("FAZT_JAVA_OPTIONS", "-Dfazt.clock.offset=" + ahead);
    }

    /** That SQLite finds nothing wrong with its file. */
    static boolean isWhole(NodeUnderTest node) throws Exception {
        try (var db = DriverManager.getConnection("jdbc:sqlite:" + node.cartridge);
                var statement = db.createStatement();
                var rows = statement.executeQuery("PRAGMA integrity_check")) {
            return rows.getString(1).equals("ok");
        }
    }

    @Override
    public void close() throws Exception {
        for (Path mount : mounted) {
            Namespaces.run("umount", mount.toString());
        }
        mounted.clear();
    }
}
