package sh.fazt.node.grpc;

import com.fasterxml.jackson.databind.JsonNode;
import sh.fazt.protocol.admin.v1.Conflict;
import sh.fazt.protocol.admin.v1.GetConflictResponse;
import sh.fazt.protocol.admin.v1.ListConflictsResponse;
import sh.fazt.protocol.admin.v1.Named;
import sh.fazt.protocol.admin.v1.RestoreConflictResponse;
import sh.fazt.protocol.admin.v1.Version;

/** Conflicts as messages, made of their JSON. Pure. */
final class ConflictForms {
    private ConflictForms() {}

    static ListConflictsResponse page(JsonNode page) {
        ListConflictsResponse.Builder response =
                ListConflictsResponse.newBuilder().setTotal(page.get("total").asLong());
        page.get("conflicts").forEach(one -> response.addConflicts(conflict(one)));
        return response.build();
    }

    static GetConflictResponse shown(JsonNode shown) {
        GetConflictResponse.Builder response = GetConflictResponse.newBuilder()
                .setConflict(conflict(shown))
                .setSettled(shown.get("settled").asBoolean());
        if (shown.hasNonNull("present")) {
            response.setPresent(version(shown.get("present")));
        }
        return response.build();
    }

    static RestoreConflictResponse restored(JsonNode restored) {
        RestoreConflictResponse.Builder response = RestoreConflictResponse.newBuilder()
                .setWritten(restored.get("written").asBoolean());
        if (restored.hasNonNull("overwritten")) {
            response.setOverwritten(conflict(restored.get("overwritten")));
        }
        return response.build();
    }

    private static Conflict conflict(JsonNode one) {
        return Conflict.newBuilder()
                .setId(one.get("id").asText())
                .setScope(one.get("scope").asText())
                .setApp(one.get("app").asText())
                .setTable(one.get("table").asText())
                .setKeyJson(one.get("key").toString())
                .setLost(version(one))
                .setWinner(named(one.get("winner_by")))
                .build();
    }

    private static Version version(JsonNode one) {
        return Version.newBuilder()
                .setBy(named(one.get("by")))
                .setAt(one.get("at").asText())
                .setDeleted(one.get("deleted").asBoolean())
                .setValuesJson(one.get("values").toString())
                .build();
    }

    private static Named named(JsonNode node) {
        return Named.newBuilder()
                .setId(node.get("id").asText())
                .setName(node.get("name").asText())
                .build();
    }
}
