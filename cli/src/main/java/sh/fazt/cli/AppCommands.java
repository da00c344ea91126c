package sh.fazt.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/** {@code fazt app} and {@code fazt alias}. */
final class AppCommands {
    private static final int SIDE_BY_SIDE = 8;
    private static final long SMALL = 256 << 10;

    private AppCommands() {}

    static int deploy(Arguments arguments, Terminal terminal) throws IOException {
        NodeClient node = NodeClient.of(arguments.cartridge());
        Folder folder = Folder.read(Path.of(arguments.operand(0)));
        Map<String, @Nullable Object> result = deploy(node, folder, arguments.flag("name", folder.appName()));
        if (!folder.skipped().isEmpty()) {
            terminal.say("left behind: " + String.join(", ", folder.skipped()));
        }
        if (arguments.json(terminal)) {
            terminal.result(Json.pretty(result));
        } else {
            terminal.result("deployed " + Json.text(result, "files") + " files ("
                    + Table.bytes(Json.text(result, "bytes")) + ", " + Json.text(result, "uploaded_files")
                    + " uploaded) as release " + Json.text(result, "release") + "\n" + Json.text(result, "url"));
        }
        return 0;
    }

    /** Offers the manifest, uploads what the node lacks, and offers it again: then it is a release. */
    static Map<String, @Nullable Object> deploy(NodeClient node, Folder folder, String name) {
        List<Object> manifest = new ArrayList<>();
        for (Folder.Entry entry : folder.entries()) {
            manifest.add(Map.of("path", entry.path(), "sha256", entry.sha256(), "size", entry.size()));
        }
        Map<String, Object> offer = Map.of("name", name, "manifest", manifest);
        Object answer = node.send("POST", "/api/deploy", offer);
        int uploaded = 0;
        Set<Object> missing = new HashSet<>(Json.elements(answer, "missing"));
        if (!missing.isEmpty()) {
            List<Folder.Entry> lacking = folder.entries().stream()
                    .filter(entry -> missing.remove(entry.sha256()))
                    .toList();
            upload(node, lacking);
            uploaded = lacking.size();
            answer = node.send("POST", "/api/deploy", offer);
        }
        if (!Json.elements(answer, "missing").isEmpty()) {
            throw Failure.failed(
                    "the node still lacks " + Json.elements(answer, "missing").size()
                            + " files after the upload: a file changed while it was sent; deploy again");
        }
        Map<String, @Nullable Object> result = new LinkedHashMap<>();
        for (String member : List.of("app", "release", "files", "bytes")) {
            result.put(member, Json.member(answer, member));
        }
        result.put("uploaded_files", (long) uploaded);
        result.put("url", Json.member(answer, "url"));
        return result;
    }

    /** Small files go side by side, as the node commits together what comes together; large ones one after the other. */
    private static void upload(NodeClient node, List<Folder.Entry> entries) {
        ExecutorService sideBySide = Executors.newFixedThreadPool(SIDE_BY_SIDE);
        try {
            List<Future<?>> small = new ArrayList<>();
            for (Folder.Entry entry : entries) {
                if (entry.size() <= SMALL) {
                    small.add(sideBySide.submit(() -> upload(node, entry)));
                }
            }
            for (Folder.Entry entry : entries) {
                if (entry.size() > SMALL) {
                    upload(node, entry);
                }
            }
            for (Future<?> one : small) {
                one.get();
            }
        } catch (ExecutionException e) {
            throw e.getCause() instanceof Failure failure ? failure : new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Failure.failed("the upload was interrupted; deploy again: what is there is not sent twice");
        } finally {
            sideBySide.shutdownNow();
        }
    }

    private static void upload(NodeClient node, Folder.Entry entry) {
        node.upload("/api/blobs/" + entry.sha256(), entry.source(), entry.size());
    }

    static int list(Arguments arguments, Terminal terminal) {
        Object data = NodeClient.of(arguments.cartridge()).get("/api/apps");
        if (arguments.json(terminal)) {
            terminal.result(Json.pretty(data));
            return 0;
        }
        Table table = new Table("NAME", "RELEASE", "FILES", "SIZE", "UPDATED", "ID");
        for (Object app : Json.elements(data, "apps")) {
            table.row(
                    Json.text(app, "name"),
                    Json.text(app, "release"),
                    Json.text(app, "files"),
                    Table.bytes(Json.text(app, "bytes")),
                    Json.text(app, "updated_at"),
                    Json.text(app, "id"));
        }
        terminal.result(
                Json.elements(data, "apps").isEmpty()
                        ? "no apps yet: deploy a folder with \"fazt app deploy DIR\""
                        : table.toString());
        return 0;
    }

    static int releases(Arguments arguments, Terminal terminal) {
        Object data = NodeClient.of(arguments.cartridge())
                .get("/api/apps/" + Segment.encode(arguments.operand(0)) + "/releases");
        if (arguments.json(terminal)) {
            terminal.result(Json.pretty(data));
            return 0;
        }
        Table table = new Table("RELEASE", "ACTIVE", "CREATED", "FILES", "SIZE", "NODE");
        for (Object release : Json.elements(data, "releases")) {
            table.row(
                    Json.text(release, "id"),
                    Json.text(release, "active").equals("true") ? "yes" : "",
                    Json.text(release, "created_at"),
                    Json.text(release, "files"),
                    Table.bytes(Json.text(release, "bytes")),
                    Json.text(release, "node"));
        }
        terminal.result(table.toString());
        return 0;
    }

    static int aliases(Arguments arguments, Terminal terminal) {
        Object data = NodeClient.of(arguments.cartridge()).get("/api/aliases");
        if (arguments.json(terminal)) {
            terminal.result(Json.pretty(data));
            return 0;
        }
        Table table = new Table("ALIAS", "APP");
        for (Object alias : Json.elements(data, "aliases")) {
            table.row(Json.text(alias, "name"), Json.text(alias, "app"));
        }
        terminal.result(Json.elements(data, "aliases").isEmpty() ? "no aliases yet" : table.toString());
        return 0;
    }

    static int setAlias(Arguments arguments, Terminal terminal) {
        Object data = NodeClient.of(arguments.cartridge())
                .send(
                        "PUT",
                        "/api/aliases/" + Segment.encode(arguments.operand(0)),
                        Map.of("app", arguments.operand(1)));
        terminal.result(
                arguments.json(terminal)
                        ? Json.pretty(data)
                        : arguments.operand(0) + " now leads to " + arguments.operand(1));
        return 0;
    }

    static int removeAlias(Arguments arguments, Terminal terminal) {
        Object data = NodeClient.of(arguments.cartridge())
                .send("DELETE", "/api/aliases/" + Segment.encode(arguments.operand(0)), null);
        terminal.result(arguments.json(terminal) ? Json.pretty(data) : arguments.operand(0) + " leads nowhere now");
        return 0;
    }
}
