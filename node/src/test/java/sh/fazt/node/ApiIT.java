package sh.fazt.node;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sh.fazt.hosting.account.Accounts;
import sh.fazt.hosting.release.FunctionCheck;
import sh.fazt.node.error.Refusal;
import sh.fazt.node.http.Wire;

class ApiIT {
    private static final String JSON = "Content-Type: application/json\r\n";

    @TempDir
    Path folder;

    private Surface surface;
    private Wire wire;

    @BeforeEach
    void start() throws IOException {
        surface = new Surface(folder, Map.of("port", "0"));
        wire = surface.wire();
    }

    @AfterEach
    void stop() throws IOException {
        wire.close();
        surface.close();
    }

    private Wire.Answer post(String path, String headers, String json) throws IOException {
        return wire.call("POST", Surface.ADMIN, path, JSON + headers, json.getBytes(StandardCharsets.UTF_8));
    }

    private String login() throws IOException {
        surface.accounts.setPassword(Accounts.OWNER, Surface.PASSWORD);
        Wire.Answer answer =
                post("/api/login", "", "{\"username\":\"owner\",\"password\":\"" + Surface.PASSWORD + "\"}");
        assertThat(answer.status()).isEqualTo(200);
        String cookie = answer.header("set-cookie");
        assertThat(cookie)
                .startsWith("fazt_session=")
                .contains("HttpOnly")
                .contains("SameSite=Lax")
                .doesNotContain("Domain");
        return "Cookie: " + cookie.substring(0, cookie.indexOf(';')) + "\r\n";
    }

    private static String code(Wire.Answer answer) throws IOException {
        return Surface.json(answer).at("/error/code").asText();
    }

    @Test
    void letsOnlyTheOwnerIn() throws IOException {
        for (String path : List.of(
                "/api/apps", "/api/config", "/api/swarm/status", "/api/system/health", "/api/events", "/metrics")) {
            Wire.Answer answer = wire.get(Surface.ADMIN, path);
            assertThat(answer.status()).as(path).isEqualTo(401);
            assertThat(code(answer)).isEqualTo("UNAUTHORIZED");
        }
        assertThat(wire.get(Surface.ADMIN, "/api/apps", "Authorization: Bearer wrong")
                        .status())
                .isEqualTo(401);
        assertThat(wire.get("127.0.0.1", "/api/apps", "Authorization: Bearer wrong")
                        .status())
                .isEqualTo(404);
        assertThat(wire.get(Surface.ADMIN, "/health").text()).isEqualTo("OK\n");
        assertThat(Surface.json(wire.get(Surface.ADMIN, "/api/auth/status"))
                        .at("/data/authenticated")
                        .asBoolean())
                .isFalse();

        String cookie = login();
        assertThat(wire.call("GET", Surface.ADMIN, "/api/apps", cookie, new byte[0])
                        .status())
                .isEqualTo(200);
        assertThat(post("/api/logout", cookie, "{}").header("set-cookie")).contains("Max-Age=0");
        assertThat(wire.call("GET", Surface.ADMIN, "/api/apps", cookie, new byte[0])
                        .status())
                .isEqualTo(401);
    }

    @Test
    void doesNotLetAnotherSiteUseTheOwnersSession() throws IOException {
        String cookie = login();
        for (String foreign : List.of(
                "Origin: http://evil.example\r\n",
                "Origin: null\r\n",
                "Origin: http://blog.example.org\r\n",
                "Sec-Fetch-Site: cross-site\r\n",
                "Sec-Fetch-Site: same-site\r\n")) {
            Wire.Answer answer = post("/api/swarm/leave", cookie + foreign, "{}");
            assertThat(answer.status()).as(foreign).isEqualTo(403);
        }
        assertThat(surface.swarm.calls).isEmpty();
        assertThat(post("/api/swarm/leave", cookie + "Origin: http://" + Surface.ADMIN + "\r\n", "{}")
                        .status())
                .isEqualTo(200);
    }

    @Test
    void changesThePasswordAndEndsTheSessions() throws IOException {
        String path = "/api/account/password";
        assertThat(wire.call("PUT", Surface.ADMIN, path, JSON, "{}".getBytes(StandardCharsets.UTF_8))
                        .status())
                .isEqualTo(401);
        String cookie = login();
        assertThat(code(put(path, cookie, "{\"password\":\"a better one\"}"))).isEqualTo("MISSING_FIELD");
        assertThat(code(put(path, cookie, "{\"current\":\"x\",\"password\":\"a better one\"}")))
                .isEqualTo("INVALID_CREDENTIALS");
        String right = "{\"current\":\"" + Surface.PASSWORD + "\",\"password\":";
        assertThat(code(put(path, cookie, right + "\"short\"}"))).isEqualTo("VALIDATION_FAILED");
        assertThat(put(path, cookie, right + "\"a better one\"}").status()).isEqualTo(200);
        assertThat(wire.call("GET", Surface.ADMIN, "/api/apps", cookie, new byte[0])
                        .status())
                .isEqualTo(401);
        surface.data("PUT", path, "{\"password\":\"" + Surface.PASSWORD + "\"}");
        assertThat(post("/api/login", "", "{\"username\":\"owner\",\"password\":\"" + Surface.PASSWORD + "\"}")
                        .status())
                .isEqualTo(200);
    }

    private Wire.Answer put(String path, String headers, String json) throws IOException {
        return wire.call("PUT", Surface.ADMIN, path, JSON + headers, json.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void slowsDownWhoeverGuesses() throws IOException {
        for (int i = 0; i < 5; i++) {
            assertThat(code(post("/api/login", "", "{\"username\":\"owner\",\"password\":\"x\"}")))
                    .isEqualTo("INVALID_CREDENTIALS");
        }
        Wire.Answer answer = post("/api/login", "", "{\"username\":\"owner\",\"password\":\"x\"}");
        assertThat(answer.status()).isEqualTo(429);
        assertThat(code(answer)).isEqualTo("RATE_LIMIT_EXCEEDED");
    }

    @Test
    void namesWhatIsWrongWithARequest() throws IOException {
        assertThat(code(surface.local("GET", "/api/nothing", ""))).isEqualTo("NOT_FOUND");
        Wire.Answer method = surface.local("DELETE", "/api/apps", "");
        assertThat(method.status()).isEqualTo(405);
        assertThat(method.text()).contains("GET");
        assertThat(code(surface.local("POST", "/api/login", "{"))).isEqualTo("INVALID_JSON");
        assertThat(code(surface.local("POST", "/api/login", "[]"))).isEqualTo("INVALID_JSON");
        assertThat(code(surface.local("POST", "/api/login", "{}"))).isEqualTo("MISSING_FIELD");
        assertThat(surface.local("GET", "/api/apps/%zz", "").status()).isEqualTo(400);
        assertThat(code(surface.local("GET", "/api/apps/none", ""))).isEqualTo("NOT_FOUND");
        assertThat(wire.call(
                                "POST",
                                Surface.ADMIN,
                                "/api/login",
                                "Content-Type: text/plain\r\n",
                                "{}".getBytes(StandardCharsets.UTF_8))
                        .status())
                .isEqualTo(415);
    }

    @Test
    void deploysByManifestAndUploadsOnlyWhatIsMissing() throws IOException {
        String hash = sh.fazt.blob.Blobs.sha256("hello".getBytes(StandardCharsets.UTF_8), 0, 5);
        String offer =
                "{\"name\":\"blog\",\"manifest\":[{\"path\":\"index.html\",\"sha256\":\"" + hash + "\",\"size\":5}]}";

        assertThat(surface.data("POST", "/api/deploy", offer)
                        .get("missing")
                        .get(0)
                        .asText())
                .isEqualTo(hash);
        assertThat(code(surface.local("PUT", "/api/blobs/" + hash, "other"))).isEqualTo("CONTENT_MISMATCH");
        assertThat(surface.local("PUT", "/api/blobs/" + hash, "hello").status()).isEqualTo(201);
        JsonNode deployed = surface.data("POST", "/api/deploy", offer);
        assertThat(deployed.get("files").asInt()).isEqualTo(1);
        assertThat(deployed.get("bytes").asInt()).isEqualTo(5);
        assertThat(deployed.get("url").asText()).isEqualTo("http://blog.example.org/");

        JsonNode app = surface.data("GET", "/api/apps", "").get("apps").get(0);
        assertThat(app.get("name").asText()).isEqualTo("blog");
        assertThat(app.get("release")).isEqualTo(deployed.get("release"));
        assertThat(surface.data("GET", "/api/apps/blog", "")).isEqualTo(app);
        assertThat(surface.data("GET", "/api/apps/" + app.get("id").asText(), ""))
                .isEqualTo(app);
        JsonNode release = surface.data("GET", "/api/apps/blog/releases", "")
                .get("releases")
                .get(0);
        assertThat(release.get("node").asText()).isEqualTo("home");
        assertThat(release.get("active").asBoolean()).isTrue();
    }

    @Test
    void takesABlobWhoseLengthIsNotToldBefore() throws IOException {
        String hash = sh.fazt.blob.Blobs.sha256("hello".getBytes(StandardCharsets.UTF_8), 0, 5);
        wire.send("PUT /api/blobs/" + hash + " HTTP/1.1\r\nHost: " + Surface.ADMIN + "\r\nAuthorization: Bearer "
                + Surface.TOKEN + "\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n");

        assertThat(Surface.json(wire.read("PUT")).at("/data/size").asInt()).isEqualTo(5);
    }

    @Test
    void doesNotReadAnUploadOfAStranger() throws IOException {
        wire.send("PUT /api/blobs/" + "0".repeat(64) + " HTTP/1.1\r\nHost: " + Surface.ADMIN
                + "\r\nContent-Length: 50000000\r\nExpect: 100-continue\r\n\r\n");

        assertThat(wire.read("PUT").status()).isEqualTo(401);
        assertThat(wire.ended()).isTrue();
    }

    private static byte[] zip(String... files) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream out = new ZipOutputStream(bytes)) {
            for (int i = 0; i < files.length; i += 2) {
                out.putNextEntry(new ZipEntry(files[i]));
                out.write(files[i + 1].getBytes(StandardCharsets.UTF_8));
                out.closeEntry();
            }
        }
        return bytes.toByteArray();
    }

    private Wire.Answer form(byte[] zip, String... fields) throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        String file = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.zip\"\r\n\r\n";
        body.write(file.getBytes(StandardCharsets.UTF_8));
        body.write(zip);
        for (int i = 0; i < fields.length; i += 2) {
            String field =
                    "\r\n--b\r\nContent-Disposition: form-data; name=\"" + fields[i] + "\"\r\n\r\n" + fields[i + 1];
            body.write(field.getBytes(StandardCharsets.UTF_8));
        }
        body.write("\r\n--b--\r\n".getBytes(StandardCharsets.UTF_8));
        return wire.call(
                "POST",
                Surface.ADMIN,
                "/api/deploy",
                "Authorization: Bearer " + Surface.TOKEN + "\r\nContent-Type: multipart/form-data; boundary=b\r\n",
                body.toByteArray());
    }

    @Test
    void deploysAFormWithAZipAsTheOriginalDid() throws IOException {
        Wire.Answer answer = form(
                zip("index.html", "<h1>zip</h1>", "sub/a.txt", "\r\n--not a boundary\r\n-"),
                "site_name",
                "zipped.example.org",
                "spa",
                "true");

        JsonNode data = Surface.json(answer).get("data");
        assertThat(answer.text()).contains("\"site\":\"zipped\"");
        assertThat(data.get("file_count").asInt()).isEqualTo(3);
        assertThat(wire.get("zipped.example.org", "/sub/a.txt").text()).isEqualTo("\r\n--not a boundary\r\n-");
        assertThat(wire.get("zipped.example.org", "/some/page").text()).isEqualTo("<h1>zip</h1>");
        assertThat(surface.data("GET", "/api/apps", "").get("apps")).hasSize(1);
    }

    @Test
    void deploysAZipAlone() throws IOException {
        byte[] zip = zip("index.html", "alone");
        Wire.Answer answer = wire.call(
                "POST",
                Surface.ADMIN,
                "/api/deploy?name=alone",
                "Authorization: Bearer " + Surface.TOKEN + "\r\nContent-Type: application/zip\r\n",
                zip);

        assertThat(answer.status()).as(answer.text()).isEqualTo(200);
        assertThat(wire.get("alone.example.org", "/").text()).isEqualTo("alone");
    }

    @Test
    void refusesABundleThatBreaksARuleAndDeploysNothing() throws IOException {
        assertThat(form(zip("../evil.html", "x"), "site_name", "blog").text()).contains("leaves its folder");
        assertThat(form(zip("a.html", "x", "A.html", "y"), "site_name", "blog").status())
                .isEqualTo(400);
        assertThat(form("no zip".getBytes(StandardCharsets.UTF_8), "site_name", "blog")
                        .text())
                .contains("not a zip");
        assertThat(form(zip("a.html", "x")).text()).contains("site_name");
        assertThat(form(zip("a.html", "x"), "site_name", "-x").status()).isEqualTo(400);
        assertThat(form(zip(), "site_name", "blog").status()).isEqualTo(400);
        surface.problems = List.of(new FunctionCheck.Problem("api/main.js", 3, 7, "unexpected }"));
        Wire.Answer syntax = form(zip("api/main.js", "}"), "site_name", "blog");
        assertThat(syntax.status()).isEqualTo(422);
        assertThat(Surface.json(syntax).at("/error/details/problems/0/line").asInt())
                .isEqualTo(3);
        assertThat(surface.data("GET", "/api/apps", "").get("apps")).isEmpty();
    }

    @Test
    void showsTheSwarm() throws IOException {
        JsonNode status = surface.data("GET", "/api/swarm/status", "");
        assertThat(status.toString())
                .isEqualTo("{\"swarm\":{\"id\":\"swarm-1\",\"name\":\"family\"},"
                        + "\"self\":{\"id\":\"node-a\",\"name\":\"home\"},"
                        + "\"leader\":{\"id\":\"node-a\",\"name\":\"home\"},\"quorum\":true,\"members\":["
                        + "{\"id\":\"node-a\",\"name\":\"home\",\"role\":\"voter\",\"state\":\"alive\","
                        + "\"address\":\"127.0.0.1:5698\",\"schema_level\":3,\"rtt_ms\":null,\"last_heard_ms\":null,\"behind\":null,\"problem\":\"\",\"sync\":null},"
                        + "{\"id\":\"node-b\",\"name\":\"phone\",\"role\":\"voter\",\"state\":\"suspect\","
                        + "\"address\":\"\",\"schema_level\":2,\"rtt_ms\":1.23,\"last_heard_ms\":2345,\"behind\":{\"changes\":3,\"bytes\":4096},"
                        + "\"problem\":\"it speaks peer protocol 2 to 2, this node 1 to 1: update fazt on this node\","
                        + "\"sync\":{\"class\":\"\",\"clock_offset_ms\":-7,\"behind_rows\":3,\"behind_bytes\":4096,"
                        + "\"oldest_unsent_ms\":2000,\"ahead_changes\":1,\"pushed\":11,\"received\":12,\"pulls\":13,"
                        + "\"failed_pulls\":14,\"offences\":15,\"floods\":16}}],"
                        + "\"config_version\":42,\"schema_level\":2,\"warning\":\"2 voters need each other\",\"evicted\":\"\","
                        + "\"conflicts\":0,\"held_back\":{\"blobs\":3,\"bytes\":300000},"
                        + "\"parked\":[{\"reason\":\"drawings: unknown table\",\"rows\":12}]}");
        surface.swarm.refusal = Refusal.NO_QUORUM;
        assertThat(surface.data("GET", "/api/swarm/status", "").get("leader").isNull())
                .isTrue();
    }

    @Test
    void showsTheTimeAndWhatLiesAround() throws IOException {
        assertThat(surface.data("GET", "/api/swarm/time", "").toString())
                .isEqualTo("{\"now\":\"2023-11-14T22:13:20Z\",\"corrected\":\"2023-11-14T22:13:13Z\","
                        + "\"offset_ms\":-7000,\"correcting\":true,\"peers\":[{\"id\":\"node-b\",\"name\":\"phone\","
                        + "\"offset_ms\":-7000,\"rtt_ms\":1.23}]}");
        assertThat(surface.data("GET", "/api/swarm/discover", "").toString())
                .isEqualTo("{\"nodes\":[{\"id\":\"node-b\",\"name\":\"phone\",\"swarm\":\"abcd\","
                        + "\"address\":\"10.0.0.2:5698\",\"member\":true}],\"port_mapping\":{\"protocol\":\"PCP\","
                        + "\"address\":\"203.0.113.1:5698\",\"why\":\"\"}}");
        surface.swarm.refusal = Refusal.INVALID;
        assertThat(surface.local("GET", "/api/swarm/discover", "").status()).isEqualTo(400);
    }

    @Test
    void steersTheSwarm() throws IOException {
        surface.data("POST", "/api/swarm/init", "{\"name\":\"demo\"}");
        surface.data("POST", "/api/swarm/init", "");
        assertThat(surface.data("POST", "/api/swarm/token", "{\"ttl_seconds\":60}")
                        .toString())
                .contains("\"token\":\"fazt1-text\"", "\"words\":\"some words\"");
        surface.data("POST", "/api/swarm/join", "{\"token\":\" abc \"}");
        surface.data("POST", "/api/swarm/join", "{\"token\":\"abc\",\"observer\":true}");
        assertThat(surface.data("POST", "/api/swarm/promote", "{\"node\":\"phone\"}")
                        .toString())
                .contains("\"config_version\":42", "\"schema_level\":2", "\"warning\":\"2 voters need each other\"");
        surface.data("POST", "/api/swarm/demote", "{\"node\":\"home\"}");
        surface.data("POST", "/api/swarm/evict", "{\"node\":\" phone \"}");
        surface.data("POST", "/api/swarm/evict", "{\"node\":\"phone\",\"force\":true}");
        assertThat(surface.data("POST", "/api/swarm/rotate-key", "").toString())
                .isEqualTo("{\"name\":\"home\",\"before\":\"node-a\",\"id\":\"node-c\"}");
        surface.data("POST", "/api/swarm/recover", "{\"force\":true}");
        surface.data("PUT", "/api/swarm/links", "{\"online\":false}");
        surface.data("POST", "/api/swarm/leave", "");
        assertThat(surface.swarm.calls)
                .containsExactly(
                        "init demo",
                        "init -",
                        "token PT1M",
                        "join abc",
                        "join abc as observer",
                        "promote phone",
                        "demote home",
                        "evict phone",
                        "evict phone by force",
                        "rotate key",
                        "recover",
                        "online false",
                        "leave");

        assertThat(code(surface.local("POST", "/api/swarm/evict", "{}"))).isEqualTo("MISSING_FIELD");
        assertThat(code(surface.local("POST", "/api/swarm/recover", "{}"))).isEqualTo("FORCE_REQUIRED");
        assertThat(surface.local("POST", "/api/swarm/token", "{\"ttl_seconds\":0}")
                        .status())
                .isEqualTo(400);
        assertThat(surface.local("POST", "/api/swarm/join", "{}").status()).isEqualTo(400);
        assertThat(surface.local("POST", "/api/swarm/join", "{\"token\":\"abc\",\"observer\":\"yes\"}")
                        .status())
                .isEqualTo(400);
        assertThat(surface.local("POST", "/api/swarm/promote", "{}").status()).isEqualTo(400);
        surface.swarm.refusal = Refusal.NO_QUORUM;
        assertThat(surface.local("POST", "/api/swarm/promote", "{\"node\":\"phone\"}")
                        .status())
                .isEqualTo(503);
        surface.swarm.refusal = null;
        assertThat(surface.local("PUT", "/api/swarm/links", "{}").status()).isEqualTo(400);
    }

    @Test
    void leasesAreTakenRenewedAndReleased() throws IOException {
        String lease = "{\"name\":\"nightly\",\"holder\":\"job-1\",\"node\":{\"id\":\"node-a\",\"name\":\"home\"},"
                + "\"token\":281474976710657,\"ttl_seconds\":30,\"left_ms\":12345}";
        assertThat(surface.data("GET", "/api/swarm/leases", "").toString()).isEqualTo("{\"leases\":[" + lease + "]}");
        assertThat(surface.data("POST", "/api/swarm/leases", "{\"name\":\"nightly\"}")
                        .toString())
                .isEqualTo(lease);
        surface.data("POST", "/api/swarm/leases", "{\"name\":\"nightly\",\"ttl_seconds\":60,\"holder\":\"job-1\"}");
        surface.data("PUT", "/api/swarm/leases/nightly", "{\"token\":281474976710657,\"ttl_seconds\":10}");
        assertThat(surface.data("DELETE", "/api/swarm/leases/nightly?token=281474976710657", "")
                        .toString())
                .isEqualTo("{\"released\":false,\"message\":\"nothing was released\"}");
        surface.data("DELETE", "/api/swarm/leases/nightly?force=true", "");
        assertThat(surface.leases.calls)
                .containsExactly(
                        "list",
                        "take nightly PT30S null",
                        "take nightly PT1M job-1",
                        "renew nightly 281474976710657 PT10S",
                        "release nightly 281474976710657",
                        "revoke nightly");
        for (String[] bad : new String[][] {
            {"POST", "/api/swarm/leases", "{}"},
            {"POST", "/api/swarm/leases", "{\"name\":\"nightly\",\"ttl_seconds\":\"30s\"}"},
            {"POST", "/api/swarm/leases", "{\"name\":\"nightly\",\"holder\":7}"},
            {"PUT", "/api/swarm/leases/nightly", "{}"},
            {"PUT", "/api/swarm/leases/nightly", "{\"token\":\"7\"}"},
            {"PUT", "/api/swarm/leases/nightly", "{\"token\":7.5}"},
            {"DELETE", "/api/swarm/leases/nightly", ""},
            {"DELETE", "/api/swarm/leases/nightly?token=x", ""},
            {"DELETE", "/api/swarm/leases/nightly?force=maybe", ""}
        }) {
            assertThat(surface.local(bad[0], bad[1], bad[2]).status())
                    .as(String.join(" ", bad))
                    .isEqualTo(400);
        }
        surface.leases.refusal = Refusal.CONFLICT;
        assertThat(surface.local("POST", "/api/swarm/leases", "{\"name\":\"nightly\"}")
                        .status())
                .isEqualTo(409);
        surface.leases.refusal = Refusal.NO_QUORUM;
        assertThat(code(surface.local("PUT", "/api/swarm/leases/nightly", "{\"token\":7}")))
                .isEqualTo("NO_QUORUM");
    }

    @Test
    void placesAppsAndSaysWhoKeepsWhatIsNotHere() throws IOException {
        assertThat(surface.data("GET", "/api/swarm/placement", "").toString())
                .isEqualTo(
                        "{\"apps\":[{\"id\":\"fazt_app_1\",\"name\":\"shop\",\"rule\":\"label disk=big\",\"holders\":["
                                + "{\"id\":\"node-a\",\"name\":\"home\",\"behind\":0,\"lazy\":false},"
                                + "{\"id\":\"node-b\",\"name\":\"phone\",\"behind\":null,\"lazy\":true}]}],"
                                + "\"members\":[{\"id\":\"node-a\",\"name\":\"home\",\"labels\":{\"disk\":\"big\"}}],"
                                + "\"leaving\":[{\"id\":\"fazt_app_2\",\"name\":\"blog\"}]}");
        surface.data("PUT", "/api/swarm/placement", "{\"app\":\"shop\",\"all\":true}");
        surface.data("PUT", "/api/swarm/placement", "{\"app\":\"shop\",\"on\":[\"home\",\"vps\"]}");
        surface.data("PUT", "/api/swarm/placement", "{\"app\":\"shop\",\"label\":\"disk=big\"}");
        surface.data("PUT", "/api/swarm/placement", "{\"app\":\"shop\",\"all\":true,\"lazy\":[\"phone\"]}");
        surface.data("PUT", "/api/swarm/labels", "{\"node\":\"home\",\"labels\":[\"disk=big\",\"old-\"]}");
        assertThat(surface.placement.calls)
                .containsExactly(
                        "list",
                        "everywhere shop",
                        "on shop [home, vps]",
                        "label shop disk=big",
                        "everywhere shop lazy [phone]",
                        "label member home [disk=big, old-]");
        for (String bad : List.of(
                "{\"app\":\"shop\"}",
                "{\"all\":true}",
                "{\"app\":\"shop\",\"all\":true,\"label\":\"a=b\"}",
                "{\"app\":\"shop\",\"on\":[]}",
                "{\"app\":\"shop\",\"all\":true,\"lazy\":\"phone\"}",
                "{\"app\":\"shop\",\"lazy\":[\"phone\"]}",
                "{\"app\":\"shop\",\"on\":\"home\"}")) {
            assertThat(surface.local("PUT", "/api/swarm/placement", bad).status())
                    .as(bad)
                    .isEqualTo(400);
        }
        assertThat(surface.local("PUT", "/api/swarm/labels", "{\"node\":\"home\"}")
                        .status())
                .isEqualTo(400);
        surface.placement.refusal = Refusal.INVALID;
        assertThat(code(surface.local("PUT", "/api/swarm/placement", "{\"app\":\"shop\",\"all\":true}")))
                .isEqualTo("VALIDATION_FAILED");

        surface.deploy("blog", "index.html", "hello");
        surface.placement.elsewhere.put("blog", List.of("home", "vps"));
        surface.placement.elsewhere.put(surface.apps.require("blog").id(), List.of("home", "vps"));
        surface.routes.rebuildSoon();
        Wire.Answer visitor = wire.get("blog.example.org", "/");
        assertThat(visitor.status()).isEqualTo(421);
        assertThat(visitor.text()).contains("home, vps");
        Wire.Answer deploy = surface.local(
                "POST",
                "/api/deploy",
                "{\"name\":\"blog\",\"manifest\":[{\"path\":\"index.html\",\"sha256\":\"" + "0".repeat(64)
                        + "\",\"size\":1}]}");
        assertThat(deploy.status()).isEqualTo(421);
        assertThat(code(deploy)).isEqualTo("KEPT_ELSEWHERE");
        assertThat(deploy.text()).contains("ask home or vps", "fazt swarm place blog all");
        assertThat(surface.local("GET", "/api/apps/blog/releases", "").status()).isEqualTo(421);
    }

    @Test
    void hasEverythingFetchedAndSaysHowFarThatIs() throws IOException {
        JsonNode all = surface.data("POST", "/api/swarm/sync", "");
        assertThat(all.toString())
                .isEqualTo("{\"running\":true,\"all\":{\"blobs\":3,\"bytes\":300000},"
                        + "\"got\":{\"blobs\":1,\"bytes\":100000},"
                        + "\"from\":[{\"id\":\"node-b\",\"name\":\"phone\",\"bytes\":120000}],"
                        + "\"missing\":[{\"hash\":\"00ff\",\"files\":[\"shop/film.mp4\"]}],\"lost\":1}");
        assertThat(surface.data("GET", "/api/swarm/sync", "")).isEqualTo(all);
        surface.data("POST", "/api/swarm/sync", "{\"app\":\" shop \"}");
        assertThat(surface.placement.calls).containsExactly("sync null", "sync shop");
        assertThat(surface.local("POST", "/api/swarm/sync", "{\"app\":7}").status())
                .isEqualTo(400);
        surface.placement.refusal = Refusal.CONFLICT;
        assertThat(surface.local("POST", "/api/swarm/sync", "").status()).isEqualTo(409);
    }

    @Test
    void showsAndSetsLinks() throws IOException {
        JsonNode data = surface.data("GET", "/api/swarm/links", "");
        JsonNode phone = data.get("links").get(0);
        assertThat(phone.get("class").textValue()).isEqualTo("relayed");
        assertThat(phone.get("via").get("name").textValue()).isEqualTo("home");
        assertThat(phone.get("rtt_ms").doubleValue()).isEqualTo(2.34);
        assertThat(phone.get("rate_limit").longValue()).isEqualTo(1_250_000);
        assertThat(phone.get("budget_left").isNull()).isTrue();
        JsonNode laptop = data.get("links").get(1);
        assertThat(laptop.get("class").isNull()).isTrue();
        assertThat(laptop.get("via").isNull()).isTrue();
        assertThat(laptop.get("faults").intValue()).isEqualTo(2);

        assertThat(data.get("held_back").get("bytes").intValue()).isEqualTo(300_000);

        JsonNode set = surface.data(
                "PUT", "/api/swarm/links/settings", "{\"peer\":\"default\",\"key\":\"budget\",\"value\":\"200MB\"}");
        assertThat(set.get("settings").get(0).get("value").textValue()).isEqualTo("200000000");

        Wire.Answer zero = surface.local(
                "PUT", "/api/swarm/links/settings", "{\"peer\":\"default\",\"key\":\"budget\",\"value\":\"0\"}");
        assertThat(zero.status()).isEqualTo(400);
        assertThat(zero.text()).contains("a budget of zero is refused");
        Wire.Answer nobody = surface.local(
                "PUT", "/api/swarm/links/settings", "{\"peer\":\"nobody\",\"key\":\"rate\",\"value\":\"1MB\"}");
        assertThat(nobody.status()).isEqualTo(404);
    }

    @Test
    void saysWhyTheSwarmRefused() throws IOException {
        for (Refusal refusal : Refusal.values()) {
            surface.swarm.refusal = refusal;
            Wire.Answer answer = surface.local("POST", "/api/swarm/leave", "");
            assertThat(answer.status()).as(refusal.name()).isBetween(400, 504).isNotEqualTo(500);
            assertThat(answer.text()).contains("phone is missing");
        }
    }

    @Test
    void letsNamesLeadToApps() throws IOException {
        surface.deploy("blog", "index.html", "x");
        String id = surface.apps.require("blog").id();

        assertThat(surface.data("PUT", "/api/aliases/news", "{\"app\":\"blog\"}")
                        .get("app")
                        .asText())
                .isEqualTo(id);
        JsonNode alias = surface.data("GET", "/api/aliases", "").get("aliases").get(0);
        assertThat(alias.toString()).isEqualTo("{\"name\":\"news\",\"app\":\"" + id + "\",\"app_name\":\"blog\"}");
        assertThat(surface.data("GET", "/api/aliases/news", "")).isEqualTo(alias);
        surface.data("DELETE", "/api/aliases/news", "");
        assertThat(surface.swarm.names).containsEntry("news", "");

        assertThat(surface.local("PUT", "/api/aliases/news", "{\"app\":\"none\"}")
                        .status())
                .isEqualTo(404);
        assertThat(surface.local("PUT", "/api/aliases/admin", "{\"app\":\"blog\"}")
                        .status())
                .isEqualTo(400);
        assertThat(code(surface.local("GET", "/api/aliases/none", ""))).isEqualTo("ALIAS_NOT_FOUND");
        surface.swarm.refusal = Refusal.NO_QUORUM;
        Wire.Answer refused = surface.local("PUT", "/api/aliases/news", "{\"app\":\"blog\"}");
        assertThat(refused.status()).isEqualTo(503);
        assertThat(code(refused)).isEqualTo("NO_QUORUM");
    }

    @Test
    void tellsWhereASettingComesFromAndKeepsAnother() throws IOException {
        JsonNode before = surface.data("GET", "/api/config", "").get("config");
        assertThat(before.findValuesAsText("key")).contains("domain", "port", "name");
        assertThat(entry("port").get("source").asText()).isEqualTo("flag");
        assertThat(entry("name").get("source").asText()).isEqualTo("environment");
        assertThat(entry("domain").get("source").asText()).isEqualTo("default");

        JsonNode set = surface.data("PUT", "/api/config", "{\"key\":\"domain\",\"value\":\"my.example\"}");
        assertThat(set.get("restart").asBoolean()).isTrue();
        assertThat(entry("domain").get("value").asText()).isEqualTo("my.example");
        assertThat(entry("domain").get("source").asText()).isEqualTo("cartridge");
        assertThat(surface.local("PUT", "/api/config", "{\"key\":\"domian\",\"value\":\"x\"}")
                        .text())
                .contains("did you mean \\\"domain\\\"");
        assertThat(surface.local("PUT", "/api/config", "{\"key\":\"port\",\"value\":\"70000\"}")
                        .status())
                .isEqualTo(400);
        assertThat(surface.local("PUT", "/api/config", "{\"key\":\"discovery\",\"value\":\"maybe\"}")
                        .text())
                .contains("discovery is on or off, not \\\"maybe\\\"");
    }

    private JsonNode entry(String key) throws IOException {
        for (JsonNode entry : surface.data("GET", "/api/config", "").get("config")) {
            if (entry.get("key").asText().equals(key)) {
                return entry;
            }
        }
        throw new AssertionError("no " + key);
    }

    @Test
    void tellsAnOpenPageOfChanges() throws IOException {
        wire.send("GET /api/events HTTP/1.1\r\nHost: " + Surface.ADMIN + "\r\nAuthorization: Bearer " + Surface.TOKEN
                + "\r\n\r\n");
        assertThat(wire.line()).isEqualTo("HTTP/1.1 200 OK");
        assertThat(wire.head()).containsEntry("content-type", "text/event-stream");
        assertThat(wire.line()).isEqualTo("event: change");
        wire.line();
        wire.line();

        surface.deploy("blog", "index.html", "x");
        assertThat(wire.line()).isEqualTo("event: change");
    }

    @Test
    void givesMetricsToTheOwnersPrograms() throws IOException {
        assertThat(wire.get(Surface.ADMIN, "/metrics", "Authorization: Bearer " + Surface.TOKEN)
                        .text())
                .isEqualTo("fazt_up 1\n");
    }

    @Test
    void servesTheAdminPageUnderItsPolicy() throws IOException {
        Wire.Answer page = wire.get(Surface.ADMIN, "/");
        assertThat(page.status()).isEqualTo(200);
        assertThat(page.text()).contains("<script type=\"module\"");
        assertThat(page.header("content-security-policy"))
                .contains("default-src 'self'")
                .contains("frame-ancestors");
        assertThat(page.header("cache-control")).isEqualTo("no-cache");
        assertThat(wire.get(Surface.ADMIN, "/apps/blog").text()).isEqualTo(page.text());

        String script = page.text().replaceAll("(?s).*src=\"(/assets/[^\"]+)\".*", "$1");
        assertThat(wire.get(Surface.ADMIN, script).header("cache-control")).contains("immutable");
        assertThat(wire.get(Surface.ADMIN, "/assets/none.js").status()).isEqualTo(404);
        assertThat(wire.get(Surface.ADMIN, "/../../../../etc/passwd").text()).doesNotContain("root:");
    }
}
