package sh.fazt.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** The files of a folder that is about to be deployed, hashed. Immutable once read. */
final class Folder {

    /**
     * One file.
     *
     * @param path   in the app, with slashes
     * @param source where its bytes are
     * @param sha256 lower-case hex
     */
    record Entry(String path, Path source, long size, String sha256) {}

    private final Path root;
    private final Path realRoot;
    private final List<Entry> entries = new ArrayList<>();
    private final Set<String> skipped = new LinkedHashSet<>();

    private Folder(Path root) throws IOException {
        this.root = root;
        this.realRoot = root.toRealPath();
    }

    /**
     * Reads it. Names that start with a dot, {@code node_modules} and {@code *.log} stay behind: they are
     * a developer's, not a visitor's. Links are followed inside the folder and refused out of it.
     */
    static Folder read(Path root) throws IOException {
        if (!Files.exists(root)) {
            throw Failure.failed("can't deploy " + root + ": there is no such folder");
        }
        if (!Files.isDirectory(root)) {
            throw Failure.failed("can't deploy " + root + ": it is a file, and a folder is wanted");
        }
        Folder folder = new Folder(root);
        folder.walk(root, "", new HashSet<>());
        if (folder.entries.isEmpty()) {
            throw Failure.failed("can't deploy " + root + ": there is no file in it"
                    + (folder.skipped.isEmpty() ? "" : " but " + String.join(", ", folder.skipped)));
        }
        folder.entries.sort((a, b) -> a.path().compareTo(b.path()));
        return folder;
    }

    List<Entry> entries() {
        return entries;
    }

    /** What was left behind. */
    Set<String> skipped() {
        return skipped;
    }

    /** The name in the folder's {@code manifest.json}, else the folder's own in lower case. */
    String appName() throws IOException {
        Path manifest = root.resolve("manifest.json");
        if (Files.isRegularFile(manifest)) {
            String name = Json.text(Json.read(Files.readString(manifest)), "name");
            if (!name.isEmpty()) {
                return name;
            }
        }
        Path name = realRoot.getFileName();
        return name == null ? "" : name.toString().toLowerCase(Locale.ROOT);
    }

    private void walk(Path directory, String prefix, Set<Path> above) throws IOException {
        Path real = directory.toRealPath();
        if (!above.add(real)) {
            throw Failure.failed(
                    "can't deploy " + root + ": the symbolic link " + prefix + " leads round in a circle; remove it");
        }
        try (DirectoryStream<Path> children = Files.newDirectoryStream(directory)) {
            for (Path child : children) {
                String name = String.valueOf(child.getFileName());
                String path = prefix + name;
                if (name.startsWith(".") || name.equals("node_modules") || name.endsWith(".log")) {
                    skipped.add(path);
                    continue;
                }
                if (Files.isSymbolicLink(child)) {
                    checkInside(child, path);
                }
                if (Files.isDirectory(child)) {
                    walk(child, path + "/", above);
                } else if (Files.isRegularFile(child)) {
                    entries.add(hashed(path, child));
                } else {
                    throw Failure.failed(
                            "can't deploy " + root + ": " + path + " is neither a file nor a folder; remove it");
                }
            }
        }
        above.remove(real);
    }

    private void checkInside(Path link, String path) throws IOException {
        Path target;
        try {
            target = link.toRealPath();
        } catch (NoSuchFileException e) {
            throw Failure.failed("can't deploy " + root + ": " + path + " is a symbolic link to "
                    + Files.readSymbolicLink(link) + ", which does not exist");
        }
        if (!target.startsWith(realRoot)) {
            throw Failure.failed("can't deploy " + root + ": " + path + " is a symbolic link to " + target
                    + ", outside of the folder; put a copy in its place");
        }
    }

    private static Entry hashed(String path, Path file) throws IOException {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
        long size = 0;
        byte[] buffer = new byte[64 * 1024];
        try (InputStream in = Files.newInputStream(file)) {
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                digest.update(buffer, 0, read);
                size += read;
            }
        }
        return new Entry(path, file, size, HexFormat.of().formatHex(digest.digest()));
    }
}
