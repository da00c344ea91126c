package sh.fazt.node.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import sh.fazt.hosting.release.Manifest;
import sh.fazt.node.error.Kind;
import sh.fazt.node.error.Problem;

/**
 * The files of a zip, read twice: once for their hashes, once for those that are missing. What an entry says of
 * its own size is not believed; reading ends where a release ends. Confined to its maker's thread.
 */
final class Bundle implements AutoCloseable {
    private static final String SETTINGS = "manifest.json";
    private static final int SMALL = 64 << 10;

    private final ZipFile zip;
    private final Map<String, byte[]> made = new HashMap<>();
    private final Map<String, Manifest.File> byHash = new HashMap<>();
    private final Manifest manifest;

    private Bundle(ZipFile zip, boolean spa) throws IOException {
        this.zip = zip;
        List<Manifest.File> files = new ArrayList<>();
        long total = 0;
        for (ZipEntry entry : Collections.list(zip.entries())) {
            if (entry.isDirectory() || entry.getName().startsWith("__MACOSX/")) {
                continue;
            }
            if (files.size() > Manifest.MOST_FILES) {
                break;
            }
            Manifest.File file = hash(entry.getName(), zip.getInputStream(entry), Manifest.MOST_BYTES - total);
            total += file.size();
            files.add(file);
        }
        if (spa) {
            singlePage(files);
        }
        manifest = new Manifest(files);
        files.forEach(file -> byHash.put(file.sha256(), file));
    }

    /** @param spa whether unknown paths are to lead to the start page, as its form says */
    static Bundle open(Path file, boolean spa) throws IOException {
        ZipFile zip;
        try {
            zip = new ZipFile(file.toFile(), StandardCharsets.UTF_8);
        } catch (ZipException e) {
            throw new Problem.Thrown(Kind.INVALID, "BAD_REQUEST", "the file is not a zip: " + e.getMessage());
        }
        try {
            return new Bundle(zip, spa);
        } catch (ZipException e) {
            zip.close();
            throw new Problem.Thrown(Kind.INVALID, "BAD_REQUEST", "the zip is damaged: " + e.getMessage());
        } catch (IOException | RuntimeException e) {
            zip.close();
            throw e;
        }
    }

    private static Manifest.File hash(String path, InputStream content, long room) throws IOException {
        try (content) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            byte[] part = new byte[64 << 10];
            long size = 0;
            for (int read = content.read(part); read >= 0; read = content.read(part)) {
                size += read;
                if (size > Manifest.MOST_FILE_BYTES || size > room) {
                    throw new Problem.Thrown(
                            Kind.TOO_LARGE,
                            "PAYLOAD_TOO_LARGE",
                            path + " makes the bundle too large: a file has at most 100 MiB and a release 500 MiB,"
                                    + " unpacked");
                }
                digest.update(part, 0, read);
            }
            return new Manifest.File(path, HexFormat.of().formatHex(digest.digest()), size);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    /** The form's way to say what {@code manifest.json} says. */
    private void singlePage(List<Manifest.File> files) throws IOException {
        ZipEntry entry = zip.getEntry(SETTINGS);
        ObjectNode settings = Json.object();
        if (entry != null) {
            try (InputStream in = zip.getInputStream(entry)) {
                settings = Json.parse(in.readNBytes(SMALL));
            }
        }
        byte[] text = settings.put("spa", true).toString().getBytes(StandardCharsets.UTF_8);
        Manifest.File file = hash(SETTINGS, new ByteArrayInputStream(text), SMALL);
        files.removeIf(other -> other.path().equals(SETTINGS));
        files.add(file);
        made.put(file.sha256(), text);
    }

    Manifest manifest() {
        return manifest;
    }

    /** A file with this content. */
    Manifest.File file(String hash) {
        Manifest.File file = byHash.get(hash);
        if (file == null) {
            throw new IllegalStateException("nobody asked for " + hash);
        }
        return file;
    }

    InputStream open(Manifest.File file) throws IOException {
        byte[] text = made.get(file.sha256());
        return text != null ? new ByteArrayInputStream(text) : zip.getInputStream(zip.getEntry(file.path()));
    }

    @Override
    public void close() throws IOException {
        zip.close();
    }
}
