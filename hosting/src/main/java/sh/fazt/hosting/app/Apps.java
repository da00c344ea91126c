package sh.fazt.hosting.app;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;
import java.util.regex.Pattern;
import sh.fazt.cartridge.Cartridge;
import sh.fazt.cartridge.ReplicatedTable;
import sh.fazt.cartridge.ReplicatedTable.Column;
import sh.fazt.cartridge.ReplicatedTable.Policy;
import sh.fazt.cartridge.ReplicatedTable.Type;
import sh.fazt.cartridge.Rows;
import sh.fazt.cartridge.SchemaPart;
import sh.fazt.cartridge.WriteTx;
import sh.fazt.hosting.HostingException;

/**
 * Every app on this node. An app is a scope of its own, named by its id; its name is a row in it, so two sides
 * of a split may give two apps one name: then the smaller id answers to it, on every node. Thread-safe.
 */
public final class Apps {
    /** What this room keeps. */
    public static final SchemaPart SCHEMA = new SchemaPart(
            "app",
            List.of(),
            List.of(
                    new ReplicatedTable(
                            "app",
                            Policy.REGISTER,
                            List.of(new Column("id", Type.TEXT)),
                            List.of(new Column("name", Type.TEXT), new Column("created_at", Type.INTEGER))),
                    new ReplicatedTable(
                            "app_active",
                            Policy.REGISTER,
                            List.of(new Column("id", Type.TEXT)),
                            List.of(new Column("release", Type.TEXT), new Column("at", Type.INTEGER)))));

    private static final String PREFIX = "fazt_app_";
    private static final Pattern LABEL = Pattern.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");
    private static final Pattern ID = Pattern.compile(PREFIX + "[a-z0-9]{12}");
    /** Labels that the node answers itself, and those that mail, name and web servers of a domain are known by. */
    private static final Set<String> RESERVED =
            Set.of("admin", "localhost", "api", "www", "mail", "ftp", "smtp", "pop", "imap", "ns1", "ns2");

    private static final String LIST = """
            SELECT a.id, a.name, p.release, coalesce(r.files, 0), coalesce(r.bytes, 0),
                   coalesce(p.at, a.created_at, 0)
            FROM app_live a
            LEFT JOIN app_active_live p ON p.scope = a.scope AND p.id = a.id
            LEFT JOIN release_live r ON r.scope = a.scope AND r.id = p.release
            WHERE a.id = a.scope AND a.name IS NOT NULL
            """;

    private final Cartridge cartridge;
    private final RandomGenerator random;

    public Apps(Cartridge cartridge, RandomGenerator random) {
        this.cartridge = cartridge;
        this.random = random;
    }

    /** Fails with {@code INVALID} unless the text can be the first label of a host name. */
    public static String checkName(String name) {
        if (!LABEL.matcher(name).matches()) {
            throw new HostingException(
                    HostingException.Reason.INVALID,
                    "an app's name is 1 to 63 of a-z, 0-9 and -, and starts and ends with a letter or digit, for it is"
                            + " part of a host name; not \"" + name + "\"");
        }
        if (RESERVED.contains(name)) {
            throw new HostingException(
                    HostingException.Reason.INVALID,
                    "\"" + name + "\" is reserved, for it has a meaning of its own in a domain: give the app another"
                            + " name");
        }
        return name;
    }

    /** Every app, by name and then by id. */
    public List<App> list() {
        return cartridge.read(rows -> rows.query(LIST + " ORDER BY a.name, a.id", Apps::app));
    }

    /** The app with this id or this name. */
    public Optional<App> find(String idOrName) {
        return cartridge.read(rows -> rows.first(
                LIST + " AND (a.id = ? OR a.name = ?) ORDER BY a.id = ? DESC, a.id LIMIT 1",
                Apps::app,
                idOrName,
                idOrName,
                idOrName));
    }

    /** The same, or {@code NOT_FOUND}. */
    public App require(String idOrName) {
        return find(idOrName)
                .orElseThrow(() -> new HostingException(
                        HostingException.Reason.NOT_FOUND,
                        "there is no app \"" + idOrName + "\" here: see \"fazt app list\""));
    }

    /** What blobs are, as {@code shop/film.mp4}, at most three names each; reads the lists of all releases. */
    public Map<String, List<String>> filesOf(List<String> hashes) {
        Map<String, List<String>> files = new HashMap<>();
        if (!hashes.isEmpty()) {
            Set<String> asked = Set.copyOf(hashes);
            cartridge
                    .read(rows -> rows.query(
                            "SELECT DISTINCT f.hash, coalesce(a.name, f.scope) || '/' || f.path FROM release_file_live f"
                                    + " LEFT JOIN app_live a ON a.scope = f.scope AND a.id = f.scope WHERE f.hash IN ("
                                    + String.join(", ", Collections.nCopies(asked.size(), "?")) + ") ORDER BY 2",
                            row -> Map.entry(row.text(0), row.text(1)),
                            asked.toArray()))
                    .forEach(file -> {
                        List<String> names = files.computeIfAbsent(file.getKey(), none -> new ArrayList<>());
                        if (names.size() < 3) {
                            names.add(file.getValue());
                        }
                    });
        }
        return files;
    }

    private static App app(Rows.ResultRow row) {
        return new App(
                row.text(0),
                row.text(1),
                row.textOrNull(2),
                row.integer(3),
                row.integer(4),
                Instant.ofEpochMilli(row.integer(5)));
    }

    /** An id that nobody has: 62 bits of chance. */
    public String newId() {
        String digits = "0123456789abcdefghijklmnopqrstuvwxyz";
        StringBuilder id = new StringBuilder(PREFIX);
        for (int i = 0; i < 12; i++) {
            id.append(digits.charAt(random.nextInt(36)));
        }
        return id.toString();
    }

    /** Whether a text is an app's id; no name looks like one, for no host label has an underscore. */
    public static boolean isId(String text) {
        return ID.matcher(text).matches();
    }

    /** The app that answers to a name, as a transaction sees it. */
    public static Optional<String> named(Rows rows, String name) {
        return rows.first(
                "SELECT id FROM app_live WHERE id = scope AND name = ? ORDER BY id LIMIT 1", row -> row.text(0), name);
    }

    /** Writes a new app's row in its own scope. */
    public static void create(WriteTx tx, String name, Instant now) {
        tx.put("app", List.of(tx.scope().id()), Map.of("name", checkName(name), "created_at", now.toEpochMilli()));
    }

    /** Points an app at a release. */
    public static void activate(WriteTx tx, String release, Instant now) {
        tx.put("app_active", List.of(tx.scope().id()), Map.of("release", release, "at", now.toEpochMilli()));
    }
}
