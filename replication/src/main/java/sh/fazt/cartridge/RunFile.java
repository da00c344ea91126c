package sh.fazt.cartridge;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a running node leaves beside its cartridge, in {@code <cartridge>.run}, so that a command on this
 * machine finds it. One flat JSON object, {@code {"pid":1,"http":"","swarm":"","token":"","started":""}};
 * texts hold no control character. Mode 0600, for it holds a token. Immutable.
 *
 * @param pid     the node's process
 * @param http    {@code host:port} of its HTTP surface
 * @param swarm   {@code host:port} of its links
 * @param token   the bearer token that local commands show, of this boot only
 * @param started when, ISO 8601
 */
public record RunFile(long pid, String http, String swarm, String token, String started) {
    private static final Pattern MEMBER = Pattern.compile("\"(\\w+)\"\\s*:\\s*(?:\"((?:[^\"\\\\]|\\\\.)*)\"|(-?\\d+))");

    /** Where the run file of a cartridge is. */
    public static Path beside(Path cartridge) {
        return cartridge.resolveSibling(cartridge.getFileName() + ".run");
    }

    /** Writes it in one step: a reader sees the old one or the whole new one. */
    public void write(Path cartridge) throws IOException {
        Path target = beside(cartridge);
        Path next = target.resolveSibling(target.getFileName() + ".new");
        Files.deleteIfExists(next);
        // Of the system, not of the store: a changed root has stores that Java can't find.
        if (FileSystems.getDefault().supportedFileAttributeViews().contains("posix")) {
            Files.createFile(next, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        }
        Files.writeString(next, json(), StandardCharsets.UTF_8);
        Files.move(next, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** The run file beside a cartridge; empty when there is none, when it is damaged, or when it is stale. */
    public static Optional<RunFile> live(Path cartridge) {
        return read(cartridge)
                .filter(file ->
                        ProcessHandle.of(file.pid()).map(ProcessHandle::isAlive).orElse(false));
    }

    /** The run file beside a cartridge, its process alive or not; empty when there is none or it is damaged. */
    public static Optional<RunFile> read(Path cartridge) {
        String text;
        try {
            text = Files.readString(beside(cartridge), StandardCharsets.UTF_8);
        } catch (IOException absent) {
            return Optional.empty();
        }
        Map<String, String> members = new LinkedHashMap<>();
        Matcher matcher = MEMBER.matcher(text);
        while (matcher.find()) {
            String quoted = matcher.group(2);
            members.put(matcher.group(1), quoted == null ? matcher.group(3) : quoted.replaceAll("\\\\(.)", "$1"));
        }
        try {
            return Optional.of(new RunFile(
                    Long.parseLong(members.getOrDefault("pid", "")),
                    members.getOrDefault("http", ""),
                    members.getOrDefault("swarm", ""),
                    members.getOrDefault("token", ""),
                    members.getOrDefault("started", "")));
        } catch (NumberFormatException damaged) {
            return Optional.empty();
        }
    }

    /** Takes it away, at a clean stop. */
    public static void remove(Path cartridge) throws IOException {
        Files.deleteIfExists(beside(cartridge));
    }

    private String json() {
        return "{\"pid\":" + pid + ",\"http\":" + quoted(http) + ",\"swarm\":" + quoted(swarm) + ",\"token\":"
                + quoted(token) + ",\"started\":" + quoted(started) + "}\n";
    }

    private static String quoted(String text) {
        return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    }
}
