package sh.fazt.node;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.cartridge.change.Scope;
import sh.fazt.node.http.Wire;

class ConflictApiIT {
    private static final String LIST = "/api/swarm/conflicts";

    @TempDir
    Path folder;

    private Surface surface;

    @BeforeEach
    void loseAWrite() throws Exception {
        surface = new Surface(folder, Map.of());
        surface.deploy("blog", "index.html", "hello");
        assertThat(surface.data("GET", LIST, "").toString()).isEqualTo("{\"total\":0,\"conflicts\":[]}");
        LostWrite.happen(surface, folder, new Scope(surface.apps.require("blog").id()));
    }

    @AfterEach
    void stop() {
        surface.close();
    }

    private JsonNode only() throws Exception {
        JsonNode page = surface.data("GET", LIST, "");
        assertThat(page.get("total").asInt()).isEqualTo(1);
        return page.get("conflicts").get(0);
    }

    @Test
    void showsBothSidesAndPutsTheLoserBack() throws Exception {
        JsonNode lost = only();
        String one = LIST + "/" + lost.get("id").asText();
        assertThat(lost.get("app").asText()).isEqualTo("blog");
        assertThat(lost.get("key").toString()).isEqualTo("[\"title\"]");
        assertThat(surface.data("GET", "/api/swarm/status", "").get("conflicts").asInt())
                .isEqualTo(1);
        JsonNode shown = surface.data("GET", one, "");
        assertThat(shown.at("/values/value").asText()).isEqualTo("\"mine\"");
        assertThat(shown.at("/present/values/value").asText()).isEqualTo("\"yours\"");
        assertThat(shown.at("/present/by/id").asText())
                .isEqualTo(lost.at("/winner_by/id").asText())
                .isNotEqualTo(lost.at("/by/id").asText());

        JsonNode restored = surface.data("POST", one + "/restore", "{}");
        assertThat(restored.get("written").asBoolean()).isTrue();
        assertThat(only().get("id")).isEqualTo(restored.at("/overwritten/id"));
        assertThat(only().at("/values/value").asText()).isEqualTo("\"yours\"");
        assertThat(surface.data("GET", one, "").at("/present/values/value").asText())
                .isEqualTo("\"mine\"");
        assertThat(surface.data("POST", one + "/restore", "{}").get("written").asBoolean())
                .isFalse();
    }

    @Test
    void dismissesOnceAndListsByAppAndPage() throws Exception {
        assertThat(surface.data("GET", LIST + "?app=blog&limit=1", "")
                        .get("conflicts")
                        .size())
                .isEqualTo(1);
        assertThat(surface.data("GET", LIST + "?offset=1", "").toString()).isEqualTo("{\"total\":1,\"conflicts\":[]}");
        assertThat(surface.data("GET", LIST + "?app=system", "").get("total").asInt())
                .isZero();
        assertThat(surface.local("GET", LIST + "?app=nothing", "").status()).isEqualTo(404);
        assertThat(surface.local("GET", LIST + "?limit=x", "").status()).isEqualTo(400);
        assertThat(surface.local("GET", LIST + "?limit=0", "").status()).isEqualTo(400);
        assertThat(surface.local("GET", LIST + "?since=1", "").status()).isEqualTo(400);

        String id = only().get("id").asText();
        String typo = id.substring(0, 11) + (id.endsWith("0") ? "1" : "0");
        for (String path : new String[] {"", "/restore", "/dismiss"}) {
            Wire.Answer answer = surface.local(
                    path.isEmpty() ? "GET" : "POST", LIST + "/" + typo + path, path.isEmpty() ? "" : "{}");
            assertThat(answer.status()).isEqualTo(404);
            assertThat(answer.text()).contains("the nearest is " + id);
        }
        assertThat(surface.data("POST", LIST + "/" + id + "/dismiss", "{}")
                        .get("dismissed")
                        .asBoolean())
                .isTrue();
        assertThat(surface.data("POST", LIST + "/" + id + "/dismiss", "{}")
                        .get("dismissed")
                        .asBoolean())
                .isFalse();
        assertThat(surface.data("GET", LIST, "").get("total").asInt()).isZero();
        assertThat(surface.data("GET", LIST + "/" + id, "").get("settled").asBoolean())
                .isTrue();
    }
}
