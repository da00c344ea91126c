package sh.fazt.hosting.release;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import sh.fazt.hosting.HostingException;

/** The files of a bundle: path, hash and size of each, checked. Immutable. */
public record Manifest(List<File> files) {
    /** A release is one transaction on every node, and a list that each node keeps in memory. */
    public static final int MOST_FILES = 10_000;

    /** 100 MiB, as the original published and never enforced. */
    public static final long MOST_FILE_BYTES = 100L << 20;

    /** 500 MiB, likewise. */
    public static final long MOST_BYTES = 500L << 20;

    private static final int MOST_PATH = 512;
    private static final Pattern HASH = Pattern.compile("[0-9a-f]{64}");

    /**
     * One file: its path with slashes, the lower-case hex SHA-256 of its content, its size in bytes. The path is in
     * Unicode's form C, whatever the file system that it comes from uses, since links are written so.
     */
    public record File(String path, String sha256, long size) {
        public File {
            path = Normalizer.normalize(path, Normalizer.Form.NFC);
        }
    }

    /** Whether a file of a release is server-side code. */
    public static boolean isSource(String path) {
        return path.startsWith("api/");
    }

    /** Checks every rule; fails with {@code INVALID} or {@code TOO_LARGE}, naming file and rule. */
    public Manifest {
        files = List.copyOf(files);
        if (files.isEmpty()) {
            throw invalid("a deploy needs at least one file: the folder is empty");
        }
        if (files.size() > MOST_FILES) {
            throw new HostingException(
                    HostingException.Reason.TOO_LARGE,
                    "a release has at most " + MOST_FILES + " files, not " + files.size()
                            + ": leave out what visitors never ask for");
        }
        long total = 0;
        Map<String, String> seen = new HashMap<>();
        for (File file : files) {
            checkPath(file.path());
            if (!isHash(file.sha256())) {
                throw invalid(file.path() + ": sha256 is 64 lower-case hex digits, not \"" + file.sha256() + "\"");
            }
            if (file.size() < 0) {
                throw invalid(file.path() + ": a size is 0 or more, not " + file.size());
            }
            if (file.size() > MOST_FILE_BYTES) {
                throw new HostingException(
                        HostingException.Reason.TOO_LARGE,
                        file.path() + " has " + file.size() + " bytes; a file has at most " + MOST_FILE_BYTES
                                + " (100 MiB)");
            }
            total += file.size();
            String other = seen.put(file.path().toLowerCase(Locale.ROOT), file.path());
            if (other != null) {
                throw invalid(
                        other.equals(file.path())
                                ? file.path() + " is there twice"
                                : other + " and " + file.path()
                                        + " differ in case only: rename one, since many machines"
                                        + " can't keep both in one folder");
            }
        }
        if (total > MOST_BYTES) {
            throw new HostingException(
                    HostingException.Reason.TOO_LARGE,
                    "the files have " + total + " bytes in all; a release has at most " + MOST_BYTES + " (500 MiB)");
        }
    }

    /** Whether a text is a SHA-256 in lower-case hex. */
    static boolean isHash(String text) {
        return HASH.matcher(text).matches();
    }

    private static void checkPath(String path) {
        if (path.isEmpty() || path.length() > MOST_PATH) {
            throw invalid("a path has 1 to " + MOST_PATH + " characters, not " + path.length() + ": "
                    + (path.length() > 80 ? path.substring(0, 80) + "..." : path));
        }
        if (path.startsWith("/")) {
            throw invalid("\"" + path + "\" is an absolute path: paths start at the folder, without a slash");
        }
        for (int i = 0; i < path.length(); i++) {
            char c = path.charAt(i);
            if (Character.isSurrogate(c)) {
                if (!Character.isHighSurrogate(c)
                        || i + 1 == path.length()
                        || !Character.isLowSurrogate(path.charAt(i + 1))) {
                    throw invalid("\"" + path.replaceAll("[\\ud800-\\udfff]", "?")
                            + "\" is not proper Unicode: rename the file");
                }
                i++;
            } else if (c == '\\' || c < 0x20 || c == 0x7f) {
                throw invalid("\"" + path.replaceAll("\\p{Cntrl}", "?")
                        + "\" has a backslash or a control character in it: rename the file");
            }
        }
        for (String segment : path.split("/", -1)) {
            if (segment.equals("..") || segment.equals(".")) {
                throw invalid("\"" + path + "\" leaves its folder: a path has no . or .. in it");
            }
            if (segment.isEmpty()) {
                throw invalid("\"" + path + "\" has an empty part: two slashes in a row, or one at the end");
            }
        }
    }

    private static HostingException invalid(String message) {
        return new HostingException(HostingException.Reason.INVALID, message);
    }

    /** Bytes of all files. */
    public long bytes() {
        return files.stream().mapToLong(File::size).sum();
    }

    /** Path to file, in the order of paths. */
    public Map<String, File> byPath() {
        Map<String, File> byPath = new LinkedHashMap<>();
        List<File> sorted = new ArrayList<>(files);
        sorted.sort((a, b) -> a.path().compareTo(b.path()));
        sorted.forEach(file -> byPath.put(file.path(), file));
        return byPath;
    }
}
