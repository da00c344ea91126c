package sh.fazt.node.api;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import sh.fazt.cartridge.Conflict;
import sh.fazt.cartridge.Conflicts;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.hosting.app.App;
import sh.fazt.hosting.app.Apps;
import sh.fazt.node.error.Kind;
import sh.fazt.node.error.Problem;

/** Conflicts with the names of apps and nodes, for REST and gRPC alike. Thread-safe; what reads blocks. */
public final class ConflictDesk {
    static final int MOST = 1000;

    private final Conflicts conflicts;
    private final Apps apps;
    private final Supplier<SwarmControl> swarm;

    /** @param swarm asked at each call for the names of nodes */
    public ConflictDesk(Conflicts conflicts, Apps apps, Supplier<SwarmControl> swarm) {
        this.conflicts = conflicts;
        this.apps = apps;
        this.swarm = swarm;
    }

    /** How many are open. */
    public long count() {
        return conflicts.count();
    }

    /**
     * Some open conflicts as {@code {total, conflicts: [...]}}, newest first.
     *
     * @param app an app's name or id, {@code system}, or empty for all
     */
    public ObjectNode page(String app, int offset, int limit) {
        if (offset < 0 || limit < 1 || limit > MOST) {
            throw new Problem.Thrown(
                    Kind.INVALID,
                    "VALIDATION_FAILED",
                    "limit is a whole number from 1 to " + MOST + " and offset 0 or more, not " + limit + " and "
                            + offset);
        }
        Optional<Scope> scope = app.isEmpty()
                ? Optional.empty()
                : Optional.of(
                        app.equals(Scope.SYSTEM.id())
                                ? Scope.SYSTEM
                                : new Scope(apps.require(app).id()));
        Conflicts.Page page = conflicts.page(scope, offset, limit);
        Map<String, String> nodes = nodes();
        Map<String, String> names =
                apps.list().stream().collect(Collectors.toMap(App::id, App::name, (first, second) -> first));
        ArrayNode list = Json.array();
        page.conflicts().forEach(conflict -> list.add(form(conflict, names, nodes)));
        return Json.object().put("total", page.total()).set("conflicts", list);
    }

    /** One conflict, settled or not, with its row's present value: null where there is none. */
    public ObjectNode show(String id) {
        Conflicts.Shown shown = require(id);
        Map<String, String> nodes = nodes();
        ObjectNode data = form(shown.conflict(), nodes).put("settled", shown.settled());
        data.set(
                "present",
                shown.present()
                        .map(version -> version(version.by(), version.at(), version.deleted(), version.values(), nodes))
                        .orElse(null));
        return data;
    }

    /**
     * Writes the loser back; answers the conflict with {@code written} and the conflict that keeps what was
     * overwritten, as {@code overwritten}, or null.
     */
    public CompletionStage<ObjectNode> restore(String id) {
        Conflict conflict = require(id).conflict();
        if (!conflicts.restorable(conflict)) {
            throw new Problem.Thrown(
                    Kind.CONFLICT,
                    "NOT_RESTORABLE",
                    "can't restore conflict " + id + ": this node has no table " + conflict.table()
                            + " of that shape; restore it on a node with the version of fazt that wrote it, or"
                            + " upgrade this one");
        }
        return conflicts.restore(conflict).thenApply(restored -> {
            Map<String, String> nodes = nodes();
            ObjectNode data = form(conflict, nodes).put("written", restored.written());
            data.set(
                    "overwritten",
                    restored.overwritten().map(kept -> form(kept, nodes)).orElse(null));
            return data;
        });
    }

    /** Takes one off the list, on every node; {@code dismissed} is false where that was done before. */
    public CompletionStage<ObjectNode> dismiss(String id) {
        Conflict conflict = require(id).conflict();
        return conflicts
                .dismiss(conflict)
                .thenApply(now -> form(conflict, nodes()).put("dismissed", now));
    }

    private Conflicts.Shown require(String id) {
        return conflicts.find(id).orElseThrow(() -> {
            String nearest = nearest(id);
            return new Problem.Thrown(
                    Kind.NOT_FOUND,
                    "CONFLICT_NOT_FOUND",
                    "there is no conflict \"" + id + "\""
                            + (nearest == null ? "" : ", the nearest is " + nearest)
                            + ": see \"fazt swarm conflicts\"");
        });
    }

    /** The id with the most places alike, if that is half of them. */
    private @Nullable String nearest(String id) {
        String best = null;
        int most = 5;
        for (String candidate : conflicts.ids()) {
            int alike = 0;
            for (int i = 0; i < Math.min(id.length(), candidate.length()); i++) {
                alike += id.charAt(i) == candidate.charAt(i) ? 1 : 0;
            }
            if (alike > most) {
                most = alike;
                best = candidate;
            }
        }
        return best;
    }

    private Map<String, String> nodes() {
        return swarm.get().status().members().stream()
                .collect(Collectors.toMap(
                        member -> member.node().id(), member -> member.node().name(), (first, second) -> first));
    }

    private ObjectNode form(Conflict conflict, Map<String, String> nodes) {
        String scope = conflict.scope().id();
        return form(conflict, Map.of(scope, apps.find(scope).map(App::name).orElse("")), nodes);
    }

    private static ObjectNode form(Conflict conflict, Map<String, String> apps, Map<String, String> nodes) {
        String scope = conflict.scope().id();
        ArrayNode key = Json.array();
        conflict.key().forEach(part -> key.add(value(part)));
        ObjectNode one = Json.object()
                .put("id", conflict.id())
                .put("scope", scope)
                .put("app", scope.equals(Scope.SYSTEM.id()) ? scope : apps.getOrDefault(scope, ""))
                .put("table", conflict.table());
        one.set("key", key);
        one.put("winner", conflict.winner()).put("loser", conflict.loser());
        one.set("winner_by", by(conflict.winner(), nodes));
        return one.setAll(version(conflict.loser(), conflict.at(), conflict.deleted(), conflict.values(), nodes));
    }

    private static ObjectNode version(
            String stamp,
            Instant at,
            boolean deleted,
            Map<String, @Nullable Object> columns,
            Map<String, String> nodes) {
        ObjectNode values = Json.object();
        columns.forEach((column, content) -> values.set(column, value(content)));
        ObjectNode one = Json.object();
        one.set("by", by(stamp, nodes));
        one.put("at", at.toString()).put("deleted", deleted);
        one.set("values", values);
        return one;
    }

    /** The node of a stamp; the name is empty when it is no member any more. */
    private static ObjectNode by(String stamp, Map<String, String> nodes) {
        String id = stamp.substring(0, Math.max(0, stamp.indexOf('/')));
        return Json.object().put("id", id).put("name", nodes.getOrDefault(id, ""));
    }

    private static JsonNode value(@Nullable Object value) {
        if (value instanceof byte[] bytes) {
            return Json.object().put("base64", Base64.getEncoder().encodeToString(bytes));
        }
        return Json.tree(value);
    }
}
